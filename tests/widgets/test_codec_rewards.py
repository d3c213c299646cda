"""Rewards that are no finite numbers, or not recorded: shown as such, at their step, and never added up."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tests.fakes.cases import CASES
from tests.widgets.replays import WireReader, packed, small, with_object
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.inspect import format_summary, summary
from widgets.replay.thumbnail import total_reward

NAN_CASE = CASES / "replays" / "07-nan-reward.json.z"
CLEAN_CASE = CASES / "replays" / "00-base.json.z"


def rewards_of(replay, row=0):
    steps, values = replay.columns["current_reward"].of(row)
    return dict(zip(steps.tolist(), values.tolist(), strict=True))


def without_totals(row, rewards):
    changed = with_object(row, current_reward=rewards)
    for thing in changed["objects"]:
        thing.pop("total_reward", None)
    return json.dumps(changed)


def same(left, right):
    return np.array_equal(np.asarray(left, float), np.asarray(right, float), equal_nan=True)


def test_a_nan_reward_stays_at_its_step_and_its_totals_are_unknown():
    replay = load_replay(NAN_CASE)
    assert same(list(rewards_of(replay).values()), [0, math.nan, 0])
    assert list(rewards_of(replay)) == [0, 5, 6]
    assert same([replay.total_reward(step)[0] for step in (0, 4, 5, 6, 19)], [0, 0, math.nan, math.nan, math.nan])
    assert math.isnan(total_reward(replay))
    assert total_reward(load_replay(CLEAN_CASE)) == 0.75


def test_inspect_says_where_a_reward_is_not_finite_and_that_the_total_is_unknown():
    replay = load_replay(NAN_CASE)
    found = summary(replay)
    assert found["rewards"] == {"min": None, "mean": None, "max": None}
    assert found["not_finite"] == [{"agent": 0, "step": 5, "value": "NaN"}]
    json.dumps(found, allow_nan=False)
    text = format_summary(replay)
    assert "reward    unknown by the last step: a total is not finite\n          NaN at step 5 of agent 0\n" in text


def test_the_overview_has_a_gap_only_where_a_reward_is_not_finite():
    columns = WireReader(encode(load_replay(NAN_CASE))).chunks["base"]
    assert same(columns["overview.sum"], [0] * 5 + [math.nan] + [0] * 14)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NaN", math.nan),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1e999", math.nan),
        ("null", math.nan),
        ('"high"', math.nan),
        ("[1]", math.nan),
    ],
)
def test_what_is_no_number_never_lets_the_reward_before_it_hold_on(written, read):
    replay = load_replay(without_totals(0, [[0, 0.5], [3, "HERE"], [4, 1.0]]).replace('"HERE"', written).encode())
    assert any(issue.severity == "error" and "current_reward" in issue.path for issue in replay.issues)
    if written == "1e999":  # the whole series cannot be decoded
        assert same(list(rewards_of(replay).values()), [math.nan])
        return
    assert same([rewards_of(replay)[step] for step in (0, 3, 4)], [0.5, read, 1.0])
    # Where the file has no totals they follow from the rewards: known up to the step before.
    totals = [replay.total_reward(step)[0] for step in (0, 2, 3, 4, 9)]
    assert same(totals[:2], [0.5, 1.5])
    assert same(totals[2:], [read] * 3)
    assert replay.total_reward(9)[1] == 0.5


def test_a_reward_that_stays_nan_is_one_change():
    text = json.dumps(with_object(0, current_reward=[[0, 0.0], [2, "HERE"], [3, "HERE"], [5, 1.0]]))
    assert list(rewards_of(load_replay(text.replace('"HERE"', "NaN").encode()))) == [0, 2, 5]


@pytest.mark.parametrize("points_per_chunk", [5, 10_000])
@pytest.mark.parametrize("totals", [True, False])
def test_the_wire_carries_what_is_not_finite(points_per_chunk, totals):
    series = [[0, "HERE"], [3, 1.0], [4, "HERE"], [6, 0.25]]
    text = json.dumps(with_object(0, current_reward=series)) if totals else without_totals(0, series)
    replay = load_replay(text.replace('"HERE"', "-Infinity").encode())
    assert replay.derived_total is not totals
    reader = WireReader(encode(replay, points_per_chunk=points_per_chunk))
    seen = [(step, value) for row, step, value in reader.changes("current_reward") if row == 0]
    assert seen == [(3, 1.0), (4, -math.inf), (6, 0.25)]
    assert reader.base("current_reward", 3)[0] == -math.inf
    json.dumps(reader.header["fields"], allow_nan=False)


@pytest.mark.parametrize("given", [None, "null", "[]", '"?"', "{}"])
def test_what_an_agent_earned_is_unknown_where_its_rewards_are_missing(given):
    changed = with_object(0, current_reward=None if given is None else "HERE", total_reward=None)
    replay = load_replay(json.dumps(changed).replace('"HERE"', given or "").encode())
    state = replay.state_at(9)
    assert np.isnan([state.fields[name][0] for name in ("current_reward", "total_reward")]).all()
    assert state.fields["total_reward"][1:].tolist() == [0.5, 0.0]
    assert summary(replay)["rewards"]["mean"] is None


def test_a_replay_without_rewards_says_so_instead_of_0():
    without = small()
    for thing in without["objects"]:
        thing.pop("current_reward", None)
        thing.pop("total_reward", None)
    replay = load_replay(packed(without))
    assert summary(replay)["rewards"] is None
    assert "reward    none is recorded" in format_summary(replay)
    assert total_reward(replay) is None
