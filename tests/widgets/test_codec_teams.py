"""Which teams a replay has, and their colours."""

from __future__ import annotations

import pytest

from tests.widgets.replays import packed, small
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.teams import assigned, team_things, teams_of


def replay_of(**changes):
    return load_replay(packed(small(**changes)))


def grouped(*groups, names=()):
    """Return a replay whose agents, and then things, are of these groups."""
    replay = small(tags={}, group_names=list(names))
    for thing, group in zip(replay["objects"], groups, strict=False):
        thing["group_id"] = group
    return load_replay(packed(replay))


@pytest.mark.parametrize(("wished", "given"), [([0, 0, -1, 2, -1], [0, 1, 3, 2, 4]), ([], []), ([7, 7, 7], [7, 0, 1])])
def test_who_comes_first_has_the_colour_of_its_name(wished, given):
    assert assigned(wished) == given


def test_no_two_teams_have_one_colour():
    assert len(set(assigned([0] * 200))) == 200


def test_teams_are_those_of_tags_where_there_are_such_tags():
    teams = teams_of(replay_of())
    assert (teams.field, list(teams.names), teams.several) == ("tag_ids", ["red", "blue"], True)
    assert list(teams.hues) == [1, 0]


def test_two_teams_that_are_both_called_blue_are_told_apart():
    teams = teams_of(replay_of(tags={"team:cogs_blue": 0, "team:light_blue": 1}))
    assert list(teams.hues) == [0, 1]


def test_without_such_tags_groups_are_the_teams_with_their_names():
    teams = teams_of(grouped(0, 3, names=["cogs_green"]))
    assert (teams.field, teams.of, list(teams.names)) == ("group_id", {0: 0, 3: 1}, ["cogs green", "team 3"])
    assert list(teams.hues) == [2, 0]


def test_one_group_is_no_team_that_one_has_to_tell_from_others():
    replay = grouped(1, 1)
    teams = teams_of(replay)
    assert not teams.several
    assert team_things(replay, teams).size == 0
