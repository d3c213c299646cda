"""What a table of runs shows: one row a run, the settings in which the runs differ, and their groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.jobs.watch.verdicts import verdict
from experiments.project.environment.wandb_config import KEY, NAMES
from experiments.project.files import number_or_none
from experiments.project.state_words import TRACKER_ENDS
from experiments.results.scores import ScoredRuns
from experiments.runs.roles import metrics_of, roles_of
from experiments.runs.store import RunInfo, RunQuery, RunStore, latest_sps
from experiments.runs.wandb_file.records import flatten
from experiments.statistics import Estimate, Scores, SeedScore, Statistic, describe, different_code
from experiments.types import TERMINAL_VERDICTS, JobRef, JobStatus

_OURS = frozenset(f"{KEY}.{name}" for name in NAMES)
OWN_KEYS = frozenset({"run", "seed"})
"""Settings that differ in every run by their nature, and have columns of their own."""


@dataclass(frozen=True)
class RunRow:
    """One run.

    Attributes:
        verdict: What became of it, from the scheduler's and the tracker's word; `unknown` where nobody says.
        role: What the run is where it is no seed: `replicate 2`; empty for a seed.
        state: The tracker's own word; empty where it knows no run of the name.
        steps: Agent steps so far.
        sps: Latest agent steps per second.
        duration_s: Seconds of training so far.
        cost: USD so far, an estimate; None where nobody knows.
        metrics: Latest value of each metric that was asked for; None where there is none.
        missing: Why there is none, of each such metric, as `missing_word` has it.
        config: The run's settings by dotted key; empty where there is no run yet.
    """

    run_name: str
    arm: str
    seed: int
    verdict: str
    role: str = ""
    state: str = ""
    reason: str = ""
    steps: float | None = None
    sps: float | None = None
    duration_s: float | None = None
    cost: float | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Runs that share some settings.

    Attributes:
        values: What they share, by key.
        estimate: The statistic over their scores, with interval and count.
        arms: Names of the arms that are in it.
        codes: What is to be said of the code of its runs, where it is not one.
    """

    values: Mapping[str, object]
    estimate: Estimate
    arms: tuple[str, ...]
    codes: str = ""


def run_rows(
    jobs: Sequence[JobRef],
    store: RunStore,
    *,
    statuses: Mapping[str, JobStatus] | None = None,
    metrics: Sequence[str] = (),
) -> list[RunRow]:
    """Return one row a run, in the order of `jobs`; a run that nobody knows has a row without numbers.

    Args:
        statuses: What is known of each job, by run name.
        metrics: Summary keys.

    Raises:
        StoreError: The server cannot be reached.
    """
    found = {info.name: info for info in store.find(RunQuery(names=[job.run for job in jobs], limit=None))}
    return [_row(job, found.get(job.run), (statuses or {}).get(job.run), metrics) for job in jobs]


def config_differences(rows: Sequence[RunRow]) -> dict[str, dict[str, str | float | bool | None]]:
    """Return the settings in which runs differ, by dotted key: the value of each run that has a config.

    A key that only some runs have differs, and the others have None. Run name and seed are left out, wherever in its
    config a trainer keeps them.
    """
    seeds = {row.run_name: row.seed for row in rows if row.config}
    configs = {row.run_name: row.config for row in rows if row.config}
    keys = dict.fromkeys(key for config in configs.values() for key in config)
    found = {}
    for key in keys:
        values = {name: config.get(key) for name, config in configs.items()}
        is_own = all(value == name for name, value in values.items()) or values == seeds
        if key not in OWN_KEYS and not is_own and len({(type(value), value) for value in values.values()}) > 1:
            found[key] = values
    return found


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return for each dotted key as much of its end as tells it from the others."""
    found = {}
    for key in keys:
        parts = key.split(".")
        for length in range(1, len(parts) + 1):
            short = ".".join(parts[-length:])
            if sum(other == short or other.endswith(f".{short}") for other in keys) == 1:
                break
        found[key] = short
    return found


def groups_of(
    rows: Sequence[RunRow], runs: ScoredRuns, keys: Sequence[str], statistic: Statistic = "mean"
) -> list[Group]:
    """Return the statistic of a metric over the runs that share the values of `keys`, in order of appearance.

    Args:
        rows: Of all runs.
        runs: Their scores; a retry has taken the place of the failure that it repeats.
        keys: Dotted settings, or `arm`.
    """
    known = {row.run_name: row for row in rows}
    members: dict[tuple[object, ...], list[tuple[str, SeedScore]]] = {}
    beside: dict[tuple[object, ...], list[SeedScore]] = {}
    for arm, scores in runs.scores.items():
        for score in scores.runs:
            members.setdefault(_values(known.get(score.run), arm, keys), []).append((arm, score))
        for score in scores.beside:
            beside.setdefault(_values(known.get(score.run), arm, keys), []).append(score)
    found = []
    for values, scored in members.items():
        # Seeds of different arms are different runs, so within a group they are numbered anew.
        numbered = tuple(replace(score, seed=at) for at, (_, score) in enumerate(scored))
        arms = tuple(dict.fromkeys(arm for arm, _ in scored))
        pooled = Scores(
            ", ".join(arms),
            numbered,
            next(iter(runs.scores.values())).what,
            known_seeds=False,
            metric=runs.metric,
            beside=tuple(beside.get(values, ())),
        )
        group = dict(zip(keys, values, strict=True))
        found.append(Group(group, describe(pooled, statistic), arms, different_code(pooled)))
    return found


def _values(row: RunRow | None, arm: str, keys: Sequence[str]) -> tuple[object, ...]:
    config = {"arm": arm, **(row.config if row else {})}
    return tuple(config.get(key) for key in keys)


def missing_word(info: RunInfo | None, metric: str, *, awaited: bool = False) -> str:
    """Return why a run has no latest number of a metric: not known, not yet, never, or because it is none.

    Args:
        awaited: Whether its job is known to go on: only then is a run that is not there to come yet.
    """
    if info is None:
        return "no run yet" if awaited else "no run found"
    if metric in info.summary:
        return "not a number"
    return "not logged" if info.state in TRACKER_ENDS else "no value yet"


def is_awaited(status: JobStatus | None) -> bool:
    """Say whether a job is known to go on or to wait; of one that nobody knows, nobody knows that either."""
    return status is not None and status.verdict not in {*TERMINAL_VERDICTS, "unknown"}


def flat_config(config: Mapping[str, Any]) -> dict[str, str | float | bool | None]:
    """Return nested settings by dotted key, without what we ourselves add to a config; a list becomes its JSON."""
    plain = (bool, int, float, str)
    return {
        key: value if value is None or isinstance(value, plain) else json.dumps(value, sort_keys=True, default=str)
        for key, value in flatten(dict(config)).items()
        if key not in _OURS
    }


def _row(job: JobRef, info: RunInfo | None, status: JobStatus | None, metrics: Sequence[str]) -> RunRow:
    summary = info.summary if info else {}
    named = metrics_of(job)
    step = summary.get(roles_of(summary, named).step or "") if info else status.step if status else None
    duration = summary.get("_runtime")
    latest = {key: number_or_none(summary.get(key)) for key in metrics}
    if status and status.started_at and duration is None:
        duration = (status.ended_at or status.as_of) - status.started_at
    awaited = is_awaited(status)
    return RunRow(
        run_name=job.run,
        arm=job.arm,
        seed=job.seed,
        role=job.role_words,
        verdict=status.verdict if status else verdict(None, info.state if info else None)[0],
        state=info.state if info else "",
        reason=status.reason if status else "",
        steps=number_or_none(step),
        sps=latest_sps(summary, named.speed) if info else status.sps if status else None,
        duration_s=number_or_none(duration),
        cost=status.cost_usd if status else None,
        metrics=latest,
        missing={key: missing_word(info, key, awaited=awaited) for key, value in latest.items() if value is None},
        config=flat_config(info.config) if info else {},
    )
