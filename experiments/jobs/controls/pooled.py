"""Which kept controls an experiment was launched beside: their runs, and the code of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from experiments.jobs.ledger import UnreadableJob
from experiments.jobs.ledger.reading import LedgerReader
from experiments.project.errors import LedgerError
from experiments.types import JobRef, KeptControl, TrainingJob

_known: dict[tuple[Path, str], KeptControl | None] = {}
"""By state folder and key of the plan: what is recorded of a plan never changes, and a page asks at every refresh."""


def controls_of(ledger: LedgerReader, plan_keys: Iterable[str]) -> list[KeptControl]:
    """Return the controls of some plans, each once, that of the oldest plan first; a plan that is damaged has none."""
    found: dict[str, KeptControl] = {}
    for key in dict.fromkeys(plan_keys):
        place = (ledger.state_dir, key)
        if place not in _known:
            with suppress(LedgerError):
                plan = ledger.plan(key)
                if plan is not None:
                    _known[place] = plan.control
        if (control := _known.get(place)) is not None:
            found.setdefault(f"{control.name} {control.version}", control)
    return list(found.values())


def control_runs(controls: Iterable[KeptControl]) -> list[JobRef]:
    """Return the runs of some controls."""
    return [run for control in controls for run in control.runs]


def without_runs_of(
    rows: Iterable[TrainingJob | UnreadableJob], controls: Sequence[KeptControl]
) -> list[TrainingJob | UnreadableJob]:
    """Return rows of the ledger without those of controls, which another experiment launched."""
    theirs = {run.run for run in control_runs(controls)}
    return [row for row in rows if row.run_name not in theirs]
