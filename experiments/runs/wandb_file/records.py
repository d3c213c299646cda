"""The protobuf records of a `.wandb` file, decoded by hand: no W&B import, no generated code.

Field numbers are those of W&B's `wandb_internal.proto`. Unknown fields are passed over, so later versions that add
some are read; a record that is not protobuf raises `ValueError` and nothing else. Items have paths; W&B keeps config
and summary as the nested mappings that these make (`assign`, `remove`, `flatten`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

from experiments.project.files import JsonValue, parse_json

HISTORY, SUMMARY, OUTPUT, CONFIG, FILES, STATS, OUTPUT_RAW = 2, 3, 4, 5, 6, 7, 13
RUN, EXIT, ENVIRONMENT = 17, 18, 26
_DATA = frozenset({16, 19, 200})  # control, uuid and _info stand beside the record's content
KeyPath = tuple[str, ...]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def fields(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, int | bytes]]:
    """Yield each field of a message: its number, and a number or the bytes that it holds.

    Raises:
        ValueError: Not a protobuf message.
    """
    end = len(data) if end is None else end
    try:
        while at < end:
            # Most numbers are one byte, and a lab's ended runs have a million of them.
            tag, at = (data[at], at + 1) if data[at] < 128 else varint(data, at)
            kind = tag & 7
            if kind == 2:
                length, at = (data[at], at + 1) if data[at] < 128 else varint(data, at)
                if at + length > end:
                    raise ValueError("a field is longer than its message")
                yield tag >> 3, data[at : at + length]
                at += length
            elif kind == 0:
                value, at = varint(data, at)
                yield tag >> 3, value
            elif kind in (1, 5):
                width = 8 if kind == 1 else 4
                if at + width > end:
                    raise ValueError("a field is longer than its message")
                yield tag >> 3, data[at : at + width]
                at += width
            else:
                raise ValueError(f"wire type {kind}")
    except IndexError:
        raise ValueError("a message ends within a number") from None


def content(record: bytes) -> tuple[int, bytes]:
    """Return the kind of a record (a field number) and the message in it; kind 0 where it holds none."""
    for number, value in fields(record):
        if number != 1 and number not in _DATA and isinstance(value, bytes):
            return number, value
    return 0, b""


def made(kind: int, message: bytes) -> bytes:
    """Return the record that holds a message."""
    return _number(kind << 3 | 2) + _number(len(message)) + message


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def kind_of(record: bytes) -> int:
    """Return the kind of a record without reading what is in it.

    Raises:
        ValueError: Not a record.
    """
    if record[:1] == b"\x08":
        at = 1
        while record[at : at + 1] > b"\x7f":
            at += 1
        tag = record[at + 1 : at + 2]
        if tag and tag[0] < 128 and tag[0] & 7 == 2:
            return tag[0] >> 3
    return content(record)[0]


def items(message: bytes, number: int = 1) -> Iterator[tuple[KeyPath, JsonValue]]:
    """Yield the path and value of each item (field `number`) of a history, summary, config or stats message."""
    for field, value in fields(message):
        if field == number and isinstance(value, bytes):
            yield item(value)


def item(data: bytes) -> tuple[KeyPath, JsonValue]:
    """Return path and value of one item, whichever of its encodings the writer chose."""
    path, raw, typed = _split_item(data)
    if not path:
        raise ValueError("an item without a key")
    return path, typed if raw is None else parse_json(raw)


def _split_item(data: bytes) -> tuple[KeyPath, bytes | None, JsonValue]:  # noqa: C901 - one branch a field
    path: KeyPath = ()
    raw: bytes | None = None
    typed: JsonValue = None
    for number, value in fields(data):
        if isinstance(value, int):
            if number == 4:
                typed = bool(value)
            elif number == 5:  # sint64
                typed = (value >> 1) ^ -(value & 1)
        elif number == 1:
            path = path or (value.decode(),)
        elif number == 2:
            path = (*path, value.decode())
        elif number == 6 and len(value) == 8:
            typed = struct.unpack("<d", value)[0]
        elif number == 7:
            typed = value.decode()
        elif number == 8:
            typed = parse_json(value)
        elif number == 16:
            raw = value
    return path, raw, typed


def key_path(data: bytes) -> KeyPath:
    """Return the path that the key fields of an item spell."""
    return _split_item(data)[0]


def key_bytes(data: bytes) -> bytes:
    """Return the beginning of an item, which those of one key share and no others; all of it where it is unusual."""
    at = 0
    try:
        while data[at] in (0x0A, 0x12) and data[at + 1] < 128:  # its key, or a part of one
            at += 2 + data[at + 1]
        if at and data[at : at + 2] == b"\x82\x01":  # its value, in JSON
            length, value = (data[at + 2], at + 3) if data[at + 2] < 128 else varint(data, at + 2)
            if value + length == len(data):
                return data[:at]
    except (IndexError, ValueError):
        pass
    return data


def history_step(message: bytes) -> int | None:
    """Return the step that stands beside the items of a history message; None where there is none."""
    for number, value in fields(message):
        if number == 2 and isinstance(value, bytes):
            return next((signed(step) for field, step in fields(value) if field == 1 and isinstance(step, int)), 0)
    return None


def removed(message: bytes) -> Iterator[KeyPath]:
    """Yield the paths that a summary or config message removes."""
    for number, value in fields(message):
        if number == 2 and isinstance(value, bytes):
            yield _split_item(value)[0]


def timestamp(message: bytes) -> float:
    """Return the Unix seconds of a protobuf timestamp."""
    parts = {number: value for number, value in fields(message) if isinstance(value, int)}
    return parts.get(1, 0) + parts.get(2, 0) / 1e9


def branch_point(message: bytes) -> tuple[str, int | None]:
    """Return the run and the step that a run was forked from or rewound to; no step where it is not a W&B step."""
    found = dict(fields(message))
    run, step, metric = (found.get(number, b"") for number in (1, 2, 3))
    if not isinstance(run, bytes) or not isinstance(step, bytes):
        return "", None
    at = struct.unpack("<d", step)[0] if len(step) == 8 else 0.0  # protobuf leaves a zero out
    return run.decode(), int(at) if metric in (b"_step", b"") and at == at // 1 else None


def is_shared_mode(telemetry: bytes) -> bool:
    """Return whether a run's telemetry says that it is one of several writers of its id."""
    features = (value for number, value in fields(telemetry) if number == 3 and isinstance(value, bytes))
    return any((67, 1) in fields(value) for value in features)


def texts(message: bytes) -> dict[int, list[str]]:
    """Return the fields of a message that are text, by number."""
    found: dict[int, list[str]] = {}
    for number, value in fields(message):
        if isinstance(value, bytes):
            try:
                found.setdefault(number, []).append(value.decode())
            except UnicodeDecodeError:
                continue
    return found


def signed(value: int) -> int:
    """Return a protobuf `int32` or `int64` as the signed number that it is."""
    return value - (1 << 64) if value >= 1 << 63 else value


def assign(tree: dict[str, Any], path: KeyPath, value: JsonValue) -> None:
    """Set the value at a path of a nested mapping, making the mappings on the way."""
    for part in path[:-1]:
        inner = tree.get(part)
        if not isinstance(inner, dict):
            inner = tree[part] = {}
        tree = inner
    if path:
        tree[path[-1]] = value


def remove(tree: dict[str, Any], path: KeyPath) -> None:
    """Drop the value at a path of a nested mapping, where it is there."""
    for part in path[:-1]:
        inner = tree.get(part)
        if not isinstance(inner, dict):
            return
        tree = inner
    if path:
        tree.pop(path[-1], None)


def leaves(value: JsonValue, path: KeyPath = ()) -> Iterator[tuple[KeyPath, JsonValue]]:
    """Yield path and value of each leaf, in order; an empty mapping is a leaf."""
    # Without recursion: how deep other people's values are nested must not matter.
    waiting: list[tuple[KeyPath, JsonValue]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), inner) for key, inner in reversed(value.items())]
        else:
            yield path, value


def names_of(paths: Iterable[KeyPath]) -> dict[KeyPath, str]:
    r"""Return what each path is called: its parts joined by dots, as W&B shows it.

    Where several paths would have one name (`{"a.b": 1}` beside `{"a": {"b": 2}}`), the dots within their parts are
    written `\.`: `a\.b` is the first of these, `a.b` the second.
    """
    spelt: dict[str, list[KeyPath]] = {}
    for path in dict.fromkeys(paths):
        spelt.setdefault(".".join(path), []).append(path)
    return {path: plain if len(alike) == 1 else escaped_name(path) for plain, alike in spelt.items() for path in alike}


def escaped_name(path: KeyPath) -> str:
    r"""Return a name that no other path has: parts joined by dots, the dots within them written `\.`."""
    return ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in path)


def flatten(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the leaves of a nested mapping under the names of their paths; an empty mapping in it is a leaf."""
    found = dict(leaves(tree)) if tree else {}
    names = names_of(found)
    return {names[path]: value for path, value in found.items()}
