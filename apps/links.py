"""Addresses that carry what is looked at, so that they can be sent; whatever stands in one is only compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import marimo as mo

from experiments.workspace import Workspace

_LONGEST = 2_000


def project() -> Workspace:
    """Return the project of the working folder."""
    return Workspace.find(Path.cwd())


def asked(*names: str) -> dict[str, str]:
    """Return what the page's address says of each name; empty where it says nothing.

    Values are text that anybody may have written: compare them with what is known, never use them as a path or code.
    """
    found = mo.query_params().to_dict()
    return {name: _one(found.get(name, "")) for name in names}


def keep(**values: str | Sequence[str]) -> None:
    """Write what is looked at into the page's address; an empty value is left out."""
    query = mo.query_params()
    for name, value in values.items():
        text = value if isinstance(value, str) else ",".join(value)
        if text:
            query.set(name, text)
        else:
            query.remove(name)


def several(text: str, known: Sequence[str]) -> list[str]:
    """Return the names in a list from an address that are known, each once."""
    return [name for name in dict.fromkeys(text.split(",")) if name in set(known)]


def _one(value: str | list[str]) -> str:
    text = value[-1] if isinstance(value, list) and value else value
    return text[:_LONGEST] if isinstance(text, str) else ""
