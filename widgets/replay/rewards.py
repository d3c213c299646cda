"""Rewards: the running sum of each step's reward, which need not be stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from widgets.replay.columns import Array, Column

_TOLERANCE = 1e-6


def total_is_derived(columns: Mapping[str, Column], steps: int) -> bool:
    """Whether `total_reward` is the running sum of `current_reward` for every object, or there is only the latter."""
    rewards, totals = columns.get("current_reward"), columns.get("total_reward")
    if rewards is None:
        return False
    if totals is None:
        return True
    starts, ends, rows, values = _stretches(rewards, steps)
    lengths = ends - starts
    # Each step with a reward is a point of the total, which bounds what is spread out below.
    if int(lengths.sum()) != totals.steps.size:
        return False
    owners = np.repeat(rows, lengths)
    at = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(owners.size)
    if not (np.array_equal(owners, np.repeat(totals.index, totals.counts)) and np.array_equal(at, totals.steps)):
        return False
    gained = np.repeat(values, lengths)
    sums = [
        rewards.base[row] + np.cumsum(gained[first:last])
        for row, first, last in zip(totals.index, totals.offsets, totals.offsets[1:], strict=False)
    ]
    return _close(rewards.base, totals.base) and _close(np.concatenate([np.zeros(0), *sums]), totals.values)


def _stretches(rewards: Column, steps: int) -> tuple[Array, Array, Array, Array]:
    """Return from where to where, for which row and which reward each step from 1 on is rewarded, in order of rows."""
    rows = np.arange(rewards.base.size)
    every = np.concatenate([rows, np.repeat(rewards.index, rewards.counts)])
    starts = np.concatenate([np.zeros(rows.size, np.int64), rewards.steps])
    values = np.concatenate([rewards.base, rewards.values])
    order = np.argsort(every, kind="stable")
    every, starts, values = every[order], starts[order], values[order]
    ends = np.append(starts[1:], steps)
    ends[np.append(every[1:] != every[:-1], [True])[: ends.size]] = steps
    starts = np.maximum(starts, 1)
    kept = (values != 0) & (ends > starts)
    return starts[kept], ends[kept], every[kept], values[kept]


def _close(left: Array, right: Array) -> bool:
    scale = max(1.0, float(np.abs(right).max(initial=0.0)))
    return bool(np.abs(left - right).max(initial=0.0) <= _TOLERANCE * scale)
