"""What goes on by itself gets its budget, and when that has ended gives up what never started.

A budget is granted before what draws on it is opened: whoever is killed in between leaves one that nothing uses, and
the same command again takes that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from experiments.jobs.batches import Batched, courses, open_batches
from experiments.jobs.covering import refuse_granted
from experiments.jobs.families import arms_of_rule
from experiments.jobs.handover import reconcile
from experiments.jobs.ledger import Ledger, Limits, open_ledger
from experiments.jobs.permits import Permit
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.going_on import mark_going_on
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import Plan


def unused_name(ledger: Ledger, wanted: str, permit: Permit) -> str:
    """Return a name for a budget: that of an experiment, with a number where it had some before.

    One that is open and on which nothing has drawn is taken: a person granted it beforehand, or was killed since. What
    a granted permit opens draws on the permit's own.
    """
    if permit.granted is not None:
        return permit.granted
    taken = {budget.name for budget in ledger.budgets() if budget.jobs or not budget.is_open}
    return next(name for name in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def fund(ledger: Ledger, name: str, asked: Limits | None, *, jobs: int, more: int, permit: Permit) -> str:
    """Grant what goes on by itself its budget, and return what it has in words.

    Nothing is granted to whoever acts with a granted permit, which is a budget already.

    Args:
        asked: Limits that a person gave; None for room for its jobs. One that is open stays as it is then.
        jobs: How many jobs are still to come.
        more: How many of these were asked for just now, on top of what was asked for before.
        permit: Who asked.

    Raises:
        UsageError: The limits are over before they begin.
        LaunchRefused: Whoever acts with a granted permit asks for another budget than that.
    """
    if permit.granted is not None:
        if asked is not None or name != permit.granted:
            refuse_granted(permit, f"grant budget {name!r}")
        [own] = [budget for budget in ledger.budgets() if budget.name == name]
        return f"It draws on permit {name!r}: {own.sentence}."
    there = next((budget for budget in ledger.budgets() if budget.name == name), None)
    if asked is not None:
        ledger.grant(name, asked, permit.how)
    elif there is None or not there.is_open:
        ledger.grant(name, Limits(jobs=max((there.jobs if there else 0) + jobs, 1)), permit.how)
    elif more > 0 and there.jobs and there.limits.jobs is not None:
        ledger.grant(name, replace(there.limits, jobs=there.limits.jobs + more), permit.how)
    [now] = [budget for budget in ledger.budgets() if budget.name == name]
    return f"Its budget is {name!r}: {now.sentence}. End it: uv run experiments budget end {name}"


def check_decidable(plan: Plan, rule: Rule) -> None:
    """Refuse a first batch whose rule does not say which of its arms are compared: no look could ever decide it.

    Raises:
        UsageError: Names the arms.
    """
    arms = list(dict.fromkeys([*([plan.control.arm] if plan.control else []), *(job.arm for job in plan.jobs)]))
    if arms_of_rule(rule, arms) is None:
        raise UsageError(
            "seeds until decided need a rule about two arms of the launch, and this one does not say which: the arms "
            f"are {', '.join(map(repr, arms))}. Name arm and baseline in the rule, or vary a setting."
        )


def begin_batches(
    workspace: Workspace,
    plan: Plan,
    rule: Rule,
    *,
    train_command: Sequence[str],
    permit: Permit,
    batch: int = 1,
    asked: Limits | None = None,
) -> tuple[str, str] | None:
    """Record before its first launch that a design goes on until it is decided.

    Args:
        workspace: With the places of its jobs.
        plan: Its first batch.
        batch: How many seeds follow at once, where the rule looks at any time.
        asked: See `fund`.

    Returns:
        The name of its budget, and what goes on in words; None where the first batch has all of its seeds.

    Raises:
        UsageError: See `check_decidable`.
    """
    check_decidable(plan, rule)
    first, arms = len({job.seed for job in plan.jobs}), len({job.arm for job in plan.jobs})
    most = rule.planned or first
    if most <= first:
        return None
    places = ("wandb_entity", "wandb_project", "wandb_group")
    with open_ledger(workspace) as ledger:
        # Whoever was killed between these has a budget already, and a record that names it.
        before = [course.batched for course in courses(ledger) if course.batched.plan_key == plan.key]
        batched = Batched(
            experiment=plan.experiment,
            plan_key=plan.key,
            batch=batch,
            budget=before[0].budget if before else unused_name(ledger, plan.experiment, permit),
            train_command=tuple(train_command),
            places={place: value for place in places if (value := getattr(workspace.settings, place)) is not None},
            wandb_mode=workspace.wandb_mode(),
        )
        granted = fund(ledger, batched.budget, asked, jobs=arms * most, more=0, permit=permit)
        open_batches(ledger, batched, permit.how)
    mark_going_on(workspace, goes_on=True)
    return batched.budget, f"Goes on by itself until decided, up to {most} seeds of each arm. {granted}"


def give_up_unstarted(ledger: Ledger, workspace: Workspace, plan_keys: Iterable[str]) -> str:
    """Take back jobs of plans that no launcher has, since their budget has ended; return how many, in words."""
    number = 0
    for key in plan_keys:
        if any(row.state == "submitting" for row in ledger.rows(plan_key=key)):
            reconcile(ledger, workspace, plan_key=key)
        number += sum(ledger.cancel_unlaunched(row.run_name) for row in ledger.rows(plan_key=key))
    return (
        f"{counted(number, 'job')} that had not started {'was' if number == 1 else 'were'} taken back" if number else ""
    )
