"""The words that the rules of a game are put into: who is meant, how much of what, and names without their signs."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from widgets.replay.codec.issues import shorten

CHARS = 240
"""Longest sentence."""

DEEPEST = 8
"""Filters, queries and values within each other, beyond which they are shown as text."""

LISTED = 12
"""Items or parts that one sentence names."""

_LARGEST = 1e18

Json = Any
"""A decoded JSON value of a shape that one expects and nobody promised."""

Amount = tuple[str, float]
"""An item's name and how many; infinity is all that there is."""


class UnknownShapeError(Exception):
    """A part of a configuration is of no kind that is known."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Who is who while a handler runs.

    Attributes:
        actor: Words for the actor.
        target: Words for the target.
        mine: Which of the two pays and is paid: `actor`, `target`, or empty where nobody does.
    """

    actor: str
    target: str
    mine: str = ""

    def name(self, role: Json) -> str:
        """Return the words for `actor` or `target`, or for the team of one, which version 3 calls its collective.

        Raises:
            UnknownShapeError: It is none of them.
        """
        words = {"actor": self.actor, "target": self.target}
        teams = {f"{who}_collective": f"the team of {name}" for who, name in words.items()}
        found = (words | teams).get(role) if isinstance(role, str) else None
        if found is None:
            raise UnknownShapeError
        return found


def is_number(value: Json) -> bool:
    """Whether a JSON value is a number that can be reckoned with."""
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def amounts(value: Json) -> list[Amount]:
    """Return items and numbers of a JSON object.

    Raises:
        UnknownShapeError: It is none.
    """
    if not isinstance(value, dict) or not all(map(is_number, value.values())):
        raise UnknownShapeError
    return [(item, float(amount)) for item, amount in value.items()]


def listed(pairs: list[Amount]) -> str:
    """Return amounts as words: "1 ore, 2 battery red"."""
    shown = [f"{'all' if math.isinf(amount) else number(amount)} {plain(item)}" for item, amount in pairs[:LISTED]]
    return ", ".join(shown + (["…"] if len(pairs) > LISTED else [])) or "nothing"


def number(value: Json) -> str:
    """Return a number as people write it.

    Raises:
        UnknownShapeError: It is no number.
    """
    if not is_number(value):
        raise UnknownShapeError
    return f"{value:.6g}"


def plain(name: Json) -> str:
    """Return a name or tag as words: "type:hub" is "hub", "team:cogs_red" is "team cogs red".

    Raises:
        UnknownShapeError: It is no text.
    """
    if not isinstance(name, str):
        raise UnknownShapeError
    return " ".join(name.removeprefix("type:").replace("_", " ").replace(":", " ").split()) or "?"


def as_text(value: Json) -> str:
    """Return JSON as one short line."""
    return shorten(json.dumps(value, ensure_ascii=False), CHARS)


def worded(name: str) -> str:
    """Return a name as the page shows it."""
    return " ".join(re.sub(r"[_\s]+", " ", name).split()) or "unnamed"
