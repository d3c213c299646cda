"""Replays for tests: those that mettagrid ships, small ones made here, and a plain reader to compare with."""

from __future__ import annotations

import gzip
import importlib.util
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from widgets.replay.codec.encoded import Encoded


def shipped() -> list[Path]:
    """Return the replay files in mettagrid's wheel, smallest first."""
    spec = importlib.util.find_spec("mettagrid")
    assert spec is not None
    assert spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0]) / "nim" / "mettascope"
    found = [path for path in root.glob("**/replays/*") if path.suffix in (".z", ".gz", ".json")]
    return sorted(found, key=lambda path: path.stat().st_size)


def shipped_named(name: str) -> Path:
    return next(path for path in shipped() if path.name.startswith(name))


def text_of(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    return data if data[:1] == b"{" else zlib.decompress(data)


def small(**changes: Any) -> dict[str, Any]:
    """Return a version 4 replay of two agents and a wall, ten steps long, with some top-level keys changed."""
    agents = [
        {
            "id": 1 + number,
            "type_name": "agent",
            "agent_id": number,
            "is_agent": True,
            "location": [[0, [number, 0]], [3, [number, 1]], [6, [number, 2]]],
            "orientation": 0,
            "inventory": [[0, []], [2, [[0, 1]]], [5, [[0, 2], [1, 1]]], [8, [[1, 1]]]],
            "inventory_max": 10,
            "color": 0,
            "group_id": number,
            "vision_size": 11,
            "action_id": [[0, 0], [3, 1], [4, 0]],
            "action_success": [[0, True], [4, False], [5, True]],
            "alive": [[0, True], [9, False]],
            "current_reward": [[0, 0.0], [2, 0.5], [3, 0.0]],
            "total_reward": [[0, 0.0], [2, 0.5]],
            "tag_ids": [[0, [1]], [4, [0, 1]]],
            "inventory_capacities": [[0, 5]],
            "policy_infos": [[0, {"goal": "ore"}], [5, {"goal": "heart"}]],
            "talk_text": [[0, ""], [4, "hello"], [6, ""]],
        }
        for number in range(2)
    ]
    wall = {"id": 3, "type_name": "wall", "location": [3, 3], "orientation": 0, "inventory": [], "inventory_max": 0}
    return {
        "version": 4,
        "num_agents": 2,
        "max_steps": 10,
        "map_size": [5, 4],
        "action_names": ["noop", "move"],
        "item_names": ["ore", "heart"],
        "type_names": ["agent", "wall"],
        "animation_names": ["none", "bump"],
        "capacity_names": ["cargo"],
        "tags": {"team:red": 0, "team:blue": 1},
        "mg_config": {
            "label": "tiny",
            "game": {
                "vibe_names": ["default"],
                "render": {"symbols": {"wall": "#"}},
                "agent": {"rewards": {"ore": {"reward": {"item": "ore"}}}},
            },
        },
        "objects": [*agents, {**wall, "color": 0}],
    } | changes


def with_object(row: int, **changes: Any) -> dict[str, Any]:
    """Return the small replay with some keys of one object changed; None takes a key out."""
    replay = small()
    for key, value in changes.items():
        if value is None:
            del replay["objects"][row][key]
        else:
            replay["objects"][row][key] = value
    return replay


def packed(replay: Any) -> bytes:
    return zlib.compress(json.dumps(replay).encode())


def value_at(series: Any, step: int, *, nested: bool = False) -> Any:
    """Return a field's value at a step from its JSON, as the format describes it; `nested` when values are lists."""
    is_series = isinstance(series, list) and series and isinstance(series[0], list)
    if is_series and nested:
        is_series = len(series[0]) == 2 and isinstance(series[0][1], list)
    if not is_series:
        return series
    return next((value for at, value in reversed(series) if at <= step), None)


class WireReader:
    """Reads the wire format as its description says, one number at a time, sharing no code with the encoder."""

    def __init__(self, encoded: Encoded) -> None:
        self.header = encoded.header
        self.chunks = {
            chunk.name: self._columns(zlib.decompress(chunk.data)) for chunk in encoded.chunks if chunk.name != "config"
        }
        self.entries = [chunk.entry for chunk in encoded.chunks]

    @staticmethod
    def _columns(raw: bytes) -> dict[str, Any]:
        length = int.from_bytes(raw[:4], "little")
        found: dict[str, Any] = {}
        for name, (dtype, count, offset) in json.loads(raw[8 : 8 + length]).items():
            assert offset % 8 == 0
            if dtype == "json":
                found[name] = json.loads(raw[offset : offset + count])
            else:
                found[name] = np.frombuffer(raw, f"<{dtype}", count, offset)
        return found

    def base(self, name: str, rows: int) -> list[Any]:
        """Return the values at step 0."""
        field, columns = self.header["fields"][name], self.chunks["base"]
        if "scalar" in field:
            return [tuple(field["scalar"]) if isinstance(field["scalar"], list) else field["scalar"]] * rows
        if field["kind"] == "xy":
            return list(zip(columns[f"{name}.cx"].tolist(), columns[f"{name}.cy"].tolist(), strict=True))
        return columns[f"{name}.c"].tolist()

    def changes(self, name: str) -> Iterator[tuple[int, int, Any]]:
        """Yield (row, step, value) of each change point, and check the key frames and last values on the way."""
        kind = self.header["fields"][name]["kind"]
        base = self.chunks["base"]
        if f"{name}.i" not in base:
            return
        rows = np.cumsum(base[f"{name}.i"].astype(int)).tolist()
        size = max(rows) + 1
        values = [self.base(name, size)[row] for row in rows]
        for entry in self.entries:
            if entry["kind"] != "steps":
                continue
            columns = self.chunks[entry["id"]]
            assert values == self._values(columns, f"{name}.k", kind)
            for at, step, value in self._points(columns, name, kind, values, entry["from"]):
                values[at] = value
                yield rows[at], step, value
        assert values == self._values(base, f"{name}.f", kind)

    @staticmethod
    def _values(columns: dict[str, Any], name: str, kind: str) -> list[Any]:
        if kind == "xy":
            return list(zip(columns[f"{name}x"].tolist(), columns[f"{name}y"].tolist(), strict=True))
        return columns[name].tolist()

    def _points(self, columns: dict[str, Any], name: str, kind: str, entry: list[Any], start: int) -> Iterator[Any]:
        if f"{name}.n" not in columns:
            return
        steps = iter(columns[f"{name}.s"].tolist())
        values = iter([] if kind == "bool" else self._values(columns, f"{name}.v", kind))
        for at, count in enumerate(columns[f"{name}.n"].tolist()):
            step, value = start, entry[at]
            for _ in range(count):
                step += next(steps)
                if kind == "bool":
                    value = 1 - value
                elif kind == "delta":
                    value += next(values)
                elif kind == "xy":
                    change = next(values)
                    value = (value[0] + change[0], value[1] + change[1])
                elif f"{name}.u" in columns:
                    value = columns[f"{name}.u"].tolist()[next(values)]
                else:
                    value = next(values)
                yield at, step, value
