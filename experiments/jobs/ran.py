"""Which code a job really ran: the project as it was when its trainer started, beside what its plan recorded.

A job that waits for a slot, and a retry, run what lies in the project by then. Where nobody recorded that, the answer
is "not known", never the plan's record.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from experiments.jobs.launchers.local.supervisor import CODE, JOB
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import LedgerError
from experiments.project.files import read_json
from experiments.project.look import counted
from experiments.project.provenance import CodeRecord, Provenance, changes_since

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
    """

    planned: Provenance | None
    started: CodeRecord | None
    why: str = ""
    has_started: bool = True
    problem: str = ""

    @property
    def identity(self) -> str | None:
        """What is equal for two jobs that ran the same code; None where it is not known."""
        if self.why or self.started is None:
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
        changes = self.changes(root)
        if changes is None:
            why = self.problem or "the plan's record cannot be compared"
            return f"whether its code was the plan's is not known: {why}"
        if changes:
            return f"its code differed from the plan's record: {'; '.join(changes)}"
        return "as recorded for its plan"


def codes_of(workspace: Workspace, runs: Iterable[str]) -> dict[str, Ran]:
    """Return the code of each run that the ledger knows.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        jobs = ledger.jobs(run_names=list(runs))
        noted = ledger.latest_events(CODE, [job.run_name for job in jobs])
        plans = {key: _planned(ledger, key) for key in {job.plan_key for job in jobs}}
    found = {}
    for job in jobs:
        planned, problem = plans[job.plan_key]
        found[job.run_name] = replace(_ran(job, planned, noted.get(job.run_name), workspace), problem=problem)
    return found


def _planned(ledger: LedgerReader, plan_key: str) -> tuple[Provenance | None, str]:
    """Return what was recorded of a plan's code, and why it cannot be read where something was."""
    try:
        record = ledger.provenance(plan_key)
        return (Provenance.recorded(record) if record else None), ""
    except LedgerError as error:
        return None, str(error)


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
    """

    identity: str
    differed: bool = False


def marks_of(workspace: Workspace, runs: Iterable[str]) -> dict[str, Mark]:
    """Return the mark of each run that has started; one that the ledger does not know has an unknown code.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    runs = list(runs)
    codes = codes_of(workspace, runs)
    unknown = {run: Mark("") for run in runs if run not in codes}
    return unknown | {
        run: Mark(code.identity or "", bool(code.changes())) for run, code in codes.items() if code.has_started
    }


def code_words(marked: Iterable[tuple[str, Mark]]) -> list[str]:
    """Return what must be said beside results of several runs: arms of more codes than one, and of codes nobody knows.

    Args:
        marked: The arm and the mark of each run.
    """
    found = _Doubts.of(marked)
    words = []
    if found.mixed:
        words.append(_mixed(found.mixed))
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
    parts = (
        (len(found.mixed), f"several codes in {counted(len(found.mixed), 'arm')}"),
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
        mixed: How many codes an arm has, of arms with more than one.
        differed: How many runs of an arm ran another code than the plan's record, and how many it has.
        unknown: Of how many runs nobody knows the code.
    """

    mixed: Mapping[str, int]
    differed: Mapping[str, tuple[int, int]]
    unknown: int
    total: int

    @classmethod
    def of(cls, marked: Iterable[tuple[str, Mark]]) -> _Doubts:
        arms: dict[str, list[Mark]] = {}
        for arm, mark in marked:
            arms.setdefault(arm, []).append(mark)
        codes = {arm: len({mark.identity for mark in marks if mark.identity}) for arm, marks in arms.items()}
        differed = {arm: (sum(mark.differed for mark in marks), len(marks)) for arm, marks in arms.items()}
        return cls(
            {arm: number for arm, number in codes.items() if number > 1},
            {arm: counts for arm, counts in differed.items() if counts[0]},
            sum(not mark.identity for marks in arms.values() for mark in marks),
            sum(map(len, arms.values())),
        )


def _mixed(mixed: Mapping[str, int]) -> str:
    if len(mixed) == 1:
        [(arm, number)] = mixed.items()
        return f"{number} codes in arm {arm}"
    return f"several codes in arms {_listed([f'{arm} ({number})' for arm, number in mixed.items()])}"


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


def _ran(job: TrainingJob, planned: Provenance | None, noted: Mapping[str, Any] | None, workspace: Workspace) -> Ran:
    try:
        found = noted or _in_folder(workspace.runs / job.run_name)
        started = CodeRecord.model_validate(found) if found else None
    except (OSError, ValueError, ValidationError) as error:
        return Ran(planned, None, f"its record cannot be read ({str(error).splitlines()[0]})")
    if started is None:
        waits = job.state != "submitted" or (job.launcher == "local" and not found and _waits(job, workspace))
        why = "it was not started yet" if waits else "nothing was recorded at its start"
        return Ran(planned, None, why, has_started=not waits)
    return Ran(planned, started, "" if started.sha256 else started.reason or "git did not say")


def _in_folder(folder: Path) -> Mapping[str, Any] | None:
    try:
        changed = (folder / JOB).stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(folder / JOB, changed)


@functools.lru_cache(maxsize=4096)
def _read(path: Path, _changed: int) -> Mapping[str, Any] | None:
    code: Mapping[str, Any] | None = (read_json(path) or {}).get(CODE)
    return code


def _waits(job: TrainingJob, workspace: Workspace) -> bool:
    folder = workspace.runs / job.run_name
    return folder.is_dir() and not (folder / JOB).exists()
