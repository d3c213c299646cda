"""Which code a job really ran: its snapshot, or the working tree when its trainer started, beside its plan's record.

A job that runs in place, or of before there were snapshots, ran what lay in the project by then. Where nobody recorded
that, the answer is "not known", never the plan's record.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.jobs.launchers.local.supervisor import CODE, JOB
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import config_text
from experiments.project.errors import LedgerError
from experiments.project.files import parse_json, read_json
from experiments.project.look import counted
from experiments.project.provenance import CodeRecord, Provenance, changes_since, file_names

if TYPE_CHECKING:
    from experiments.jobs.ledger.reading import LedgerReader
    from experiments.project.workspace import Workspace
    from experiments.types import TrainingJob

_MOST_NAMED = 8


@dataclass(frozen=True)
class Ran:
    """The code of one job.

    Attributes:
        planned: What was recorded when its plan was first launched; None without a record.
        started: The project when its trainer started; None where that was not recorded.
        why: Why it is not known which code ran; empty where it is.
        has_started: Whether there is a code that ran at all.
        problem: Why the plan's record cannot be read; empty where it can, or where there is none.
        asked: What the job was asked to compute, see `plan.config_text`.
        told: The records that this was read from, as JSON without times: equal where all else that a mark says is.
    """

    planned: Provenance | None
    started: CodeRecord | None
    why: str = ""
    has_started: bool = True
    problem: str = ""
    asked: str = ""
    told: tuple[str, str] = ("", "")

    @property
    def is_fixed(self) -> bool:
        """Whether what it ran is kept and could not change while it ran."""
        return not self.why and self.started is not None and self.started.snapshot is not None

    @property
    def identity(self) -> str | None:
        """What is equal for two jobs that ran the same code; None where it is not known, or changed under the job."""
        if self.why or self.started is None or self._was_edited:
            return None
        packages = ",".join(f"{name}={version}" for name, version in sorted(self.started.packages.items()))
        return f"{self.started.sha256} {self.started.python} {packages}"

    def provenance(self) -> Provenance | None:
        """Return where the code that ran came from; None where it is not known."""
        if self.why or self.started is None:
            return None
        started = self.started
        planned = self.planned.model_dump(mode="json") if self.planned else {}
        told = {"python": started.python, "packages": started.packages} if started.packages else {}
        same = self.planned is not None and self.planned.commit == started.commit
        return Provenance.model_validate(
            {
                **planned,
                **told,
                "state": "dirty" if started.file_count else "clean",
                "reason": "",
                "commit": started.commit,
                "branch": planned.get("branch") if same else None,
                "pushed": planned.get("pushed", "unknown") if same else "unknown",
                "files": tuple(started.files),
                "file_count": started.file_count,
                "untracked": 0,
                "diff_sha256": started.sha256 if started.file_count else None,
                "diff_bytes": 0,
                "tree": started.model_dump(mode="json"),
                "own": None,
            }
        )

    def changes(self, root: Path | None = None) -> list[str] | None:
        """Return what differs from the plan's record, in words; None where that is not known."""
        ran = self.provenance()
        if ran is None or self.planned is None:
            return None
        planned = self.planned
        if planned.tree is None:
            # A record of 0.1.0 knows neither untracked files nor a hash to compare the changes by.
            plain = not planned.file_count and not planned.untracked and not ran.file_count
            if planned.commit == ran.commit and not plain:
                return None
        elif planned.tree.sha256 is None:
            return None
        return changes_since(planned, ran, root)

    def words(self, root: Path | None = None) -> str:
        """Return one sentence on the code that ran, as against the plan's record."""
        if self.why:
            return f"not known which code ran: {self.why}"
        loose = self._not_fixed()
        changes = self.changes(root)
        if changes is None:
            why = self.problem or "the plan's record cannot be compared"
            return f"whether its code was the plan's is not known: {why}"
        if changes:
            return f"its code differed from the plan's record: {'; '.join(changes)}{loose}"
        return f"as recorded for its plan{loose}"

    def _not_fixed(self) -> str:
        if self.started is None or not self.started.in_place:
            return ""
        edited = ", which was edited meanwhile" if self._was_edited else ""
        return f"; code not fixed: it ran in the working tree{edited}"

    @property
    def _was_edited(self) -> bool:
        """Whether the working tree was another when its trainer ended."""
        started = self.started
        return started is not None and started.sha256_at_end not in (None, started.sha256)


def codes_of(workspace: Workspace, runs: Iterable[str]) -> dict[str, Ran]:
    """Return the code of each run that the ledger knows.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        jobs = ledger.jobs(run_names=list(runs))
        noted = ledger.latest_texts(CODE, [job.run_name for job in jobs])
        plans = {key: _planned(ledger, key) for key in {job.plan_key for job in jobs}}
    runs_dir = str(workspace.runs)
    return {job.run_name: _ran(job, plans[job.plan_key], noted.get(job.run_name), runs_dir) for job in jobs}


@dataclass(frozen=True)
class _Planned:
    """What was recorded of a plan's code, as it stands there, and why it cannot be read where something was."""

    provenance: Provenance | None
    text: str = ""
    problem: str = ""


def _planned(ledger: LedgerReader, plan_key: str) -> _Planned:
    try:
        record = ledger.provenance(plan_key)
        return _Planned(Provenance.recorded(record), json.dumps(record)) if record else _Planned(None)
    except LedgerError as error:
        return _Planned(None, problem=str(error))


def doubts(codes: Sequence[Ran], root: Path) -> list[str]:
    """Return in how many runs of several the plan's record is not what ran, or nobody knows."""
    total = counted(len(codes), "run")
    unknown = Counter(code.words(root) for code in codes if code.why and code.planned is not None)
    found = [f"{text} ({number} of {total}); the plan's record is compared" for text, number in unknown.items()]
    if differing := sum(bool(code.changes(root)) for code in codes):
        found.append(f"{differing} of {total} ran another code than the plan's record")
    return found


@dataclass(frozen=True)
class Mark:
    """The code of one run as far as a caption needs it.

    Attributes:
        identity: Equal for runs of the same code; empty where nobody knows.
        differed: It was not that of the plan's record.
        run: Run name.
        packages: Equal for runs with the same package set; empty where nobody knows.
        machine: Equal for runs that computed with the same: processor, kernels, threads, GPUs; empty likewise.
        asked: Equal for runs that were asked to compute the same; empty likewise.
    """

    identity: str
    differed: bool = False
    run: str = ""
    packages: str = ""
    machine: str = ""
    asked: str = ""


def marks_of(workspace: Workspace, runs: Iterable[str]) -> dict[str, Mark]:
    """Return the mark of each run that has started; one that the ledger does not know has an unknown code.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    runs = list(runs)
    codes = codes_of(workspace, runs)
    return {run: Mark("", run=run) for run in runs if run not in codes} | marks_from(codes)


def marks_from(codes: Mapping[str, Ran]) -> dict[str, Mark]:
    """Return the mark of each of some codes that has started."""
    return {run: _mark(run, code) for run, code in codes.items() if code.has_started}


def _mark(run: str, code: Ran) -> Mark:
    facts = _facts_told(*code.told) if code.told[1] else _facts(code)
    return replace(facts, run=run, asked=code.asked)


@functools.lru_cache(maxsize=512)
def _facts_told(planned: str, started: str) -> Mark:
    """Judge records once for all runs that have them: a study has a thousand runs, and one snapshot."""
    record = CodeRecord.model_validate(parse_json(started))
    return _facts(Ran(Provenance.recorded(parse_json(planned)) if planned else None, record, _doubt(record)))


def _facts(code: Ran) -> Mark:
    """Return the mark of a run that is not named yet."""
    started = code.started
    packages = (started.environment or "") if started else ""
    machine = started.machine.model_dump_json() if started and started.machine else ""
    return Mark(code.identity or "", bool(code.changes()), packages=packages, machine=machine)


def code_words(marked: Iterable[tuple[str, Mark]]) -> list[str]:
    """Return what must be said beside results of several runs: arms of more codes than one, and of codes nobody knows.

    Arms whose runs had different packages, or computed with something else, are named as well.

    Args:
        marked: The arm and the mark of each run.
    """
    found = _Doubts.of(marked)
    words = []
    words += [_mixed(mixed, noun) for noun, mixed in found.mixed.items() if mixed]
    if found.differed:
        words.append(f"{_differed(found.differed)} ran another code than the plan's record")
    if found.unknown:
        some = counted(found.unknown, "run") if found.unknown < found.total else "these runs"
        words.append(f"not known which code {some} ran")
    return words


def code_line(marked: Iterable[tuple[str, Mark]]) -> list[str]:
    """Return the same in few words, for a line."""
    found = _Doubts.of(marked)
    differed, of_all = sum(number for number, _ in found.differed.values()), f"of {counted(found.total, 'run')}"
    several = ((len(mixed), f"several {noun}s in {counted(len(mixed), 'arm')}") for noun, mixed in found.mixed.items())
    parts = (
        *several,
        (differed, f"{differed} {of_all} ran other code"),
        (
            found.unknown,
            f"code of {found.unknown} {of_all} not known" if found.unknown < found.total else "code not known",
        ),
    )
    return [words for number, words in parts if number]


@dataclass(frozen=True)
class _Doubts:
    """What is not plain of the code of some runs.

    Attributes:
        mixed: By what differs (`code`, `package set`, `machine`) the arms with more than one: how many, and the command
            that tells two of them apart.
        differed: How many runs of an arm ran another code than the plan's record, and how many it has.
        unknown: Of how many runs nobody knows the code.
    """

    mixed: Mapping[str, Mapping[str, tuple[int, str]]]
    differed: Mapping[str, tuple[int, int]]
    unknown: int
    total: int

    @classmethod
    def of(cls, marked: Iterable[tuple[str, Mark]]) -> _Doubts:
        arms: dict[str, list[Mark]] = {}
        for arm, mark in marked:
            arms.setdefault(arm, []).append(mark)
        parts = (("code", "identity"), ("package set", "packages"), ("machine", "machine"))
        mixed: dict[str, dict[str, tuple[int, str]]] = {noun: {} for noun, _ in parts}
        for (noun, name), (arm, marks) in itertools.product(parts, arms.items()):
            first: dict[str, str] = {}
            for mark in marks:
                if known := getattr(mark, name):
                    first.setdefault(known, mark.run)
            if len(first) > 1:
                mixed[noun][arm] = len(first), f"experiments diff {' '.join(list(first.values())[:2])}"
        differed = {arm: (sum(mark.differed for mark in marks), len(marks)) for arm, marks in arms.items()}
        return cls(
            mixed,
            {arm: counts for arm, counts in differed.items() if counts[0]},
            sum(not mark.identity for marks in arms.values() for mark in marks),
            sum(map(len, arms.values())),
        )


def _mixed(mixed: Mapping[str, tuple[int, str]], noun: str) -> str:
    _, command = next(iter(mixed.values()))
    if len(mixed) == 1:
        [(arm, (number, _))] = mixed.items()
        return f"{number} {noun}s in arm {arm} ({command})"
    return f"several {noun}s in arms {_listed([f'{arm} ({number})' for arm, (number, _) in mixed.items()])} ({command})"


def _differed(differed: Mapping[str, tuple[int, int]]) -> str:
    number, total = (sum(counts[at] for counts in differed.values()) for at in (0, 1))
    each = number < total and len(differed) > 1
    named = [f"{arm} ({own} of {every})" if each else arm for arm, (own, every) in differed.items()]
    return f"{number} of {counted(total, 'run')} of {_listed(named)}"


def _listed(names: Sequence[str]) -> str:
    """Return names as a list in words; of many the first few."""
    few = list(names[:_MOST_NAMED])
    last = counted(len(names) - len(few), "more arm") if len(names) > len(few) else few.pop()
    return f"{', '.join(few)} and {last}" if few else last


def _ran(job: TrainingJob, plan: _Planned, noted: str | None, runs: str) -> Ran:
    planned, asked = plan.provenance, config_text(job.config)
    folder = f"{runs}/{job.run_name}"
    try:
        text = noted or _in_folder(folder)
        started, told = _started(text) if text else (None, "")
    except (OSError, ValueError) as error:
        why = f"its record cannot be read ({str(error).splitlines()[0]})"
        return Ran(planned, None, why, problem=plan.problem, asked=asked)
    if started is None:
        waits = job.state != "submitted" or (job.launcher == "local" and _waits(folder))
        why = "it was not started yet" if waits else "nothing was recorded at its start"
        return Ran(planned, None, why, has_started=not waits, problem=plan.problem, asked=asked)
    return Ran(planned, started, _doubt(started), problem=plan.problem, asked=asked, told=(plan.text, told))


def _doubt(started: CodeRecord) -> str:
    """Return why a record does not say which code ran; empty where it does."""
    if started.edited:
        return f"its checkout was edited while it ran ({file_names(started.edited)})"
    return "" if started.sha256 else started.reason or "git did not say"


@functools.lru_cache(maxsize=4096)
def _started(text: str) -> tuple[CodeRecord, str]:
    """Return the record of a start, and its JSON without the time.

    Raises:
        ValueError: It is none.
    """
    record = CodeRecord.model_validate(parse_json(text))
    return record, record.model_dump_json(exclude={"at"})


def _in_folder(folder: str) -> str | None:
    path = f"{folder}/{JOB}"
    try:
        changed = os.stat(path).st_mtime_ns  # noqa: PTH116 - a thousand of these at once
    except FileNotFoundError:
        return None
    return _read(path, changed)


@functools.lru_cache(maxsize=4096)
def _read(path: str, _changed: int) -> str | None:
    code = (read_json(Path(path)) or {}).get(CODE)
    return json.dumps(code) if code else None


def _waits(folder: str) -> bool:
    return os.path.isdir(folder) and not os.path.exists(f"{folder}/{JOB}")  # noqa: PTH110, PTH112 - likewise
