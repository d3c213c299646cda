"""Reading replays of any version, and writing the columns that the viewer shows.

    replay = load_replay("episode.json.z")
    replay.state_at(120).location
    encoded = encode(replay)

The pieces are in the modules beside this one; these names are the ones to use.
"""

from __future__ import annotations

from widgets.replay.ascii_map import ascii_map
from widgets.replay.columns import Column, Inventory
from widgets.replay.encoded import ENCODER, FORMAT, Encoded, unpack
from widgets.replay.errors import FormatError, LimitError, ReplayError, SourceError
from widgets.replay.issues import Issue
from widgets.replay.limits import Limits
from widgets.replay.normalise import replay_from_bytes
from widgets.replay.replay import Names, Replay, State
from widgets.replay.sources import Source, read_source
from widgets.replay.texts import TextColumn
from widgets.replay.wire import encode

__all__ = [
    "ENCODER",
    "FORMAT",
    "Column",
    "Encoded",
    "FormatError",
    "Inventory",
    "Issue",
    "LimitError",
    "Limits",
    "Names",
    "Replay",
    "ReplayError",
    "Source",
    "SourceError",
    "State",
    "TextColumn",
    "ascii_map",
    "encode",
    "load_replay",
    "unpack",
]


def load_replay(source: Source, *, limits: Limits = Limits.default, allow_private: bool = False) -> Replay:
    """Open a replay: zlib, gzip or plain JSON, told apart by content; versions 1 to 4, newer ones on best effort.

    Args:
        source: A path, an http, https or s3 address, or the bytes of a file.
        limits: Bounds on everything; `Limits.large` for files that one trusts.
        allow_private: Whether an address may lead to this machine or a private network.

    Returns:
        The replay; what is wrong with it but could be mended or left out is in its `issues`.

    Raises:
        SourceError: The bytes cannot be read.
        FormatError: They are not a replay.
        LimitError: The replay goes past the limits.
    """
    return replay_from_bytes(read_source(source, limits, allow_private=allow_private), limits)
