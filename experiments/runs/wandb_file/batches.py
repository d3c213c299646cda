"""Many history records at once: the same bytes as `records` reads one by one, read in step by numpy.

The records of a batch are laid behind each other and walked together: in round n, the n-th item of every record. A
record that holds anything but the shape that W&B writes (`nested_key`s, then `value_json`) is left to the slow way.

Without it the first reading of a file takes 15 to 17 times as long (100,000 rows of 23 values: 27 s in place of 1.6),
nearly as long as W&B's own reader (`tests/benchmarks/bench_runs.py`); every later one comes from the cache.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.project.files import JsonValue, parse_json
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.records import KeyPath

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_PAD = 320  # zeros behind the batch, so that no read of a fixed width leaves it
_MAX_KEY = 256
_HISTORY_TAG, _SUMMARY_TAG = np.uint8(records.HISTORY << 3 | 2), np.uint8(records.SUMMARY << 3 | 2)
# Four bytes from the start of an item or of its value, as a little-endian number: what must be, and where.
_LENGTH_AND_TAGS, _ITEM_AND_KEY = np.int32(0x80FF80FF - (1 << 32)), np.int32(0x0012000A)
_TAG_AND_LENGTH, _VALUE = np.int32(0x0080FFFF), np.int32(0x00000182)
_NUMBER_WIDTH = 24
_KEEP = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # the low n bytes of a little-endian word
_MIX = np.uint64(0x9E3779B97F4A7C15)
_NUMERIC_START = np.zeros(256, np.bool_)
_NUMERIC_START[list(b"-0123456789NI")] = True


@dataclass
class Items:
    """Items of a batch, in the order of the file.

    Attributes:
        data: The batch's bytes.
        row: Number of the record within the batch.
        key, key_end: Bytes of the key fields, with their tags: equal bytes are equal paths.
        value, value_end: Bytes of the JSON value.
        slow: Whether each record of the batch must be read the slow way; none of its items is here.
        kind: Kind of each record of the batch: history, summary, or 0 for any other (which is slow).
        number: Number of each item's key, once a `KeyTable` gave it.
    """

    data: bytes
    row: Ints
    key: Ints
    key_end: Ints
    value: Ints
    value_end: Ints
    slow: Bools
    kind: npt.NDArray[np.uint8]
    number: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def of(self, kind: int) -> Items:
        """Return the items of the batch's records of one kind, as if these were the batch."""
        chosen = self.kind == kind
        keep = chosen[self.row]
        return Items(
            data=self.data,
            row=(np.cumsum(chosen) - 1)[self.row[keep]],
            key=self.key[keep],
            key_end=self.key_end[keep],
            value=self.value[keep],
            value_end=self.value_end[keep],
            slow=self.slow[chosen],
            kind=self.kind[chosen],
            number=self.number[keep],
        )

    def parsed(self, index: int) -> JsonValue:
        """Return the value of one item.

        Raises:
            ValueError: It is not JSON.
        """
        value: JsonValue = parse_json(self.data[self.value[index] : self.value_end[index]])
        return value


def supported() -> bool:
    """Return whether this machine lays out words as the masks here expect."""
    return sys.byteorder == "little"


class _Walk:
    """Positions in a batch, one for each record that is still walked."""

    def __init__(self, batch: Sequence[bytes]) -> None:
        self.data = b"".join(batch) + bytes(_PAD)
        self.bytes = np.frombuffer(self.data, np.uint8)
        self.four: npt.NDArray[np.int32] = np.ndarray((len(self.data) - 3,), "<i4", self.data, strides=(1,))
        sizes = np.fromiter(map(len, batch), np.int64, len(batch))
        self.ends = np.cumsum(sizes)
        self.slow = np.zeros(len(batch), np.bool_)
        self.rows = np.arange(len(batch))
        self.kind = np.zeros(len(batch), np.uint8)
        self.at, self.stop = self._into_message(self.ends - sizes)

    def _into_message(self, at: Ints) -> tuple[Ints, Ints]:
        """Return first byte and end of each record's message; anything unusual before it makes it slow."""
        octets = self.bytes
        bad = octets[at] != 8
        at = at + 1
        for _ in range(9):
            more = octets[at] > 127
            if not more.any():
                break
            at = at + more
        at = at + 1
        tag = octets[at]
        bad |= (tag != _HISTORY_TAG) & (tag != _SUMMARY_TAG)
        self.kind[~bad] = tag[~bad] >> 3
        length, at, long = self.length(at + 1)
        stop = at + length
        bad |= long | (stop > self.ends)
        self.slow |= bad
        return np.where(bad, 0, at), np.where(bad, 0, stop)

    def length(self, at: Ints) -> tuple[Ints, Ints, Bools]:
        """Return a length of up to three bytes, the position behind it, and whether it is longer than that."""
        first = self.bytes[at].astype(np.int64)
        at = at + 1
        long = first > 127
        if not long.any():
            return first, at, long
        second = self.bytes[at].astype(np.int64)
        longer = long & (second > 127)
        length = np.where(long, (first & 127) | (second & 127) << 7, first)
        at = at + long
        if not longer.any():
            return length, at, longer
        third = self.bytes[at].astype(np.int64)
        length = np.where(longer, length | (third & 127) << 14, length)
        return length, at + longer, longer & (third > 127)


def split_items(batch: Sequence[bytes]) -> Items:
    """Find the items of history and summary records; a summary that removes something is left to the slow way."""
    walk = _Walk(batch)
    summaries = walk.kind == records.SUMMARY
    rows = walk.rows[~walk.slow]
    at, stop = walk.at[rows], walk.stop[rows]
    found: list[tuple[Ints, ...]] = []
    while len(rows):
        body, key_end, value, end, usual = _usual(walk, at, stop)
        if usual.all():
            found.append((rows, body, key_end, value, end))
            going = end < stop
        else:
            odd = np.flatnonzero(~usual)
            allowed = np.where(summaries[rows[odd]], 10, 18)
            body[odd], key_end[odd], value[odd], end[odd], is_item, bad = _unusual(walk, at[odd], stop[odd], allowed)
            walk.slow[rows[odd[bad]]] = True
            usual[odd] = is_item
            found.append((rows[usual], body[usual], key_end[usual], value[usual], end[usual]))
            going = end < stop
            going[odd[bad]] = False
        if going.all():
            at = end
        else:
            rows, at, stop = rows[going], end[going], stop[going]
    return _gathered(walk, found)


def _usual(walk: _Walk, at: Ints, stop: Ints) -> tuple[Ints, Ints, Ints, Ints, Bools]:
    """Read an item at each place as if it had one nested key and all lengths were below 128; tell where that is so.

    Returns:
        Start of the keys, their end, start of the value, end of the item, and whether all of it holds.
    """
    head = walk.four[at]  # tag of the item, its length, tag of the key, its length
    usual = (head & _LENGTH_AND_TAGS) == _ITEM_AND_KEY
    key_end = at + 4 + (head >> 24 & 127)
    middle = walk.four[key_end]  # tag of the value (two bytes), its length
    usual &= (middle & _TAG_AND_LENGTH) == _VALUE
    value = key_end + 3
    body = at + 2
    end = body + (head >> 8 & 127)
    usual &= value + (middle >> 16 & 127) == end
    usual &= end <= stop
    return body, key_end, value, end, usual


def _unusual(walk: _Walk, at: Ints, stop: Ints, allowed: Ints) -> tuple[Ints, Ints, Ints, Ints, Bools, Bools]:
    """Read a field of any shape at each place: an item, or a field with the `allowed` tag that is passed over.

    Returns:
        As `_usual`, then whether it is an item, and whether it is neither.
    """
    tag = walk.bytes[at]
    length, body, bad = walk.length(at + 1)
    end = body + length
    bad |= (end > stop) | ((tag != 10) & (tag != allowed))
    key_end, value, other = _split(walk, body, end)
    bad |= other & (tag == 10)
    return body, key_end, value, end, (tag == 10) & ~bad, bad


def _split(walk: _Walk, body: Ints, end: Ints) -> tuple[Ints, Ints, Bools]:
    """Return the end of each item's keys, the start of its value, and whether it has another shape."""
    octets = walk.bytes
    at = body
    while True:
        tag = octets[at]
        size = octets[at + 1]
        keyed = ((tag == 18) | (tag == 10)) & (size < 128) & (at < end)
        if not keyed.any():
            break
        at = at + np.where(keyed, size + 2, 0)
    length, value, long = walk.length(at + 2)
    right = (octets[at] == 130) & (octets[at + 1] == 1) & (value + length == end) & ~long
    keys = at - body
    return at, value, ~(right & (keys > 0) & (keys <= _MAX_KEY))


def _gathered(walk: _Walk, rounds: list[tuple[Ints, ...]]) -> Items:
    """Put the items of all rounds in the order of the file, without those of records left to the slow way."""
    fast = ~walk.slow
    if rounds and all(len(parts[0]) == len(rounds[0][0]) for parts in rounds) and fast[rounds[0][0]].all():
        # The usual file: every record has as many items, so that those of a record lie beside each other.
        row, key, key_end, value, value_end = (np.stack(parts, axis=1).ravel() for parts in zip(*rounds, strict=True))
        return Items(walk.data, row, key, key_end, value, value_end, walk.slow, walk.kind)
    counts = np.zeros(len(fast), np.int64)
    for rows, *_ in rounds:
        counts[rows] += fast[rows]
    place = np.cumsum(counts) - counts
    columns = [np.empty(int(counts.sum()), np.int64) for _ in range(5)]
    for parts in rounds:
        keep = fast[parts[0]]
        rows = parts[0][keep]
        at = place[rows]
        for column, part in zip(columns, parts, strict=True):
            column[at] = part[keep]
        place[rows] += 1
    row, key, key_end, value, value_end = columns
    return Items(walk.data, row, key, key_end, value, value_end, walk.slow, walk.kind)


class KeyTable:
    """Numbers for the distinct keys of a file, in the order met."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._paths: dict[int, KeyPath] = {}
        self._shift = np.uint64(63)
        self._table = np.full(2, -1, np.int64)
        self._words = np.empty((0, 1), np.uint64)
        self._sizes = np.empty(0, np.int64)

    def number(self, items: Items) -> None:
        """Give each item its key's number, taking in new keys."""
        if len(items.key):
            items.number = self._numbered(items)

    def path(self, number: int) -> KeyPath:
        """Return the path of a key.

        Raises:
            ValueError: It is not text.
        """
        path = self._paths.get(number)
        if path is None:
            path = self._paths[number] = records.key_path(self.keys[number])
        return path

    def _numbered(self, items: Items) -> Ints:
        sizes = items.key_end - items.key
        width = int(sizes.max() + 7) // 8
        words = _words(items.data, items.key, sizes, width)
        hashes = _hashed(words, sizes)
        numbers = self._known(hashes, words, sizes)
        missing = numbers < 0
        if missing.any():
            _, firsts = np.unique(hashes[missing], return_index=True)
            where = np.flatnonzero(missing)[firsts]
            where.sort()
            for index in where.tolist():
                self._add(items.data[items.key[index] : items.key_end[index]])
            self._index()
            numbers = self._known(hashes, words, sizes)
            for index in np.flatnonzero(numbers < 0).tolist():  # equal hashes of different keys: as good as never
                numbers[index] = self._add(items.data[items.key[index] : items.key_end[index]])
        return numbers

    def _add(self, key: bytes) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.keys)
            self.keys.append(key)
        return self._numbers[key]

    def _index(self) -> None:
        data = b"".join(self.keys) + bytes(_PAD)
        self._sizes = np.fromiter(map(len, self.keys), np.int64, len(self.keys))
        starts = np.cumsum(self._sizes) - self._sizes
        self._words = _words(data, starts, self._sizes, int(self._sizes.max() + 7) // 8)
        hashes = _hashed(self._words, self._sizes)
        # A table of so many bits that no two keys share a place; sixty keys need about 2^11 places.
        for bits in range(6, 23):
            places = (hashes >> np.uint64(64 - bits)).astype(np.int64)
            if len(np.unique(places)) == len(places):
                break
        self._shift = np.uint64(64 - bits)
        self._table = np.full(1 << bits, -1, np.int64)
        self._table[places] = np.arange(len(places))

    def _known(self, hashes: npt.NDArray[np.uint64], words: npt.NDArray[np.uint64], sizes: Ints) -> Ints:
        numbers = self._table[(hashes >> self._shift).astype(np.int64)]
        if not self.keys:
            return numbers
        same = self._sizes[numbers] == sizes
        for word in range(words.shape[1]):
            if word < self._words.shape[1]:
                same &= self._words[numbers, word] == words[:, word]
        return np.where(same & (numbers >= 0), numbers, -1)


def by_key(numbers: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each key's number and the places of its items, in the order of the file."""
    small = not len(numbers) or int(numbers.max()) < 1 << 16
    order = np.argsort(numbers.astype(np.uint16) if small else numbers, kind="stable")
    ordered = numbers[order]
    bounds = np.flatnonzero(np.diff(ordered)) + 1
    for places in np.split(order, bounds) if len(order) else ():
        yield int(numbers[places[0]]), places


def numbers_of(items: Items) -> tuple[npt.NDArray[np.float64], Bools]:
    """Return the values of the items as float64, and which of them are numbers that float64 holds exactly."""
    import pyarrow as pa
    import pyarrow.compute as pc

    octets = np.frombuffer(items.data, np.uint8)
    start = items.value
    sizes = items.value_end - start
    numeric = _NUMERIC_START[octets[start]] & (sizes <= _NUMBER_WIDTH) & (sizes > 0)
    if not numeric.all():
        start, sizes = start[numeric], sizes[numeric]
    text = _windows(items.data, start, _NUMBER_WIDTH).view(np.uint8).reshape(-1, _NUMBER_WIDTH)
    inside = np.arange(_NUMBER_WIDTH, dtype=np.int8) < sizes.astype(np.int8)[:, None]
    offsets = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    strings = pa.StringArray.from_buffers(len(sizes), pa.py_buffer(offsets), pa.py_buffer(text[inside]))
    values = np.empty(len(items.value), np.float64)
    try:
        cast = pc.cast(strings, pa.float64())
    except pa.ArrowInvalid:
        return values, np.zeros(len(values), np.bool_)
    values[numeric] = np.frombuffer(cast.buffers()[1], np.float64, len(sizes))
    # An integer of 16 digits may be beyond 2^53, where float64 has gaps: the slow way keeps it an integer. Most numbers
    # of so many digits have a point behind their first one.
    long = np.flatnonzero((sizes >= 16) & (text[:, 1] != ord(".")) & (text[:, 2] != ord(".")))
    whole = long[~(inside[long] & (text[long] == ord("."))).any(axis=1)]
    if len(whole):
        numeric[np.flatnonzero(numeric)[whole]] = False
    return values, numeric


def _windows(data: bytes, starts: Ints, width: int) -> npt.NDArray[np.void]:
    """Return `width` bytes from each start, as one opaque value each."""
    view: npt.NDArray[Any] = np.ndarray((len(data) - width + 1,), np.dtype((np.void, width)), data, strides=(1,))
    return np.asarray(view[starts])


def _words(data: bytes, starts: Ints, sizes: Ints, width: int) -> npt.NDArray[np.uint64]:
    """Return the bytes from each start as `width` words, zero behind its size."""
    words = _windows(data, starts, width * 8).view(np.uint64).reshape(-1, width)
    for word in range(width):
        words[:, word] &= _KEEP[np.clip(sizes - 8 * word, 0, 8)]
    return words


def _hashed(words: npt.NDArray[np.uint64], sizes: Ints) -> npt.NDArray[np.uint64]:
    hashes = sizes.astype(np.uint64)
    for word in range(words.shape[1]):
        hashes = (hashes ^ words[:, word]) * _MIX
        hashes ^= hashes >> np.uint64(32)
    return hashes
