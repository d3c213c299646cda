"""Reading the replays that mettagrid ships, and small ones of every version."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.widgets.replays import packed, shipped, shipped_named, small, text_of, value_at, with_object
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.replay import Replay
from widgets.replay.inspect import ascii_map

NAMES = [path.name for path in shipped()]
MAPS = [path for path in shipped() if path.with_name(path.name + ".map.txt").exists()]
V1_KEYS = {
    "action_success": "action_success",
    "current_reward": "reward",
    "freeze_remaining": "agent:frozen",
    "is_converting": "converting",
    "orientation": "agent:orientation",
    "total_reward": "total_reward",
}
V2_KEYS = {
    name: name
    for name in (
        "action_id",
        "action_success",
        "alive",
        "cooldown_remaining",
        "current_reward",
        "is_converting",
        "orientation",
        "total_reward",
        "vibe_id",
    )
}


def test_mettagrid_ships_the_replays_that_these_tests_are_about():
    assert len(NAMES) >= 14
    assert len(MAPS) == 11


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.name)
def test_the_first_map_equals_mettagrids_own_byte_for_byte(path):
    assert ascii_map(load_replay(path)).encode() == path.with_name(path.name + ".map.txt").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_replay_opens_without_an_error(name):
    replay = load_replay(shipped_named(name))
    assert [issue for issue in replay.issues if issue.severity == "error"] == []
    assert replay.agents.size > 0
    assert replay.derived_total


@pytest.mark.parametrize("name", ["sequence", "pens", "42c5386e", "simple_env"])
def test_values_are_those_of_the_file_read_plainly(name):
    compare_with_file(shipped_named(name), objects=200)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_values_are_those_of_the_file_read_plainly(name):
    compare_with_file(shipped_named(name), objects=100_000)


def compare_with_file(path: Path, objects: int) -> None:
    file, replay, rng = json.loads(text_of(path)), load_replay(path), random.Random(0)
    listed = file.get("objects") or file["grid_objects"]
    agents = [row for row, found in enumerate(listed) if "agent_id" in found]
    rows = sorted({*agents, *rng.sample(range(len(listed)), min(objects, len(listed)))})
    for step in (0, 1, rng.randrange(replay.steps), replay.last_step):
        state = replay.state_at(step)
        held = held_at(replay, state.inventory)
        for row in rows:
            cell, items, fields = expected_at(listed[row], step, replay)
            assert (cell, items) == (state.location[row].tolist(), held.get(row, {})), (row, step)
            assert fields == pytest.approx({name: state.fields[name][row] for name in fields}), (row, step)


def held_at(replay: Replay, counts: Any) -> dict[int, dict[int, int]]:
    held: dict[int, dict[int, int]] = {}
    for row, item, count in zip(
        replay.inventory.objects.tolist(), replay.inventory.items.tolist(), counts, strict=True
    ):
        if count:
            held.setdefault(row, {})[item] = int(count)
    return held


def expected_at(found: dict[str, Any], step: int, replay: Replay) -> tuple[list[int], dict[int, int], dict[str, Any]]:
    """Return the cell, the items and some fields of one object as the format describes them."""
    keys = V1_KEYS if replay.version == 1 else V2_KEYS
    expected = {name: value_at(found[key], step) for name, key in keys.items() if key in found}
    if replay.version == 1:
        cell = [value_at(found["c"], step), value_at(found["r"], step)]
        names = {
            f"{prefix}{name}": item for item, name in enumerate(replay.names.items) for prefix in ("inv:", "agent:inv:")
        }
        counts = {item: value_at(found[key], step) for key, item in names.items() if key in found}
        if "action" in found:
            expected["action_id"], expected["action_param"] = value_at(found["action"], step, nested=True)
    else:
        cell = value_at(found["location"], step, nested=True)[:2]
        counts = dict(value_at(found["inventory"], step, nested=True))
    return cell, {item: count for item, count in counts.items() if count}, expected


@pytest.mark.parametrize("store", [bytes, zlib.compress, gzip.compress], ids=["plain", "zlib", "gzip"])
@pytest.mark.parametrize("suffix", [".json", ".json.z", ".json.gz", ".txt"])
def test_the_container_is_told_by_content_not_by_suffix(tmp_path, store, suffix):
    path = tmp_path / f"replay{suffix}"
    path.write_bytes(store(json.dumps(small()).encode()))
    assert load_replay(path).label == load_replay(str(path)).label == "tiny"


def test_a_clean_replay_has_no_issues():
    assert load_replay(packed(small())).issues == ()


def test_a_version_from_the_future_opens_with_a_warning():
    replay = load_replay(packed(small(version=5)))
    assert [str(issue) for issue in replay.issues] == ["warning: version: newer than 4, read on best effort, first: 5"]
    assert replay.version == 5
    assert replay.agents.tolist() == [0, 1]


def test_state_at_a_step_holds_everything():
    replay = load_replay(packed(small()))
    state = replay.state_at(5)
    assert state.location.tolist() == [[0, 1], [1, 1], [3, 3]]
    assert state.fields["action_success"].tolist() == [1, 1, 1]
    assert state.fields["total_reward"].tolist() == [0.5, 0.5, 0.0]
    assert held_at(replay, state.inventory) == {0: {0: 2, 1: 1}, 1: {0: 2, 1: 1}}
    assert state.tables["tag_ids"] == {0: [0, 1], 1: [0, 1]}
    assert state.texts["policy_infos"] == {0: {"goal": "heart"}, 1: {"goal": "heart"}}
    assert state.texts["talk_text"] == {0: "hello", 1: "hello"}


def test_an_item_that_is_no_longer_listed_is_gone():
    replay = load_replay(packed(small()))
    assert held_at(replay, replay.state_at(8).inventory)[0] == {1: 1}


def test_dead_agents_are_not_on_the_map():
    replay = load_replay(packed(small()))
    assert ascii_map(replay, 8).count("@@") == 2
    assert ascii_map(replay, 9).count("@@") == 0


@pytest.mark.parametrize("step", [-1, 10])
def test_a_step_outside_the_replay_is_refused(step):
    replay = load_replay(packed(small()))
    for look in (replay.state_at, lambda step: ascii_map(replay, step)):
        with pytest.raises(ValueError, match="it has steps 0 to 9"):
            look(step)


def test_flat_lists_of_items_count_what_is_repeated():
    replay = load_replay(packed(with_object(0, inventory=[[0, []], [3, [1, 1, 0]]])))
    assert held_at(replay, replay.state_at(4).inventory)[0] == {1: 2, 0: 1}


def test_locations_with_a_layer_are_read():
    replay = load_replay(packed(with_object(0, location=[[0, [1, 2, 0]], [4, [2, 2, 0]]])))
    assert replay.state_at(4).location[0].tolist() == [2, 2]


def test_totals_that_are_no_running_sum_are_kept_as_they_are():
    replay = load_replay(packed(with_object(0, total_reward=[[0, 0.0], [7, 9.0]])))
    assert not replay.derived_total
    assert replay.state_at(8).fields["total_reward"].tolist() == [9.0, 0.5, 0.0]


def test_aliases_of_older_writers_are_read():
    changes = {"frozen": [[0, 0], [2, 1]], "frozen_progress": [[0, 0], [2, 7]], "action_parameter": 3, "vibe": 2}
    state = load_replay(packed(with_object(0, **changes))).state_at(3)
    found = {name: int(state.fields[name][0]) for name in ("is_frozen", "freeze_remaining", "action_param", "vibe_id")}
    assert found == {"is_frozen": 1, "freeze_remaining": 7, "action_param": 3, "vibe_id": 2}


def test_column_of_one_object_gives_its_steps_and_values():
    steps, cells = load_replay(packed(small())).location.of(1)
    assert steps.tolist() == [0, 3, 6]
    assert cells.tolist() == [[1, 0], [1, 1], [1, 2]]


def test_arrays_have_the_documented_types():
    replay = load_replay(packed(small()))
    assert {part.dtype for part in (replay.ids, replay.types, replay.agent_ids, replay.agents)} == {np.dtype(np.int32)}
    assert replay.location.values.dtype == np.int32
    assert replay.columns["alive"].base.dtype == np.uint8
    assert replay.columns["current_reward"].base.dtype == np.float64


def test_importing_the_package_loads_nothing_heavy():
    heavy = "('numpy', 'anywidget', 'msgspec', 'traitlets', 'pandas')"
    code = f"import sys, widgets.replay; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
