"""`experiments scores` and `compare`: one number a run, an arm's over its seeds, and how far two lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.estimates import Compared, Estimated, Noise, compared, estimated, interval_text, noise
from experiments.cli.terminal import FittedColumn, FittedTable, console
from experiments.project.look import MISSING, quantity
from experiments.project.standing import seed_number
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.results.scores import ScoredRuns
    from experiments.results.sides import Side
    from experiments.runs.store import RunInfo
    from experiments.statistics import Scores, Statistic
    from experiments.types import JobRef

_ARMS = ("arm", "value", "interval", "n", "seeds")
_RUNS = ("arm", "seed", "score", "outcome", "run")

_Metric = Annotated[str | None, tyro.conf.arg(metavar="KEY", help_behavior_hint="")]
_Over = Annotated[Literal["mean", "median", "iqm"], tyro.conf.arg(metavar="{mean,median,iqm}")]


class ArmScores(Shown):
    """One arm.

    Attributes:
        estimate: Over its seeds.
        planned: Number of seeds that were planned.
        waiting: How many of them may still get a score.
        lost: How many ended without one.
        counted: What became of the seeds, in words.
    """

    arm: str
    estimate: Estimated
    planned: int
    waiting: int
    lost: int
    counted: str


class RunScore(Shown):
    """One run.

    Attributes:
        role: `seed`, or what the run is where it is none: then it is in no statistic over seeds.
        score: null where it has none, and `reason` says why; of a threshold that was never reached too.
        outcome: What became of it: `finished`, `failed`, `unfinished`, ...
    """

    run: str
    arm: str
    seed: int
    role: str
    score: float | None
    outcome: str
    reason: str


class ScoresOf(Long):
    """The scores of an experiment in one metric.

    Attributes:
        score: What one run's score is, in words.
        direction: Which is better, `higher` or `lower`, as far as anybody said.
        origin: Rows, runs, completeness and time of reading, in words.
        noise: How far runs of one seed lie apart; null where no seed ran twice.
        comparisons: Each arm against the first; no rule registered them, so they suggest and decide nothing.
        notes: What could not be read, and what must be said beside the numbers.
    """

    ITEMS: ClassVar[str] = "runs"
    KEY: ClassVar[str] = "run"

    experiment: str
    metric: str
    score: str
    direction: Literal["higher", "lower"]
    origin: str
    arms: tuple[ArmScores, ...]
    noise: Noise | None
    comparisons: tuple[Compared, ...]
    runs: tuple[RunScore, ...]
    notes: tuple[str, ...]


def scores(
    experiment: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="EXPERIMENT")]],
    *,
    metric: _Metric = None,
    statistic: _Over = "mean",
) -> Answer[ScoresOf]:
    """Show the score of every run of an experiment, and of every arm over its seeds, with intervals.

    Args:
        experiment: Name of the experiment.
        metric: What is scored; by default what its rule is about, else its trainer.
        statistic: How the scores of seeds become one.
    """
    from experiments.cli.asked import asked_subject
    from experiments.statistics import compare_arms

    workspace = Workspace.find(Path.cwd())
    subject = asked_subject(workspace, experiment)
    found = subject.scored(metric or subject.metric)
    higher = found.summary.higher_is_better
    arms = list(found.scores.values())
    rule = subject.journal.rule
    beside = (
        []
        if subject.is_search
        else compare_arms(
            arms,
            "iqm" if statistic == "iqm" else "mean",
            higher_is_better=higher,
            pool_codes=rule.pool_codes if rule is not None else False,
        )
    )
    answer = ScoresOf(
        experiment=experiment,
        metric=found.metric,
        score=found.summary.words,
        direction="higher" if higher else "lower",
        origin=found.origin,
        arms=tuple(_arm(one, statistic) for one in arms),
        noise=noise(found.noise, None),
        comparisons=tuple(map(compared, beside)),
        runs=tuple(run for one in arms for run in _runs(one)),
        notes=(*found.notes, *([found.found] if found.found else []), *([subject.problem] if subject.problem else [])),
    )
    return Answer(answer, _print_scores)


def _arm(one: Scores, statistic: Statistic) -> ArmScores:
    from experiments.statistics import describe

    found = describe(one, statistic)
    return ArmScores(
        arm=one.arm,
        estimate=estimated(found),
        planned=len(one.runs),
        waiting=one.waiting,
        lost=len(one.lost),
        counted=found.count.sentence,
    )


def _runs(one: Scores) -> list[RunScore]:
    return [
        RunScore(
            run=run.run,
            arm=one.arm,
            seed=run.seed,
            role="replicate" if run.replicate and run.role == "seed" else run.role,
            score=run.value,
            outcome=run.outcome,
            reason=run.reason,
        )
        for run in (*one.runs, *one.beside)
    ]


def _print_scores(found: ScoresOf) -> None:
    out = console()
    out.print(f"{found.metric}, {found.score}; {found.direction} is better", soft_wrap=True)
    table = FittedTable([FittedColumn(each, is_right=each in {"value", "n"}) for each in _ARMS], _ARMS)
    for arm in found.arms:
        value = arm.estimate.value
        table.add(
            arm.arm,
            quantity(value) if value is not None else MISSING,
            interval_text(arm.estimate),
            str(arm.estimate.n),
            arm.counted,
            note=arm.estimate.reason,
        )
    out.print(table)
    out.print()
    runs = FittedTable([FittedColumn(each, is_right=each in {"seed", "score"}) for each in _RUNS], _RUNS)
    for run in found.runs:
        score = quantity(run.score) if run.score is not None else MISSING
        outcome = run.outcome if run.role == "seed" else f"{run.outcome}, {run.role}"
        runs.add(run.arm, seed_number(run.seed), score, outcome, run.run, note=run.reason)
    out.print(runs)
    out.print()
    for one in found.comparisons:
        out.print(one.said, soft_wrap=True)
    if found.comparisons:
        from experiments.results.claims import UNREGISTERED

        out.print(f"Exploratory: {UNREGISTERED}", soft_wrap=True)
    if found.noise is not None:
        out.print(f"{found.noise.said}.", soft_wrap=True)
    for note in (found.origin, *found.notes):
        out.print(note, style="dim", soft_wrap=True)


class ComparisonOf(Shown):
    """Two arms, experiments or runs in one metric; no rule registered it, so it suggests and decides nothing."""

    metric: str
    score: str
    direction: Literal["higher", "lower"]
    origin: str
    arms: tuple[ArmScores, ...]
    comparison: Compared
    noise: Noise | None
    kind: Literal["exploratory"] = "exploratory"
    notes: tuple[str, ...]


def compare(
    a: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="A")]],
    b: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="B")]],
    *,
    metric: _Metric = None,
    statistic: Annotated[Literal["mean", "iqm"], tyro.conf.arg(metavar="{mean,iqm}")] = "mean",
) -> Answer[ComparisonOf]:
    """Show how far A is from B in one metric over their seeds, with interval and test.

    Args:
        a: An arm, or EXPERIMENT/ARM; an experiment, or EXPERIMENT/; a run, by name or launcher id.
        b: What it is compared with.
        metric: What is scored; by default what their trainer is about.
        statistic: How the scores of seeds become one.
    """
    from experiments.results.sides import sides
    from experiments.statistics import compare as compare_two

    workspace = Workspace.find(Path.cwd())
    first, second = sides(workspace, a, b)
    found = _scored_sides(workspace, first, second, metric)
    higher = found.summary.higher_is_better
    one, other = (found.scores[name] for name in _names(first, second))
    told = compare_two(one, other, statistic, higher_is_better=higher)
    answer = ComparisonOf(
        metric=found.metric,
        score=found.summary.words,
        direction="higher" if higher else "lower",
        origin=found.origin,
        arms=(_arm(one, statistic), _arm(other, statistic)),
        comparison=compared(told),
        noise=noise(found.noise, told.difference.value),
        notes=(*found.notes, *([found.found] if found.found else [])),
    )
    return Answer(answer, _print_comparison)


def _names(first: Side, second: Side) -> tuple[str, str]:
    return (first.name, second.name) if first.name != second.name else (f"{first.name} (a)", f"{second.name} (b)")


def _scored_sides(workspace: Workspace, first: Side, second: Side, metric: str | None) -> ScoredRuns:
    from dataclasses import replace

    from experiments.jobs.ran import marks_of
    from experiments.monitoring import job_statuses
    from experiments.project.values import replaced
    from experiments.results.logged import found_metric
    from experiments.results.scores import FINAL, scored_runs
    from experiments.runs.opening import default_store
    from experiments.runs.roles import metrics_of
    from experiments.runs.store import RunQuery

    names = _names(first, second)
    jobs = [replaced(ref, arm=name) for side, name in zip((first, second), names, strict=True) for ref in side.runs]
    runs = [job.run for job in jobs]
    store = default_store(workspace.root)

    def infos_of(some: Sequence[JobRef]) -> list[RunInfo]:
        return store.find(RunQuery(names=[job.run for job in some], limit=None))

    wanted = metric or found_metric(jobs, infos_of)
    lower = any(metrics_of(job).primary == wanted and metrics_of(job).direction == "lower" for job in jobs)
    statuses = {status.run_name: status for status in job_statuses(workspace.state, runs)}
    summary = replace(FINAL, higher_is_better=not lower)
    return scored_runs(jobs, wanted, store, statuses=statuses, summary=summary, codes=marks_of(workspace, runs))


def _print_comparison(found: ComparisonOf) -> None:
    from experiments.results.claims import UNREGISTERED

    out = console()
    out.print(f"{found.metric}, {found.score}; {found.direction} is better", soft_wrap=True)
    table = FittedTable([FittedColumn(each, is_right=each in {"value", "n"}) for each in _ARMS], _ARMS)
    for arm in found.arms:
        value = quantity(arm.estimate.value) if arm.estimate.value is not None else MISSING
        table.add(arm.arm, value, interval_text(arm.estimate), str(arm.estimate.n), arm.counted)
    out.print(table)
    out.print()
    out.print(found.comparison.said, style="bold", soft_wrap=True)
    if found.noise is not None:
        out.print(f"{found.noise.said}.", soft_wrap=True)
    out.print(f"Exploratory: {UNREGISTERED}", soft_wrap=True)
    for note in (found.origin, *found.notes):
        out.print(note, style="dim", soft_wrap=True)
