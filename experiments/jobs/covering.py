"""What a granted permit covers: each act that it is used for is checked against the ledger when it is done.

A person's own act covers everything. With a permit the ledger is asked whether its token is one that was granted here,
whether it has ended, and whether the act, the recipe and the jobs are among those that it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from experiments.jobs.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.ledger.budgets import OVER
from experiments.jobs.ledger.granted import Act, Granted
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit, require
from experiments.jobs.tokens import digest_of
from experiments.project.errors import LaunchRefused
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJob


def attested(permit: Permit | None, doing: str, workspace: Workspace) -> Permit:
    """Return a permit that may write notes, tags and hypotheses; that of somebody else must have been granted here.

    Raises:
        LaunchRefused: It is none, or has ended.
    """
    permit = require(permit, doing)
    if permit.token is not None:
        with open_ledger(workspace, read_only=True) as ledger:
            _granted(permit, doing, ledger)
    return permit


def cover_launch(permit: Permit, plan: Plan, ledger: Ledger, root: Path, *, recipe: str | None = None) -> str | None:
    """Return the budget that a launch draws on: that of a granted permit, None where a person acts.

    Args:
        recipe: That of a plan which follows from an earlier launch, as it was recorded; None to find it.

    Raises:
        LaunchRefused: The permit does not cover it.
    """
    doing = f"launch {counted(len(plan.jobs), 'job')}"
    granted = _covering(permit, "launch", doing, ledger)
    if granted is None:
        return None
    if permit.recipe is not None:
        recipe = recipe_word(permit.recipe, root)
    if granted.recipes:
        _refuse_other_recipes(granted, {recipe} if recipe is not None else _recipes_of(plan, ledger), doing)
    return granted.name


def cover_recipe(permit: Permit, recipe: Path, workspace: Workspace) -> None:
    """Refuse to run the code of a recipe for whoever has a permit that does not cover its launches.

    Raises:
        LaunchRefused: The permit has ended, launches nothing, or is for other recipes.
    """
    doing = f"run the recipe {str(recipe)!r}"
    with open_ledger(workspace, read_only=True) as ledger:
        granted = _covering(permit, "launch", doing, ledger)
    if granted is not None and granted.recipes:
        _refuse_other_recipes(granted, {recipe_word(recipe, workspace.root)}, doing)


def cover_search(permit: Permit, budget: str | None, recipe: str | None, ledger: Ledger) -> None:
    """Refuse a granted permit to open, widen or end a search that does not draw on it, or that another recipe opened.

    Raises:
        LaunchRefused: The permit does not cover it.
    """
    doing = "change a search"
    granted = _covering(permit, "launch", doing, ledger)
    if granted is None:
        return
    if granted.recipes:
        _refuse_other_recipes(granted, {recipe} if recipe is not None else set(), doing)
    if budget != granted.name:
        raise LaunchRefused(
            f"refused to {doing}: it draws on budget {budget!r}, and permit {granted.name!r} is another. Ask a person "
            "to do it, or search under another name: the first word of the command line."
        )


def _refuse_other_recipes(granted: Granted, found: Collection[str], doing: str) -> None:
    if not found or set(found) - set(granted.recipes):
        what = ", ".join(sorted(found)) or "no recipe"
        raise LaunchRefused(
            f"refused to {doing}: permit {granted.name!r} is for {', '.join(granted.recipes)}, and this is of {what}. "
            "Ask a person for a permit of its own."
        )


def cover_jobs(permit: Permit, act: Act, jobs: Sequence[TrainingJob | UnreadableJob], ledger: Ledger) -> str | None:
    """Return the budget that an act on jobs draws on; None where a person acts.

    A granted permit covers the jobs that draw on it, and those that its recipes launched, whoever ran them.

    Raises:
        LaunchRefused: The permit does not cover it.
    """
    doing = f"{act} {jobs[0].run_name!r}" if len(jobs) == 1 else f"{act} {counted(len(jobs), 'job')}"
    granted = _covering(permit, act, doing, ledger)
    if granted is None:
        return None
    own = ledger.drawn(granted.name)
    for job in jobs:
        recipe = _recipe_of_plan(job.plan_key, ledger)
        if job.run_name not in own and (recipe is None or recipe not in granted.recipes):
            raise LaunchRefused(
                f"refused to {doing}: {job.run_name!r} was not launched with permit {granted.name!r}, nor by a recipe "
                "that it names. Ask a person to do it."
            )
    return granted.name


def refuse_granted(permit: Permit, doing: str) -> None:
    """Refuse what only a person does, to whoever has no more than a permit.

    Raises:
        LaunchRefused: Somebody else asks.
    """
    if permit.granted is not None:
        raise LaunchRefused(f"refused to {doing}: permit {permit.granted!r} does not cover it. Ask a person to do it.")


def recipe_word(path: Path, root: Path) -> str:
    """Return a recipe's file as permits and records name it: relative to its project where it is in it."""
    real = path.resolve()
    return real.relative_to(root.resolve()).as_posix() if real.is_relative_to(root.resolve()) else str(real)


def _covering(permit: Permit, act: Act, doing: str, ledger: Ledger) -> Granted | None:
    if permit.token is None:
        return None
    granted = _granted(permit, doing, ledger)
    if act not in granted.may:
        raise LaunchRefused(
            f"refused to {doing}: permit {granted.name!r} covers {', '.join(granted.may)}, and not {act}. Ask a person."
        )
    return granted


def _granted(permit: Permit, doing: str, ledger: Ledger) -> Granted:
    name = permit.granted
    assert permit.token is not None
    assert name is not None
    found = next(iter(ledger.permits(name)), None)
    if found is None or found.digest != digest_of(permit.token):
        raise LaunchRefused(
            f"refused to {doing}: no permit {name!r} with this token was granted in this project. It may be another "
            "project's, or the ledger was made again since, which ends every permit. Ask a person for one: "
            "uv run experiments permit --jobs 10"
        )
    budget = next(one for one in ledger.budgets() if one.name == name)
    if not budget.is_open:
        raise LaunchRefused(
            f"refused to {doing}: permit {name!r} has ended ({budget.why or OVER}). Ask a person for another: "
            "uv run experiments permit --jobs 10"
        )
    return found


def _recipes_of(plan: Plan, ledger: LedgerReader) -> Collection[str]:
    """Return the recipes that a plan comes from: its own where it is recorded, else those of its jobs' parents."""
    if own := _recipe_of_plan(plan.key, ledger):
        return {own}
    parents = [job.parent for job in plan.jobs if job.parent is not None]
    keys = {row.plan_key for row in ledger.rows(run_names=parents)} if parents else set()
    return {recipe for key in keys if (recipe := _recipe_of_plan(key, ledger)) is not None}


def _recipe_of_plan(plan_key: str, ledger: LedgerReader) -> str | None:
    recipe = ledger.provenance(plan_key).get("recipe")
    return recipe if isinstance(recipe, str) else None
