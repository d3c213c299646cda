"""Writer of `.wandb` files for tests: framing and protobuf by hand, so that any shape and any damage can be made."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32768


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: bytes | str | float) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def record(kind: int, message: bytes, num: int = 1) -> bytes:
    return field(1, num) + field(kind, message)


def item(path: str | Sequence[str], value: object, *, keyed: bool = False, raw: bytes | None = None) -> bytes:
    """One history, summary or config item; `keyed` writes field 1 (`key`) instead of 2 (`nested_key`)."""
    names = [path] if isinstance(path, str) else list(path)
    keys = field(1, names[0]) if keyed else b"".join(field(2, name) for name in names)
    return keys + field(16, json.dumps(value).encode() if raw is None else raw)


def leaves(value: object, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], object]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def history(row: Mapping[str, object], step: int | None = None) -> bytes:
    items = [item(path, value) for key, inner in row.items() for path, value in leaves(inner, (key,))]
    tail = field(2, field(1, step) if step else b"") if step is not None else b""
    return record(2, b"".join(field(1, one) for one in items) + tail)


def history_with_objects(row: Mapping[str, object], step: int) -> bytes:
    """A row as W&B up to 0.17 writes it: a nested value is one item, whose JSON is an object."""
    return record(2, b"".join(field(1, item(key, value)) for key, value in row.items()) + field(2, field(1, step)))


def summary(row: Mapping[str, object], remove: Sequence[Sequence[str]] = ()) -> bytes:
    items = [item(path, value) for key, inner in row.items() for path, value in leaves(inner, (key,))]
    gone = [b"".join(field(2, name) for name in path) for path in remove]
    return record(3, b"".join(field(1, one) for one in items) + b"".join(field(2, one) for one in gone))


def config(values: Mapping[str, object]) -> bytes:
    return record(5, b"".join(field(1, item(key, value, keyed=True)) for key, value in values.items()))


def run(
    run_id: str,
    values: Mapping[str, object] | None = None,
    *,
    tags: Sequence[str] = (),
    notes: str = "",
    group: str = "",
    display_name: str = "",
    host: str = "",
    started_at: float = 1_700_000_000.0,
) -> bytes:
    update = b"".join(field(1, item(key, value, keyed=True)) for key, value in (values or {}).items())
    time = field(1, int(started_at)) + field(2, int(started_at % 1 * 1e9))
    message = field(1, run_id) + field(3, "project") + field(4, update)
    message += (field(6, group) if group else b"") + field(8, display_name or run_id)
    message += (field(9, notes) if notes else b"") + b"".join(field(10, tag) for tag in tags) + field(17, time)
    message += field(13, host) if host else b""
    return record(17, message)


def console(text: str, *, stream: str = "stdout", time: float = 1_700_000_000.0) -> bytes:
    stamp = field(1, int(time)) + field(2, int(time % 1 * 1e9))
    return record(13, (field(1, 1) if stream == "stdout" else b"") + field(2, stamp) + field(3, text))


def stats(values: Mapping[str, float], time: float) -> bytes:
    stamp = field(1, int(time))
    items = [field(3, field(1, key) + field(16, json.dumps(value))) for key, value in values.items()]
    return record(7, field(2, stamp) + b"".join(items))


def exit_record(code: int = 0, runtime: int = 1) -> bytes:
    return record(18, (field(1, code) if code else b"") + field(2, runtime))


def frame(records: Iterable[bytes], start: int = 0) -> bytes:
    """Return the bytes that `records` take in a file from position `start` on; at 0 the file's header comes first."""
    out = bytearray(HEADER if start == 0 else b"")
    for whole in records:
        data, first = whole, True
        while True:
            left = BLOCK - (start + len(out)) % BLOCK
            if left < 7:
                out += bytes(left)
                continue
            part, data = data[: left - 7], data[left - 7 :]
            kind = (1 if first else 4) if not data else (2 if first else 3)
            out += struct.pack("<IHB", crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
            if not data:
                break
    return bytes(out)


class LogWriter:
    """A `.wandb` file that grows like a live run's; a row is logged each second from `began` (Unix seconds) on."""

    def __init__(self, path: Path, began: float = 1.7e9) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.began = began
        self.step = 0

    def write(self, *records: bytes) -> LogWriter:
        """Append whole records."""
        size = self.path.stat().st_size if self.path.exists() else 0
        with self.path.open("ab") as file:
            file.write(frame(records, size))
        return self

    def log(self, *rows: Mapping[str, object]) -> LogWriter:
        """Append history rows as `run.log` does: a summary, then the row with W&B's own keys."""
        out = []
        for row in rows:
            full = {**row, "_step": self.step, "_timestamp": self.began + self.step, "_runtime": float(self.step)}
            out += [summary(full), history(full, self.step)]
            self.step += 1
        return self.write(*out)


def offline_run(
    runs_dir: Path,
    name: str,
    *,
    stamp: str = "20260101_120000",
    offline: bool = True,
    run_id: str | None = None,
    began: float = 1.7e9,
) -> LogWriter:
    """Return the writer of `<runs_dir>/<name>/wandb/offline-run-<stamp>-<id>/run-<id>.wandb`; nothing is written."""
    run_id = run_id or name
    folder = f"{'offline-' if offline else ''}run-{stamp}-{run_id}"
    return LogWriter(runs_dir / name / "wandb" / folder / f"run-{run_id}.wandb", began)
