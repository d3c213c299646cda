"""Replays that break a rule: what opens with an issue, and what is refused with what message."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.fakes.cases import CASES
from tests.widgets.replays import packed, small, with_object
from widgets.replay.codec.errors import FormatError, LimitError, ReplayError
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.normalise import load_replay


def issues_of(replay: dict) -> list[str]:
    return [str(issue) for issue in load_replay(packed(replay)).issues]


TOP = {
    "negative agents": ({"num_agents": -1}, "num_agents: is not a number of at least 0"),
    "wrong agents": ({"num_agents": 5}, "num_agents: is not the number of agents found, first: 5, but there are 2"),
    "zero map": ({"map_size": [0, 5]}, "map_size: is not two numbers of at least 1"),
    "huge map": ({"map_size": [10**9, 10**9]}, "map_size: more than 8,192 a side"),
    "huge steps": ({"max_steps": 10**9}, "max_steps: more than 1,000,000"),
    "text for steps": ({"max_steps": "ten"}, "max_steps: is not a number"),
    "names that are none": ({"item_names": "ore"}, "item_names: is not a list of names"),
    "a number for a name": ({"type_names": ["agent", "wall", 3]}, "type_names: an entry is not a name"),
    "tags": ({"tags": {"a": -1}}, "tags: a tag's number is not 0 to 4095"),
    "unknown key": ({"surprise": 1}, "(top): unexpected key, first: surprise"),
    "sharing": ({"reward_sharing_matrix": [[1]]}, "reward_sharing_matrix: is not 2 x 2 numbers"),
    "no objects": ({"objects": []}, "objects: is empty"),
    "no names": ({"action_names": []}, "action_names: is empty"),
}


@pytest.mark.parametrize(("change", "issue"), TOP.values(), ids=list(TOP))
def test_a_wrong_top_level_value_is_listed(change, issue):
    assert any(issue in found for found in issues_of(small(**change)))


OBJECT = {
    "no id": ({"id": None}, "objects[].id: missing, first: objects[0]"),
    "duplicate id": ({"id": 2}, "objects[].id: is used twice, first: objects[1]: 2"),
    "negative id": ({"id": -4}, "objects[].id: is not a positive number"),
    "huge id": ({"id": 10**30}, "objects[].id: does not fit 32 bits"),
    "agent clash": ({"agent_id": 1}, "objects[].agent_id: is used twice"),
    "agent outside": ({"agent_id": 9}, "objects[].agent_id: is not below num_agents, first: objects[0]: 9"),
    "unknown type": ({"type_name": "wizard"}, "objects[].type_name: is not in type_names, first: objects[0]: 'wizard'"),
    "number for type": ({"type_name": 3}, "objects[].type_name: is not a name"),
    "location as text": (
        {"location": "here"},
        'objects[].location: is not two whole numbers, first: objects[0]: "here"',
    ),
    "location outside": ({"location": [9, 1]}, "objects[].location: outside the map of 5 x 4; moved to its edge"),
    "no location": ({"location": None}, "objects[].location: missing"),
    "unsorted": ({"action_id": [[5, 1], [2, 0]]}, "objects[].action_id: change points are not in strictly ascending"),
    "late start": ({"action_id": [[5, 1]]}, "objects[].action_id: the first change point is not at step 0"),
    "negative step": ({"action_id": [[0, 0], [-2, 1]]}, "objects[].action_id: a change point outside steps 0 to 9"),
    "step beyond": ({"action_id": [[0, 0], [10, 1]]}, "objects[].action_id: a change point outside steps 0 to 9"),
    "unknown action": ({"action_id": 2}, "objects[].action_id: is not 0 to 1, first: objects[0]: 2"),
    "text for number": ({"color": "red"}, 'objects[].color: is not a whole number, first: objects[0]: "red"'),
    "number for truth": ({"alive": 7}, "objects[].alive: is not true or false"),
    "bad point": ({"color": [[0, 1], [3]]}, "objects[].color: a change point is not [step, whole number]"),
    "unknown item": ({"inventory": [[2, 1]]}, "objects[].inventory: item id outside item_names"),
    "negative count": ({"inventory": [[0, -3]]}, "objects[].inventory: negative count, first: objects[0]: -3"),
    "item twice": ({"inventory": [[0, 1], [0, 2]]}, "objects[].inventory: an item is listed twice at one step"),
    "unsorted inventory": (
        {"inventory": [[3, [[0, 1]]], [1, []]]},
        "objects[].inventory: change points are not in strictly",
    ),
    "no reward": ({"current_reward": None}, "objects[].current_reward: missing"),
    "text is no text": ({"talk_text": 3}, "objects[].talk_text: is of a wrong kind"),
    "long text": ({"talk_text": "a" * 9000}, "objects[].talk_text: cut after 4096 characters"),
    "tags are none": ({"tag_ids": "red"}, "objects[].tag_ids: is of a wrong kind"),
}


@pytest.mark.parametrize(("change", "issue"), OBJECT.values(), ids=list(OBJECT))
def test_a_wrong_value_of_an_object_is_listed(change, issue):
    found = issues_of(with_object(0, **change))
    assert any(issue in line for line in found), found


def test_the_last_of_two_points_at_one_step_stays_and_order_is_restored():
    replay = load_replay(packed(with_object(0, action_id=[[0, 0], [6, 1], [2, 1], [2, 0], [6, 0]])))
    steps, values = replay.columns["action_id"].of(0)
    assert (steps.tolist(), values.tolist()) == ([0], [0])
    assert replay.issues[0].severity == "error"


def test_ids_and_agent_numbers_are_made_unique():
    replay = load_replay(packed(with_object(0, id=2, agent_id=1)))
    assert len(set(replay.ids.tolist())) == 3
    assert sorted(replay.agent_ids.tolist()) == [-1, 0, 1]


def test_issues_are_counted_with_the_first_example():
    replay = small()
    replay["objects"] += [{"id": 10 + row, "type_name": "wall", "location": [99, row]} for row in range(3)]
    issue = next(issue for issue in load_replay(packed(replay)).issues if "outside" in issue.rule)
    assert (issue.count, issue.example) == (3, "objects[3]: [99, 0]")


REPAIRED = {
    "not a number": b'"current_reward": [[0, NaN], [2, Infinity], [3, -Infinity]]',
    "lone surrogate": b'"talk_text": "\\ud800 hello"',
    "not UTF-8": b'"talk_text": "\xff\xfe"',
    "out of range": b'"current_reward": [[0, 0.0], [2, 1e999]]',
    "5000 digits": b'"color": ' + b"9" * 5000,
}


@pytest.mark.parametrize("value", REPAIRED.values(), ids=list(REPAIRED))
def test_values_that_json_cannot_hold_are_listed_and_left_out(value):
    text = json.dumps(with_object(0, current_reward=None, talk_text=None, color=None)).encode()
    replay = load_replay(text.replace(b'"id": 1,', b'"id": 1, ' + value + b","))
    assert replay.agents.size == 2
    assert any(issue.severity == "error" for issue in replay.issues)


def test_a_byte_order_mark_is_skipped():
    replay = load_replay(b"\xef\xbb\xbf" + json.dumps(small()).encode())
    assert [issue.rule for issue in replay.issues] == ["begins with a byte order mark"]


REFUSED = {
    "empty": (b"", "is empty"),
    "noise": (b"\x00\x01\x02\x03", "neither zlib, gzip nor JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "neither zlib, gzip nor JSON"),
    "cut short": (packed(small())[:-40], "cut short"),
    "damaged": (packed(small())[:60] + b"\xff" * 40, "damaged"),
    "gzip cut short": (gzip.compress(json.dumps(small()).encode())[:-200], "cut short"),
    "compressed twice": (zlib.compress(packed(small())), "hold zlib data again"),
    "a list": (b"[1, 2]", "not a replay"),
    "null": (b"null", "not a replay"),
    "other JSON": (b'{"a": 1}', "has no 'objects'"),
    "half JSON": (json.dumps(small()).encode()[:-40], "not valid JSON"),
    "a deep list": (b"[" * 100_000, "not a replay"),
    "deep in a key": (b'{"mg_config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "no number for version": (packed(small(version="four")), "version is 'four'"),
    "version 0": (packed(small(version=0)), "version is '0'"),
    "objects that are none": (packed(small(objects=[1, 2])), "every entry must be an object"),
    "objects as text": (packed(small(objects="all")), "objects: Expected `array`"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_replay_is_refused_with_a_reason(data, message):
    with pytest.raises(FormatError, match=message.replace("[", r"\[")):
        load_replay(data)


def zip_bomb() -> bytes:
    bomb = zlib.compressobj()
    start = bomb.compress(bytes(2**22)) + bomb.flush(zlib.Z_FULL_FLUSH)
    again = bomb.compress(bytes(2**22)) + bomb.flush(zlib.Z_FULL_FLUSH)
    return start + again * 70


LIMITED = {
    "zip bomb": (zip_bomb, "inflated_bytes"),
    "objects": (lambda: b'{"version": 4, "objects": [' + b"{}," * 100_001 + b"{}]}", "objects"),
    "braces": (lambda: b'{"version": 4, "objects": [' + b"{}," * 6_000_000 + b"{}]}", "points"),
    "agents": (lambda: packed(small(objects=[{"id": 1 + n, "agent_id": n} for n in range(10_001)])), "agents"),
    "wild location": (lambda: packed(with_object(0, location=[10**9, 1]) | {"map_size": None}), "map_side"),
    "names": (lambda: packed(small(item_names=["x"] * 5000)), "names"),
    "one long series": (
        lambda: b'{"version":4,"objects":[{"id":1,"color":[' + b"[0,1]," * 2_000_001 + b"[0,1]]}]}",
        "series_values",
    ),
}


@pytest.mark.parametrize(("make", "limit"), LIMITED.values(), ids=list(LIMITED))
def test_a_replay_past_a_limit_is_refused_and_the_limit_named(make, limit):
    with pytest.raises(LimitError) as caught:
        load_replay(make())
    assert caught.value.limit == limit
    assert "--large" in str(caught.value)


def test_large_limits_are_larger_in_every_respect():
    for name in Limits.__slots__:
        assert getattr(Limits.large, name) >= getattr(Limits.default, name), name


def test_markup_in_names_and_texts_stays_text():
    evil = "</script><script>alert(1)</script>"
    replay = load_replay(packed(small(type_names=["agent", evil], mg_config={"label": evil})))
    assert replay.label == evil
    assert replay.names.types[1] == evil


def test_the_collector_is_on_again_after_a_failure():
    import gc

    with pytest.raises(ReplayError):
        load_replay(b"{}")
    assert gc.isenabled()


def test_an_object_whose_type_changes_keeps_its_last_name_that_is_one():
    replay = load_replay(CASES / "replays" / "12-type-changes.json.z")
    assert replay.type_name(3) == "wall"
    assert "changes over time; its last name is used" in [issue.rule for issue in replay.issues]
    series = [[0, "agent"], [2, "wall"], [5, ""]]
    assert load_replay(packed(with_object(2, type_name=series))).type_name(2) == "wall"
    assert load_replay(packed(with_object(2, type_name=[[0, 7], [2, "wall"]]))).type_name(2) == ""
