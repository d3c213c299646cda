"""Where replays come from: bytes, files, http(s) and public s3 addresses, read within limits of size and time."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from widgets.replay.errors import SourceError
from widgets.replay.limits import Limits

Source = str | Path | bytes | bytearray | memoryview

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_url(source: object) -> bool:
    """Whether `source` is an address rather than a path."""
    return isinstance(source, str) and _SCHEME.match(source) is not None


def read_source(source: Source, limits: Limits, *, allow_private: bool = False) -> bytes:
    """Return the bytes of a replay file.

    Args:
        source: The bytes themselves, a path, or an http, https or s3 address.
        limits: Bounds on size, and on the time of a download.
        allow_private: Whether an address may lead to this machine or a private network, and proxies may be used.

    Raises:
        SourceError: There is nothing to read, or reading failed.
        LimitError: There is more than the limits allow.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        limits.check("compressed_bytes", memoryview(source).nbytes, f"the replay has {len(source):,} bytes")
        return bytes(source)
    if isinstance(source, str) and is_url(source):
        from widgets.replay.download import download

        return download(http_url(source), limits, allow_private=allow_private)
    if not isinstance(source, (str, Path)):
        raise SourceError(f"{type(source).__name__!r} is no replay; give a path, an http(s) or s3 address, or bytes")
    return _read_file(Path(source), limits)


def http_url(url: str) -> str:
    """Return the http(s) address of `url`; an s3 address becomes that of the public bucket.

    Raises:
        SourceError: It is another kind of address.
    """
    parts = split(url)
    if parts.scheme in ("http", "https"):
        return url
    if parts.scheme != "s3":
        raise SourceError(f"replays do not load from {parts.scheme + '://...'!r}; they do from http, https and s3")
    key = parts.path.lstrip("/")
    if not _BUCKET.fullmatch(parts.netloc) or not key:
        raise SourceError(f"{shown(url)!r} is not an s3 address; it looks like s3://bucket/path/replay.json.z")
    # A dot in the bucket's name would not match the certificate of *.s3.amazonaws.com.
    host = "s3.amazonaws.com/" + parts.netloc if "." in parts.netloc else f"{parts.netloc}.s3.amazonaws.com"
    return f"https://{host}/{quote(key)}"


def split(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        SourceError: It is none. The reason is left out, for it may repeat a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SourceError(f"{shown(url)!r} is not an address that can be read") from None
    return parts


def shown(url: str) -> str:
    """Return an address as it may appear in messages: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    query = "?..." if parts.query else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{query}"


def _read_file(path: Path, limits: Limits) -> bytes:
    try:
        if path.is_dir():
            raise SourceError(f"{str(path)!r} is a folder; give the path of a replay file in it")
        if path.exists() and not path.is_file():
            raise SourceError(f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            data = file.read(limits.compressed_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"cannot read {str(path)!r}: {reason}") from error
    limits.check("compressed_bytes", len(data), f"{str(path)!r} has {len(data):,} bytes or more")
    return data
