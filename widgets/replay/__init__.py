"""The replay viewer: `load_replay` reads any replay, `ReplayViewer` shows it in a notebook.

Importing this package loads nothing heavy; each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from widgets.replay.cache import cached_encode
    from widgets.replay.codec import Limits, Replay, ReplayError, ascii_map, encode, load_replay
    from widgets.replay.viewer import ReplayCompare, ReplayViewer

_HOMES = {
    "Limits": "codec",
    "Replay": "codec",
    "ReplayCompare": "viewer",
    "ReplayError": "errors",
    "ReplayViewer": "viewer",
    "ascii_map": "codec",
    "cached_encode": "cache",
    "encode": "codec",
    "load_replay": "codec",
}

__all__ = [
    "Limits",
    "Replay",
    "ReplayCompare",
    "ReplayError",
    "ReplayViewer",
    "ascii_map",
    "cached_encode",
    "encode",
    "load_replay",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
