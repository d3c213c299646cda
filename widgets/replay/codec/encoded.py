"""An encoded replay: its header and chunks, packed into one container and unpacked again (see wire.py)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from widgets.replay.codec.errors import FormatError

MAGIC = b"RPLW"
FORMAT = 3
"""Version of the wire format: a page refuses another."""

ENCODER = 11
"""Raised whenever the same replay would be encoded differently: cached encodings of another number are not used."""

LEVEL = 5
"""Of zlib: level 6 takes twice the time for 4 % less."""

Embed = Literal["steps", "all"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One deflated piece of an encoded replay.

    Attributes:
        entry: Its line in the header's directory, without the offset.
        data: The zlib bytes.
    """

    entry: dict[str, Any]
    data: bytes

    @property
    def name(self) -> str:
        """Its id, such as `steps/0`."""
        return str(self.entry["id"])


@dataclass(frozen=True, slots=True)
class Encoded:
    """A replay in the wire format.

    Attributes:
        header: The header, except for the directory of chunks.
        chunks: The chunks: `base`, `steps/*`, `text/*`, `config`.
    """

    header: dict[str, Any]
    chunks: tuple[Chunk, ...]

    @property
    def digest(self) -> str:
        """Identity of the replay's content."""
        return str(self.header["hash"])

    def chunk(self, name: str) -> bytes:
        """Return the zlib bytes of one chunk.

        Raises:
            KeyError: There is no chunk of that name.
        """
        for chunk in self.chunks:
            if chunk.name == name:
                return chunk.data
        raise KeyError(f"no chunk {name!r}; there are {[chunk.name for chunk in self.chunks]}")

    def pack(self, embed: Embed = "steps", max_bytes: int | None = None, **header: object) -> bytes:
        """Return the container: with all chunks, or without texts and configuration.

        Args:
            embed: `steps` leaves texts and configuration to be fetched when their panel opens; `all` holds everything.
            max_bytes: Once the embedded chunks have this many bytes, later ones are left to be fetched.
            header: Entries of the header that are other than its own.
        """
        entries, parts, offset = [], [], 0
        for chunk in self.chunks:
            wanted = embed == "all" or chunk.entry["kind"] in ("base", "steps")
            fits = max_bytes is None or offset + len(chunk.data) <= max_bytes or chunk.entry["kind"] == "base"
            if wanted and fits:
                entries.append({**chunk.entry, "offset": offset})
                parts.append(chunk.data)
                offset += len(chunk.data)
            else:
                entries.append({**chunk.entry, "offset": None})
        text = msgspec.json.encode({**self.header, **header, "chunks": entries})
        packed = zlib.compress(text, LEVEL)
        return b"".join([MAGIC, struct.pack("<III", FORMAT, len(packed), len(text)), packed, *parts])


def unpack(data: bytes) -> Encoded:
    """Return the encoding in a container that embeds all of its chunks.

    Raises:
        FormatError: It is no container, one of another version, or damaged.
    """
    try:
        magic, version, size, length = struct.unpack_from("<4sIII", data)
        if magic != MAGIC or version != FORMAT:
            raise FormatError(f"not an encoded replay of version {FORMAT}: it begins with {data[:8]!r}")
        inflater = zlib.decompressobj()
        header = msgspec.json.decode(inflater.decompress(data[16 : 16 + size], length), type=dict[str, Any])
        chunks = []
        for entry in header.pop("chunks"):
            start = 16 + size + entry.pop("offset")
            piece = data[start : start + entry["size"]]
            if len(piece) != entry["size"]:
                raise FormatError(f"the encoded replay is cut short in chunk {entry['id']!r}")
            chunks.append(Chunk(entry, piece))
    except (struct.error, zlib.error, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"the encoded replay is damaged: {error}") from error
    return Encoded(header, tuple(chunks))
