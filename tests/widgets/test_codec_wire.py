"""The wire format, read back by a plain reader that shares no code with the encoder."""

from __future__ import annotations

import json
import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest

from tests.widgets.replays import WireReader, packed, shipped_named, small
from widgets.replay.codec.encoded import unpack
from widgets.replay.codec.errors import FormatError
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.wire import encode


def columns_of(replay: Replay) -> dict[str, object]:
    """Return what is sent as it is; actions are sent with their parameters, as told.py says."""
    plain = {name: column for name, column in replay.columns.items() if name not in ("action_id", "action_param")}
    return {"location": replay.location, **plain}


def plain(values: np.ndarray) -> list[object]:
    return [tuple(value) if isinstance(value, list) else value for value in values.tolist()]


def assert_same(replay: Replay, reader: WireReader) -> None:
    for name, column in columns_of(replay).items():
        assert reader.base(name, replay.ids.size) == plain(column.base), name
        rows = np.repeat(column.index, column.counts).tolist()
        expected = list(zip(rows, column.steps.tolist(), plain(column.values), strict=True))
        assert sorted(reader.changes(name), key=lambda point: point[:2]) == expected, name
    counts = replay.inventory.counts
    rows = np.repeat(counts.index, counts.counts).tolist()
    expected = list(zip(rows, counts.steps.tolist(), counts.values.tolist(), strict=True))
    assert sorted(reader.changes("inventory")) == expected
    assert np.cumsum(reader.chunks["base"]["inventory.o"]).tolist() == replay.inventory.objects.tolist()


@pytest.mark.parametrize("points", [250_000, 5_000, 700])
@pytest.mark.parametrize("name", ["sequence", "pens", "simple_env"])
def test_what_is_read_from_the_wire_is_what_was_encoded(name, points):
    replay = load_replay(shipped_named(name))
    encoded = encode(replay, points_per_chunk=points)
    assert_same(replay, WireReader(encoded))
    spans = [chunk for chunk in encoded.chunks if chunk.entry["kind"] == "steps"]
    assert len(spans) > 1 or points > 700


def test_steps_chunks_cover_all_steps_once():
    encoded = encode(load_replay(shipped_named("42c5386e")), points_per_chunk=2_000)
    spans = [(chunk.entry["from"], chunk.entry["to"]) for chunk in encoded.chunks if chunk.entry["kind"] == "steps"]
    assert len(spans) > 20
    assert spans[0][0] == 0
    assert spans[-1][1] == 10_000
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize("points", [250_000, 1])
def test_texts_are_read_back_from_chunks_of_any_length(points):
    replay = load_replay(packed(small()))
    reader = WireReader(encode(replay, points_per_chunk=points))
    for step in range(replay.steps):
        entry = next(e for e in reader.entries if e["kind"] == "text" and e["from"] <= step < e["to"])
        assert text_at(reader.chunks[entry["id"]], entry["from"], step) == replay.state_at(step).texts["talk_text"]


def text_at(columns: dict, start: int, step: int) -> dict[int, str]:
    rows, found = np.cumsum(columns["talk_text.i"]).tolist(), columns["talk_text.k"].tolist()
    steps, values = iter(columns.get("talk_text.s", [])), iter(columns.get("talk_text.v", []))
    for at, count in enumerate(columns.get("talk_text.n", [])):
        now = start
        for _ in range(count):
            now, value = now + int(next(steps)), int(next(values))
            if now <= step:
                found[at] = value
    return {row: columns["talk_text.table"][value] for row, value in zip(rows, found, strict=True) if value >= 0}


def test_totals_follow_from_rewards_and_key_frames():
    replay = load_replay(shipped_named("simple_env"))
    reader = WireReader(encode(replay, points_per_chunk=10_000))
    rows = np.cumsum(reader.chunks["base"]["total_reward.i"].astype(int))
    for entry in reader.entries[2:]:
        if entry["kind"] == "steps":
            found = reader.chunks[entry["id"]]["total_reward.k"]
            assert found == pytest.approx(replay.total_reward(entry["from"] - 1)[rows])
    assert reader.chunks["base"]["total_reward.f"] == pytest.approx(replay.total_reward(replay.last_step)[rows])


def test_the_overview_sums_events_of_agents():
    columns = WireReader(encode(load_replay(packed(small())))).chunks["base"]
    found = {name.removeprefix("overview."): values.tolist() for name, values in columns.items() if "overview" in name}
    assert found["sum"] == [0, 0, 1.0, 0, 0, 0, 0, 0, 0, 0]
    assert found["reward"] == [0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
    assert found["failure"] == [0, 0, 0, 0, 2, 0, 0, 0, 0, 0]
    assert found["death"] == [0] * 9 + [2]
    assert found["gain"] == [0, 0, 2, 0, 0, 4, 0, 0, 0, 0]
    assert found["talk"] == [0, 0, 0, 0, 2, 0, 0, 0, 0, 0]
    assert not {"penalty", "odd"} & set(found)


def test_the_header_names_everything():
    header = encode(load_replay(packed(small()))).header
    assert header["tables"]["tag_ids"][0] is None
    assert header["tables"]["tag_ids"][1] == ["team:blue"]
    assert header["fields"]["orientation"] == {"kind": "int", "words": "", "scalar": 0}
    assert header["vibe_names"] == ("default",)


def test_texts_and_configuration_are_left_out_unless_asked_for():
    encoded = encode(load_replay(packed(small())))
    assert offsets(encoded.pack("steps")) == {"base": True, "steps/0": True, "text/0": False, "config": False}
    assert all(offsets(encoded.pack("all")).values())
    assert offsets(encoded.pack("steps", max_bytes=1))["steps/0"] is False


def offsets(container: bytes) -> dict[str, bool]:
    assert container[:4] == b"RPLW"
    version, size, length = struct.unpack_from("<III", container, 4)
    header = zlib.decompress(container[16 : 16 + size])
    assert (version, length) == (3, len(header))
    found = {entry["id"]: entry for entry in json.loads(header)["chunks"]}
    for entry in found.values():
        if entry["offset"] is not None:
            start = 16 + size + entry["offset"]
            assert len(zlib.decompress(container[start : start + entry["size"]])) == entry["raw"]
    return {name: entry["offset"] is not None for name, entry in found.items()}


def test_a_container_with_every_chunk_is_unpacked_again():
    encoded = encode(load_replay(shipped_named("sequence")))
    again = unpack(encoded.pack("all"))
    assert [chunk.data for chunk in again.chunks] == [chunk.data for chunk in encoded.chunks]
    assert again.digest == encoded.digest
    assert offsets(again.pack("steps")) == offsets(encoded.pack("steps"))


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:40], lambda data: data[:-5], lambda data: b"x" * 99]
)
def test_a_damaged_container_is_refused(damage):
    with pytest.raises(FormatError):
        unpack(damage(encode(load_replay(packed(small()))).pack("all")))


def test_the_same_replay_gives_the_same_bytes():
    data = packed(small())
    assert encode(load_replay(data)).pack("all") == encode(load_replay(data)).pack("all")


def test_a_replay_without_objects_is_encoded():
    encoded = encode(load_replay(packed(small(objects=[]))))
    assert encoded.header["objects"] == 0
    assert unpack(encoded.pack("all")).header["steps"] == 10
