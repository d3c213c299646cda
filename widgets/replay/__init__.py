"""The replay viewer: `load_replay` reads any replay, `ReplayViewer` shows it in a notebook.

Importing this package loads nothing heavy; each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from widgets.replay.codec.cache import cached_encode
    from widgets.replay.codec.errors import ReplayError
    from widgets.replay.codec.limits import Limits
    from widgets.replay.codec.normalise import load_replay
    from widgets.replay.codec.replay import Replay
    from widgets.replay.codec.wire import encode
    from widgets.replay.inspect import ascii_map
    from widgets.replay.viewer import ReplayCompare, ReplayViewer

_HOMES = {
    "Limits": "codec.limits",
    "Replay": "codec.replay",
    "ReplayCompare": "viewer",
    "ReplayError": "codec.errors",
    "ReplayViewer": "viewer",
    "ascii_map": "inspect",
    "cached_encode": "codec.cache",
    "encode": "codec.wire",
    "load_replay": "codec.normalise",
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
