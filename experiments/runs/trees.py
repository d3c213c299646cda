"""Nested mappings as W&B keeps config and summary: set, dropped and flattened by path."""

from __future__ import annotations

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


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a nested mapping under their dotted paths; an empty mapping is a leaf."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat
