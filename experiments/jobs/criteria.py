"""Criteria of acceptance: what an experiment has to reach, recorded with its launch, so that a CI job can hold it.

A recipe states them beside its rule, and what was recorded before the first job is what counts:

    accept = (Criterion("overview/sps", ">=", 23_000, unit="steps a second"), Criterion("heart.gained", ">", 0.1))
"""

from __future__ import annotations

import ast
import inspect
import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from experiments.jobs.covering import attested
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.types import Plan

KIND = "criteria"
LEVEL = 0.05
Comparison = Literal[">=", ">", "<=", "<"]
_COMPARED: dict[Comparison, tuple[str, Callable[[float, float], bool]]] = {
    ">=": ("at least", operator.ge),
    ">": ("more than", operator.gt),
    "<=": ("at most", operator.le),
    "<": ("less than", operator.lt),
}


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Criterion:
    """One bound that the seeds of an arm have to keep: all of the interval of their statistic lies on its right side.

    Attributes:
        metric: Key of the metric.
        comparison: How what is reached stands to the bound.
        bound: In the metric's own unit.
        unit: Of the bound, in words: `steps a second`.
        arm: The arm that it is about; empty for each of them.
        score: One run's score: the mean over the end of its steps, the area under its curve, or its best value.
        share: Share of the steps that `final` and `area` look at, from the end; None for a tenth and for all.
        window: First and last step that they look at, in the place of a share.
        statistic: Over the seeds.
        level: How often the interval may miss what it is about, as that of a `Rule`; half of it on each side. Where
            seeds were added after the first, by k launches in all, it is that of the k-th design of a family.
        lost: What a lost seed counts as. Without it nothing is said over lost seeds.
        pool_codes: Whether something may be said of runs of different code.
    """

    metric: Annotated[str, Field(min_length=1)]
    comparison: Comparison
    bound: float
    unit: str = ""
    arm: str = ""
    score: Literal["final", "area", "best"] = "final"
    share: Annotated[float | None, Field(gt=0, le=1)] = None
    window: tuple[float, float] | None = None
    statistic: Literal["mean", "iqm", "median"] = "mean"
    level: Annotated[float, Field(gt=0, le=0.2)] = LEVEL
    lost: float | None = None
    pool_codes: bool = False

    @property
    def wants_more(self) -> bool:
        """Whether more of the metric is better."""
        return self.comparison in {">=", ">"}

    @property
    def asked(self) -> str:
        """The bound in words: `at least 23,000 steps a second`."""
        return f"{_COMPARED[self.comparison][0]} {_number(self.bound)} {self.unit}".rstrip()

    @property
    def words(self) -> str:
        """The criterion in words."""
        return self.words_for(self.arm)

    def words_for(self, arm: str) -> str:
        """Return it in words as it is held to one arm."""
        return f"{self.metric}{f' of {arm}' if arm else ''} {self.asked}"

    def is_met_by(self, value: float) -> bool:
        """Tell whether one number keeps the bound."""
        return _COMPARED[self.comparison][1](value, self.bound)


_CRITERIA = TypeAdapter(tuple[Criterion, ...], config=ConfigDict(defer_build=True))


@dataclass(frozen=True)
class Stated:
    """What a recipe states, and where it does.

    Attributes:
        recipe: The recipe's file from the project's root; empty where it is outside of it.
        owner: Name of the recipe's class.
        written: How its file writes them; None where that cannot be read.
    """

    criteria: tuple[Criterion, ...] = ()
    recipe: str = ""
    owner: str = ""
    written: str | None = None


@dataclass(frozen=True)
class RecordedCriteria:
    """The criteria of a plan as they were recorded.

    Attributes:
        at: Unix seconds; before the plan's first job was recorded where they stood at its launch.
        plan_key: The plan that was launched.
        stated: None where this version cannot read what another wrote.
    """

    at: float
    plan_key: str
    stated: Stated | None


def stated_by(recipe: type, root: Path) -> Stated:
    """Return the criteria of a recipe's class.

    Raises:
        UsageError: They contradict themselves or each other, or are none.
    """
    given = getattr(recipe, "accept", ())
    if not isinstance(given, Sequence) or not all(isinstance(item, Criterion) for item in given):
        raise UsageError(
            f"{recipe.__name__}.accept = {given!r} in the recipe. Write several criteria, also where it is one: "
            "(Criterion('overview/sps', '>=', 23_000),)."
        )
    criteria = tuple(given)
    if criteria:
        check_criteria(criteria)
    try:
        path = Path(inspect.getfile(recipe)).resolve()
        name = path.relative_to(root.resolve()).as_posix()
    except (OSError, TypeError, ValueError):  # typed at a prompt, or in a package elsewhere
        return Stated(criteria, owner=recipe.__name__)
    return Stated(criteria, name, recipe.__name__, written_in(path, recipe.__name__))


def check_criteria(criteria: Sequence[Criterion]) -> None:
    """Refuse criteria that nothing can meet, or that a lost seed would.

    Raises:
        UsageError: Names them, in one sentence.
    """
    for one in criteria:
        if problem := _part_problem(one):
            raise UsageError(f"criterion {one.words!r} {problem}.")
        if one.lost is not None and one.is_met_by(one.lost):
            worst = "at worst: the least" if one.wants_more else "at worst: the most"
            raise UsageError(
                f"criterion {one.words!r} would be met by lost seeds, which count as {_number(one.lost)} in it. "
                f"Say what a run can reach {worst} that a score can be."
            )
    for one, other in itertools.permutations(criteria, 2):
        if _same_score(one, other) and one.wants_more and not other.wants_more and _exclude(one, other):
            raise UsageError(f"criteria {one.words!r} and {other.words!r} exclude each other. Turn one of them round.")


def renamed(stated: Stated, arms: Mapping[str, str]) -> tuple[Stated, tuple[Criterion, ...]]:
    """Return criteria with the names that their arms have somewhere else, and those about an arm that is not there.

    Args:
        arms: The name there, by that which the criteria use.
    """
    kept = (replace(one, arm=arms[one.arm]) if one.arm else one for one in stated.criteria if one.arm in {"", *arms})
    left = tuple(one for one in stated.criteria if one.arm not in {"", *arms})
    return replace(stated, criteria=tuple(kept)), left


def check_arms(criteria: Sequence[Criterion], plan: Plan, workspace: Workspace) -> None:
    """Refuse a criterion about an arm that neither a plan nor an earlier launch of its experiment has.

    Raises:
        UsageError: Names the arms that there are.
        LedgerError: Nobody can say what was launched earlier.
    """
    named = [one for one in criteria if one.arm]
    arms = dict.fromkeys(job.arm for job in plan.jobs)
    kept = plan.control
    if kept is not None and (held := next((one for one in named if one.arm == kept.arm not in arms), None)):
        raise UsageError(
            f"criterion {held.words!r} is about arm {held.arm!r}, which is control {kept.name}: what it scored is "
            f"known already, so it accepts nothing. Name one of {', '.join(map(repr, arms))}, or none for each."
        )
    if any(one.arm not in arms for one in named):
        with open_ledger(workspace, read_only=True) as ledger:
            arms |= dict.fromkeys(row.arm for row in ledger.rows(experiment=plan.experiment))
    if missing := next((one for one in named if one.arm not in arms), None):
        raise UsageError(
            f"criterion {missing.words!r} is about arm {missing.arm!r}, which this experiment does not have. Its arms: "
            f"{', '.join(map(repr, arms))}. Name one of them, or none for each."
        )


def record_criteria(plan: Plan, stated: Stated, permit: Permit | None, workspace: Workspace) -> bool:
    """Record by what a plan that is about to be launched is accepted; say whether it was new.

    Nothing is recorded for a dry run, where the recipe states nothing, or where the newest record is the same.

    Raises:
        LaunchRefused: Nobody asked for a launch.
    """
    if not stated.criteria or plan.launcher == "dry-run":
        return False
    attested(permit, "record criteria", workspace)
    with open_ledger(workspace) as ledger:
        before = recorded_criteria(ledger, [plan.key])
        if before and before[-1].stated is not None and before[-1].stated.criteria == stated.criteria:
            return False
        content = _CRITERIA.dump_python(stated.criteria, mode="json")
        place = {"recipe": stated.recipe, "owner": stated.owner, "written": stated.written}
        ledger.add_event(KIND, plan_key=plan.key, criteria=content, **place)
    return True


def recorded_criteria(ledger: LedgerReader, plan_keys: Sequence[str]) -> list[RecordedCriteria]:
    """Return what was recorded at the launches of some plans, in the order of the records."""
    events = ledger.events(plan_key=plan_keys, kind=KIND)
    return [RecordedCriteria(event.at, str(event.plan_key), _stated(event.data)) for event in events]


def written_in(recipe: Path, owner: str) -> str | None:
    """Return how the class `owner` of a file writes its criteria, without running the file.

    Returns:
        Empty where the class writes none, None where the file cannot be read or has no such class.
    """
    try:
        tree = ast.parse(recipe.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner]
    if not classes:
        return None
    written = ""
    for node in classes[-1].body:
        match node:
            case ast.Assign([ast.Name("accept")], value) | ast.AnnAssign(ast.Name("accept"), _, ast.expr() as value):
                written = ast.unparse(value)
    return written


def _part_problem(one: Criterion) -> str:
    """Return why a criterion cannot look at the part of the steps that it names; empty where it can."""
    if one.score == "best" and (one.share is not None or one.window is not None):
        return "takes the best value, which has neither share nor window: leave these out, or score 'final' or 'area'"
    if one.share is not None and one.window is not None:
        return "names share and window, which are two ways to say the same: leave one of them out"
    if one.window is not None and not 0 <= one.window[0] < one.window[1]:
        return f"looks at window {one.window!r}, which is no stretch of steps: the first step, then a later one"
    return ""


def _stated(data: Mapping[str, Any]) -> Stated | None:
    try:
        criteria = _CRITERIA.validate_python(data.get("criteria"), strict=False)
    except ValidationError:
        return None
    written = data.get("written")
    place = str(data.get("recipe", "")), str(data.get("owner", ""))
    return Stated(criteria, *place, written if isinstance(written, str) else None)


def _same_score(one: Criterion, other: Criterion) -> bool:
    same = all(
        getattr(one, name) == getattr(other, name) for name in ("metric", "score", "share", "window", "statistic")
    )
    return same and (one.arm == other.arm or not one.arm or not other.arm)


def _exclude(least: Criterion, most: Criterion) -> bool:
    """Tell whether no number is on the right side of both bounds."""
    if least.bound != most.bound:
        return least.bound > most.bound
    return not (least.is_met_by(least.bound) and most.is_met_by(least.bound))


def _number(value: float) -> str:
    """Return a number that somebody wrote, with all of its digits."""
    return f"{value:,.10g}"
