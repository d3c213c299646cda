"""What a game's configuration says that its things do, in words."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from mettagrid.config import filter as filters
from mettagrid.config import mutation as mutations

from experiments.trainer.arena import BASIC, COMBAT, game
from tests.widgets.replays import packed, shipped_named, small
from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.rule_conditions import condition
from widgets.replay.codec.rule_effects import effects_of
from widgets.replay.codec.rule_words import Roles
from widgets.replay.codec.rules import MOST_RULES, Rule, read_rules
from widgets.replay.codec.wire import encode

ROLES = Roles("the agent", "it", "actor")


def rules_of(config, log=None):
    return read_rules(msgspec.Raw(json.dumps(config).encode()), log or IssueLog())


def of_object(**config):
    return rules_of({"objects": {"altar": {"name": "altar", **config}}}).rules


def test_the_arena_says_who_makes_hearts_and_where_ore_comes_from():
    log = IssueLog()
    config = game(BASIC, map_seed=1).model_dump(mode="json")["game"]
    found = {rule.of: rule for rule in rules_of(config, log).rules if rule.of in ("altar", "mine")}
    assert found["altar"] == Rule("altar", "when used", takes=(("ore", 1.0),), gives=(("heart", 1.0),))
    assert found["mine"].gives == (("ore", 1.0),)
    assert found["mine"].does == ("out of what it holds", "it goes when empty")
    assert log.listed() == ()


def test_every_rule_of_every_task_and_shipped_game_has_words():
    log = IssueLog()
    assert rules_of(game(COMBAT, map_seed=1).model_dump(mode="json")["game"], log).rules
    assert log.listed() == ()
    replay = load_replay(shipped_named("default"))
    assert len(replay.rules.rules) > 80
    assert not [issue for issue in replay.issues if "not known" in issue.rule]


def test_things_of_one_type_are_told_apart_by_their_tags():
    hubs = {
        f"{team}:hub": {"name": "hub", "tags": [f"team:{team}"], "on_use_handlers": {"give": {"mutations": [
            {"mutation_type": "resource_delta", "target": "actor", "deltas": {"heart": count}}
        ]}}}
        for team, count in (("red", 1), ("blue", 2))
    }  # fmt: skip
    found = rules_of({"objects": hubs}).rules
    assert [(rule.tags, rule.name, rule.gives) for rule in found] == [
        (("team:red",), "give", (("heart", 1.0),)),
        (("team:blue",), "give", (("heart", 2.0),)),
    ]


def test_what_all_agents_share_is_said_once_and_what_some_have_names_them():
    def agent(team):
        return {"on_tick": {"hunger": {"mutations": [
            {"mutation_type": "resource_delta", "target": "actor", "deltas": {"food": -1}}
        ]}}, "rewards": {"won": {"reward": {"item": team}, "per_tick": True}}}  # fmt: skip

    found = rules_of({"agents": [agent("a"), agent("b"), agent("a")]}).rules
    assert [(rule.when, rule.agents, rule.takes, rule.does) for rule in found] == [
        ("every step", (), (("food", 1.0),), ()),
        ("rewarded every step", (0, 2), (), ("a",)),
        ("rewarded every step", (1,), (), ("b",)),
    ]


def test_the_first_that_applies_is_said_of_those_behind_it():
    give = {"mutation_type": "resource_delta", "target": "actor", "deltas": {"heart": 1}}
    chain = {"handler_type": "first_match", "handlers": [
        {"name": "rich", "mutations": [give]},
        {"handler_type": "all_of", "handlers": [{"name": "poor", "mutations": [give]}]},
    ]}  # fmt: skip
    found = of_object(on_use_handler=chain)
    assert [(rule.name, rule.needs) for rule in found] == [("rich", ()), ("poor", ("nothing above applies",))]


FILTERS = {
    "resource": ({"target": "actor", "resources": {"ore": 2}}, "the agent has 2 ore"),
    "tag": ({"target": "target", "tag": "team:cogs_red"}, "it is team cogs red"),
    "tag_prefix": ({"target": "actor", "tag_prefix": "team:"}, "the agent has a team"),
    "shared_tag_prefix": ({"tag_prefix": "team:"}, "the agent and it are of the same team"),
    "vibe": ({"target": "actor", "vibe": "heart_a"}, "the agent shows vibe heart a"),
    "game_value": ({"target": "target", "value": {"item": "hp", "scope": "agent"}, "min": 3}, "hp is at least 3"),
    "max_distance": ({"target": "actor", "query": "type:hub", "radius": 4}, "the agent is within 4 of hub"),
    "periodic": ({"period": 10, "start_on": 5}, "every 10 steps from step 5"),
    "target_is_usable": ({}, "it can be used"),
    "target_loc_empty": ({}, "the cell is free"),
    "alignment": ({"target": "target", "alignment": "same_collective"}, "it is of the same team"),
    "not": ({"inner": {"filter_type": "vibe", "target": "actor", "vibe": "x"}}, "the agent does not show vibe x"),
    "or": (
        {"inner": [{"filter_type": "resource", "target": "actor", "resources": {item: 1}} for item in ("a", "b")]},
        "the agent has 1 a or 1 b",
    ),
}


@pytest.mark.parametrize("kind", FILTERS)
def test_a_filter_is_a_sentence(kind):
    config, words = FILTERS[kind]
    assert condition({"filter_type": kind, **config}, ROLES) == words


HUB = {"query": "type:hub"}
MUTATIONS = {
    "resource_delta": ({"target": "target", "deltas": {"hp": -3}}, ["it loses 3 hp"]),
    "resource_transfer": (
        {"from_target": "actor", "to_target": "target", "resources": {"ore": 1}},
        ["into what it holds"],
    ),
    "query_inventory": ({**HUB, "deltas": {"ore": 4}, "source": "actor"}, ["the agent puts up to 4 ore into hub"]),
    "clear_inventory": ({"target": "actor", "limit_name": "gear"}, ["the agent loses all gear"]),
    "set_game_value": (
        {"value": {"item": "hp"}, "target": "actor", "source": {"item": "sun"}},
        ["hp of the agent changes by sun"],
    ),
    "stats": ({"stat": "junction.lost", "source": {"value": 1}}, ["counts junction.lost"]),
    "spawn_object": ({"object_type": "wall"}, ["a wall appears"]),
    "raycast_spawn": ({"object_type": "fire", "max_range": 2}, ["a fire appears on each free cell 2 cells far"]),
    "add_tag": ({"target": "target", "tag": "team:red"}, ["it becomes team red"]),
    "remove_tag": ({"target": "target", "tag": "team:red"}, ["it is no longer team red"]),
    "remove_tags_with_prefix": ({"target": "target", "prefix": "team:"}, ["it loses its team"]),
    "recompute_materialized_query": ({"tag_prefix": "net:red"}, ["finds anew what is net red"]),
    "change_vibe": ({"target": "target", "vibe_name": "up"}, ["it shows vibe up"]),
    "query_place_adjacent": ({**HUB, "target": "actor"}, ["the agent is placed beside hub"]),
    "set_relative_target": ({"direction": "north", "distance": 2}, ["acts on the cell 2 north"]),
    "push_object": ({}, ["the agent pushes it"]),
    "relocate": ({}, ["the agent moves there"]),
    "swap": ({}, ["the agent and it change places"]),
    "use_target": ({}, ["the agent uses it"]),
    "alignment": ({"target": "target", "align_to": "actor_collective"}, ["it joins the team of the agent"]),
    "attack": (
        {"defense_resources": {"armor": 1}, "on_success": [{"mutation_type": "swap"}]},
        ["the agent attacks it unless it has 1 armor", "the agent and it change places"],
    ),
}


@pytest.mark.parametrize("kind", MUTATIONS)
def test_a_mutation_is_sentences(kind):
    config, lines = MUTATIONS[kind]
    assert effects_of({"mutation_type": kind, **config}, ROLES).does == lines


def declared(module, key):
    """Return the kinds that the classes of a package of mettagrid declare."""
    classes = [each for each in vars(module).values() if isinstance(each, type) and hasattr(each, "model_fields")]
    return {each.model_fields[key].default for each in classes if key in each.model_fields}


def test_no_filter_or_mutation_of_mettagrid_is_left_out():
    assert declared(filters, "filter_type") <= set(FILTERS)
    assert declared(mutations, "mutation_type") <= set(MUTATIONS)


def test_everything_that_is_moved_is_null_on_the_wire():
    rule = of_object(on_use_handler={"mutations": [
        {"mutation_type": "resource_transfer", "from_target": "actor", "to_target": "target", "resources": {"ore": -1}}
    ]})[0]  # fmt: skip
    assert rule.takes == (("ore", math.inf),)
    assert json.loads(msgspec.json.encode(rule))["takes"] == [["ore", None]]


ODD = {
    "a filter of tomorrow": {"on_use_handler": {"filters": [{"filter_type": "moon"}], "mutations": []}},
    "a mutation of tomorrow": {"on_use_handler": {"mutations": [{"mutation_type": "moon", "target": "actor"}]}},
    "numbers that are text": {"on_use_handler": {"mutations": [
        {"mutation_type": "resource_delta", "target": "actor", "deltas": {"ore": "two"}}
    ]}},
    "a filter that is a number": {"on_use_handler": {"filters": [7]}},
    "a handler that is text": {"on_use_handler": "<b>run</b>"},
    "a handler of a strange kind": {"on_use_handler": {"handler_type": "any_two", "handlers": [{}]}},
    "a strange hook": {"on_sneeze_handler": {"mutations": [{"mutation_type": "swap"}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_nobody_has_seen_is_shown_as_text_and_listed(name):
    log = IssueLog()
    found = rules_of({"objects": {"x": {"name": "x", **ODD[name]}}}, log).rules
    assert found
    assert [issue for issue in log.listed() if "not known" in issue.rule and issue.path.startswith("mg_config.game")]


HUGE = 10**400
BROKEN = [
    {"inventory": 7},
    {"inventory": {"limits": {"a": {"resources": 3}}}},
    {"aoes": {"a": {"radius": "far", "presence_deltas": {"hp": HUGE}}}},
    {"on_use_handler": {"filters": [{"filter_type": "resource", "target": "actor", "resources": {"ore": HUGE}}]}},
    {"on_use_handler": {"filters": [{"filter_type": "periodic", "period": HUGE}]}},
    {"on_use_handler": {"filters": [{"filter_type": "or", "inner": []}]}},
    {"on_use_handler": {"mutations": {"mutation_type": "swap"}}},
    {"tags": [7, None], "name": ["x"], "on_tag_remove": {"": {"filters": []}}},
]


@pytest.mark.parametrize("config", BROKEN, ids=range(len(BROKEN)))
def test_no_configuration_ends_the_reading(config):
    rules_of({"objects": {"x": config}, "agent": config, "actions": {"attack": {"success": config, **config}}})


@pytest.mark.parametrize(
    "config",
    [
        [],
        7,
        {"objects": 3},
        {"agents": [1, None]},
        {"objects": {"a": {"aoes": [1]}}},
        {"actions": {"a": {"success": 4}}},
    ],
)
def test_a_configuration_of_another_shape_has_no_rules(config):
    assert rules_of(config).rules == ()


def test_a_replay_with_deep_or_endless_rules_opens_all_the_same():
    deep = "null"
    for _ in range(300):
        deep = '{"filter_type":"not","inner":' + deep + "}"
    many = {f"o{at}": {"on_use_handler": {"mutations": [{"mutation_type": "swap"}]}} for at in range(MOST_RULES + 5)}
    text = json.dumps(small(mg_config={"game": {"objects": many}}))
    replay = load_replay(text.encode())
    assert len(replay.rules.rules) == MOST_RULES
    handler = '{"objects": {"a": {"on_use_handler": {"filters": [' + deep + '], "mutations": []}}}}'
    text = json.dumps(small(mg_config={"game": "GAME"})).replace('"GAME"', handler)
    assert load_replay(text.encode()).issues


def test_limits_name_the_items_that_share_them_and_the_page_is_told():
    limits = {"cargo": {"base": 4, "resources": ["carbon", "oxygen"]}}
    config = {"game": {"agent": {"inventory": {"limits": limits}}}}
    replay = load_replay(packed(small(mg_config=config, item_names=["carbon", "ore"])))
    assert [(group.name, group.items) for group in replay.rules.groups] == [("cargo", ("carbon", "oxygen"))]
    told = {"name": "cargo", "limit": 5.0, "item": -1, "items": [0]}
    assert encode(replay).header["tables"]["inventory_capacities"] == [None, [told]]
