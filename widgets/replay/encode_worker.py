"""Encodes one replay from standard input to standard output; started by `widgets.replay.cache` for large replays.

    python -P -m widgets.replay.encode_worker

Input: one line of JSON (the fields of `Limits`), then the bytes of the file. Output: one line of JSON (empty, or the
kind and message of the error), then the container with all chunks.
"""

from __future__ import annotations

import json
import sys

from widgets.replay.errors import LimitError, ReplayError
from widgets.replay.limits import Limits
from widgets.replay.normalise import replay_from_bytes
from widgets.replay.wire import encode


def main() -> None:
    """Encode the replay on standard input."""
    limits = Limits(**json.loads(sys.stdin.buffer.readline()))
    try:
        packed = encode(replay_from_bytes(sys.stdin.buffer.read(), limits)).pack("all")
    except ReplayError as error:
        kind = type(error).__name__
        limit = error.limit if isinstance(error, LimitError) else ""
        sys.stdout.buffer.write(json.dumps({"kind": kind, "limit": limit, "message": str(error)}).encode() + b"\n")
        return
    sys.stdout.buffer.write(b"{}\n" + packed)


if __name__ == "__main__":
    main()
