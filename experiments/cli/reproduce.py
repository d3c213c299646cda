"""The command that runs something once more and says whether it came back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from experiments.cli.envelope import Answer
from experiments.cli.flags import Flag
from experiments.cli.reproduced import CheckedBundle, CheckedRun, CheckedRuns, NeededPart, ReproducedRun, Reproduction
from experiments.cli.terminal import FittedColumn, FittedTable, agrees, console, say
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import MISSING, counted
from experiments.project.streams import INTERRUPTED
from experiments.project.workspace import Workspace
from experiments.types import TrainingJob

if TYPE_CHECKING:
    from rich.console import Console

    from experiments.results.bundle.opening import Bundle
    from experiments.results.reproduction.originals import Part
    from experiments.results.reproduction.sides import Side
    from experiments.results.reproduction.values import Compared

_COLUMNS = (
    FittedColumn("run", least=22),
    FittedColumn("verdict"),
    *(FittedColumn(heading, is_right=True) for heading in ("checkpoints", "rows", "metric", "again", "noise")),
)
_WORTH = ("run", "verdict", "rows", "checkpoints", "metric", "again", "noise")


@dataclass(frozen=True)
class _Request:
    """What is to be reproduced, and where.

    Attributes:
        here: The project in which the reproductions run.
        source: The project that has the originals; None where they are from a bundle.
        pinned: Returns the hashes of a run's packages where a bundle has them.
        out: Where a person reads.
        yes: Whether nobody is asked.
        anew: Whether also what was reproduced before is run.
        accepted: Package sets that somebody agreed to go without a part of.
    """

    here: Workspace
    source: Workspace | None
    originals: list[Side]
    pinned: Callable[[Side], str | None]
    out: Console
    yes: bool
    anew: bool
    accepted: set[str | None] = field(default_factory=set)


def reproduce(
    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="RUN|ARM|EXPERIMENT|FILE")]],
    *,
    run: Annotated[str | None, tyro.conf.arg(metavar="RUN", help_behavior_hint="")] = None,
    check: Flag = False,
    metric: Annotated[str | None, tyro.conf.arg(metavar="KEY", help_behavior_hint="")] = None,
    from_: Annotated[Path | None, tyro.conf.arg(name="from", metavar="DIR", help_behavior_hint="")] = None,
    again: Flag = False,
    yes: Flag = False,
) -> Answer[Reproduction] | Answer[CheckedRuns] | Answer[CheckedBundle]:
    """Run a job once more from its own record, and say whether it came back: the worst of several counts.

    It ends with 0 where all is identical, 1 where a metric differs within noise, 2 where a run differs or nobody can
    tell. An error ends with 1 or 2 too, as of any command: it is on standard error, and --json has no data then.
    What was reproduced before is compared again, and what still runs is waited for.

    Args:
        name: A run, by name or launcher id; an arm, or EXPERIMENT/ARM; an experiment, or EXPERIMENT/; a bundle's file.
        run: Of a bundle, only this run or arm.
        check: Start nothing; say what is still there, and end with 2 where a run cannot be had again.
        metric: Metric whose noise decides where the rows are not identical; by default the held-out reward.
        from_: Folder of another project, which has the runs.
        again: Run it also where it was reproduced before.
        yes: Ask nothing: not before running what a bundle holds, nor before a launch that costs or lacks packages.
    """
    from experiments.results.bundle.opening import Bundle

    here, out, path = Workspace.find(Path.cwd()), console(), Path(name)
    bundle = Bundle.opened(path) if path.is_file() else None
    if bundle is not None:
        for line in bundle.lines():
            out.print(line, soft_wrap=True)
        if check:
            return _check_bundle(bundle)
        request = _of_bundle(here, bundle, run, out, yes=yes, anew=again)
    elif run is not None:
        raise UsageError(f"--run {run!r} chooses a run of a bundle, and {name!r} is no file. Name the run instead.")
    else:
        request = _of_project(here, here if from_ is None else _other(from_), name, out, yes=yes, anew=again)
        if check:
            return _check(request)
    try:
        jobs = _ended(request, _launched(request))
    except KeyboardInterrupt:
        return Answer(None, code=INTERRUPTED, notes=["detached; it goes on. The same command compares it later."])
    return _report(request, jobs, metric)


def _of_project(here: Workspace, source: Workspace, name: str, out: Console, *, yes: bool, anew: bool) -> _Request:
    from experiments.results.reproduction.originals import originals
    from experiments.results.reproduction.sides import side_of
    from experiments.runs.opening import default_store

    store = default_store(source.root)
    found = [side_of(source, store, job) for job in originals(source, name)]
    return _Request(here, source, found, lambda _: None, out, yes=yes, anew=anew)


def _of_bundle(here: Workspace, bundle: Bundle, run: str | None, out: Console, *, yes: bool, anew: bool) -> _Request:
    """Ask whether to run what a bundle holds, and bring it into this project."""
    names = bundle.chosen(run)
    question = f"Run {counted(len(names), 'job')} of this bundle, with its code and packages, as your user?"
    if not yes and not sys.stdin.isatty():
        raise LaunchError("to run what is in a bundle is to trust who made it. Say yes to it: add --yes.")
    if not yes and not agrees(question):
        raise UsageError("not confirmed; nothing was written and nothing was run.")
    folder = bundle.unpacked(here.state)
    bundle.bring_code(folder, here.state)

    def pinned(side: Side) -> str | None:
        return bundle.pinned(folder, side.environment) if side.environment is not None else None

    return _Request(here, None, bundle.sides(folder, names), pinned, out, yes=yes, anew=anew)


def _other(folder: Path) -> Workspace:
    from experiments.jobs.ledger.schema import FILE

    found = Workspace.find(folder)
    if not (found.state / FILE).exists():
        raise UsageError(f"--from {str(folder)!r} is no project with runs: it has no ledger. Name its folder.")
    return found


def _check_bundle(bundle: Bundle) -> Answer[CheckedBundle]:
    lacking = bundle.lacking()
    found = CheckedBundle(
        sha256=bundle.manifest.id,
        runs=tuple(bundle.runs),
        can=not lacking,
        lacking=dict(lacking),
        notes=tuple(bundle.record.notes),
    )

    def words(found: CheckedBundle) -> None:
        for name, why in found.lacking.items():
            say(f"{name}: cannot be run again as it was: {why}")

    return Answer(found, words, code=2 if lacking else 0)


def _check(request: _Request) -> Answer[CheckedRuns]:
    from experiments.results.reproduction.originals import parts_of

    source = request.source or request.here
    found = {original.run: parts_of(request.here, source, original) for original in request.originals}
    can = {run: not any(part.is_needed and not part.is_there for part in parts) for run, parts in found.items()}
    checked = {
        run: CheckedRun(can=can[run], parts=tuple(NeededPart(**vars(part)) for part in parts))
        for run, parts in found.items()
    }

    def words(_: CheckedRuns) -> None:
        for run, parts in found.items():
            _print_parts(run, parts, can=can[run])

    return Answer(CheckedRuns(runs=checked), words, code=0 if all(can.values()) else 2)


def _print_parts(run: str, parts: Sequence[Part], *, can: bool) -> None:
    say(f"{run}: {'can be run again' if can else 'cannot be run again as it was'}")
    width = max(len(part.what) for part in parts)
    for part in parts:
        mark = "there" if part.is_there else "missing" if part.is_needed else "not known"
        say(f"  {part.what:<{width}}  {mark:<9}  {part.words}")


def _launched(request: _Request) -> dict[str, TrainingJob]:
    """Return the reproduction of each original: the one that there is, else a new one that was just launched."""
    from experiments.jobs.reproducing import refuse_unended, reproductions

    if request.source is not None:
        refuse_unended(request.source, [original.job for original in request.originals])
    there = {} if request.anew else reproductions(request.here, [original.run for original in request.originals])
    missing = [original for original in request.originals if original.run not in there]
    for original in missing:
        there[original.run] = _launch(request, original)
    if missing:
        request.out.print(f"Launched {counted(len(missing), 'reproduction')}.")
    return there


def _launch(request: _Request, original: Side) -> TrainingJob:
    from experiments.cli.preview import confirm
    from experiments.jobs.permits import command_permit
    from experiments.jobs.preparation import check_plan, launch_plan
    from experiments.jobs.reproducing import bring_beginning, logging_as, reproduction_plan
    from experiments.results.reproduction.again import again, bring, lost_packages

    place, pinned = request.here, request.pinned(original)
    if request.source is not None:
        place = logging_as(request.here, request.source, original.job)
        bring(request.here, request.source, original)
    plan = reproduction_plan(place, original.job)
    bring_beginning(request.here, original.run, original.beginning)
    lost = lost_packages(request.here, original, pinned)
    _accept_loss(request, original, lost)
    found = again(request.here, original, lost=lost, pinned=pinned)
    for note in found.notes:
        request.out.print(f"note: {original.run}: {note}")
    checked = check_plan(plan, place, own=found.own)
    if plan.launcher == "skypilot" and not request.yes:
        confirm(plan)
    [job] = launch_plan(checked, command_permit(f"experiments reproduce {original.run}"), place)
    request.out.print(f"{original.run} runs again as {job.run_name}")
    return job


def _accept_loss(request: _Request, original: Side, lost: Mapping[str, str]) -> None:
    """Ask a person whether to run without packages that cannot be had.

    Raises:
        LaunchError: Nobody said yes to it.
    """
    if original.environment in request.accepted:
        return
    for why in lost.values():
        request.out.print(f"lost: {original.run}: {why}", soft_wrap=True)
    if lost and not request.yes and not agrees(f"Run it without {counted(len(lost), 'package')}?"):
        raise LaunchError(
            f"{original.run!r} is not run without {counted(len(lost), 'package')} that it had. Add --yes to run it all "
            "the same; the comparison says what differs."
        )
    request.accepted.add(original.environment)


def _ended(request: _Request, jobs: dict[str, TrainingJob]) -> dict[str, TrainingJob]:
    """Follow the reproductions until all have ended."""
    from experiments.cli.status import follow
    from experiments.monitoring import following

    with following(request.here.state, [job.run_name for job in jobs.values()]) as statuses:
        follow(statuses, request.out)
    return jobs


def _report(request: _Request, jobs: dict[str, TrainingJob], metric: str | None) -> Answer[Reproduction]:
    from experiments.results.reproduction.comparing import compare_runs
    from experiments.results.reproduction.sides import side_of
    from experiments.results.reproduction.values import EXIT_CODES, overall, summary_line
    from experiments.runs.opening import default_store

    store = default_store(request.here.root)
    found = [
        compare_runs(original, side_of(request.here, store, jobs[original.run]), metric=metric)
        for original in request.originals
    ]
    verdict = overall(found)
    runs: list[Any] = [asdict(one) | {"said": one.sentence} for one in found]
    shown = Reproduction(verdict=verdict, runs=tuple(ReproducedRun.model_validate(one) for one in runs))
    return Answer(shown, lambda _: _print(found, summary_line(found)), code=EXIT_CODES[verdict])


def _print(found: Sequence[Compared], line: str) -> None:
    for one in found:
        say(f"{one.original}: {one.sentence}")
    if len(found) > 1:
        say(line)
    console().print(_table(found))
    for one in found:
        for explanation in one.explanations[1:] if one.verdict != "identical" else ():
            say(f"{one.original}: also {explanation.words}")
        for command in dict.fromkeys(each.command for each in one.explanations if each.command):
            say(f"{one.original}: see it: {command}")
        for note in (*one.notes, *(one.missing if one.verdict != "not known" else ())):
            say(f"{one.original}: note: {note}")


def _table(found: Sequence[Compared]) -> FittedTable:
    table = FittedTable(_COLUMNS, _WORTH)
    for one in found:
        same = sum(file.is_same for file in one.checkpoints)
        rows, noise = one.rows, one.noise
        table.add(
            one.original,
            one.verdict,
            f"{same} of {len(one.checkpoints)}",
            f"{rows.rows - rows.differing_rows} of {rows.rows}" if rows else MISSING,
            _number(noise.original) if noise else "",
            _number(noise.reproduction) if noise else "",
            _number(noise.limit) if noise else "",
        )
    return table


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"
