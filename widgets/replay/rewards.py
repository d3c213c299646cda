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
    if not _close(rewards.base, totals.base):
        return False
    still = np.ones(rewards.base.size, np.bool_)
    rows = np.union1d(rewards.index, totals.index)
    still[rows] = False
    if rewards.base[still].any() and steps > 1:
        return False
    return all(_close(np.cumsum(dense(rewards, row, steps)), dense(totals, row, steps)) for row in rows)


def dense(column: Column, row: int, steps: int) -> Array:
    """Return the value of one row at each step: (steps,)."""
    at, values = column.of(row)
    return np.repeat(values, np.diff(np.append(at, steps)))


def _close(left: Array, right: Array) -> bool:
    scale = max(1.0, float(np.abs(right).max(initial=0.0)))
    return bool(np.abs(left - right).max(initial=0.0) <= _TOLERANCE * scale)
