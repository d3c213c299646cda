"""What a table of runs shows: one row a run, the settings in which the runs differ, and their groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.runs.store import AGENT_STEP, SPS_KEYS, RunInfo, RunQuery, RunStore
from experiments.scoring import ScoredRuns
from experiments.statistics.aggregates import Statistic
from experiments.statistics.scores import Scores, SeedScore, describe
from experiments.statistics.values import Estimate
from experiments.types import JobRef, JobStatus, number_or_none
from experiments.verdicts import TRACKER_WORDS

OWN_KEYS = frozenset({"run", "seed"})
"""Settings that differ in every run by their nature, and have columns of their own."""


@dataclass(frozen=True)
class RunRow:
    """One run.

    Attributes:
        verdict: What became of it, from the scheduler's and the tracker's word; `unknown` where nobody says.
        state: The tracker's own word; empty where it knows no run of the name.
        steps: Agent steps so far.
        sps: Latest agent steps per second.
        duration_s: Seconds of training so far.
        cost: USD so far, an estimate; None where nobody knows.
        metrics: Latest value of each metric that was asked for; None where it was not logged or is no number.
        config: The run's settings by dotted key; empty where there is no run yet.
    """

    run_name: str
    arm: str
    seed: int
    verdict: str
    state: str = ""
    reason: str = ""
    steps: float | None = None
    sps: float | None = None
    duration_s: float | None = None
    cost: float | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    config: Mapping[str, str | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Runs that share some settings.

    Attributes:
        values: What they share, by key.
        estimate: The statistic over their scores, with interval and count.
        arms: Names of the arms that are in it.
    """

    values: Mapping[str, object]
    estimate: Estimate
    arms: tuple[str, ...]


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


def config_differences(rows: Iterable[RunRow]) -> dict[str, dict[str, str | float | bool | None]]:
    """Return the settings in which runs differ, by dotted key: the value of each run that has a config.

    A key that only some runs have differs, and the others have None. Run name and seed are left out.
    """
    configs = {row.run_name: row.config for row in rows if row.config}
    keys = dict.fromkeys(key for config in configs.values() for key in config)
    found = {}
    for key in keys:
        values = {name: config.get(key) for name, config in configs.items()}
        if key not in OWN_KEYS and len({(type(value), value) for value in values.values()}) > 1:
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
    for arm, scores in runs.scores.items():
        for score in scores.runs:
            row = known.get(score.run)
            config = {"arm": arm, **(row.config if row else {})}
            members.setdefault(tuple(config.get(key) for key in keys), []).append((arm, score))
    found = []
    for values, scored in members.items():
        # Seeds of different arms are different runs, so within a group they are numbered anew.
        numbered = tuple(replace(score, seed=at) for at, (_, score) in enumerate(scored))
        arms = tuple(dict.fromkeys(arm for arm, _ in scored))
        what = next(iter(runs.scores.values())).what
        pooled = Scores(", ".join(arms), numbered, what, known_seeds=False)
        found.append(Group(dict(zip(keys, values, strict=True)), describe(pooled, statistic), arms))
    return found


def flat_config(config: Mapping[str, Any], prefix: str = "") -> dict[str, str | float | bool | None]:
    """Return nested settings by dotted key; a list becomes its JSON."""
    found: dict[str, str | float | bool | None] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat_config(value, f"{name}.")
        elif value is None or isinstance(value, (bool, int, float, str)):
            found[name] = value
        else:
            found[name] = json.dumps(value, sort_keys=True, default=str)
    return found


def _row(job: JobRef, info: RunInfo | None, status: JobStatus | None, metrics: Sequence[str]) -> RunRow:
    summary = info.summary if info else {}
    sps = next((summary[key] for key in SPS_KEYS if key in summary), None)
    step = summary.get(AGENT_STEP) if info else status.step if status else None
    duration = summary.get("_runtime")
    if status and status.started_at and duration is None:
        duration = (status.ended_at or status.as_of) - status.started_at
    return RunRow(
        run_name=job.run,
        arm=job.arm,
        seed=job.seed,
        verdict=status.verdict if status else TRACKER_WORDS.get(info.state, "unknown") if info else "unknown",
        state=info.state if info else "",
        reason=status.reason if status else "",
        steps=number_or_none(step),
        sps=number_or_none(sps),
        duration_s=number_or_none(duration),
        cost=status.cost_usd if status else None,
        metrics={key: number_or_none(summary.get(key)) for key in metrics},
        config=flat_config(info.config) if info else {},
    )
