"""The compressed forms of a replay file, told apart by content and inflated within bounds."""

from __future__ import annotations

import zlib
from typing import Literal

from widgets.replay.errors import FormatError
from widgets.replay.issues import IssueLog
from widgets.replay.limits import Limits

Container = Literal["zlib", "gzip", "json"]

Text = bytes | bytearray
"""JSON text; inflated it is a bytearray, which grows without a second copy."""

_BOM = b"\xef\xbb\xbf"
_PIECE = 64 * 1024


def sniff(data: Text, what: str = "the file") -> Container:
    """Return the form of `data`, called `what` in errors, from its first bytes; a file's suffix is never asked.

    Raises:
        FormatError: It is neither zlib, gzip nor JSON text.
    """
    if data[:2] == b"\x1f\x8b":
        return "gzip"
    if len(data) >= 2 and data[0] & 0x0F == 8 and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0:
        return "zlib"
    text = data[:64].removeprefix(_BOM).lstrip()
    if text[:1] in (b"{", b"[", b"n", b"t", b"f", b'"') or text[:1].isdigit():
        return "json"
    if not data:
        raise FormatError(f"{what} is empty (0 bytes); a replay is JSON text, plain or compressed with zlib or gzip")
    raise FormatError(
        f"{what} begins with {bytes(data[:8])!r}, which is neither zlib, gzip nor JSON; "
        "a replay is a .json, .json.z or .json.gz file"
    )


def inflate(data: bytes, limits: Limits, log: IssueLog) -> Text:
    """Return the JSON text in `data`, without a byte order mark.

    Raises:
        FormatError: The compressed data are damaged, cut short or compressed twice.
        LimitError: The text is longer than `limits.inflated_bytes`.
    """
    limits.check("compressed_bytes", len(data), f"the file has {len(data):,} bytes")
    container = sniff(data)
    text = data if container == "json" else _inflated(data, container, limits, log)
    limits.check("inflated_bytes", len(text), f"the replay's JSON has {len(text):,} bytes")
    if text.startswith(_BOM):
        log.add("(file)", "begins with a byte order mark", severity="note")
        text = text[len(_BOM) :]
    return text


def _inflated(data: bytes, container: Container, limits: Limits, log: IssueLog) -> Text:
    inflater = zlib.decompressobj(wbits=31 if container == "gzip" else 15)
    text = bytearray()
    view = memoryview(data)
    try:
        for at in range(0, len(data), _PIECE):
            # A piece inflates to 64 MB at most: deflate's best is 1032 to 1.
            text += inflater.decompress(view[at : at + _PIECE])
            if len(text) > limits.inflated_bytes:
                limits.check("inflated_bytes", len(text), f"the replay's JSON has {len(text):,} bytes or more")
            if inflater.eof:
                rest = len(data) - at - _PIECE
                extra = len(inflater.unused_data) + max(rest, 0)
                log.add("(file)", "bytes after the end of the compressed data are ignored", extra)
                break
    except zlib.error as error:
        raise FormatError(f"the {container} data are damaged: {error}; fetch or record the replay again") from error
    if not inflater.eof:
        raise FormatError(
            f"the {container} data are cut short: {len(data):,} bytes gave {len(text):,} bytes of JSON and no end; "
            "fetch or record the replay again"
        )
    inner = sniff(text[:64], f"the text in the {container} data")
    if inner != "json":
        raise FormatError(f"the {container} data hold {inner} data again; a replay is compressed once")
    return text
