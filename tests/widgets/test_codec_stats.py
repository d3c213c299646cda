"""Numbers that policies note, and what the game counted until its end."""

from __future__ import annotations

import json
import math

import pytest

from tests.widgets.replays import WireReader, shipped_named, small, with_object
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.stats import counted, noted
from widgets.replay.codec.wire import encode


def with_notes(notes: object) -> Replay:
    return load_replay(json.dumps(with_object(0, policy_infos=notes)).encode())


def test_numbers_that_a_policy_notes_are_columns_over_time():
    replay = with_notes([[0, {"hope": 1, "goal": "ore"}], [3, {"hope": 2.5}], [6, {"goal": "heart"}]])
    hope = noted(replay)["hope"]
    first = [float(hope.at(step)[0]) for step in range(replay.steps)]
    assert first[:6] == [1, 1, 1, 2.5, 2.5, 2.5]
    assert all(map(math.isnan, first[6:]))
    assert all(math.isnan(hope.at(step)[1]) for step in range(replay.steps)), "the other agent notes none"
    reader = WireReader(encode(replay))
    assert reader.header["fields"]["noted hope"]["kind"] == "float"
    assert reader.chunks["steps/0"]["noted hope.s"].tolist() == [3, 3]


@pytest.mark.parametrize(
    "notes", [{"goal": "ore"}, {"__machine": 1}, {"done": True}, {"far": {"x": 1}}, {"much": 1e300}, [[0, {}], [2, {}]]]
)
def test_what_is_no_number_for_people_is_no_column(notes):
    assert noted(with_notes(notes)) == {}


def test_a_policy_that_notes_many_numbers_is_shown_the_first():
    assert len(noted(with_notes({f"n{at}": at for at in range(100)}))) == 16


def test_what_was_counted_by_the_end_is_told_by_whose_it_is():
    agents, game = counted(load_replay(shipped_named("default")))
    assert ("heart.gained", "88.875") in agents[1]
    assert ("cogs yellow/aligned.junction.gained", "338") in game[1]
    assert [len(agents[1]), len(game[1])] == [43, 109]


@pytest.mark.parametrize("infos", [None, [], "much", {"agent": [1]}, {"agent": {"a": "b"}}, {"game": {"a": None}}])
def test_counts_of_another_shape_are_left_out(infos):
    assert counted(load_replay(json.dumps(small(infos=infos)).encode())) == []
    assert counted(load_replay(json.dumps(small()).encode())) == []


def test_what_changes_of_agents_can_be_charted():
    replay = with_notes([[0, {"far_off": 1}], [3, {"far_off": 2}]])
    assert encode(replay).header["quantities"][2:] == [
        ("item 1", "heart held"),
        ("gained 1", "heart gained so far"),
        ("item 0", "ore held"),
        ("gained 0", "ore gained so far"),
        ("alive", "share alive"),
        ("action_success", "share of actions that succeed"),
        ("noted far_off", "far off, as policies note it"),
    ]
