"""What is worked out of a replay for the page."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.widgets.replays import packed, shipped_named, small
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.told import about, action, actions_of, columns_of, said_of, scored_items, suggested


@pytest.mark.parametrize(
    ("name", "family", "direction"),
    [
        ("noop", "wait", -1),
        ("move_north", "move", 0),
        ("move", "move", -1),
        ("rotate", "turn", 0),
        ("get_items", "take", -1),
        ("put_items", "give", -1),
        ("attack_nearest", "attack", -1),
        ("change_vibe_heart", "signal", -1),
        ("swap", "other", -1),
    ],
)
def test_actions_fall_into_families_with_a_direction_where_the_name_has_one(name, family, direction):
    found = action(name)
    assert (found.family, found.direction) == (family, direction)


@pytest.mark.parametrize(
    ("name", "parameter", "said", "direction"),
    [
        ("rotate", 2, "rotate left", 2),
        ("rotate", 9, "rotate 9", -1),
        ("turn_left", 1, "turn left (1)", 2),
        ("move", 1, "move (1)", -1),
    ],
)
def test_a_parameter_is_said_with_its_action(name, parameter, said, direction):
    found = action(name, parameter)
    assert (found.name, found.direction) == (said, direction)


def test_each_object_has_its_action_at_each_step():
    replay = load_replay(packed(small()))
    actions, column = actions_of(replay)
    names = [[actions[at].name if at >= 0 else "" for at in column.at(step)] for step in (0, 3, 4)]
    assert names == [["noop", "noop", ""], ["move", "move", ""], ["noop", "noop", ""]]


def test_an_action_without_a_name_is_called_by_its_number():
    replay = small(action_names=["noop"])
    replay["version"] = 2
    found = actions_of(load_replay(packed(replay)))
    assert found is not None
    assert {each.family for each in found[0]} == {"wait"}


def test_an_action_is_called_by_its_words():
    assert [action(name).name for name in ("get_items", "change_vibe_heart", "")] == [
        "get items",
        "vibe heart",
        "unnamed",
    ]


def test_fields_have_words_but_for_those_that_are_shown_in_another_way():
    fields = ("is_frozen", "cooldown_remaining", "action_id", "current_reward", "tag_ids")
    assert [said_of(field) for field in fields] == ["frozen", "cooldown remaining", "", "", ""]


@pytest.mark.parametrize("name", ["default", "pens", "dinky7"])
def test_every_object_is_still_or_moves_or_is_an_agent_or_not_there(name):
    replay = load_replay(shipped_named(name))
    columns = columns_of(replay)
    rows = replay.location.base[columns["still"], 1]
    assert (np.diff(rows) >= 0).all()
    parts = [columns["still"], columns["moving"]]
    assert np.unique(np.concatenate(parts)).size == sum(part.size for part in parts)
    assert not np.isin(replay.location.index, columns["still"]).any()


@pytest.mark.parametrize("name", ["default", "pens", "dinky7"])
def test_walls_know_the_walls_beside_them(name):
    replay = load_replay(shipped_named(name))
    columns = columns_of(replay)
    cells = {
        tuple(replay.location.base[at].tolist())
        for at in columns["still"]
        if replay.types[at] >= 0 and "wall" in replay.names.types[replay.types[at]]
    }
    assert cells
    for at, found in zip(columns["still"], columns["walls"], strict=True):
        x, y = replay.location.base[at].tolist()
        sides = [(x, y - 1) in cells, (x - 1, y) in cells, (x, y + 1) in cells, (x + 1, y) in cells]
        square = {(x + 1, y), (x, y + 1), (x + 1, y + 1)} <= cells
        assert found == sum(side << bit for bit, side in enumerate([*sides, square]))


def test_hearts_are_scored_first_and_then_what_the_game_rewards():
    replay = small(item_names=["ore", "gem", "heart"])
    reward = {"reward": {"item": "gem", "type": "inventory"}}
    replay["mg_config"] = {"game": {"agent": {"rewards": {"gem": reward}}}}
    for thing in replay["objects"][:2]:
        thing["inventory"] = [[0, 1], [1, 1], [2, 1]]
    assert scored_items(load_replay(packed(replay))) == [2, 1, 0]


def test_what_occurs_is_suggested_in_words():
    replay = load_replay(packed(small(type_names=["agent", "stone_wall", "never_built"])))
    found = suggested(replay)
    assert found == sorted(found)
    assert "never built" not in found
    assert {"agent", "team:red", "team:blue"} <= set(found)


def test_a_replay_is_described_by_its_sizes_and_types():
    (tag, *parts), *_ = about(load_replay(packed(small())))
    rows = dict(zip((term for _, term in parts[::2]), (value for _, value in parts[1::2]), strict=True))
    assert tag == "dl.facts"
    assert rows["format"] == "MettaScope replay, version 4"
    assert rows["steps"] == "10"
    assert rows["objects"] == "3: agent 2, wall 1"


def test_what_is_wrong_with_the_file_is_listed():
    replay = small()
    del replay["objects"][2]["color"]
    issues = about(load_replay(packed(replay)))[-1]
    assert issues[:2] == ["section", ["h4", "Issues in the file"]]
    assert "color" in json.dumps(issues)
