"""Budgets: how many jobs, GPU hours and dollars what goes on by itself may use, and until when.

A job draws on its budget in the transaction that records it, so each job draws once, whatever is killed when. A draw
is a reservation, the job's GPUs times its longest time and their highest price, until the job has ended; then it is
what the job took. A further attempt draws anew, from the budget of the one before it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.jobs.launchers.local.devices import wanted
from experiments.jobs.ledger.reading import JOB_COLUMNS, read_job
from experiments.jobs.ledger.schema import Execute
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import counted, quantity
from experiments.types import PlannedJob, TrainingJob, TrainingJobConfig

KIND = "budget"
"""Of the events that tell what was granted and ended; a ledger that is made again has no other trace of them."""
OVER = "its time is over"
_FREED = 2
"""`is_settled` of a draw that was given back."""


@dataclass(frozen=True)
class Limits:
    """What may be used; None where something is not limited.

    Attributes:
        usd: Dollars, by the highest price that a job allows; only SkyPilot's jobs have one.
        until: Unix seconds after which nothing is started any more.
    """

    jobs: int | None = None
    gpu_hours: float | None = None
    usd: float | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("jobs", self.jobs), ("gpu_hours", self.gpu_hours), ("usd", self.usd)):
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"a budget of {value!r} {name.replace('_', ' ')} starts nothing. Give it more than 0.")
        if (self.jobs, self.gpu_hours, self.usd) == (None, None, None):
            raise UsageError("a budget limits jobs, GPU hours or dollars. Give one of them, such as jobs=40.")


@dataclass(frozen=True)
class Cost:
    """What a job uses at most, or did use; None where nobody knows a limit or a price."""

    gpu_hours: float | None
    usd: float | None


@dataclass(frozen=True)
class Budget:
    """A budget with what is drawn from it.

    Attributes:
        name: What it is for: an experiment's name, and a number where it had some before.
        granted_at: Unix seconds.
        granted_by: Who asked for it, in words.
        ended_at: When it ended, or None while it is open.
        why: Why it ended.
        jobs: How many jobs have drawn on it.
        gpu_hours: What they took, and what those that have not ended may take at most; infinite where nobody knows.
        usd: The same in dollars.
        reserved: How many of its jobs have not ended.
    """

    name: str
    limits: Limits
    granted_at: float
    granted_by: str
    ended_at: float | None
    why: str
    jobs: int
    gpu_hours: float
    usd: float
    reserved: int

    @property
    def is_open(self) -> bool:
        """Whether it may still be drawn on, by the clock of now."""
        return self.ended_at is None and (self.limits.until is None or time.time() < self.limits.until)

    @property
    def left(self) -> str:
        """What may still be drawn, in words: `16 jobs, 6.5 GPU hours`; empty of one that has ended."""
        if not self.is_open:
            return ""
        limits = self.limits
        parts = [
            _left("jobs", limits.jobs, self.jobs),
            _left("gpu-hours", limits.gpu_hours, self.gpu_hours),
            _left("usd", limits.usd, self.usd),
        ]
        return ", ".join(filter(None, parts))

    @property
    def sentence(self) -> str:
        """What is used of it, and of what: `4 of 20 jobs, 1.5 of 8 GPU hours, until 2026-12-01 08:00`."""
        limits = self.limits
        parts = [
            f"{self.jobs} of {counted(limits.jobs, 'job')}" if limits.jobs is not None else counted(self.jobs, "job"),
            f"{_used(quantity(self.gpu_hours), self.gpu_hours)} of {limits.gpu_hours:g} GPU hours"
            if limits.gpu_hours is not None
            else "",
            f"{_used(f'${self.usd:.2f}', self.usd)} of ${limits.usd:.2f}" if limits.usd is not None else "",
            f"until {_minute(limits.until)}" if limits.until is not None else "",
        ]
        ended = "" if self.is_open else f"; ended{f': {self.why}' if self.why else f': {OVER}'}"
        return ", ".join(filter(None, parts)) + ended


def _left(name: str, limit: float | None, used: float) -> str:
    """Return what is left of a limit, in words; empty where there is none, or nobody knows."""
    if limit is None or not math.isfinite(used):
        return ""
    left = max(limit - used, 0.0)
    if name == "usd":
        return f"${left:.2f}"
    return counted(int(left), "job") if name == "jobs" else f"{quantity(left)} GPU hours"


def limits_words(limits: Limits) -> str:
    """Return limits in words: `40 jobs, 20 GPU hours, $50.00, until 2026-12-01 08:00`."""
    parts = [
        counted(limits.jobs, "job") if limits.jobs is not None else "",
        f"{limits.gpu_hours:g} GPU hours" if limits.gpu_hours is not None else "",
        f"${limits.usd:.2f}" if limits.usd is not None else "",
        f"until {_minute(limits.until)}" if limits.until is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _used(words: str, amount: float) -> str:
    return words if math.isfinite(amount) else "nobody knows how many"


def cost_of(config: TrainingJobConfig, launcher: str, *, uses_gpus: bool = True) -> Cost:
    """Return the most that a job can use; None where it has no limit of time, or no highest price."""
    gpus = config.gpus * config.nodes if uses_gpus else 0
    hours = config.max_runtime_hours
    gpu_hours = 0.0 if not gpus else None if hours is None else gpus * hours
    if launcher != "skypilot":
        return Cost(gpu_hours, 0.0)
    price = config.max_hourly_cost
    return Cost(gpu_hours, None if hours is None or price is None else hours * price * config.nodes)


def cost_of_job(job: PlannedJob | TrainingJob, launcher: str) -> Cost:
    """Return the most that a job can use with a launcher; a trainer that uses no GPU takes none of this machine's."""
    return cost_of(job.config, launcher, uses_gpus=_uses_gpus(job, launcher))


def _uses_gpus(job: PlannedJob | TrainingJob, launcher: str) -> bool:
    return launcher != "local" or wanted(job, 1.0) > 0


def draw(execute: Execute, name: str, costs: Mapping[str, Cost]) -> None:
    """Draw on a budget for jobs that are recorded in the same transaction; what is drawn already is not drawn again.

    Args:
        costs: The most that each job can use, by run name.

    Raises:
        LaunchError: It is not enough, has ended, or counts what nobody knows of a job; then nothing was recorded.
    """
    query = "SELECT run_name FROM draws WHERE run_name IN (SELECT value FROM json_each(?))"
    known = {row[0] for row in execute(query, [json.dumps(list(costs))])}
    new = {run: cost for run, cost in costs.items() if run not in known}
    if not new:
        return
    budget = _open(execute, name)
    check_room(name, budget.limits, new, used=(budget.jobs, budget.gpu_hours, budget.usd))
    for run, cost in new.items():
        # What nobody knows is more than any limit that the budget may be given later.
        values = [run, name, *(math.inf if each is None else each for each in (cost.gpu_hours, cost.usd))]
        execute("INSERT INTO draws (run_name, budget, gpu_hours, usd) VALUES (?, ?, ?, ?)", values)


def check_room(
    name: str, limits: Limits, costs: Mapping[str, Cost], used: tuple[int, float, float] = (0, 0.0, 0.0)
) -> None:
    """Refuse jobs that limits have no room for, or whose use nobody can bound.

    Args:
        costs: The most that each job can use, by run name.
        used: Jobs, GPU hours and dollars that are drawn already.

    Raises:
        LaunchError: Says what there is room for, or what a config has to say.
    """
    jobs, gpu_hours, usd = used
    _check(name, "jobs", limits.jobs, jobs, dict.fromkeys(costs, 1.0))
    _check(name, "gpu-hours", limits.gpu_hours, gpu_hours, {run: cost.gpu_hours for run, cost in costs.items()})
    _check(name, "usd", limits.usd, usd, {run: cost.usd for run, cost in costs.items()})


_WORDS = {"jobs": "jobs", "gpu-hours": "GPU hours", "usd": "dollars"}
_NEEDED = {"gpu-hours": "max_runtime_hours", "usd": "max_runtime_hours and max_hourly_cost"}


def _check(name: str, what: str, limit: float | None, used: float, wanted: Mapping[str, float | None]) -> None:
    """Refuse jobs that a limit has no room for, or whose use nobody can bound."""
    if limit is None:
        return
    unknown = [run for run, cost in wanted.items() if cost is None]
    if unknown:
        raise LaunchError(
            f"budget {name!r} counts {_WORDS[what]}, and nobody knows how many job {unknown[0]!r} can use. Nothing was "
            f"launched. Give its config {_NEEDED[what]}."
        )
    if math.isinf(used):
        raise LaunchError(
            f"budget {name!r} counts {_WORDS[what]}, and nobody knows how many its earlier jobs take: they were "
            f"launched without {_NEEDED[what]}. Nothing was launched. Wait until they have ended, or grant another "
            f"budget: experiments budget set {name}-2 {what}=10"
        )
    together = sum(cost for cost in wanted.values() if cost is not None)
    if used + together > limit * (1 + 1e-9):
        raise LaunchError(
            f"budget {name!r} has {max(limit - used, 0):g} of {limit:g} {_WORDS[what]} left, and "
            f"{counted(len(wanted), 'further job')} would take {together:g}. Nothing was launched. A person gives it "
            f"more: experiments budget set {name} {what}={used + together:g}"
        )


def draw_again(execute: Execute, job: TrainingJob, cost: Cost) -> None:
    """Draw for a further attempt on the budget of the one before it, where that had one.

    Raises:
        LaunchError: As with `draw`.
    """
    rows = execute("SELECT budget FROM draws WHERE run_name = ?", [job.retry_of]).fetchall()
    if rows:
        draw(execute, rows[0][0], {job.run_name: cost})


def settle(execute: Execute, run_name: str, outcome: Mapping[str, Any]) -> None:
    """Put what a job took in the place of what was reserved for it; where nobody knows, the reservation stays."""
    if execute("SELECT 1 FROM draws WHERE run_name = ? AND is_settled = 0", [run_name]).fetchone() is None:
        return
    hours = _hours(outcome)
    execute("UPDATE draws SET is_settled = 1 WHERE run_name = ?", [run_name])
    job = read_job(dict(execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE run_name = ?", [run_name]).fetchone()))  # noqa: S608 - our own words
    if hours is None or not isinstance(job, TrainingJob):
        return
    gpus = job.config.gpus * job.config.nodes if _uses_gpus(job, job.launcher) else 0
    execute("UPDATE draws SET gpu_hours = ? WHERE run_name = ?", [gpus * hours, run_name])
    price = outcome.get("price_per_hour")
    if isinstance(price, (int, float)):
        execute("UPDATE draws SET usd = ? WHERE run_name = ?", [price * hours, run_name])


def free(execute: Execute, run_name: str) -> None:
    """Give back what was reserved for a job that never got to a launcher; an attempt after it draws on the same."""
    execute("UPDATE draws SET gpu_hours = 0, usd = 0, is_settled = ? WHERE run_name = ?", [_FREED, run_name])


def closed(execute: Execute, run_names: Iterable[str]) -> dict[str, str]:
    """Return of jobs whose budget has ended why they must not start, by run name."""
    found = {}
    names = json.dumps(list(run_names))
    query = "SELECT run_name, budget FROM draws WHERE run_name IN (SELECT value FROM json_each(?))"
    for run, name in execute(query, [names]).fetchall():
        [budget] = read(execute, name)
        if not budget.is_open:
            found[run] = f"budget {name!r} has ended ({budget.why or OVER})"
    return found


def refuse_over(limits: Limits) -> None:
    """Refuse limits whose time is over."""
    if limits.until is not None and limits.until <= time.time():
        raise UsageError(f"a budget until {_minute(limits.until)} is over before it begins. Give a later time.")


def grant(execute: Execute, name: str, limits: Limits, by: str) -> None:
    """Grant a budget, or give one that is there other limits; one whose time was over is open again."""
    refuse_over(limits)
    now = time.time()
    execute(
        "INSERT INTO budgets (name, jobs, gpu_hours, usd, until, granted_at, granted_by) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET jobs = excluded.jobs, gpu_hours = excluded.gpu_hours, usd = excluded.usd, "
        "until = excluded.until, ended_at = NULL, why = ''",
        [name, limits.jobs, limits.gpu_hours, limits.usd, limits.until, now, by],
    )


def expire(execute: Execute) -> None:
    """End what is over by the clock of now: a clock that is set back afterwards opens nothing again."""
    query = "UPDATE budgets SET ended_at = ?1, why = ?2 WHERE ended_at IS NULL AND until <= ?1"
    execute(query, [time.time(), OVER])


def end(execute: Execute, name: str, why: str) -> bool:
    """End a budget, so that nothing draws on it any more; say whether it was open."""
    query = "UPDATE budgets SET ended_at = ?, why = ? WHERE name = ? AND ended_at IS NULL"
    return execute(query, [time.time(), why, name]).rowcount > 0


def read(execute: Execute, name: str | None = None) -> list[Budget]:
    """Return a budget, or all, the oldest first."""
    rows = execute(
        "SELECT b.*, coalesce(sum(d.is_settled < ?2), 0) AS n, coalesce(sum(d.gpu_hours), 0.0) AS hours, "
        "coalesce(sum(d.usd), 0.0) AS spent, coalesce(sum(d.is_settled = 0), 0) AS reserved "
        "FROM budgets b LEFT JOIN draws d ON d.budget = b.name WHERE ?1 IS NULL OR b.name = ?1 "
        "GROUP BY b.name ORDER BY b.granted_at",
        [name, _FREED],
    ).fetchall()
    return [
        Budget(
            row["name"],
            Limits(row["jobs"], row["gpu_hours"], row["usd"], row["until"]),
            row["granted_at"],
            row["granted_by"],
            row["ended_at"],
            row["why"],
            row["n"],
            row["hours"],
            row["spent"],
            row["reserved"],
        )
        for row in rows
    ]


def drawn(execute: Execute, name: str) -> frozenset[str]:
    """Return the run names that ever drew on a budget."""
    rows: Sequence[Any] = execute("SELECT run_name FROM draws WHERE budget = ?", [name]).fetchall()
    return frozenset(row[0] for row in rows)


def runs_of(execute: Execute, name: str) -> list[str]:
    """Return the run names that drew on a budget and have not ended."""
    rows: Sequence[Any] = execute("SELECT run_name FROM draws WHERE budget = ? AND is_settled = 0", [name]).fetchall()
    return [row[0] for row in rows]


def _open(execute: Execute, name: str) -> Budget:
    found = read(execute, name)
    if not found:
        raise LaunchError(
            f"there is no budget {name!r}: it was never granted here, or the ledger was made again, which voids what "
            f"was open. Nothing was launched. Grant it: experiments budget set {name} jobs=10"
        )
    if not found[0].is_open:
        why = found[0].why or OVER
        raise LaunchError(
            f"budget {name!r} has ended ({why}). Nothing was launched. Open it again: experiments budget set {name} "
            "jobs=10 until=2030-01-01T08:00"
        )
    return found[0]


def _hours(outcome: Mapping[str, Any]) -> float | None:
    """Return how long a job had its machines, over all its starts; None where nobody knows."""
    seconds, first, last = (outcome.get(name) for name in ("duration_s", "started_at", "ended_at"))
    if isinstance(seconds, (int, float)):
        return float(seconds) / 3600
    if isinstance(first, (int, float)) and isinstance(last, (int, float)):
        return max(float(last) - float(first), 0.0) / 3600
    return 0.0 if first is None and last is not None else None


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
