"""What a log says of itself in numbers, kept in the file: the next export compares with it, the logbook lists it.

The block is JSON in the head of the page, `<script type="application/json" id="experiments-log">`, which no browser
runs. Its fields are those of `LogRecord`; `format` goes up when one changes its meaning. Nothing else is kept of a log,
so a folder of logs can be copied, committed or mended by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experiments.project.look import DECISIONS, counted, quantity, shortened

FORMAT = 1
_OPEN = '<script type="application/json" id="experiments-log">'
_CLOSE = "</script>"
_READ = 1 << 20
_MAX_NAMED = 5


class _Part(BaseModel):
    # A later version may know more; what we do not know is left alone.
    model_config = ConfigDict(frozen=True, extra="ignore")


class LoggedJob(_Part):
    """One job of a log.

    Attributes:
        state: Its verdict.
        step: Agent steps done; None where nobody knows.
        reward: Latest value of what its trainer is about.
    """

    run: str
    arm: str = ""
    seed: int = 0
    state: str = "unknown"
    step: int | None = None
    reward: float | None = None


class LoggedMetric(_Part):
    """The number that decides, over the jobs that have one.

    Attributes:
        text: Value and spread, as the head of the log says them.
    """

    name: str
    value: float
    text: str


class LogRecord(_Part):
    """What a log file says of itself.

    Attributes:
        format: Version of this schema.
        created: ISO 8601, UTC, to the second.
        notebook: File name of the notebook.
        hypothesis: Plain text.
        verdict: Plain text.
        code: Hash of each cell's tokens, by name.
        commit: That the newest job ran, empty where nobody knows; without jobs, that of the export.
        snapshot: Of the code that it ran, where that is in no commit.
        data: sha256 over each run's latest values and its curve of the key metric; empty without runs.
        shown: sha256 of all that the page shows below its head.
        problems: Cells that failed, with the first line of why.
        changes: What changed since the log before; None for the first.
        previous: File name of the log before, in the same folder; empty for the first.
    """

    format: Literal[1] = 1
    title: str
    experiment: str
    created: str
    who: str = ""
    notebook: str = ""
    hypothesis: str = ""
    verdict: str = ""
    key_metric: LoggedMetric | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    jobs: tuple[LoggedJob, ...] = ()
    code: dict[str, str] = Field(default_factory=dict)
    packages: dict[str, str] = Field(default_factory=dict)
    commit: str = ""
    snapshot: str = ""
    dirty: bool | None = None
    data: str = ""
    shown: str = ""
    problems: tuple[str, ...] = ()
    changes: tuple[str, ...] | None = None
    previous: str = ""

    @property
    def moment(self) -> datetime | None:
        """When it was written; None where what stands there is no time."""
        try:
            found = datetime.fromisoformat(self.created)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def decision(self) -> str:
        """The word of `look.DECISIONS` with which the verdict begins; empty where it begins otherwise."""
        word = self.verdict.split(maxsplit=1)[0].strip(".:,").lower() if self.verdict.strip() else ""
        return word if word in DECISIONS else ""

    def says_the_same(self, other: LogRecord) -> bool:
        """Say whether two logs differ in nothing but when and by whom they were written."""
        apart = {"created", "who", "changes", "previous"}
        return self.model_dump(exclude=apart) == other.model_dump(exclude=apart)


def with_record(page: bytes, record: LogRecord) -> bytes:
    """Return a page with the record in its head."""
    text = json.dumps(record.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    # Inside a script element only `<` can end or confuse it.
    block = f"{_OPEN}{text.replace('<', chr(92) + 'u003c')}{_CLOSE}\n".encode()
    place = page.find(b"<title")
    return page[:place] + block + page[place:] if place >= 0 else block + page


def read_record(path: Path) -> LogRecord | None:
    """Return what a log file says of itself; None where it cannot be read, is damaged or is not one of ours."""
    try:
        with path.open("rb") as file:
            start = file.read(_READ)
    except OSError:
        return None
    text = start.decode("utf-8", "replace")
    begin = text.find(_OPEN)
    end = text.find(_CLOSE, begin)
    if begin < 0 or end < 0:
        return None
    try:
        return LogRecord.model_validate_json(text[begin + len(_OPEN) : end])
    except ValidationError:
        return None


def changes_between(old: LogRecord, new: LogRecord) -> tuple[str, ...]:
    """Return in sentences what differs between two logs of an experiment; empty where nothing does."""
    found = [
        *_of_mapping("config", old.config, new.config, lambda value: json.dumps(value, ensure_ascii=False)),
        *_of_jobs(old.jobs, new.jobs),
        *_of_metric(old.key_metric, new.key_metric),
        *_of_code(old.code, new.code),
        *_of_mapping("package", old.packages, new.packages, str),
        *_of_text("hypothesis", old.hypothesis, new.hypothesis),
        *_of_text("verdict", old.verdict, new.verdict),
    ]
    if (old.commit, old.dirty) != (new.commit, new.dirty):
        found.append(f"commit {_commit(old)} is now {_commit(new)}")
    if old.data != new.data:
        found.append("the runs have other data")
    if old.shown != new.shown and not found:
        found.append("what the cells show")
    if old.problems != new.problems:
        found.append(
            f"{counted(len(new.problems), 'cell') if new.problems else 'no cell'} failed, before {len(old.problems)}"
        )
    return tuple(found)


def _of_mapping(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], show: Callable[[Any], str]) -> list[str]:
    words = []
    for name in sorted({*old, *new}):
        if name not in old:
            words.append(f"{kind} {name}: {_short(show(new[name]))} (not there before)")
        elif name not in new:
            words.append(f"{kind} {name}: gone (was {_short(show(old[name]))})")
        elif old[name] != new[name]:
            words.append(f"{kind} {name}: {_short(show(old[name]))} is now {_short(show(new[name]))}")
    return words


def _of_jobs(old: Sequence[LoggedJob], new: Sequence[LoggedJob]) -> list[str]:
    before, after = {job.run: job for job in old}, {job.run: job for job in new}
    added = [run for run in after if run not in before]
    gone = [run for run in before if run not in after]
    words = [f"{counted(len(added), 'job')} added: {_names(added)}"] if added else []
    words += [f"{counted(len(gone), 'job')} gone: {_names(gone)}"] if gone else []
    both = [(before[run], after[run]) for run in after if run in before]
    moved = [f"{job.run}: {was.state} is now {job.state}" for was, job in both if was.state != job.state]
    moved += [
        f"{job.run}: reward {quantity(was.reward)} is now {quantity(job.reward)}"
        for was, job in both
        if was.reward != job.reward
    ]
    more = len(moved) - _MAX_NAMED
    return [*words, *moved[:_MAX_NAMED], *([f"{counted(more, 'more change')} of jobs"] if more > 0 else [])]


def _of_metric(old: LoggedMetric | None, new: LoggedMetric | None) -> list[str]:
    if old == new:
        return []
    if old is None or new is None:
        shown = new or old
        assert shown is not None
        return [f"{shown.name}: {shown.text} ({'not there before' if old is None else 'gone'})"]
    name = new.name if old.name == new.name else f"{old.name}, now {new.name}"
    return [f"{name}: {old.text} is now {new.text}"]


def _of_code(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    groups = {
        "changed": [name for name in new if name in old and old[name] != new[name]],
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
    }
    return [f"{counted(len(names), 'cell')} {word}: {_names(names)}" for word, names in groups.items() if names]


def _of_text(kind: str, old: str, new: str) -> list[str]:
    if old == new:
        return []
    return [f"{kind}: {_short(new)}" if new else f"{kind}: gone"]


def _commit(record: LogRecord) -> str:
    return (record.commit[:10] or "unknown") + (" with changes" if record.dirty else "")


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _short(text: str, limit: int = 120) -> str:
    return shortened(" ".join(text.split()), limit)
