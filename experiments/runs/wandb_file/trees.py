"""Nested mappings as W&B keeps config and summary: set, dropped and flattened by path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from experiments.runs.store import JsonValue

Path = tuple[str, ...]


def assign(tree: dict[str, Any], path: Path, value: JsonValue) -> None:
    """Set the value at a path of a nested mapping, making the mappings on the way."""
    for part in path[:-1]:
        inner = tree.get(part)
        if not isinstance(inner, dict):
            inner = tree[part] = {}
        tree = inner
    if path:
        tree[path[-1]] = value


def remove(tree: dict[str, Any], path: Path) -> None:
    """Drop the value at a path of a nested mapping, where it is there."""
    for part in path[:-1]:
        inner = tree.get(part)
        if not isinstance(inner, dict):
            return
        tree = inner
    if path:
        tree.pop(path[-1], None)


def leaves(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """Yield path and value of each leaf, in order; an empty mapping is a leaf."""
    # Without recursion: how deep other people's values are nested must not matter.
    waiting: list[tuple[Path, JsonValue]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), inner) for key, inner in reversed(value.items())]
        else:
            yield path, value


def names_of(paths: Iterable[Path]) -> dict[Path, str]:
    r"""Return what each path is called: its parts joined by dots, as W&B shows it.

    Where several paths would have one name (`{"a.b": 1}` beside `{"a": {"b": 2}}`), the dots within their parts are
    written `\.`: `a\.b` is the first of these, `a.b` the second.
    """
    spelt: dict[str, list[Path]] = {}
    for path in dict.fromkeys(paths):
        spelt.setdefault(".".join(path), []).append(path)
    return {path: plain if len(alike) == 1 else escaped_name(path) for plain, alike in spelt.items() for path in alike}


def escaped_name(path: Path) -> str:
    r"""Return a name that no other path has: parts joined by dots, the dots within them written `\.`."""
    return ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in path)


def flatten(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the leaves of a nested mapping under the names of their paths; an empty mapping in it is a leaf."""
    found = dict(leaves(tree)) if tree else {}
    names = names_of(found)
    return {names[path]: value for path, value in found.items()}
