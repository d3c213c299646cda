"""Mutations of a game's handlers: what is taken, what is given, and the rest in words: all kinds of mettagrid 0.26.22.

Source: mettagrid/config/mutation of the wheel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from widgets.replay.codec.rule_conditions import game_value, query
from widgets.replay.codec.rule_words import (
    DEEPEST,
    Amount,
    Json,
    Roles,
    UnknownShapeError,
    amounts,
    listed,
    number,
    plain,
)


@dataclass(slots=True)
class Effects:
    """What a handler takes from the one that it serves, gives to it, and does besides, each a sentence."""

    takes: list[Amount] = field(default_factory=list)
    gives: list[Amount] = field(default_factory=list)
    does: list[str] = field(default_factory=list)

    def add(self, other: Effects) -> None:
        """Add what another does."""
        self.takes += other.takes
        self.gives += other.gives
        self.does += other.does


def effects_of(value: Json, roles: Roles, depth: int = 0) -> Effects:
    """Return what a mutation does.

    Raises:
        UnknownShapeError: It is of no kind that is known; `KeyError`, `TypeError` or `AttributeError` where it is of
            another shape than its kind.
    """
    kind = value["mutation_type"]
    if depth > DEEPEST:
        raise UnknownShapeError
    if kind in _LINES:
        return Effects(does=[_LINES[kind](value, roles)])
    if kind == "attack":
        return _attack(value, roles, depth)
    if kind not in _MOVES:
        raise UnknownShapeError
    return _MOVES[kind](value, roles)


def changed(role: Json, changes: list[Amount], roles: Roles) -> Effects:
    """Return what it means that the inventory of `actor` or `target` changes."""
    who = roles.name(role)
    gained = [change for change in changes if change[1] > 0]
    lost = [(item, -amount) for item, amount in changes if amount < 0]
    if roles.mine and who == roles.name(roles.mine):
        return Effects(lost, gained)
    said = [f"{who} {verb} {listed(part)}" for verb, part in (("gains", gained), ("loses", lost)) if part]
    return Effects(does=said)


def _transfer(value: Json, roles: Roles) -> Effects:
    giver, taker = value["from_target"], value["to_target"]
    source, goal = roles.name(giver), roles.name(taker)
    moved = [(item, math.inf if amount < 0 else amount) for item, amount in amounts(value["resources"])]
    gone = [f"{source} goes when empty"] if value.get("remove_source_when_empty") else []
    if taker == roles.mine:
        return Effects(gives=moved, does=[f"out of what {source} holds", *gone])
    if giver == roles.mine:
        return Effects(takes=moved, does=[f"into what {goal} holds", *gone])
    return Effects(does=[f"{listed(moved)} from {source} to {goal}", *gone])


def _query_inventory(value: Json, roles: Roles) -> Effects:
    where, source = query(value["query"]), value.get("source")
    changes = amounts(value["deltas"])
    gained = [change for change in changes if change[1] > 0]
    lost = [(item, -amount) for item, amount in changes if amount < 0]
    if source is None:
        said = [f"{where} {verb} {listed(part)}" for verb, part in (("gains", gained), ("loses", lost)) if part]
        return Effects(does=said)
    who = roles.name(source)
    found = Effects(does=[f"{who} puts up to {listed(gained)} into {where}"] if gained else [])
    if lost and source == roles.mine:
        found.add(Effects(gives=lost, does=[f"out of what {where} holds"]))
    elif lost:
        found.does.append(f"{who} takes up to {listed(lost)} from {where}")
    return found


def _set_value(value: Json, roles: Roles) -> Effects:
    role, source, delta = value.get("target", "actor"), value.get("source"), value.get("delta", 0)
    item = value["value"].get("item")
    if item is not None and source is None:
        return changed(role, amounts({item: delta}), roles)
    more = number(delta) if source is None else game_value(source)
    return Effects(does=[f"{game_value(value['value'])} of {roles.name(role)} changes by {more}"])


def _attack(value: Json, roles: Roles, depth: int) -> Effects:
    defence = amounts(value.get("defense_resources") or {})
    found = Effects(
        does=[f"{roles.actor} attacks {roles.target}{f' unless it has {listed(defence)}' if defence else ''}"]
    )
    for word, key in (("armour", "armor_resources"), ("weapons", "weapon_resources")):
        held = amounts(value.get(key) or {})
        found.does += [f"{word}: {listed(held)}"] if held else []
    for each in value.get("on_success") or []:
        found.add(effects_of(each, roles, depth + 1))
    return found


def _ray(value: Json, _: Roles) -> str:
    reach = value.get("max_range", 0)
    cells = number(reach) if isinstance(reach, int | float) else game_value(reach)
    return f"a {plain(value['object_type'])} appears on each free cell {cells} cells far"


def _who(value: Json, roles: Roles) -> str:
    return roles.name(value.get("target", "target"))


def _joined(value: Json, roles: Roles) -> str:
    if value.get("collective") is not None:
        return f"team {plain(value['collective'])}"
    return "no team" if value["align_to"] in ("none", "unaligned") else roles.name(value["align_to"])


_MOVES: dict[str, Callable[[Json, Roles], Effects]] = {
    "resource_delta": lambda value, roles: changed(value["target"], amounts(value["deltas"]), roles),
    "resource_transfer": _transfer,
    "query_inventory": _query_inventory,
    "set_game_value": _set_value,
}
_LINES: dict[str, Callable[[Json, Roles], str]] = {
    "push_object": lambda _, roles: f"{roles.actor} pushes {roles.target}",
    "relocate": lambda _, roles: f"{roles.actor} moves there",
    "swap": lambda _, roles: f"{roles.actor} and {roles.target} change places",
    "use_target": lambda _, roles: f"{roles.actor} uses {roles.target}",
    "add_tag": lambda value, roles: f"{_who(value, roles)} becomes {plain(value['tag'])}",
    "remove_tag": lambda value, roles: f"{_who(value, roles)} is no longer {plain(value['tag'])}",
    "remove_tags_with_prefix": lambda value, roles: f"{_who(value, roles)} loses its {plain(value['prefix'])}",
    "change_vibe": lambda value, roles: f"{_who(value, roles)} shows vibe {plain(value['vibe_name'])}",
    "clear_inventory": lambda value, roles: f"{_who(value, roles)} loses all {plain(value['limit_name'])}",
    "alignment": lambda value, roles: f"{_who(value, roles)} joins {_joined(value, roles)}",  # of version 3
    "stats": lambda value, _: f"counts {plain(value['stat'])}",
    "spawn_object": lambda value, _: f"a {plain(value['object_type'])} appears",
    "raycast_spawn": _ray,
    "recompute_materialized_query": lambda value, _: f"finds anew what is {plain(value['tag_prefix'])}",
    "set_relative_target": lambda value, _: (
        f"acts on the cell {number(value.get('distance', 1))} {plain(value['direction'])}"
    ),
    "query_place_adjacent": lambda value, roles: (
        f"{roles.name(value.get('target', 'actor'))} is placed beside {query(value['query'])}"
    ),
}
