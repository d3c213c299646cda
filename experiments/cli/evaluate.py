"""The command that evaluates checkpoints: jobs that play them on held-out maps, and what they found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.evaluated import Evaluated
from experiments.cli.flags import Flag
from experiments.cli.terminal import FittedColumn, FittedTable, console
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import MISSING, counted, quantity
from experiments.project.streams import INTERRUPTED
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import CodeOf, TrainingJob

if TYPE_CHECKING:
    from rich.console import Console

    from experiments.jobs.evaluating import WantedEvaluation
    from experiments.results.evaluations import EvaluatedRun

_MAPS = 8
_MOST_MAPS = 1_000_000
_CHECKPOINTS = (
    FittedColumn("run", least=22),
    *(FittedColumn(heading, is_right=True) for heading in ("step", "mean", "SD over maps", "episodes")),
)
_RUNS = (
    FittedColumn("run", least=22),
    *(
        FittedColumn(heading, is_right=True)
        for heading in ("checkpoints", "mean", "SD over checkpoints", "SD over maps")
    ),
)


class Evaluations(Shown):
    """What evaluations found.

    Attributes:
        failed: Why those found nothing that did not, by run name.
    """

    runs: tuple[Evaluated, ...]
    failed: dict[str, str]


def evaluate(
    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="RUN|ARM|EXPERIMENT")]],
    *,
    checkpoints: Annotated[str, tyro.conf.arg(metavar="last:N|all")] = "last:1",
    maps: Annotated[int, tyro.conf.arg(aliases=["--episodes"], metavar="N")] = _MAPS,
    code: Annotated[CodeOf, tyro.conf.arg(metavar="{own,now}")] = "own",
    yes: Flag = False,
) -> Answer[Evaluations]:
    """Play checkpoints on held-out maps, each in a job where its run was; what was played before is not played again.

    What is found stays in the run's folder and is a metric like any other: `eval/64-maps/return` is the mean over 64
    maps, at the step of each checkpoint. An evaluation never counts as a seed. Ctrl-C detaches; they go on.

    Args:
        name: A run, by name or launcher id; an arm, or EXPERIMENT/ARM; an experiment, or EXPERIMENT/.
        checkpoints: Which of each run: last:10 for the ten newest, or all.
        maps: Held-out maps that each is played on; the first so many, always the same.
        code: own: by the code that the run ran; now: by the project as it is, which is said of the numbers.
        yes: Do not ask before a launch that costs money.
    """
    last = _last(checkpoints)
    if not 1 <= maps <= _MOST_MAPS:
        raise UsageError(f"--maps {maps}: from 1 to {_MOST_MAPS:,} can be played. Try --maps {_MAPS}.")
    from experiments.results.evaluations import evaluated_jobs

    workspace, out = Workspace.find(Path.cwd()), console()
    jobs = evaluated_jobs(workspace, name)
    wanted, problems = _wanted(workspace, jobs, last, maps, code)
    launched = _launch(workspace, wanted, out, yes=yes)
    try:
        failed = _failed(workspace, launched, out)
    except KeyboardInterrupt:
        return Answer(None, code=INTERRUPTED, notes=["detached; they go on. The same command shows what they found."])
    found = _found(workspace, wanted, maps)
    shown = Evaluations(runs=tuple(Evaluated.model_validate(run.record()) for run in found), failed=failed)
    return Answer(
        shown,
        lambda _: _print(workspace, found, out),
        code=1 if failed or problems else 0,
        notes=problems,
        errors=[*failed.values()],
    )


def _last(checkpoints: str) -> int | None:
    """Return how many of the newest checkpoints are meant; None for all."""
    if checkpoints == "all":
        return None
    match = re.fullmatch(r"last:(\d{1,9})", checkpoints)
    if match is None or not int(match[1]):
        raise UsageError(f"--checkpoints {checkpoints!r} names none. Say last:1, last:10, or all.")
    return int(match[1])


def _wanted(
    workspace: Workspace, jobs: Sequence[TrainingJob], last: int | None, maps: int, code_of: CodeOf
) -> tuple[list[WantedEvaluation], list[str]]:
    """Return what is to be evaluated, and why nothing of some runs is.

    Raises:
        UsageError: Nothing of any can be.
    """
    from experiments.jobs.evaluating import wanted_evaluations
    from experiments.project.provenance import capture

    code = capture(workspace.root)
    wanted: list[WantedEvaluation] = []
    problems: list[str] = []
    for job in jobs:
        try:
            wanted += wanted_evaluations(workspace, job, last=last, maps=maps, code=code, code_of=code_of)
        except ExperimentsError as error:
            if len(jobs) == 1:
                raise
            problems.append(str(error))
    if not wanted:
        more = f" And {counted(len(problems) - 1, 'more run')}." if len(problems) > 1 else ""
        raise UsageError(f"{problems[0]}{more}")
    most = workspace.settings.max_jobs
    if most is not None and len(wanted) > most:
        raise UsageError(
            f"{counted(len(wanted), 'checkpoint')} would be as many jobs; at most {most:,} are allowed. Ask for fewer, "
            "or raise max_jobs in [tool.experiments]."
        )
    return wanted, problems


def _launch(
    workspace: Workspace, wanted: Sequence[WantedEvaluation], out: Console, *, yes: bool
) -> dict[str, WantedEvaluation]:
    """Launch what has not been played, and return the jobs that play, by run name."""
    from experiments.cli.preview import confirm
    from experiments.jobs.evaluating import evaluation_plan
    from experiments.jobs.permits import command_permit
    from experiments.jobs.preparation import launch_plan
    from experiments.project.provenance import capture

    code = capture(workspace.root)
    checked = [(one, plan) for one in wanted if (plan := evaluation_plan(workspace, one, code)) is not None]
    paid = [plan.plan for _, plan in checked if plan.plan.launcher == "skypilot"]
    if paid and not yes:
        confirm(replaced(paid[0], jobs=tuple(job for plan in paid for job in plan.jobs)))
    for note in dict.fromkeys(note for _, plan in checked for note in plan.notes):
        out.print(f"note: {note}", soft_wrap=True)
    launched: dict[str, WantedEvaluation] = {}
    for one, plan in checked:
        permit = command_permit(f"experiments eval {one.job.run_name}")
        launched |= {job.run_name: one for job in launch_plan(plan, permit, workspace)}
    if launched:
        out.print(f"Launched {counted(len(launched), 'evaluation')}.")
    return launched


def _failed(workspace: Workspace, launched: Mapping[str, WantedEvaluation], out: Console) -> dict[str, str]:
    """Follow evaluations to their end, and return why those have found nothing that have not."""
    if not launched:
        return {}
    from experiments.cli.status import follow
    from experiments.monitoring import following

    with following(workspace.state, list(launched)) as statuses:
        follow(statuses, out)
    return {run: why for run, one in launched.items() if (why := _why_nothing(run, one))}


def _why_nothing(run: str, wanted: WantedEvaluation) -> str:
    """Return why an evaluation has found nothing; empty where it has."""
    try:
        return "" if wanted.is_done else f"evaluation {run} found nothing. Why: experiments logs {run}"
    except UsageError as error:
        return str(error)


def _found(workspace: Workspace, wanted: Sequence[WantedEvaluation], maps: int) -> list[EvaluatedRun]:
    from experiments.results.evaluations import evaluated_run

    ids: dict[str, list[str]] = {}
    for one in wanted:
        ids.setdefault(one.job.run_name, []).append(one.request.id)
    jobs = {one.job.run_name: one.job for one in wanted}
    found = (evaluated_run(workspace, jobs[run], maps, ids=of_run) for run, of_run in ids.items())
    return [run for run in found if run is not None]


def _print(workspace: Workspace, found: Sequence[EvaluatedRun], out: Console) -> None:
    if not found:
        return
    if len(found) == 1:
        _print_checkpoints(workspace, found[0], out)
    else:
        _print_runs(found, out)
    for run in found:
        for note in run.notes:
            out.print(f"note: {run.job.run_name}: {note}", soft_wrap=True)


def _print_checkpoints(workspace: Workspace, run: EvaluatedRun, out: Console) -> None:
    table = FittedTable(_CHECKPOINTS, ("run", "step", "mean", "SD over maps", "episodes"))
    for each in run.checkpoints:
        table.add(run.job.run_name, f"{each.step:,}", quantity(each.value), _number(each.sd), str(each.rows))
    out.print(table)
    out.print(f"{run.sentence}. These are held-out episodes of one seed: no interval over seeds.", soft_wrap=True)
    if replays := [path for each in run.checkpoints[-1:] for path in each.replays]:
        out.print(f"replays: {', '.join(map(workspace.shown, replays))}", soft_wrap=True)


def _print_runs(found: Sequence[EvaluatedRun], out: Console) -> None:
    from experiments.statistics import interval

    table = FittedTable(_RUNS, ("run", "checkpoints", "mean", "SD over checkpoints", "SD over maps"))
    for run in found:
        table.add(
            run.job.run_name,
            str(len(run.checkpoints)),
            quantity(run.value),
            _number(run.sd_over_checkpoints),
            _number(run.sd_over_maps),
        )
    out.print(table)
    for arm in dict.fromkeys(run.job.arm for run in found):
        scores = [run.value for run in found if run.job.arm == arm and run.job.counts]
        if not scores:
            continue
        bounds = interval(scores).bounds
        band = f"95 % interval {quantity(bounds[0])} to {quantity(bounds[1])}" if bounds else "no interval"
        mean = quantity(sum(scores) / len(scores))
        out.print(f"{arm}: {found[0].metric} {mean} over {counted(len(scores), 'seed')}; {band} (Student t over seeds)")


def _number(value: float | None) -> str:
    return MISSING if value is None else quantity(value)
