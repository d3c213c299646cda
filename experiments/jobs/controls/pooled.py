"""Which kept controls an experiment was launched beside: their runs, and the code of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.selection import task_of
from experiments.project.errors import LedgerError
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import JobRef, KeptControl, TrainingJob, TrainingJobConfig, job_refs

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


def with_controls(jobs: Sequence[TrainingJob], workspace: Workspace) -> list[JobRef]:
    """Return what a notebook keeps of jobs that were launched, and before them of the controls beside them."""
    if not jobs:
        return []
    with open_ledger(workspace, read_only=True) as ledger:
        controls = controls_of(ledger, [job.plan_key for job in jobs])
    return [*control_runs(controls), *job_refs(jobs)]


def without_runs_of(
    rows: Iterable[TrainingJob | UnreadableJob], controls: Sequence[KeptControl]
) -> list[TrainingJob | UnreadableJob]:
    """Return rows of the ledger without those of controls, which another experiment launched."""
    theirs = {run.run for run in control_runs(controls)}
    return [row for row in rows if row.run_name not in theirs]


def of_each_task(jobs: Iterable[TrainingJob]) -> list[TrainingJob]:
    """Return the first of the jobs that compute each of several things."""
    found: dict[str, TrainingJob] = {}
    for job in jobs:
        found.setdefault(repr(task_of(job.config)), job)
    return list(found.values())


def arms_alike(ledger: LedgerReader, config: TrainingJobConfig, runs: Iterable[str]) -> int:
    """Return how many arms of the same settings were launched, in any experiment: one may have picked of them.

    Args:
        runs: Of one of them, whether the ledger knows these or not.
    """
    task, told = task_of(config), ledger.seeds_told(config.additional_args)
    own = set(runs)
    rows = ledger.jobs(run_names=[run for run, _, _ in told if run not in own])
    return 1 + len({(row.experiment, row.arm) for row in rows if task_of(row.config) == task})


def as_chosen_now(control: KeptControl, ledger: LedgerReader) -> KeptControl:
    """Return a control with how many arms there are to choose from by now, where these are more than when it was kept.

    Whoever keeps five baselines, each when it is the only one, has five to choose from by the time of a design.
    """
    number = arms_alike(ledger, control.config, [run.run for run in control.runs])
    return replaced(control, chosen_from=number) if number > control.chosen_from else control
