"""What jobs cost, as far as anyone knows: the scheduler's price for the machines times the time they were held.

It is an estimate, and says so: prices change, and storage and traffic are in no scheduler's price. Where there is no
price there is no number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.types import Plan, TrainingJobConfig

_HOUR_S = 3600.0
FREE = ("local", "dry-run")


@dataclass(frozen=True)
class Cost:
    """What something costs.

    Attributes:
        usd: US dollars; None where nobody knows.
        text: The same in words: `no cost`, `unknown`, `about $1.20 (estimate)`.
    """

    usd: float | None
    text: str


NO_COST, UNKNOWN = Cost(0.0, "no cost"), Cost(None, "unknown")


def cost_of(launcher: str, status: SchedulerStatus | None, now: float) -> Cost:
    """Return what a job has cost so far.

    Args:
        launcher: Where it runs; this machine costs nothing.
        status: What its scheduler says; a price of 0 means that the scheduler knows no prices, as on Slurm.
        now: Unix seconds, for a job that still runs.
    """
    if launcher in FREE:
        return NO_COST
    price = status.price_per_hour if status is not None else None
    if status is None or price is None or not math.isfinite(price) or price <= 0:
        return UNKNOWN
    return estimated(price * held_s(status, now) / _HOUR_S)


def held_s(status: SchedulerStatus, now: float) -> float:
    """Return the seconds for which machines were held; what the scheduler counted, else from start to end."""
    if status.duration_s is not None and math.isfinite(status.duration_s):
        return max(0.0, status.duration_s)
    if status.started_at is None:
        return 0.0
    return max(0.0, (now if status.ended_at is None else status.ended_at) - status.started_at)


def estimated(usd: float) -> Cost:
    """Return an estimated number of dollars, in words."""
    return Cost(usd, "less than $0.01 (estimate)" if 0 < usd < 0.01 else f"about ${usd:,.2f} (estimate)")


def plan_cost(plan: Plan) -> Cost:
    """Return what a launch of `plan` may cost; nobody is asked, so only limits that its jobs set give a number."""
    if plan.launcher in FREE:
        return NO_COST
    limits = [_limit(job.config) for job in plan.jobs]
    if any(limit is None for limit in limits):
        return UNKNOWN
    usd = sum(limit for limit in limits if limit is not None)
    # A machine that is taken away is replaced, and the limit on the time begins anew.
    return Cost(usd, f"at most ${usd:,.2f} without recoveries (max_hourly_cost x max_runtime_hours)")


def _limit(config: TrainingJobConfig) -> float | None:
    if config.max_hourly_cost is None or config.max_runtime_hours is None:
        return None
    return config.max_hourly_cost * config.max_runtime_hours * config.nodes
