"""Each odd replay of `tests/cases/replays` by its right value."""

from __future__ import annotations

import math

import pytest

from tests.fakes.cases import CASES
from widgets.replay.codec.errors import FormatError
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.wire import encode


def case(name: str) -> Replay:
    (path,) = (CASES / "replays").glob(f"{name}*")
    return load_replay(path)


@pytest.mark.parametrize("name", ["00-base", "46-two-gz-members"])
def test_a_clean_replay_is_read_whole_in_one_piece_or_two(name):
    replay = case(name)
    assert (replay.map_size, replay.steps, replay.agents.size, replay.issues) == ((7, 4), 20, 2, ())
    agent = replay.agents[0]
    assert [float(replay.total_reward(step)[agent]) for step in (4, 5, 19)] == [0, 1.5, 1.5]
    (ore,) = [at for at, item in enumerate(replay.inventory.items) if replay.names.items[item] == "ore"]
    assert [int(replay.inventory.at(step)[ore]) for step in (4, 5, 19)] == [0, 3, 3]


def test_a_reward_that_is_no_number_is_never_nothing():
    replay = case("07-nan-reward")
    agent = replay.agents[0]
    assert [math.isnan(replay.columns["current_reward"].at(step)[agent]) for step in (4, 5)] == [False, True]
    assert [math.isnan(replay.total_reward(step)[agent]) for step in (4, 5, 19)] == [False, True, True]


def test_a_type_that_changes_is_its_last_name_and_an_issue():
    replay = case("12-type-changes")
    assert sorted(replay.type_name(row) for row in range(4)) == ["agent", "agent", "wall", "wall"]
    assert [issue.path for issue in replay.issues] == ["objects[].type_name"]


def test_notes_of_a_policy_are_kept_as_they_are():
    notes = case("31-policy-infos").texts["policy_infos"].at(6)
    (own,) = notes.values()
    assert own["target"] == [1, -2]
    assert "<" in "".join(map(str, own.values()))


def test_items_that_share_a_limit_are_told_with_it():
    header = encode(case("33-capacity-group")).header
    shared = [limit for entry in header["tables"]["inventory_capacities"] if entry for limit in entry]
    assert {(limit["name"], limit["limit"]) for limit in shared} >= {("cargo", 10), ("gear", 1)}


def test_two_teams_called_blue_have_two_colours():
    teams = encode(case("42-two-blue-teams")).header["teams"]
    assert list(teams.names) == ["cogs blue", "light blue"]
    assert len(set(teams.hues)) == 2


def test_a_recording_of_another_game_is_refused_by_name():
    with pytest.raises(FormatError, match="BitWorld recording"):
        case("51-bitworld")
