"""What deserves a person's attention: rules over the jobs, each a pure function of what is known.

An alert is an event, not a state: its key names what happened and to whom, so that it can be told once and no more.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from experiments.jobs.watch.snapshots import age_in_words
from experiments.project.look import counted, shortened
from experiments.project.redaction import mask_text
from experiments.project.values import Frozen
from experiments.types import TERMINAL_VERDICTS, JobStatus

Rule = Literal["failed", "stalled", "nan", "below baseline", "cost", "unreadable"]
EVALUATION_KEYS = ("eval/reward", "overview/reward")
FRESH_S = 86_400.0
"""A failure of long ago is no news: nobody is told of one that ended earlier than this."""

_LONGEST_TEXT = 300
_LEAST_SEEDS = 2


class Limits(Frozen):
    """When the rules speak."""

    stalled_s: float = Field(900.0, gt=0, description="Seconds without a step after which a running job is stalled.")
    evaluations: int = Field(3, ge=1, description="Evaluations in a row below the baseline's band.")
    cost: float | None = Field(None, gt=0, description="US dollars that an experiment may cost; None for any.")


class Alert(Frozen):
    """One event.

    Attributes:
        key: The same for the same event, whoever sees it and when.
        run: Run name; empty where the whole experiment is meant.
        text: One line, without secrets.
        at: Unix seconds at which it happened, where that is known; else at which it was first seen.
    """

    key: str
    rule: Rule
    experiment: str
    run: str = ""
    text: str
    at: float


class Progress:
    """Since when each running job has stood at its step."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int | None, float]] = {}

    def update(self, jobs: Iterable[JobStatus], now: float) -> dict[str, float]:
        """Take the newest statuses; return since when each running job has made no step, as Unix seconds."""
        running = {job.run_name: job.step for job in jobs if job.verdict == "running"}
        old = self._since
        self._since = {
            run: old[run] if run in old and old[run][0] == step else (step, now) for run, step in running.items()
        }
        return {run: since for run, (_, since) in self._since.items()}


def failed(jobs: Iterable[JobStatus], now: float) -> list[Alert]:
    """Return an alert for each job that failed within the last day."""
    return [
        _alert("failed", job, job.run_name, f"failed: {job.reason}" if job.reason else "failed", job.ended_at or now)
        for job in jobs
        if job.verdict == "failed" and (job.ended_at is None or now - job.ended_at < FRESH_S)
    ]


def stalled(jobs: Iterable[JobStatus], since: Mapping[str, float], limits: Limits, now: float) -> list[Alert]:
    """Return an alert for each running job that has made no step for too long; a later stall is another event."""
    found = []
    for job in jobs:
        silence = now - since.get(job.run_name, now)
        if job.verdict == "running" and silence >= limits.stalled_s:
            text = f"no step for {age_in_words(silence)}"
            found.append(_alert("stalled", job, f"{job.run_name} at {job.step}", text, now))
    return found


def not_a_number(jobs: Iterable[JobStatus], summaries: Mapping[str, Mapping[str, Any]], now: float) -> list[Alert]:
    """Return an alert for each unfinished job whose latest loss or return is no finite number."""
    found = []
    for job in jobs:
        latest = summaries.get(job.run_name, {}).items()
        keys = [key for key, value in latest if (_is_watched(key) or key == job.keys.get("reward")) and _is_lost(value)]
        if keys and job.verdict in {"running", "recovering"}:
            found.append(_alert("nan", job, job.run_name, f"{sorted(keys)[0]} is not a finite number", now))
    return found


def below_baseline(
    jobs: Sequence[JobStatus],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    limits: Limits,
    now: float,
) -> list[Alert]:
    """Return an alert for each running job whose last evaluations are all on the worse side of the first arm's band.

    The band is the interval of the mean over the baseline's seeds; where there are fewer than two, nobody is below it.

    Args:
        jobs: Of one experiment, in the ledger's order.
        curves: Steps and returns of the evaluations of each run, ascending.
    """
    if not jobs:
        return []
    baseline = [job for job in jobs if job.arm == jobs[0].arm and job.counts and curves.get(job.run_name)]
    others = [job for job in jobs if job.arm != jobs[0].arm and job.verdict == "running"]
    found = []
    for job in others:
        steps, values = (list(part)[-limits.evaluations :] for part in curves.get(job.run_name, ((), ())))
        if len(steps) < limits.evaluations or len(baseline) < _LEAST_SEEDS:
            continue
        lower, upper = _edges([(job, curves[job.run_name]) for job in baseline], steps)
        edges = upper if job.lower_is_better else lower
        sign = -1.0 if job.lower_is_better else 1.0
        if all(sign * value < sign * edge for value, edge in zip(values, edges, strict=True)):  # NaN is below nothing
            side = "above" if job.lower_is_better else "below"
            of = jobs[0].arm or "the first arm"
            text = f"{limits.evaluations} evaluations {side} the band of {of}{_interim(jobs)}"
            found.append(_alert("below baseline", job, job.run_name, text, now))
    return found


def _interim(jobs: Sequence[JobStatus]) -> str:
    """Return how much of the first arm the band rests on while seeds of it are out; empty once all have ended."""
    seeds = [job.verdict in TERMINAL_VERDICTS for job in jobs if job.arm == jobs[0].arm and job.counts]
    return "" if all(seeds) else f" so far (interim: {sum(seeds)} of its {counted(len(seeds), 'seed')} have ended)"


def too_dear(jobs: Iterable[JobStatus], limits: Limits, now: float) -> list[Alert]:
    """Return an alert for each experiment whose known costs together exceed the limit; a higher limit is a new one."""
    if limits.cost is None:
        return []
    costs: dict[str, float] = {}
    for job in jobs:
        costs[job.experiment] = costs.get(job.experiment, 0.0) + (job.cost_usd or 0.0)
    return [
        Alert(
            key=_key("cost", f"{name} {limits.cost:g}"),
            rule="cost",
            experiment=name,
            text=f"has cost ${cost:,.2f}, more than ${limits.cost:,.2f}",
            at=now,
        )
        for name, cost in costs.items()
        if cost > limits.cost
    ]


def one_line(text: str) -> str:
    """Return a text as one line that can be shown, handed to a program and logged: no controls, no secrets."""
    plain = "".join(letter if letter.isprintable() else " " for letter in mask_text(text))
    return shortened(" ".join(plain.split()), _LONGEST_TEXT)


def _alert(rule: Rule, job: JobStatus, event: str, text: str, now: float) -> Alert:
    return Alert(
        key=_key(rule, event), rule=rule, experiment=job.experiment, run=job.run_name, text=one_line(text), at=now
    )


def _key(rule: str, event: str) -> str:
    return hashlib.sha256(f"{rule}\0{event}".encode()).hexdigest()[:24]


def _edges(
    baseline: Sequence[tuple[JobStatus, tuple[Sequence[float], Sequence[float]]]], steps: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the lower and the upper edge of the band at some steps; NaN where it has none."""
    import numpy as np

    from experiments.statistics import Curve, band

    curves = [
        Curve(np.asarray(of[0], dtype=float), np.asarray(of[1], dtype=float), arm=job.arm, seed=job.seed)
        for job, of in baseline
    ]
    found = band(curves, grid=sorted(set(steps)))
    grid = found.grid.tolist()
    of = [dict(zip(grid, side.tolist(), strict=True)) for side in (found.low, found.high)]
    lower, upper = ([float(edges.get(step, math.nan)) for step in steps] for edges in of)
    return lower, upper


def _is_watched(key: str) -> bool:
    return key.startswith("losses/") or "loss" in key.lower() or key in EVALUATION_KEYS


def _is_lost(value: object) -> bool:
    if isinstance(value, str):
        return value in {"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"}
    return isinstance(value, float) and not math.isfinite(value)
