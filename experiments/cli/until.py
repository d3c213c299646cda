"""`--seeds until-decided`: the first batch is launched by a person, the others follow by themselves."""

from __future__ import annotations

from experiments.cli.flags import RunOptions
from experiments.jobs.batches import Batched, courses, first_batch, open_batches
from experiments.jobs.journal import Journal
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.permits import Permit
from experiments.jobs.sweeps.going_on import mark_going_on
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import Plan

UNTIL_DECIDED = "until-decided"


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


def first_seeds(options: RunOptions, workspace: Workspace, name: str, journal: Journal) -> tuple[int, ...]:
    """Return the seeds of the first batch.

    Raises:
        UsageError: There is no hypothesis, a rule that does not look before its end, or a design of this name already.
    """
    if not journal.is_written:
        raise UsageError(
            "seeds until decided need a hypothesis beside the rule, written before the launch: hypothesis = '...' in "
            "the recipe, or in the notebook's cell journal."
        )
    number = first_batch(journal.rule, options.batch_seeds, options.max_seeds)
    with open_ledger(workspace, read_only=True) as ledger:
        course = next((one for one in courses(ledger) if one.batched.experiment == name), None)
        is_there = course is not None and ledger.has_plan(course.batched.plan_key)
    if course is not None and is_there:
        stands = f"has ended ({course.ended})" if course.ended else "goes on by itself (experiments step)"
        raise UsageError(
            f"experiment {name!r} {stands}: its seeds are not launched once more. Give another design a name of its "
            f"own, as the first word: {name}-2"
        )
    return tuple(range(number))


def go_on(workspace: Workspace, plan: Plan, journal: Journal, batch: int | None, permit: Permit) -> str:
    """Record before its first launch that a design goes on until it is decided, with a budget for it; say so."""
    assert journal.rule is not None
    first, arms = len({job.seed for job in plan.jobs}), len({job.arm for job in plan.jobs})
    rest = arms * ((journal.rule.planned or first) - first)
    if rest <= 0:
        return ""
    name = plan.experiment
    places = ("wandb_entity", "wandb_project", "wandb_group")
    batched = Batched(
        experiment=name,
        plan_key=plan.key,
        batch=batch or 1,
        budget=name,
        train_command=workspace.settings.train_command,
        places={place: value for place in places if (value := getattr(workspace.settings, place)) is not None},
        wandb_mode=workspace.wandb_mode(),
    )
    with open_ledger(workspace) as ledger:
        if not any(budget.name == name and budget.is_open for budget in ledger.budgets()):
            ledger.grant(name, Limits(jobs=rest), permit.how)
        open_batches(ledger, batched, permit.how)
    mark_going_on(workspace, goes_on=True)
    return (
        f"Goes on by itself until decided, up to {journal.rule.planned} seeds of each arm; its budget is {name!r}, "
        f"{counted(rest, 'further job')}. Carry it on: uv run experiments step. End it: uv run experiments budget end "
        f"{name}"
    )
