"""The symbol of each type of object, told from its name alone: a shape, a colour and letters of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from widgets.replay.codec.drawn import SHAPES, WALL

_WALL = re.compile(r"(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])", re.IGNORECASE)
_HUES = 7
_LOOKS = len(SHAPES) * _HUES
"""Every shape by seven hues; the palette's first is left to agents."""


class Look(msgspec.Struct, frozen=True):
    """How a type is drawn where there is no picture of it.

    Attributes:
        kind: What it is drawn as.
        shape: Its outline, a path of SVG in a cell that is 1 wide.
        middle: Where its letters stand, in heights of the cell.
        tall: How tall they are.
        hue: Number of its colour.
        letters: Two letters on it, of a thing.
        name: The type.
    """

    kind: Literal["wall", "agent", "thing"]
    shape: str
    middle: float
    tall: float
    hue: int
    letters: str
    name: str


def _look(kind: Literal["wall", "agent", "thing"], shape: int, hue: int, letters: str, name: str) -> Look:
    # A triangle has its room further down, and less of it.
    middle, tall = (0.58, 0.34) if shape == len(SHAPES) - 1 else (0.53, 0.42)
    outline = WALL if kind == "wall" else SHAPES[shape]
    return Look(kind, outline, middle, tall, hue, letters, name)


_UNKNOWN = _look("thing", 0, _HUES, "?", "unknown")


def kind_of(name: str) -> Literal["wall", "agent", "thing"]:
    """Return what an object of a type is drawn as."""
    return "agent" if name.lower().startswith("agent") else "wall" if _WALL.search(name) else "thing"


def looks_of(names: Sequence[str], beside: Iterable[str] = ()) -> tuple[Look, ...]:
    """Return the look of each type, and last that of none.

    A name looks the same in every replay unless two types clash.

    Args:
        names: The types.
        beside: Types of another replay on the page, which shares its symbols.
    """
    looks: set[int] = set()
    taken: set[str] = set()
    made: dict[str, Look] = {}
    for name in sorted({*names, *beside}):
        kind = kind_of(name)
        look = _hash(name) % _LOOKS
        if kind == "thing":
            look = next((free for free in _after(look) if free not in looks), look)
            looks.add(look)
        made[name] = _look(
            kind, look // _HUES, 1 + look % _HUES, _letters(name, taken) if kind == "thing" else "", name
        )
    return *(made[name] for name in names), _UNKNOWN


def side_by_side(headers: Sequence[Mapping[str, Any]]) -> list[tuple[Look, ...]]:
    """Return the looks of the types of each header, one for a name that several have."""
    names = [each["type_names"] for each in headers]
    return [looks_of(own, [name for some in names for name in some]) for own in names]


def _after(look: int) -> Iterable[int]:
    return ((look + more) % _LOOKS for more in range(_LOOKS))


def _hash(text: str) -> int:
    value = 2166136261  # FNV-1a: small, and the same for ever
    for char in text:
        value = (value ^ ord(char)) * 16777619 & 0xFFFFFFFF
    return value


def _letters(name: str, taken: set[str]) -> str:
    """Return two letters, unlike those of the other types."""
    first, *rest = [char for char in name if char.isalnum()] or ["?"]
    pairs = (first.upper() + second.lower() for second in [*rest, *"23456789"])
    found = next((pair for pair in pairs if pair not in taken), first)
    taken.add(found)
    return found
