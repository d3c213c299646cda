"""Filters, queries and values of a game's handlers in words: all kinds of mettagrid 0.26.22, and of version 3.

Source: mettagrid/config/filter, query.py, raycast_query.py and game_value.py of the wheel.
"""

from __future__ import annotations

from collections.abc import Callable

from widgets.replay.codec.rule_words import (
    DEEPEST,
    LISTED,
    Json,
    Roles,
    UnknownShapeError,
    amounts,
    listed,
    number,
    plain,
)

_Say = Callable[[Json, Roles, bool, int], str]
"""From a filter, who is who, whether it is negated, and how deep it lies."""

_FOUND = Roles("it", "it")


def condition(value: Json, roles: Roles, *, negated: bool = False, depth: int = 0) -> str:
    """Return a filter as a condition, such as "the agent has 1 ore".

    Raises:
        UnknownShapeError: It is of no kind that is known; `KeyError`, `TypeError` or `AttributeError` where it is of
            another shape than its kind.
    """
    say = _FILTERS.get(value["filter_type"])
    if say is None or depth > DEEPEST:
        raise UnknownShapeError
    return say(value, roles, negated, depth)


def _who(value: Json, roles: Roles) -> str:
    return roles.name(value["target"])


def _is(negated: bool) -> str:  # noqa: FBT001  # the tables below read better so
    return "is not" if negated else "is"


def _or(value: Json, roles: Roles, negated: bool, depth: int) -> str:  # noqa: FBT001
    parts = [condition(each, roles, negated=negated, depth=depth + 1) for each in value["inner"]]
    head = parts[0].rpartition(" has ")[0]
    if not negated and head and all(part.startswith(f"{head} has ") for part in parts):
        return f"{head} has " + " or ".join(part.removeprefix(f"{head} has ") for part in parts)
    return (" and " if negated else " or ").join(parts)


def _at_least(value: Json, roles: Roles, negated: bool, depth: int) -> str:  # noqa: FBT001, ARG001
    least, what = value.get("min", 0), value["value"]
    bound = number(least) if isinstance(least, int | float) else game_value(least, depth + 1)
    if "query" in what and "item" in what:
        compared = "less than" if negated else "at least"
        return f"{query(what['query'], depth + 1)} holds {compared} {bound} {plain(what['item'])}"
    return f"{game_value(what, depth + 1)} {_is(negated)} at least {bound}"


def _alignment(value: Json, roles: Roles, negated: bool, depth: int) -> str:  # noqa: FBT001, ARG001
    team = _ALIGNMENTS.get(value["alignment"])
    if team is None:
        raise UnknownShapeError
    named = value.get("collective")
    return f"{_who(value, roles)} {_is(negated)} of {team if named is None else f'team {plain(named)}'}"


_ALIGNMENTS = {
    "same_collective": "the same team",
    "different_collective": "another team",
    "aligned": "a team",
    "unaligned": "no team",
}


def _near(value: Json, roles: Roles, negated: bool, depth: int) -> str:  # noqa: FBT001
    near = value.get("query")
    other = roles.target if value["target"] == "actor" else roles.actor
    place = other if near is None else query(near, depth + 1)
    return f"{_who(value, roles)} {_is(negated)} within {number(value['radius'])} of {place}"


def _periodic(value: Json, roles: Roles, negated: bool, depth: int) -> str:  # noqa: FBT001, ARG001
    start = value.get("start_on")
    since = "" if start is None else f" from step {number(start)}"
    return f"{'not ' if negated else ''}every {number(value['period'])} steps{since}"


_FILTERS: dict[str, _Say] = {
    "not": lambda value, roles, no, depth: condition(value["inner"], roles, negated=not no, depth=depth + 1),
    "or": _or,
    "resource": lambda value, roles, no, _: (
        f"{_who(value, roles)} has {'less than ' if no else ''}{listed(amounts(value['resources']))}"
    ),
    "tag": lambda value, roles, no, _: f"{_who(value, roles)} {_is(no)} {plain(value['tag'])}",
    "tag_prefix": lambda value, roles, no, _: (
        f"{_who(value, roles)} has {'no' if no else 'a'} {plain(value['tag_prefix'])}"
    ),
    "shared_tag_prefix": lambda value, roles, no, _: (
        f"{roles.actor} and {roles.target} are {'not ' if no else ''}of the same {plain(value['tag_prefix'])}"
    ),
    "vibe": lambda value, roles, no, _: (
        f"{_who(value, roles)} {'does not show' if no else 'shows'} vibe {plain(value['vibe'])}"
    ),
    "game_value": _at_least,
    "max_distance": _near,
    "alignment": _alignment,  # of version 3
    "periodic": _periodic,
    "target_is_usable": lambda _, roles, no, __: f"{roles.target} {'cannot' if no else 'can'} be used",
    "target_loc_empty": lambda _, __, no, ___: f"the cell {_is(no)} free",
}


def query(value: Json, depth: int = 0) -> str:
    """Return the things that a query finds, such as "hub of team cogs red".

    Raises:
        UnknownShapeError: As of `condition`.
    """
    if isinstance(value, str):
        return plain(value)
    say = _QUERIES.get(value["query_type"])
    if say is None or depth > DEEPEST:
        raise UnknownShapeError
    return say(value, depth + 1)


def _filtered(value: Json, depth: int) -> str:
    found = query(value["source"], depth)
    for each in value.get("filters") or []:
        is_tag = each["filter_type"] == "tag"
        found += f" of {plain(each['tag'])}" if is_tag else f", where {condition(each, _FOUND, depth=depth)}"
    return found


_QUERIES: dict[str, Callable[[Json, int], str]] = {
    "query": _filtered,
    "materialized": lambda value, _: plain(value["tag"]),
    "raycast": lambda value, depth: f"what {query(value['source'], depth)} faces",
    "closure": lambda value, depth: (
        f"{query(value['source'], depth)} and {query(value['candidates'], depth)} joined to it"
    ),
}


def game_value(value: Json, depth: int = 0) -> str:
    """Return a game value, such as "0.2 x ore"; its kinds are told apart by their keys.

    Raises:
        UnknownShapeError: As of `condition`.
    """
    key = next((key for key in _VALUES if key in value), None)
    if key is None or depth > DEEPEST:
        raise UnknownShapeError
    return _VALUES[key](value, depth + 1)


def _queried(value: Json, depth: int) -> str:
    where = query(value["query"], depth)
    return f"{plain(value['item'])} of {where}" if "item" in value else f"the number of {where}"


def _sum(value: Json, depth: int) -> str:
    parts = [game_value(each, depth) for each in value["values"][:LISTED]]
    if "weights" not in value:  # the greatest and the least of some values are written alike
        return f"a bound of {' and '.join(parts)}"
    weights = value["weights"] or [1] * len(parts)
    named = [part if each == 1 else f"{number(each)} x {part}" for each, part in zip(weights, parts, strict=False)]
    total = " + ".join(named) + (" + …" if len(value["values"]) > LISTED else "")
    return f"log({total})" if value.get("log") else total


_VALUES: dict[str, Callable[[Json, int], str]] = {
    "query": _queried,
    "item": lambda value, _: plain(value["item"]),
    "name": lambda value, _: plain(value["name"]),
    "value": lambda value, _: number(value["value"]),
    "numerator": lambda value, depth: " / ".join(game_value(value[key], depth) for key in ("numerator", "denominator")),
    "values": _sum,
}
