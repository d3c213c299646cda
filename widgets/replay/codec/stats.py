"""Numbers besides rewards and items: what policies note at each step, and what the game counted until its end."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, column
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.rule_words import Json, is_number, number, worded
from widgets.replay.codec.values import DECODE_ERRORS

_MOST_NOTED = 16
_MOST_COUNTS = 400
_NAME_CHARS = 80
_SCOPES = {"agent": "Counted by the end, a mean of the agents", "game": "Counted by the end, of the game"}

Counts = tuple[str, list[tuple[str, str]]]
"""Whose they are, and their names and values in words."""

_Infos = msgspec.defstruct("_Infos", [("infos", Json, None)])


def noted(replay: Replay) -> dict[str, Column]:
    """Return the numbers in `policy_infos` by their keys, NaN where there is none: columns of float64.

    Keys that begin with two underscores are for machines.
    """
    notes = replay.texts.get("policy_infos")
    if notes is None:
        return {}
    entries = [msgspec.json.decode(entry) for entry in notes.table]
    keys: dict[str, None] = {}
    for entry in entries:
        if isinstance(entry, dict):
            keys |= {key: None for key, value in entry.items() if _is_noted(key, value)}
    found = {}
    for key in list(keys)[:_MOST_NOTED]:
        values: list[Json] = [entry.get(key) if isinstance(entry, dict) else None for entry in entries]
        # The last one is that of no note.
        numbers: Array = np.array(
            [float(value) if _is_noted(key, value) else math.nan for value in values] + [math.nan]
        )
        points = notes.column
        found[key[:_NAME_CHARS]] = column(numbers[points.base], points.owners, points.steps, numbers[points.values])
    return found


def _is_noted(key: str, value: Json) -> bool:
    return is_number(value) and not isinstance(value, bool) and not key.startswith("__")


def counted(replay: Replay) -> list[Counts]:
    """Return what the file says that was counted in the whole episode (`infos`), by whose it is, then by name."""
    try:
        infos = msgspec.json.decode(replay.config or b"{}", type=_Infos).infos  # type: ignore[attr-defined]
    except DECODE_ERRORS:
        return []
    found = []
    for scope, title in _SCOPES.items():
        counts = infos.get(scope) if isinstance(infos, dict) else None
        named = sorted(counts.items()) if isinstance(counts, dict) else ()
        rows = [(worded(name[:_NAME_CHARS]), number(value)) for name, value in named if is_number(value)]
        if rows:
            found.append((title, rows[:_MOST_COUNTS]))
    return found
