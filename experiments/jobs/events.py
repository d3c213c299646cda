"""What happened to a job, in words, and what it cost: queued, running, preempted, running again.

A scheduler tells of (word, reason, Unix seconds). What it told is kept in the run's folder as `events.json`, since
schedulers forget, and shown from there also when the scheduler cannot be asked. A cost is an estimate, and says so: the
scheduler's price for the machines times the time they were held. Where there is no price there is no number.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.project.files import number_or_none, read_json, write_json
from experiments.project.look import IN_LOG, duration
from experiments.project.state_words import SCHEDULER_WORDS

FILE = "events.json"
Event = tuple[str, str, float]

_SPOKEN = {
    "PENDING": "queued",
    "INIT": "being prepared",
    "SUBMITTED": "queued",
    "STARTING": "machines asked for",
    "SETTING_UP": "being set up",
    "RUNNING": "running",
    "WINDING_DOWN": "giving its machines back",
    "CANCELLING": "asked to end",
    "SUCCEEDED": "succeeded",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
    "FAILED_SETUP": "failed in its set-up",
    "FAILED_DRIVER": "failed: the cluster's own process did",
    "FAILED_PRECHECKS": "refused before it started",
    "FAILED_NO_RESOURCE": "failed: no machine was to be had",
    "FAILED_CONTROLLER": "failed: the scheduler's controller did",
    "KILLED": "killed",
    "LOST": "ended unseen",
    "RESTARTED": "ended as its machine was restarted",
    "UNKNOWN": "out of sight",
    "RECOVERING": "without machines",
    "TIMED_OUT": "ended at its time limit",
    "OUT_OF_MEMORY": "ended at its limit of memory",
    "STOPPED": "stopped as hopeless",
}
_WAITING = frozenset(word for word, meaning in SCHEDULER_WORDS.items() if meaning == "pending")
_FAILED = frozenset(word for word, meaning in SCHEDULER_WORDS.items() if meaning == "failed")
# SkyPilot's sentence where it knows nothing better; it says no more than the word.
_EMPTY_REASONS = ("cluster preempted or failed, recovering", "")
_HOUR_S = 3600.0
FREE = ("local", "dry-run")


@dataclass(frozen=True)
class Interruption:
    """A time without machines.

    Attributes:
        at: Unix seconds at which they were lost.
        back_at: Unix seconds at which the job ran again; None where it has not yet.
        cause: `preempted`, or the scheduler's own reason.
    """

    at: float
    back_at: float | None
    cause: str = "preempted"

    def words(self, now: float) -> str:
        """Return it as a sentence: `preempted at 12:42, running again 44 s later`."""
        what = self.cause if self.cause == "preempted" else f"interrupted ({self.cause})"
        if self.back_at is None:
            return f"{what} at {clock(self.at, now)}, not running again yet"
        return f"{what} at {clock(self.at, now)}, running again {duration(max(0.0, self.back_at - self.at))} later"


def in_order(events: Iterable[Sequence[Any]]) -> list[Event]:
    """Return the events that can be understood, by time, each once; a word that follows itself tells nothing new."""
    found: dict[tuple[str, float], Event] = {}
    for event in events:
        try:
            word, reason, at = str(event[0]), str(event[1] or ""), float(event[2])
        except (TypeError, ValueError, IndexError, KeyError):
            continue
        if math.isfinite(at):
            found.setdefault((word, round(at, 3)), (word, reason, at))
    ordered: list[Event] = []
    for _, event in sorted(found.items(), key=lambda entry: entry[0][1]):
        if not ordered or ordered[-1][0] != event[0]:
            ordered.append(event)
    return ordered


def interruptions(events: Iterable[Sequence[Any]]) -> list[Interruption]:
    """Return each time that the job was without machines, oldest first.

    While it looks for machines a scheduler may say PENDING and RECOVERING by turns: that is one interruption.
    """
    found: list[Interruption] = []
    is_open = False
    for word, reason, at in in_order(events):
        if word == "RECOVERING" and not is_open:
            found.append(Interruption(at, None, _cause(reason)))
            is_open = True
        elif word == "RUNNING" and is_open:
            found[-1] = replace(found[-1], back_at=at)
            is_open = False
        elif word not in _WAITING and word != "RECOVERING":
            is_open = False
    return found


def history(events: Iterable[Sequence[Any]], now: float) -> list[str]:
    """Return what happened, oldest first, one sentence each; words that are not known are shown as they are."""
    ordered = in_order(events)
    away = {gap.at: gap for gap in interruptions(ordered)}
    told: list[str] = []
    gap: Interruption | None = None
    for word, reason, at in ordered:
        if at in away and word == "RECOVERING":
            gap = away[at]
            told.append(gap.words(now))
        elif gap is not None and (word in _WAITING or word == "RECOVERING" or at == gap.back_at):
            continue
        else:
            gap = None
            because = f": {reason}" if reason and word in _FAILED else ""
            told.append(f"{_SPOKEN.get(word, word)} at {clock(at, now)}{because}")
    return told


def last_interruption(events: Iterable[Sequence[Any]], recoveries: int, now: float) -> str:
    """Return the newest interruption as a sentence; empty where there was none."""
    if gaps := interruptions(events):
        return gaps[-1].words(now) + (f" (of {len(gaps)} interruptions)" if len(gaps) > 1 else "")
    return f"started again {recoveries} times" if recoveries > 1 else "started again once" if recoveries else ""


def clock(at: float, now: float) -> str:
    """Return a time as people say it here: `12:42`, and with its day where that is not the day of `now`.

    In an exported log, which is read on another day and elsewhere, it has its day and zone.
    """
    if os.environ.get(IN_LOG) == "1":
        return time.strftime("%d %b %Y %H:%M UTC", time.gmtime(at))
    then, today = time.localtime(at), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%d %b %Y %H:%M", then)


@dataclass(frozen=True)
class Kept:
    """What is kept of a job's life; see the same names of `SchedulerStatus`."""

    events: tuple[Event, ...] = ()
    recoveries: int = 0
    resources: str = ""
    price_per_hour: float | None = None
    duration_s: float | None = None


def read_kept(run_dir: Path) -> Kept:
    """Return what is kept in a run's folder; nothing where there is no file or it is damaged."""
    try:
        content = read_json(run_dir / FILE) or {}
        return Kept(
            events=tuple(in_order(content.get("events") or ())),
            recoveries=int(content.get("recoveries") or 0),
            resources=str(content.get("resources") or ""),
            price_per_hour=number_or_none(content.get("price_per_hour")),
            duration_s=number_or_none(content.get("duration_s")),
        )
    except (OSError, ValueError, TypeError):
        return Kept()


def keep(runs_dir: Path, statuses: Mapping[str, SchedulerStatus]) -> dict[str, SchedulerStatus]:
    """Add what schedulers just said to what is kept, and return the statuses with all that is known.

    Raises:
        OSError: A run's folder cannot be written.
    """
    known = {}
    for run, status in statuses.items():
        before = read_kept(runs_dir / run)
        # Every poll counts some more seconds: a file is written when something happened.
        now = Kept(
            events=tuple(in_order([*_better(before.events, status.events), *_better(status.events, before.events)])),
            recoveries=max(status.recoveries, before.recoveries),
            resources=status.resources or before.resources,
            price_per_hour=before.price_per_hour if status.price_per_hour is None else status.price_per_hour,
            duration_s=before.duration_s if status.duration_s is None else status.duration_s,
        )
        if replace(now, duration_s=before.duration_s) != before or (status.ended_at is not None and now != before):
            (runs_dir / run).mkdir(parents=True, exist_ok=True)
            write_json(runs_dir / run / FILE, asdict(now), indent=None)
        known[run] = replace(status, **asdict(now))
    return known


def _better(events: Sequence[Sequence[Any]], others: Sequence[Sequence[Any]]) -> list[Event]:
    """Return events without those that the others tell better.

    A scheduler's list of jobs has times without reasons, and may count a job as queued only when its history already
    says that machines are asked for; where its history was read once, that is what happened.
    """
    explained = {word for word, reason, _ in in_order(others) if reason} - {"RECOVERING"}
    return [event for event in in_order(events) if event[1] or event[0] not in explained]


def _cause(reason: str) -> str:
    return "preempted" if reason.strip().lower() in _EMPTY_REASONS or "preempt" in reason.lower() else reason.strip()


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
