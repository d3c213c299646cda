"""The compressed forms of a replay file, told apart by content and inflated within bounds."""

from __future__ import annotations

import zlib
from typing import Literal

from widgets.replay.errors import FormatError
from widgets.replay.issues import IssueLog
from widgets.replay.limits import Limits

Container = Literal["zlib", "gzip", "json"]

_BOM = b"\xef\xbb\xbf"


def sniff(data: bytes) -> Container:
    """Return the form of `data` from its first bytes; a file's suffix is never asked.

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
        raise FormatError("the file is empty (0 bytes); a replay is JSON text, plain or compressed with zlib or gzip")
    raise FormatError(
        f"the file begins with {data[:8]!r}, which is neither zlib, gzip nor JSON; "
        "a replay is a .json, .json.z or .json.gz file"
    )


def inflate(data: bytes, limits: Limits, log: IssueLog) -> bytes:
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


def _inflated(data: bytes, container: Container, limits: Limits, log: IssueLog) -> bytes:
    inflater = zlib.decompressobj(wbits=31 if container == "gzip" else 15)
    try:
        text = inflater.decompress(data, limits.inflated_bytes + 1)
    except zlib.error as error:
        raise FormatError(f"the {container} data are damaged: {error}; fetch or record the replay again") from error
    if len(text) > limits.inflated_bytes:
        limits.check("inflated_bytes", len(text), f"the replay's JSON has more than {limits.inflated_bytes:,} bytes")
    if not inflater.eof:
        raise FormatError(
            f"the {container} data are cut short: {len(data):,} bytes gave {len(text):,} bytes of JSON and no end; "
            "fetch or record the replay again"
        )
    if inflater.unused_data:
        log.add("(file)", "bytes after the end of the compressed data are ignored", len(inflater.unused_data))
    if sniff(text) != "json":
        raise FormatError(f"the {container} data hold {sniff(text)} data again; a replay is compressed once")
    return text
