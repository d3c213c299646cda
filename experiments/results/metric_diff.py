"""How the metrics of two sides differ: means over seeds with an interval, or latest values of single runs.

Beside each stands the noise floor, where a seed ran twice: a difference that is no larger says nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.jobs.ledger import open_ledger
from experiments.jobs.ran import Mark, codes_of
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.files import number_or_none
from experiments.project.look import counted
from experiments.project.standing import seed_words
from experiments.project.values import replaced
from experiments.results.scores import scored_runs
from experiments.results.sides import Line, Side
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.runs.wandb_file.table import is_media_part
from experiments.statistics import Comparison, NoiseFloor, compare, describe, different_code, floor_of
from experiments.types import JobRef, JobStatus

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

_SHOWN_FLOORS = 3
_NO_METRICS = ("_runtime", "_step", "_timestamp", "_wandb")


def shared_metrics(a: Side, b: Side, infos: Mapping[str, RunInfo], notes: list[str]) -> list[str]:
    """Return the metrics that both sides have logged, one of them as numbers, by name; note what one side lacks."""
    ours, theirs = ([infos[ref.run].summary for ref in side.runs if ref.run in infos] for side in (a, b))
    rows = [item for summary in (*ours, *theirs) for item in summary.items() if not is_media_part(item[0], summary)]
    numbers = {key for key, value in rows if number_or_none(value) is not None and not key.startswith(_NO_METRICS)}
    shared = {key for key in numbers if all(any(key in one for one in side) for side in (ours, theirs))}
    if ours and theirs and (alone := sorted(numbers - shared)):
        notes.append(f"logged by one side only: {', '.join(alone[:3])}{' and others' if len(alone) > 3 else ''}")
    return sorted(shared)


def repeats_of(
    workspace: Workspace, store: RunStore, runs: Sequence[JobRef], notes: list[str]
) -> dict[str, tuple[Hashable, RunInfo]]:
    """Return the finished runs of the arms of some runs, by name, each with what runs that should be equal share.

    Nothing where none of these arms has a run beside a seed's own.
    """
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            arms = {(job.experiment, job.arm) for job in ledger.rows(run_names=[ref.run for ref in runs])}
            known = [job for name in sorted({name for name, _ in arms}) for job in ledger.jobs(experiment=name)]
        jobs = [job for job in known if (job.experiment, job.arm) in arms and job.role != "fork"]
        if all(job.counts for job in jobs):
            return {}
        codes = codes_of(workspace, [job.run_name for job in jobs])
        infos = {info.name: info for info in store.find(RunQuery(names=list(codes), limit=None))}
    except ExperimentsError as error:
        notes.append(f"the noise floor is not known: {error}")
        return {}
    return {
        job.run_name: (
            (job.experiment, job.arm, job.seed, codes[job.run_name].identity, codes[job.run_name].asked),
            info,
        )
        for job in jobs
        if (info := infos.get(job.run_name)) is not None and info.state == "finished"
    }


def runs_lines(
    a: Side,
    b: Side,
    keys: Sequence[str],
    infos: Mapping[str, RunInfo],
    repeats: Mapping[str, tuple[Hashable, RunInfo]],
    notes: list[str],
) -> list[Line]:
    """Return the latest values of two sides of which one is a single run, as against those of one seed run twice."""
    if _has_arms(a, notes) or _has_arms(b, notes):
        return []
    notes.append("metrics are latest values; one run has no interval")
    lines, floors = [], {}
    for key in keys:
        first, second = _latest(a, key, infos), _latest(b, key, infos)
        groups: dict[Hashable, list[float]] = {}
        for group, info in repeats.values():
            if (value := number_or_none(info.summary.get(key))) is not None:
                groups.setdefault(group, []).append(value)
        if (floor := floor_of(groups)) is not None:
            floors[key] = floor
        line = _of_values(key, first, second)
        difference = None if first is None or second is None else second - first
        lines.append(_with_noise(line, difference, floor))
    notes += _noise_notes(floors)
    return lines


def arms_lines(
    a: Side,
    b: Side,
    keys: Sequence[str],
    store: RunStore,
    statuses: Mapping[str, JobStatus],
    codes: Mapping[str, Mark],
    notes: list[str],
) -> list[Line]:
    """Return the means over the seeds of two arms, with the interval of their difference."""
    if _has_arms(a, notes) or _has_arms(b, notes):
        return []
    lines, told, apart, seeds, lost, floors = [], None, [], {}, [], {}
    jobs = [
        *(replaced(ref, arm="a") for ref in a.runs),
        *(replaced(ref, arm="b") for ref in b.runs),
    ]
    for key in keys:
        runs = scored_runs(jobs, key, store, statuses=statuses, codes=codes)
        # That the two sides ran different code is what is asked here, and is told beside; a mixed side is no side.
        sides = ((a.name, runs.scores["a"]), (b.name, runs.scores["b"]))
        mixed = [said for name, side in sides if (said := different_code(replace(side, arm=name)))]
        comparison = compare(runs.scores["b"], runs.scores["a"], pool_codes=not mixed)
        if told is None or told.difference.interval.bounds is None:
            told, apart = comparison, mixed
            lost = [
                f"{name}, {seed_words(run.seed)}: {run.reason}"
                for name, side in sides
                for run in side.runs
                if run.reason
            ]
        seeds[key] = f"{a.name}: {comparison.counts[1].sentence}; {b.name}: {comparison.counts[0].sentence}"
        if (floor := runs.noise) is not None:
            floors[key] = floor
        line = _of_comparison(key, comparison, *(describe(runs.scores[side]).value for side in "ab"))
        lines.append(_with_noise(line, comparison.difference.value, floor))
    if told is not None:
        if not told.claim.is_final:
            why = "; ".join(apart) if told.claim.standing == "codes" else told.claim.words
            notes.append(f"nothing is claimed of the metrics: {why}")
        counts = f"{a.name}: {told.counts[1].sentence}; {b.name}: {told.counts[0].sentence}"
        notes += lost[:3]
        notes += [f"{key}: {said}" for key, said in seeds.items() if said != counts][:3]
        paired = ", seed by seed" if told.difference.paired else ""
        interval = told.difference.interval.words if told.claim.is_final else "no interval"
        notes.append(
            f"metrics are means over seeds of each run's {told.what}; the change is the second minus the first, "
            f"{interval}{paired}, not corrected for the number of metrics; {counts}"
        )
    notes += _noise_notes(floors)
    return lines


def _has_arms(side: Side, notes: list[str]) -> bool:
    """Say of a side whether its runs are of several arms, and note it: these are not each other's seeds."""
    if len(arms := dict.fromkeys(ref.arm for ref in side.runs)) < 2:
        return False
    notes.append(
        f"no metrics are compared: {side.name} has {len(arms)} arms, whose runs are not each other's seeds. "
        f"Name two arms, such as {side.name.removesuffix('/')}/{next(iter(arms))}"
    )
    return True


def _with_noise(line: Line, difference: float | None, floor: NoiseFloor | None) -> Line:
    is_noise = floor is not None and line.change != "same" and floor.covers(difference)
    return replace(line, change=f"{line.change}, noise") if is_noise else line


def _noise_notes(floors: Mapping[str, NoiseFloor]) -> list[str]:
    """Return how far runs of one seed lie apart in each metric, the first few; once where all are the same."""
    if floors and all(floor.is_zero for floor in floors.values()):
        return [next(iter(floors.values())).sentence()]
    told = [f"{key}: {floor.sentence()}" for key, floor in floors.items() if not floor.is_zero]
    same = len(floors) - len(told)
    others = [f"runs of one seed are identical in {counted(same, 'other metric')}"] if same else []
    more = [f"and {len(told) - _SHOWN_FLOORS} more with a noise floor"] if len(told) > _SHOWN_FLOORS else []
    return told[:_SHOWN_FLOORS] + more + others


def _of_comparison(key: str, comparison: Comparison, a: float | None, b: float | None) -> Line:
    difference, bounds = comparison.difference, comparison.difference.interval.bounds
    if difference.value is None:
        change = "unknown"
    elif difference.value == 0 and bounds is None:
        change = "same"
    else:
        change = f"{_signed(difference.value)} " + (
            f"({_signed(bounds[0])} to {_signed(bounds[1])})" if bounds else "(no interval)"
        )
    return Line(key, look.quantity(a), look.quantity(b), change)


def _latest(side: Side, key: str, infos: Mapping[str, RunInfo]) -> float | None:
    runs = [ref.run for ref in side.runs if ref.counts or not side.is_arm]
    values = [number_or_none(infos[run].summary.get(key)) for run in runs if run in infos]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _of_values(key: str, a: float | None, b: float | None) -> Line:
    if a is None or b is None:
        return Line(key, look.quantity(a), look.quantity(b), "unknown")
    return Line(key, look.quantity(a), look.quantity(b), "same" if a == b else _signed(b - a))


def _signed(value: float) -> str:
    return f"+{look.quantity(value)}" if value > 0 else look.quantity(value)
