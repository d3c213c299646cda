"""`--seeds until-decided`: the first batch is launched by a person, the others follow by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from experiments.cli.budget import read_limits
from experiments.cli.options import RunOptions
from experiments.experiment import Experiment
from experiments.jobs.batches import UNTIL_DECIDED, Course, courses, seeds_of_first_batch
from experiments.jobs.controls.files import read_control
from experiments.jobs.funding import begin_batches
from experiments.jobs.journal import Journal
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.budgets import check_room, cost_of_job
from experiments.jobs.permits import Permit
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.types import Plan

if TYPE_CHECKING:
    from rich.console import Console


def check_until(options: RunOptions, workspace: Workspace) -> bool:
    """Tell whether seeds are asked for until the rule decides.

    Raises:
        UsageError: Flags contradict each other.
    """
    if options.seeds != UNTIL_DECIDED:
        if options.batch_seeds is not None or options.max_seeds is not None:
            raise UsageError(
                f"--batch-seeds and --max-seeds go with --seeds {UNTIL_DECIDED}. Add it, or leave them out."
            )
        if options.budget is not None:
            raise UsageError(
                f"--budget goes with --seeds {UNTIL_DECIDED} or --search: whatever else is launched was asked for job "
                "by job. Leave it out."
            )
        return False
    for flag, given in (
        ("--resume", options.resume),
        ("--same-seed", options.same_seed != 1),
        ("--again", options.again),
    ):
        if given:
            raise UsageError(f"{flag} does not go with --seeds {UNTIL_DECIDED}. Leave one of the two out.")
    if workspace.settings.in_place:
        raise UsageError("seeds until decided run one snapshot from the first batch to the last, so none in place.")
    return True


def first_seeds(options: RunOptions, experiment: Experiment, journal: Journal) -> tuple[int, ...]:
    """Return the seeds of the first batch: the first numbers, or the first of the control that stands for the baseline.

    Raises:
        UsageError: There is no hypothesis, a rule that does not look before its end, or a design of this name already.
    """
    control = experiment.controls
    seeds = read_control(experiment.workspace.root, control).seeds if control is not None else None
    return seeds_of_first_batch(
        experiment.workspace,
        experiment.name,
        journal,
        batch=options.batch_seeds,
        most=options.max_seeds,
        control=seeds,
    )


def went_on(workspace: Workspace, experiment: str) -> bool:
    """Tell whether batches of an experiment follow, or followed, by themselves."""
    with open_ledger(workspace, read_only=True) as ledger:
        return any(each.batched.experiment == experiment for each in courses(ledger))


def goes_on(workspace: Workspace, experiment: str) -> bool:
    """Tell whether further batches of an experiment follow by themselves."""
    with open_ledger(workspace, read_only=True) as ledger:
        return any(each.batched.experiment == experiment and not each.ended for each in courses(ledger))


def follow_until_decided(workspace: Workspace, experiment: str, out: Console) -> bool:
    """Follow a design until it has ended, and say how; say whether all could be done."""
    from experiments.cli.following import follow_on

    def now() -> Course | None:
        with open_ledger(workspace, read_only=True) as ledger:
            return next((each for each in courses(ledger) if each.batched.experiment == experiment), None)

    def look() -> tuple[list[str], bool]:
        course = now()
        with open_ledger(workspace, read_only=True) as ledger:
            rows = [row for key in course.plan_keys for row in ledger.rows(plan_key=key)] if course else []
        return [row.run_name for row in rows], course is not None and not course.ended

    try:
        is_whole = follow_on(workspace, experiment, look, out)
    except KeyboardInterrupt:
        out.print("Detached; it goes on by itself. See it again: uv run experiments status")
        return True
    if (course := now()) is not None and course.ended:
        out.print(f"{experiment}: {course.ended}", markup=False)
    return is_whole


def asked_limits(options: RunOptions, plan: Plan, journal: Journal) -> Limits | None:
    """Return the budget that a person gave seeds until decided; None where there was none, or nothing goes on so.

    Raises:
        UsageError: It is none.
        LaunchError: It has no room for the first batch, or counts what nobody knows of its jobs.
    """
    if options.budget is None or options.seeds != UNTIL_DECIDED:
        return None
    arms, most = len({job.arm for job in plan.jobs}), journal.rule.planned if journal.rule is not None else None
    asked = read_limits(options.budget, arms * (most or 1))
    check_room(plan.experiment, asked, {job.run_name: cost_of_job(job, plan.launcher) for job in plan.jobs})
    return asked


def go_on(
    workspace: Workspace,
    plan: Plan,
    journal: Journal,
    options: RunOptions,
    permit: Permit,
    say: Callable[[str], None],
    asked: Limits | None,
) -> str | None:
    """Record before its first launch that a design goes on until it is decided; return the name of its budget.

    None where its first batch has all of its seeds.

    Args:
        asked: From `asked_limits`.
    """
    assert journal.rule is not None
    begun = begin_batches(
        workspace,
        plan,
        journal.rule,
        train_command=workspace.settings.train_command,
        permit=permit,
        batch=options.batch_seeds or 1,
        asked=asked,
    )
    if begun is None:
        return None
    budget, told = begun
    say(told)
    return budget
