"""Encoding each replay once: a folder of encoded replays, found again by the content of their files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib
from dataclasses import asdict
from pathlib import Path

from widgets.replay.codec.document import sniff
from widgets.replay.codec.encoded import ENCODER, Encoded, unpack
from widgets.replay.codec.errors import FormatError, LimitError, ReplayError, SourceError
from widgets.replay.codec.limits import MIB, Limits
from widgets.replay.codec.normalise import replay_from_bytes
from widgets.replay.codec.sources import Source, read_source
from widgets.replay.codec.wire import encode

SUBPROCESS_BYTES = 50 * MIB
"""Replays with more JSON than this are encoded in another process, so that a notebook does not stall."""

_WORKER_SECONDS = 1800.0
_PIECE = MIB


def cached_encode(source: Source, cache_dir: Path | None, *, limits: Limits = Limits.default) -> Encoded:
    """Return the encoding of a replay, from the cache when its very content has been encoded before.

    Args:
        source: A path, an http, https or s3 address, or the bytes of a file.
        cache_dir: Folder of encoded replays, safe to delete at any time; None encodes without a cache.
        limits: Bounds on everything.

    Raises:
        ReplayError: As of `load_replay`. A cache that cannot be written is not an error.
    """
    data = read_source(source, limits)
    place = None if cache_dir is None else cache_dir / _name(data, limits)
    found = None if place is None else _cached(place)
    if found is not None:
        return found
    encoded = _encoded(data, limits)
    if place is not None:
        _store(place, encoded.pack("all"))
    return encoded


def _name(data: bytes, limits: Limits) -> str:
    bounds = hashlib.sha256(repr(limits).encode()).hexdigest()[:8]
    return f"{hashlib.sha256(data).hexdigest()[:32]}-{bounds}.v{ENCODER}.replay"


def _cached(place: Path) -> Encoded | None:
    try:
        return unpack(place.read_bytes())
    except (OSError, FormatError):
        return None


def _store(place: Path, packed: bytes) -> None:
    """Write by rename, so that a reader sees all of it or nothing."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".encoding-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
            Path(name).replace(place)
        except OSError:
            Path(name).unlink(missing_ok=True)
    except OSError:
        return


def _encoded(data: bytes, limits: Limits) -> Encoded:
    if _is_large(data):
        return _encoded_elsewhere(data, limits)
    return encode(replay_from_bytes(data, limits))


def _is_large(data: bytes) -> bool:
    """Whether the JSON in `data` is larger than is encoded in this process."""
    if len(data) > SUBPROCESS_BYTES:
        return True
    if sniff(data) == "json":
        return False
    inflater = zlib.decompressobj(wbits=47)  # zlib or gzip by its header
    size, rest = 0, data
    try:
        while rest and size <= SUBPROCESS_BYTES:
            size += len(inflater.decompress(rest, _PIECE))
            rest = inflater.unconsumed_tail
    except zlib.error:
        return False
    return size > SUBPROCESS_BYTES


def _encoded_elsewhere(data: bytes, limits: Limits) -> Encoded:
    """Encode in another process, which also gives its memory back when it ends.

    The worker reads one line of JSON (the limits) and the replay, and writes one line of JSON (`{}` or the error) and
    the container.
    """
    root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    try:
        worker = subprocess.run(
            [sys.executable, "-P", "-m", "widgets.replay.codec.cache"],
            input=json.dumps(asdict(limits)).encode() + b"\n" + data,
            capture_output=True,
            timeout=_WORKER_SECONDS,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReplayError(f"encoding the replay took longer than {_WORKER_SECONDS:g} s") from None
    line, _, packed = worker.stdout.partition(b"\n")
    if worker.returncode != 0 or not line:
        reason = worker.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ReplayError(f"encoding the replay in another process failed (status {worker.returncode}): {reason}")
    answer = json.loads(line)
    if answer:
        raise _error(answer)
    return unpack(packed)


def _error(answer: dict[str, str]) -> ReplayError:
    """Return the error that the worker met."""
    if answer["kind"] == "LimitError":
        return LimitError.restored(answer["limit"], answer["message"])
    kinds = {"SourceError": SourceError, "FormatError": FormatError}
    return kinds.get(answer["kind"], ReplayError)(answer["message"])


def main() -> None:
    """Encode the replay on standard input, as `_encoded_elsewhere` hands it over and waits for it."""
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
