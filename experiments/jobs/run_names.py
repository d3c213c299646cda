"""What people may give for a run: its name, a notebook's reference to it, or its job; and which runs there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import arm_and_seed
from experiments.project.errors import StoreError, UsageError
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.types import JobRef, TrainingJob

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

Run = str | JobRef | TrainingJob
Runs = Run | Sequence[Run]

_NEAREST = 3
_LISTED = 5
_CANDIDATES = 2_000


def ref_of(run: Run) -> JobRef:
    """Return a reference to a run; arm and seed are read out of a run name of ours, and empty for any other.

    Raises:
        UsageError: It is none of the things that a run can be given as.
    """
    if isinstance(run, JobRef):
        return run
    if isinstance(run, TrainingJob):
        return run.ref()
    if not isinstance(run, str):
        raise UsageError(f"{run!r} is no run. Give a run name, a JobRef or a TrainingJob; the names: experiments runs")
    arm, seed = arm_and_seed(run) or (run, 0)
    return JobRef(run=run, arm=arm, seed=seed)


def several(runs: Runs) -> list[Run]:
    """Return one run or several as a list.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(runs, str | JobRef | TrainingJob):
        return [runs]
    given: object = runs  # what people pass need not be what the signature says
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise UsageError(f"{runs!r} is no run and no list of runs. Give run names; those that are: experiments runs")
    return list(runs)


def refs_of(runs: Runs) -> list[JobRef]:
    """Return references to one run or several, in the order given, each once.

    Raises:
        UsageError: One of them is none of the things that a run can be given as.
    """
    return list({ref.run: ref for ref in map(ref_of, several(runs))}.values())


def known_runs(runs: Runs, store: RunStore, workspace: Workspace | None = None) -> dict[str, RunInfo]:
    """Return what the store knows of each run; a job that has not begun to log is left out.

    Args:
        workspace: Whose ledger knows of jobs too; None where the store alone does. A job or a reference that is given
            as such was launched, and need not be in either.

    Raises:
        StoreError: A name is neither a run nor a job; names each, and those nearest to it. Or a server does not answer.
        LedgerError: The ledger cannot be read.
    """
    names = [ref.run for ref in refs_of(runs)]
    found = {info.name: info for info in store.find(RunQuery(names=names, limit=None))} if names else {}
    missing = [run for run in several(runs) if isinstance(run, str) and run not in found]
    if missing:
        refuse_unknown(missing, store, workspace)
    return found


def refuse_unknown(names: Sequence[str], store: RunStore, workspace: Workspace | None, *, kind: str = "run") -> None:
    """Refuse names that no job of the ledger has either.

    Args:
        names: What the store does not know.
        kind: What could have been meant, in words.

    Raises:
        StoreError: At least one is unknown.
        LedgerError: The ledger cannot be read.
    """
    launched: list[str] = []
    if workspace is not None:
        with open_ledger(workspace, read_only=True) as ledger:
            launched = [*ledger.experiments()] if kind != "run" else []
            launched += [job.run_name for job in ledger.rows()]
    unknown = [name for name in dict.fromkeys(names) if name not in launched]
    if unknown:
        there = [info.name for info in store.find(RunQuery(limit=_CANDIDATES))]
        raise StoreError(_unknown_text(unknown, [*launched, *there], kind))


def here() -> Workspace:
    """Return the project of the working folder."""
    from experiments.project.workspace import Workspace

    return Workspace.find(Path.cwd())


def _unknown_text(unknown: Sequence[str], known: Sequence[str], kind: str) -> str:
    listed = ", ".join(map(repr, unknown))
    what = f"{kind} {listed} is" if len(unknown) == 1 else f"{kind.replace(' or ', 's or ')}s {listed} are"
    near = list(dict.fromkeys(name for text in unknown for name in _nearest(text, known)))[:_NEAREST]
    every = list(dict.fromkeys(known))
    more = f" and {len(every) - _LISTED:,} more" if len(every) > _LISTED else ""
    if near:
        hint = f"Nearest: {', '.join(map(repr, near))}."
    else:
        hint = f"Known: {', '.join(map(repr, every[:_LISTED]))}{more}." if every else "No run is known yet."
    return f"{what} not known here. {hint} The runs that are: experiments runs"


def _nearest(text: str, known: Sequence[str]) -> list[str]:
    """Return the names that are like `text`, or that it is a part of."""
    parts = [name for name in known if text and text in name]
    return parts[-_NEAREST:] or difflib.get_close_matches(text, dict.fromkeys(known), n=_NEAREST)
