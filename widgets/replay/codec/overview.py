"""The whole episode at a glance: rewards and events of all agents, summed over equal stretches of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from widgets.replay.codec.columns import Array, Column
from widgets.replay.codec.replay import Replay

BINS = 1000


def overview(replay: Replay) -> dict[str, Array]:
    """Return sums over all agents for each bin b of B = min(steps, 1000): (B,) each.

    Bin b covers the steps from floor(b * steps / B) to floor((b + 1) * steps / B) - 1.

    Returns:
        `sum` of rewards (float64; NaN where one is not finite), and as int64 how often what the page calls an event
        begins: `reward`, `penalty` and `odd` (a reward above 0, below 0, not finite), `gain` (an item count went up),
        `freeze`, `death` and `talk`; `failure` counts agent-steps without success. What never happens is left out.
    """
    agents = replay.agent_ids >= 0
    rewards = replay.columns.get("current_reward")
    found = {
        "sum": _held(replay, rewards, agents),
        "reward": _events(replay, rewards, agents, lambda values: values > 0),
        "penalty": _events(replay, rewards, agents, lambda values: values < 0),
        "odd": _events(replay, rewards, agents, lambda values: ~np.isfinite(values)),
        "gain": _gains(replay, agents),
        "freeze": _events(replay, replay.columns.get("is_frozen"), agents, lambda values: values == 1),
        "death": _events(replay, replay.columns.get("alive"), agents, lambda values: values == 0),
        "talk": _talk(replay),
        "failure": _failures(replay, agents),
    }
    return {name: values for name, values in found.items() if values is not None and values.any()}


def bins(replay: Replay) -> int:
    """Return the number of bins."""
    return min(replay.steps, BINS)


def _counted(replay: Replay, steps: Array) -> Array:
    """Count steps by bin."""
    count = bins(replay)
    return np.bincount(((steps.astype(np.int64) + 1) * count - 1) // replay.steps, minlength=count)


def _events(replay: Replay, column: Column | None, agents: Array, begins: Callable[[Array], Array]) -> Array | None:
    """Count the change points of agents, and values of theirs at step 0, at which something begins.

    Agents are alive and free before step 0, and have earned nothing.
    """
    if column is None:
        return None
    chosen = agents[column.owners] & begins(column.values)
    first = np.zeros(np.count_nonzero(agents & begins(column.base)), np.int64)
    return _counted(replay, np.concatenate([first, column.steps[chosen]]))


def _held(replay: Replay, column: Column | None, agents: Array) -> Array | None:
    """Sum a value over agents and steps: each point counts for as long as it holds.

    A bin in which a value is not finite has no sum: NaN. The bins around it have theirs.
    """
    if column is None:
        return None
    base, values = np.isfinite(column.base), np.isfinite(column.values)
    if base.all() and values.all():
        return _summed(replay, column, agents)
    finite = replace(column, base=np.where(base, column.base, 0), values=np.where(values, column.values, 0))
    lost = replace(column, base=1.0 - base, values=1.0 - values)
    return np.where(_summed(replay, lost, agents) > 0, np.nan, _summed(replay, finite, agents))


def _summed(replay: Replay, column: Column, agents: Array) -> Array:
    rows = column.owners
    change = column.values - before(column)
    change = np.where(agents[rows], change, 0)
    by_step = np.bincount(column.steps, weights=change, minlength=replay.steps)
    by_step[0] += column.base[agents].sum()
    total = np.cumsum(by_step)
    total[np.abs(total) < 1e-9 * max(1e-3, float(np.abs(total).max()))] = 0
    starts = np.arange(bins(replay)) * replay.steps // bins(replay)
    sums: Array = np.add.reduceat(total, starts)
    return sums


def _failures(replay: Replay, agents: Array) -> Array | None:
    success = replay.columns.get("action_success")
    if success is None:
        return None
    base, values = 1 - success.base.astype(np.int64), 1 - success.values.astype(np.int64)
    failed = Column(base, success.index, success.offsets, success.steps, values)
    sums = _held(replay, failed, agents)
    return None if sums is None else np.rint(sums).astype(np.int64)


def _gains(replay: Replay, agents: Array) -> Array:
    counts = replay.inventory.counts
    gained = (counts.values > before(counts)) & agents[replay.inventory.objects[counts.owners]]
    return _counted(replay, counts.steps[gained])


def _talk(replay: Replay) -> Array | None:
    talk = replay.texts.get("talk_text")
    return None if talk is None else _counted(replay, talk.column.steps[talk.column.values >= 0])


def before(column: Column) -> Array:
    """Return the value that each change point replaces."""
    values = np.empty_like(column.values)
    values[1:] = column.values[:-1]
    starts = column.offsets[:-1]
    values[starts] = column.base[column.index]
    return values
