"""What goes on by itself, for pages and commands: how far it is, what its budget has left, what kept it from more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from experiments.jobs import batches
from experiments.jobs.ledger import Budget, Ledger
from experiments.jobs.sweeps import search
from experiments.jobs.sweeps.going_on import LastStep, last_step, marked_command
from experiments.jobs.watch.snapshots import Ongoing
from experiments.project.errors import LedgerError
from experiments.project.look import counted


def ongoing(ledger: Ledger, state: Path) -> tuple[Ongoing, ...]:
    """Return what goes on by itself, as the ledger and the last step have it."""
    handing = tuple(Ongoing(experiment=each.experiment, words=each.words, is_handing=True) for each in ledger.handing())
    return handing + (_marked(ledger, state) if marked_command(state) is not None else ())


def _marked(ledger: Ledger, state: Path) -> tuple[Ongoing, ...]:
    last, budgets = last_step(state) or LastStep(), {budget.name: budget for budget in ledger.budgets()}
    # Of what cannot be read the step says why; what was polled is shown all the same.
    found: list[tuple[str, str, str]] = []
    with contextlib.suppress(LedgerError):
        found += _searches(search.courses(ledger))
    with contextlib.suppress(LedgerError):
        found += _designs(batches.courses(ledger), ledger)
    return tuple(
        Ongoing(
            experiment=experiment,
            words=words,
            budget=_budget_words(budgets.get(name), name),
            problems=tuple(last.problems_of(experiment)),
        )
        for experiment, words, name in found
    )


def _searches(found: Iterable[search.Course]) -> list[tuple[str, str, str]]:
    """Return experiment, what is done of it, and name of the budget of each search that goes on."""
    searches = []
    for course in (each for each in found if each.is_open):
        done = f"{len(course.trials) - len(course.out)} of {counted(course.search.trials, 'trial')} ended"
        words = f"search over {course.search.words}: {done}, {len(course.out)} out"
        searches.append((course.search.experiment, words, course.search.budget))
    return searches


def _designs(found: Iterable[batches.Course], ledger: Ledger) -> list[tuple[str, str, str]]:
    designs = []
    for course in found:
        if course.ended:
            continue
        seeds = {row.seed for key in course.plan_keys for row in ledger.rows(plan_key=key)}
        words = f"seeds until decided: {counted(len(seeds), 'seed')} of each arm launched so far"
        designs.append((course.batched.experiment, words, course.batched.budget))
    return designs


def _budget_words(budget: Budget | None, name: str) -> str:
    if budget is None:
        return f"no budget {name!r}: experiments budget set {name} jobs=10" if name else "no budget: it is older"
    left = f"; left: {budget.left}" if budget.left else ""
    return f"budget {budget.name}: {budget.sentence}{left}"
