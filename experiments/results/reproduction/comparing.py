"""A run and its reproduction, read from where they are kept and compared."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.jobs.watch.alerts import EVALUATION_KEYS
from experiments.project.environment.probe import ASKED
from experiments.project.errors import ExperimentsError
from experiments.project.files import number_or_none
from experiments.project.snapshots import changed_between
from experiments.project.trainers.known import trainer_of
from experiments.project.trainers.value import Metrics
from experiments.results.reproduction import explanations
from experiments.results.reproduction.checkpoints import compare_checkpoints
from experiments.results.reproduction.noise import noise_of
from experiments.results.reproduction.rows import compare_final, compare_rows
from experiments.results.reproduction.sides import Side
from experiments.results.reproduction.values import Compared, Explanation, FileComparison, Noise, RowComparison, Verdict
from experiments.runs.evaluations import is_of_evaluations
from experiments.runs.store import RunInfo, RunQuery

if TYPE_CHECKING:
    import pandas as pd

    from experiments.runs.store import Origin


@dataclass(frozen=True)
class _Read:
    """What could be read of one side."""

    info: RunInfo | None
    rows: tuple[pd.DataFrame, Origin] | None
    missing: tuple[str, ...]


def compare_runs(original: Side, reproduction: Side, *, metric: str | None = None) -> Compared:
    """Return how a reproduction compares with its original; what cannot be read is in `missing`.

    Args:
        metric: Whose noise decides where the two are not identical; None for the held-out reward, else the reward, as
            their trainer names them.
    """
    ours, theirs = _read(original, "original"), _read(reproduction, "reproduction")
    files = compare_checkpoints(original.saved, reproduction.saved, original.hashes, original.contents)
    missing = [*ours.missing, *theirs.missing, *_missing_files(files)]
    speeds = _metrics_of(original).speed
    rows = None
    if ours.rows is not None and theirs.rows is not None:
        rows = compare_rows(ours.rows, theirs.rows, times=speeds)
    notes: list[str] = []
    if ours.info is not None and theirs.info is not None:
        rows = _with_final(rows, ours.info, theirs.info, speeds)
        if not (files or (rows and rows.rows) or ours.info.summary or theirs.info.summary):
            missing.append("neither logged anything or left a checkpoint, so there is nothing to compare")
        if ours.info.state != theirs.info.state:
            notes.append(f"the original {ours.info.state} and the reproduction {theirs.info.state}")
    differs = (
        bool(notes)
        or (rows is not None and rows.first is not None)
        or any(file.state in {"differs", "not in the reproduction"} for file in files)
    )
    noise = _noise(original, ours.info, theirs.info, metric) if differs else None
    found, unknown = _explained(original, reproduction, ours.info, theirs.info)
    return Compared(
        original=original.run,
        reproduction=reproduction.run,
        arm=original.job.arm,
        seed=original.job.seed,
        verdict=_verdict(rows, noise, differs=differs, missing=bool(missing), ends_alike=not notes),
        checkpoints=files,
        rows=rows,
        noise=noise,
        explanations=tuple(found),
        missing=tuple(missing),
        notes=(*notes, *unknown),
    )


def _metrics_of(side: Side) -> Metrics:
    trainer = trainer_of(side.job.config.trainer, side.job.command)
    return trainer.metrics if trainer is not None else Metrics()


def _verdict(
    rows: RowComparison | None, noise: Noise | None, *, differs: bool, missing: bool, ends_alike: bool
) -> Verdict:
    if not differs:
        return "not known" if missing else "identical"
    comparable = rows is not None and rows.ends_alike and ends_alike
    return "within noise" if comparable and noise is not None and noise.is_within else "differs"


def _read(side: Side, word: str) -> _Read:
    missing = []
    try:
        infos = side.store.find(RunQuery(names=[side.run], limit=None))
        rows = side.store.history(side.run)
        # What somebody asked of its checkpoints afterwards is none of what the run did.
        logged = [str(column) for column in rows[0]]
        if any(map(is_of_evaluations, logged)):
            rows = side.store.history(side.run, [key for key in logged if not is_of_evaluations(key)])
    except ExperimentsError as error:
        return _Read(None, None, (f"the metrics of the {word} cannot be read: {error}",))
    info = infos[0] if infos else None
    if info is None:  # that it has no rows is then no finding of a comparison
        return _Read(None, None, (f"the {word} {side.run} has no metrics any more, or never had",))
    if info.state == "running":
        missing.append(f"the {word} {side.run} has not ended")
    origin = rows[1]
    if origin.damage or not origin.complete:
        missing.append(f"the rows of the {word} are not whole: {origin.damage or f'{origin.rows} of {origin.total}'}")
    own = {key: value for key, value in info.summary.items() if not is_of_evaluations(key)}
    return _Read(replace(info, summary=own), rows, tuple(missing))


def _missing_files(files: tuple[FileComparison, ...]) -> list[str]:
    damaged = [f"checkpoint {file.name}: {file.detail}" for file in files if file.state == "damaged"]
    gone = [file.name for file in files if file.state == "not in the original"]
    if gone:
        return [
            *damaged,
            f"the original has no checkpoint {', '.join(gone[:3])}{', …' if len(gone) > 3 else ''} any more",
        ]
    return damaged


def _with_final(
    rows: RowComparison | None, ours: RunInfo, theirs: RunInfo, times: tuple[str, ...]
) -> RowComparison | None:
    """Return the comparison of rows with the final metrics, which a trainer may also set without a row."""
    final = compare_final(ours.summary, theirs.summary, times=times)
    return replace(rows, first=final) if rows is not None and rows.first is None and final is not None else rows


def _noise(original: Side, ours: RunInfo | None, theirs: RunInfo | None, metric: str | None) -> Noise | None:
    if ours is None or theirs is None:
        return None
    named = _metrics_of(original)
    usual = [*named.evaluation, *([named.primary] if named.primary else ()), *EVALUATION_KEYS]
    keys = [metric] if metric else [key for key in usual if key in ours.summary and key in theirs.summary]
    if not keys:
        return None
    key = keys[0]
    seeds, repeats = _arm_values(original, key)
    values = [number_or_none(info.summary.get(key)) for info in (ours, theirs)]
    return noise_of(key, *values, seeds=seeds, repeats=repeats)


def _arm_values(original: Side, key: str) -> tuple[list[float], dict[int, list[float]]]:
    """Return the last values of the arm's seeds in its plan, and those of all runs of each seed."""
    infos = {
        info.name: info
        for info in original.store.find(RunQuery(names=[job.run_name for job in original.arm], limit=None))
        if info.state == "finished"
    }
    seeds: dict[int, float] = {}
    repeats: dict[int, list[float]] = {}
    for job in original.arm:
        value = number_or_none(infos[job.run_name].summary.get(key)) if job.run_name in infos else None
        if value is None or job.role not in {"seed", "replicate"}:
            continue
        repeats.setdefault(job.seed, []).append(value)
        if job.counts:
            seeds.setdefault(job.seed, value)  # of several attempts the first that finished
    return list(seeds.values()), repeats


def _explained(
    original: Side, reproduction: Side, ours: RunInfo | None, theirs: RunInfo | None
) -> tuple[list[Explanation], list[str]]:
    """Return every recorded difference, most likely first, and what is not known of them."""
    sides = (original, reproduction)
    found = explanations.of_command(original.job, reproduction.job)
    if ours is not None and theirs is not None:
        found += explanations.of_config(ours.config, theirs.config, told=found)
    of_code, unknown = _of_code(original, reproduction)
    of_conditions, unrecorded = explanations.of_conditions(original.conditions, reproduction.conditions)
    # What a machine was asked for is in its record, whether it was set for the job or inherited.
    machines = all(side.conditions.machine is not None for side in sides)
    of_variables = explanations.of_variables(original.variables, reproduction.variables, told=ASKED if machines else ())
    problems = [f"{side.run}: {problem}" for side in sides for problem in side.problems]
    return [*found, *of_code, *of_conditions, *of_variables], [*unknown, *problems, *unrecorded]


def _of_code(original: Side, reproduction: Side) -> tuple[list[Explanation], list[str]]:
    """Return how the code differs: by the snapshots where both ran from one, else by what was noted at their start."""
    ours, theirs = (side.code.started.snapshot if side.code.started else None for side in (original, reproduction))
    if ours is None or theirs is None:
        return explanations.of_code(original.code, reproduction.code, (original.run, reproduction.run))
    if ours == theirs:
        return [], []
    try:
        files = changed_between(reproduction.state, ours, theirs)
    except ExperimentsError as error:
        return [Explanation("code", f"the snapshot differs ({ours[:12]} and {theirs[:12]})")], [str(error)]
    is_here = original.state == reproduction.state
    words = ["experiments", "diff", original.run, reproduction.run]
    shown = shlex.join(words if is_here else ["git", "diff", f"refs/experiments/{ours}", f"refs/experiments/{theirs}"])
    return [Explanation("code", f"the code differs in {explanations.listed(files)}", shown)], []
