"""The teams of a replay: by a `team:` tag, a collective or a group, whichever it has; with a colour for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.rule_words import worded

_HUES = ("blue", "red", "green", "pink", "yellow", "purple", "cyan", "brown")
"""Words in a team's name that ask for a colour of the palette's series, in its order."""


class Teams(msgspec.Struct, frozen=True):
    """Which teams there are.

    Attributes:
        field: The field that tells an object's team.
        of: Number of the team by the field's value; a value that is left out stands for none.
        names: Their names in words.
        hues: Their colours, no two the same.
        several: Whether there is more than one team of agents, so that one has to tell them apart.
    """

    field: str
    of: Mapping[int, int]
    names: Sequence[str]
    hues: Sequence[int]
    several: bool


def teams_of(replay: Replay) -> Teams:
    """Return the teams of a replay."""
    tagged = [(tag, name.removeprefix("team:")) for tag, name in enumerate(replay.names.tags) if name[:5] == "team:"]
    if tagged:
        return _tagged(replay, tagged)
    field = "collective_id" if "collective_id" in replay.columns else "group_id"
    column = replay.columns.get(field)
    held = np.zeros(replay.ids.size, np.int64) if column is None else column.base
    ours = _distinct(held[replay.agents])
    # Those that only things are of come last: agents choose their colours first.
    values = ours + [value for value in ([] if column is None else _distinct(_all(column))) if value not in ours]
    names = replay.names.groups if field == "group_id" else ()
    called = [names[value] if value < len(names) else "" for value in values]
    shown = [worded(name or f"team {value}") for name, value in zip(called, values, strict=True)]
    of = {value: team for team, value in enumerate(values)}
    return Teams(field, of, shown, assigned(_wishes(called)), len(ours) > 1)


def team_things(replay: Replay, teams: Teams) -> Array:
    """Return the objects but agents that are of a team at some step: their colour is to be seen."""
    if not teams.several or teams.field == "group_id":
        return np.zeros(0, np.int64)
    if teams.field == "tag_ids":
        column = replay.tables["tag_ids"].column if "tag_ids" in replay.tables else None
        shift = 1
    else:
        column, shift = replay.columns[teams.field], 0
    if column is None:
        return np.zeros(0, np.int64)
    found = np.isin(column.base + shift, list(teams.of))
    found[column.index] = True
    return np.flatnonzero(found & (replay.agent_ids < 0))


def _tagged(replay: Replay, tagged: list[tuple[int, str]]) -> Teams:
    numbers = [tag for tag, _ in tagged]
    of: dict[int, int] = {}
    table = replay.tables["tag_ids"].table if "tag_ids" in replay.tables else ()
    for entry, text in enumerate(table, start=1):
        tags = msgspec.json.decode(text)
        team = next((team for team, tag in enumerate(numbers) if tag in tags), -1)
        if team >= 0:
            of[entry] = team
    names = [name for _, name in tagged]
    return Teams("tag_ids", of, [worded(name) for name in names], assigned(_wishes(names)), len(names) > 1)


def _all(column: Column) -> Array:
    return np.concatenate([column.base, column.values])


def _distinct(values: Array) -> list[int]:
    return [int(value) for value in np.unique(values) if value >= 0]


def _wishes(names: Sequence[str]) -> list[int]:
    return [next((hue for hue, word in enumerate(_HUES) if word in name), -1) for name in names]


def assigned(wished: Sequence[int]) -> list[int]:
    """Return a colour for each, none twice: who comes first has what it wishes (-1: nothing), others what is left."""
    given: dict[int, int] = {}
    for at, hue in enumerate(wished):
        if hue >= 0 and hue not in given.values():
            given[at] = hue
    left = (hue for hue in range(len(wished) + len(_HUES)) if hue not in set(given.values()))
    return [given[at] if at in given else next(left) for at in range(len(wished))]
