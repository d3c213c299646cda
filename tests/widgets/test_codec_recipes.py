"""Rules and protocols in the one form that the page shows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tests.widgets.replays import packed, small
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.recipes import Cook, carried, kinds, limits
from widgets.replay.codec.replay import Names
from widgets.replay.codec.rules import Rule
from widgets.replay.codec.wire import encode

COOK = Cook(Names(items=("ore_red", "heart"), vibes=("default", "charge")))
BURN = Rule("altar", "when used", ("team:red",), name="burn", takes=(("ore_red", 1200.0),), gives=(("gold", math.inf),))
HUNGER = Rule("agent", "every step", agents=(1,), needs=("the agent has 1 heart",), does=("it <b>glows</b>",))


def game(**config):
    """Return a small replay whose altars have handlers and whose agents are told apart."""
    return load_replay(packed(small(mg_config={"label": "x", "game": config})))


def test_a_rule_says_what_it_takes_and_gives_by_item_and_in_words():
    recipe = COOK.rule(BURN)
    assert (recipe.takes, recipe.gives) == (((0, "1,200 ore red"),), ((-1, "all gold"),))
    assert (recipe.title, recipe.lines) == ("altar, team:red", ("burn, when used",))


def test_a_rule_is_found_by_what_it_makes_uses_and_says():
    burn, hunger = COOK.rule(BURN), COOK.rule(HUNGER)
    assert (burn.makes, burn.uses) == ("gold", "ore red")
    assert {"altar", "burn", "gold", "ore red"} <= set(burn.text.split("\n"))
    assert "heart" in hunger.uses
    assert "glows" in hunger.text


def test_conditions_and_what_else_happens_are_lines():
    recipe = COOK.rule(HUNGER)
    assert recipe.title == "agent, 1 agent"
    assert recipe.lines == ("every step", "if the agent has 1 heart", "it <b>glows</b>")


def test_a_protocol_of_any_shape_is_a_recipe():
    full = {"inputs": [[0, 2]], "outputs": [[1, 1], [9, 1]], "cooldown": 5, "minAgents": 2, "vibes": [1, 7]}
    recipe = COOK.protocol(full)
    assert (recipe.takes, recipe.gives) == (((0, "2 ore red"),), ((1, "1 heart"), (-1, "1 item 9")))
    assert recipe.lines == ("", "if 2 agents, and vibe charge, 7", "cooldown 5")
    for odd in (None, 7, [], {"inputs": 3, "outputs": [[0], "x", [None, None]], "vibes": {}}):
        assert COOK.protocol(odd).takes == ()


def test_what_older_versions_list_apart_is_one_protocol_at_each_step():
    replay = small()
    replay["objects"][0]["input_resources"] = [[0, [[0, 1]]], [4, [[0, 3]]]]
    replay["objects"][0]["output_resources"] = [[1, 1]]
    replay["objects"][0]["protocols"] = [[2, [{"inputs": [], "outputs": [[0, 1]]}]]]
    read = load_replay(packed(replay))
    column, table = carried(read, Cook(read.names))
    shown = {step: table[column.at(step)[0]] for step in (0, 2, 4)}
    assert [len(shown[step]) for step in (0, 2, 4)] == [1, 2, 2]
    assert [shown[step][-1].takes[0][1].split()[0] for step in (0, 2, 4)] == ["1", "1", "3"]
    assert table[column.at(9)[1]] is None


def test_what_things_of_a_type_ever_carry_is_listed_once_with_the_rules():
    replay = small()
    ever = [[0, [{"inputs": [[0, 1]], "outputs": [[1, 1]]}]], [4, [{"inputs": [[0, 2]], "outputs": [[1, 1]]}]]]
    wall = replay["objects"][2]
    replay["objects"] += [{**wall, "id": at, "location": [4, at - 4], "protocols": ever} for at in (4, 5)]
    header = encode(load_replay(packed(replay))).header
    found = [rule for rule in header["rules"] if "heart" in rule.makes]
    assert [(rule.title, rule.takes[0][1]) for rule in found] == [("wall", "1 ore"), ("wall", "2 ore")]
    assert all("wall" in rule.text for rule in found)
    assert all("heart" not in header["rules"][at].makes for kind in header["kinds"] for at in kind.rules)


def test_a_replay_in_which_nothing_carries_a_protocol_has_none():
    read = load_replay(packed(small()))
    assert carried(read, Cook(read.names)) is None


def test_agents_have_the_rules_of_their_numbers_and_things_those_of_their_type():
    replay = game(agents=[{"on_tick": {"a": {"mutations": []}}}, {"on_tick": {"b": {"mutations": []}}}])
    found, numbers = kinds(replay, [COOK.rule(rule) for rule in replay.rules.rules], None)
    names = [[replay.rules.rules[at].name for at in found[number].rules] for number in numbers]
    assert names[replay.agents[0]] == ["a"]
    assert names[replay.agents[1]] == ["b"]
    assert all(names[row] == [] for row in np.flatnonzero(replay.agent_ids < 0))


def test_a_limit_is_of_the_item_of_its_name_or_of_those_that_share_it():
    limited = {"resources": ["ore", "heart"]}
    replay = game(objects={"altar": {"name": "altar", "inventory": {"limits": {"cargo": limited}}}})
    replay = replace(replay, names=Names(items=("ore", "heart"), capacities=("cargo", "heart", "air")))
    found = limits(replay, [[0, 10], [1, 3], [2, 5], [9, 1], "x", [0]])
    assert [(each["name"], each["limit"], each["item"], each["items"]) for each in found] == [
        ("cargo", 10.0, -1, [0, 1]), ("heart", 3.0, 1, None), ("air", 5.0, -1, None), ("capacity 9", 1.0, -1, None)
    ]  # fmt: skip


def test_things_are_asked_for_by_type_tag_and_what_they_make():
    replay = small()
    replay["objects"][2]["protocols"] = [{"inputs": [[0, 1]], "outputs": [[1, 1]]}]
    read = load_replay(packed(replay))
    cook = Cook(read.names)
    found, numbers = kinds(read, [cook.rule(rule) for rule in read.rules.rules], carried(read, cook))
    wall, agent = found[numbers[2]], found[numbers[0]]
    assert (wall.makes, wall.uses, wall.text) == ("heart", "ore", "wall")
    assert agent.text.split("\n") == ["agent", "team:blue"]
