"""Reading what a command answered under `--json`."""

from __future__ import annotations

import json
from typing import Any

KEYS = {"schema", "command", "data", "problems"}


def envelope_in(text: str) -> dict[str, Any]:
    """Return the one envelope that a command printed; whatever else it printed beside it fails the test."""
    found = json.loads(text)
    assert set(found) == KEYS, found
    return found


def data_in(text: str) -> Any:
    """Return its data."""
    return envelope_in(text)["data"]
