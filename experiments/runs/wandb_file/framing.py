"""Whole records from a `.wandb` file as it is being written.

The file is a LevelDB log: a 7-byte header, then blocks of 32 KiB holding chunks that never cross a block. A chunk is a
CRC-32 (over its type byte and payload), a length, a type (1 whole record, 2 first, 3 middle, 4 last part) and the
payload; less than 7 bytes at the end of a block are padding.

Source: https://github.com/google/leveldb/blob/main/doc/log_format.md, with W&B's header and zlib's CRC.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32768
CHUNK_HEADER = struct.Struct("<IHB")
READ_BYTES = 4 << 20
_ANCHOR = 16


@dataclass
class Damage:
    """What of a file could not be read.

    Attributes:
        places: Spots where a checksum or the framing was wrong; the records there are lost, those around are not.
        undecodable: Records whose frame was whole and whose content was not.
        reason: Why nothing at all can be read; empty where something can.
    """

    places: int = 0
    undecodable: int = 0
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether anything could not be read."""
        return bool(self.places or self.undecodable or self.reason)

    def __str__(self) -> str:
        parts = [self.reason] if self.reason else []
        if self.places:
            parts.append(f"{self.places} damaged place{'s' * (self.places > 1)} skipped")
        if self.undecodable:
            parts.append(f"{self.undecodable} record{'s' * (self.undecodable > 1)} not understood")
        return "; ".join(parts)


class LogTail:
    """Reads what is new in a `.wandb` file; the state is the offset behind the last whole record.

    Attributes:
        offset: Where the next record starts.
        generation: Grows when the file was replaced or shortened: what was read before belongs to another file.
        damage: What could not be read so far.
        size: Bytes of the file when it was last looked at.
        modified: Unix seconds of its last change; None before the file was seen.
        stat: What the system said of it then; None before.
    """

    def __init__(self, path: Path | str, offset: int = 0) -> None:
        self.path = str(path)
        self.offset = offset
        self.generation = 0
        self.damage = Damage()
        self.size = 0
        self.modified: float | None = None
        self.identity: tuple[int, int] | None = None
        self.stat: os.stat_result | None = None
        self._seen: tuple[int, int, int] | None = None
        self._anchor = b""

    @property
    def pending(self) -> int:
        """Bytes at the end of the file that are not a whole record yet."""
        return max(0, self.size - self.offset)

    def changed(self) -> bool:
        """Return whether the file differs from what was last read, starting over where it is another file.

        A file that is gone has not changed: what was read of it stays.
        """
        try:
            stat = os.stat(self.path)  # noqa: PTH116 - a hundred of these per poll; Path costs twice as much
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            self._cannot(error)
            return False
        now = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if now == self._seen:
            return False
        self._seen, self.stat = now, stat
        identity = (stat.st_dev, stat.st_ino)
        if (self.identity is not None and identity != self.identity) or stat.st_size < self.offset:
            self.restart()
        self.identity, self.size, self.modified = identity, stat.st_size, stat.st_mtime
        return True

    @property
    def anchor(self) -> bytes:
        """The bytes before the offset, by which the file is known again."""
        return self._anchor

    def resume(self, offset: int, anchor: bytes, places: int) -> None:
        """Go on where another reader stopped; if `anchor` does not stand before `offset`, `read` starts over."""
        self.offset, self._anchor = offset, anchor
        self.damage = Damage(places=places)

    def restart(self) -> None:
        """Forget what was read."""
        self.offset, self.damage, self._anchor = 0, Damage(), b""
        self.generation += 1

    def read(self, max_bytes: int = READ_BYTES) -> list[bytes]:
        """Return the next whole records, at most about `max_bytes` of them; empty where there are none (yet)."""
        while True:
            start = self.offset - len(self._anchor)
            try:
                with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                    file.seek(start)
                    # Never asks for more than there was: a read reserves what it asks for.
                    data = file.read(min(max_bytes, max(0, self.size - self.offset)) + len(self._anchor))
            except FileNotFoundError:
                return []
            except OSError as error:
                self._cannot(error)
                return []
            self.damage.reason = ""
            if data[: len(self._anchor)] != self._anchor:
                self.restart()
                continue
            before = self.offset
            records = self._frame(data, start, before - start)
            if records or self.offset == before:
                # A record longer than what was read leaves the offset where it was.
                if not records and len(data) - (before - start) >= max_bytes:
                    max_bytes *= 4
                    continue
                return records

    def _cannot(self, error: OSError) -> None:
        """Note that the file is there and cannot be read now; it is tried again, though it does not change."""
        # Where a folder cannot be listed, it stands for the file in it.
        is_folder = isinstance(error, IsADirectoryError)
        self.damage.reason = "its folder cannot be listed" if is_folder else f"it cannot be read: {error.strerror}"
        self._seen = (0, 0, 0)

    def _frame(self, data: bytes, base: int, position: int) -> list[bytes]:  # noqa: C901, PLR0912 - one loop: a call for each chunk doubles the cost
        """Split `data`, whose first byte is at `base` of the file, from `position` on; moves the offset."""
        if base + position == 0:
            if len(data) < len(HEADER):
                return []
            if not data.startswith(HEADER):
                self.damage.reason = "not a W&B log: its first 7 bytes are not W&B's"
                return []
            self.damage.reason = ""
            position = len(HEADER)
        size, done = len(data), position
        records: list[bytes] = []
        parts: list[bytes] | None = None
        unpack = CHUNK_HEADER.unpack_from
        while True:
            left = BLOCK - ((base + position) & (BLOCK - 1))
            if left < 7:
                if position + left > size:
                    break
                position += left
                done = position if parts is None else done
                continue
            if position + 7 > size:
                break
            crc, length, kind = unpack(data, position)
            end = position + 7 + length
            if length + 7 <= left and end > size:
                break
            if length + 7 > left or not 1 <= kind <= 4 or crc32(data[position + 6 : end]) != crc:
                resumed = self._after_damage(data, base, position, end)
                if resumed is None:
                    break
                self.damage.places += 1
                position = done = resumed
                parts = None
                continue
            payload = data[position + 7 : end]
            position = end
            if kind == 1:
                records.append(payload)
                parts, done = None, position
            elif kind == 2:
                parts = [payload]
            elif parts is not None:
                parts.append(payload)
                if kind == 4:
                    records.append(b"".join(parts))
                    parts, done = None, position
            else:
                done = position
        self.offset = base + done
        self._anchor = data[max(0, done - _ANCHOR) : done]
        return records

    @staticmethod
    def _after_damage(data: bytes, base: int, position: int, end: int) -> int | None:
        """Return where to go on behind a bad chunk, or None to wait: its bytes may still be on their way.

        The next chunk where that one verifies (its length was right, only its payload was not), else the next block.
        """
        block_end = position + BLOCK - ((base + position) & (BLOCK - 1))
        if end + 7 <= min(block_end, len(data)):
            crc, length, kind = CHUNK_HEADER.unpack_from(data, end)
            after = end + 7 + length
            if 1 <= kind <= 4 and after <= min(block_end, len(data)) and crc32(data[end + 6 : after]) == crc:
                return end
        return block_end if block_end <= len(data) else None
