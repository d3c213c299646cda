"""What is told of cells, held against the engine's own observations and against the plainest way to reckon it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from tests.widgets.replays import WireReader, shipped_named, small
from widgets.replay.codec.explored import explored, half_widths
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.territory import territory
from widgets.replay.codec.wire import encode

SIDE = 17
CONTROL = {"territory": "ground", "strength": 3, "decay": 1}


def with_territory(*, config: Any = None, **changes: Any) -> Replay:
    """Return the small replay with a red hub at (3, 3), whose type projects territory."""
    hub = {"id": 4, "type_name": "hub", "location": [3, 3], "inventory": [], "tag_ids": [0], "orientation": 0}
    replay = small()
    game = {
        "territories": {"ground": {"tag_prefix": "team:"}},
        "objects": {"base": config or {"name": "hub", "tags": ["team:red"], "territory_controls": [CONTROL]}},
    }
    types = ["agent", "wall", "hub"]
    objects = [*replay["objects"], {**hub, **changes}]
    return load_replay(
        json.dumps({**replay, "mg_config": {"game": game}, "type_names": types, "objects": objects}).encode()
    )


def rows_of(replay: Replay, step: int) -> list[str]:
    """Return who holds which cell, a character a cell."""
    holders = territory(replay)
    assert holders is not None
    width, _ = replay.map_size
    text = "".join(map(str, holders.at(step)))
    return [text[at : at + width] for at in range(0, len(text), width)]


def test_the_ground_around_an_object_is_held_by_its_team():
    assert rows_of(with_territory(), 0) == ["00000", "01111", "01111", "01111"]


def test_ground_follows_the_tag_the_place_and_the_life_of_what_holds_it():
    replay = with_territory(
        tag_ids=[[0, [0]], [2, []], [4, [1]]],
        location=[[0, [3, 3]], [6, [0, 0]]],
        alive=[[0, True], [8, False]],
    )
    assert [max("".join(rows_of(replay, step))) for step in (1, 2, 4, 8)] == ["1", "0", "2", "0"]
    assert rows_of(replay, 6) == ["22200", "22200", "22200", "00000"]


def test_ground_on_which_two_teams_are_equal_is_held_by_nobody():
    top = small(
        mg_config={
            "game": {"territories": {"ground": {"tag_prefix": "team:"}}, "agent": {"territory_controls": [CONTROL]}}
        }
    )
    for agent in (0, 1):
        top["objects"][agent] |= {"tag_ids": [agent], "location": [1 + 2 * agent, 3]}
    assert rows_of(load_replay(json.dumps(top).encode()), 0)[3] == "11022"


@pytest.mark.parametrize(
    "controls",
    ["strong", {"a": 1}, [None], [{"territory": "ground", "strength": "9"}], [{"territory": "ground", "decay": 0}]],
)
def test_a_control_of_another_shape_is_listed_and_shows_nothing(controls):
    replay = with_territory(config={"name": "hub", "territory_controls": controls})
    assert territory(replay) is None
    assert "territory_controls" in json.dumps([issue.path for issue in replay.issues])


def test_ground_for_which_others_than_teams_compete_is_not_shown():
    replay = with_territory()
    assert territory(replay) is not None
    (control,) = replay.rules.controls
    other = dataclasses.replace(replay.rules, controls=(dataclasses.replace(control, prefix="net:"),))
    assert territory(dataclasses.replace(replay, rules=other)) is None


def test_a_replay_without_what_overlays_need_has_none():
    plain = small()
    for thing in plain["objects"]:
        thing.pop("vision_size", None)
    replay = load_replay(json.dumps(plain).encode())
    assert territory(replay) is None
    assert explored(replay) is None
    header = encode(replay).header
    assert "territory" not in header["fields"]


def game_with_territory(strength: int) -> Any:
    """Return a game of two red agents, who hold ground of that strength, and four objects, one of them of two teams."""
    import mettagrid.config.mettagrid_config as grid
    from mettagrid.config.territory_config import TerritoryConfig, TerritoryControlConfig
    from mettagrid.map_builder.ascii import AsciiMapBuilder

    def holds(strength: int, decay: int) -> list[Any]:
        return [TerritoryControlConfig(territory="ground", strength=strength, decay=decay)]

    config = grid.MettaGridConfig.EmptyRoom(num_agents=2, width=SIDE, height=SIDE)
    cells = [["."] * SIDE for _ in range(SIDE)]
    for x, y, what in ((3, 8, "A"), (13, 9, "B"), (11, 2, "A"), (4, 14, "C"), (8, 8, "@"), (9, 4, "@")):
        cells[y][x] = what
    names = {"A": "a", "B": "b", "C": "c", "@": "agent.agent", ".": "empty"}
    config.game.map_builder = AsciiMapBuilder.Config(map_data=cells, char_to_map_name=names)
    config.game.territories = {"ground": TerritoryConfig(tag_prefix="team:")}
    config.game.objects = {
        "a": grid.GridObjectConfig(name="a", tags=["team:red"], territory_controls=holds(9, 2)),
        "b": grid.GridObjectConfig(name="b", tags=["team:blue"], territory_controls=holds(6, 1)),
        "c": grid.GridObjectConfig(name="c", tags=["team:red", "team:blue"], territory_controls=holds(4, 1)),
    }
    config.game.agent.tags = ["team:red"]
    config.game.agent.territory_controls = holds(strength, 1) if strength else []
    config.game.obs.territory = True
    config.game.max_steps = 400
    return config


@pytest.mark.parametrize("strength", [0, 2])
def test_ground_is_held_as_the_agents_of_the_engine_observe_it(strength):
    from mettagrid.simulator import Simulation
    from mettagrid.simulator.replay_log_writer import InMemoryReplayWriter

    writer = InMemoryReplayWriter()
    simulation = Simulation(game_with_territory(strength), event_handlers=[writer])
    names = {feature.id: feature.name for feature in simulation.config.game.id_map().features()}
    here = next(number for number, name in names.items() if name == "territory:here")
    moves = [name for name in simulation.action_names if name.startswith("move")]
    choose = np.random.default_rng(3)
    observed = []
    while not simulation.is_done():
        for agent in range(2):
            simulation.agent(agent).set_action(str(choose.choice(moves)))
        simulation.step()
        tokens = np.asarray(simulation._c_sim.observations())
        observed.append([int(one[(one[:, 0] == 254) & (one[:, 1] == here), 2][0]) for one in tokens])
    replay = load_replay(json.dumps(writer.get_completed_replays()[0].get_replay_data()).encode())
    holders = territory(replay)
    assert holders is not None
    red = 1 + [name for name in replay.names.tags if name.startswith("team:")].index("team:red")
    found = []
    for step in range(replay.steps):
        at = holders.at(step).reshape(SIDE, SIDE)
        places = replay.location.at(step)[replay.agents]
        found.append([{0: 0, red: 1}.get(int(at[y, x]), 2) for x, y in places])
    assert found == observed
    assert {value for step in found for value in step} == {0, 1, 2}


def test_the_territory_of_a_long_replay_is_what_its_objects_project_at_each_step():
    replay = load_replay(shipped_named("default"))
    holders = territory(replay)
    assert holders is not None
    width, height = replay.map_size
    tags = [at for at, name in enumerate(replay.names.tags) if name.startswith("team:")]
    ys, xs = np.mgrid[:height, :width]
    for step in (0, 1550, 5205, 9999):
        state = replay.state_at(step)
        sums = np.zeros((len(tags), height, width))
        for row, has in state.tables["tag_ids"].items():
            strength = {"junction": 10, "hub": 20}.get(replay.type_name(row), 0)
            x, y = state.location[row]
            # A junction that has just changed hands may be of two teams: the engine takes the first.
            for at in [tags.index(tag) for tag in has if strength and tag in tags][:1]:
                sums[at] += np.maximum(0, strength - np.hypot(xs - x, ys - y))
        ranked = np.sort(sums, axis=0)
        clear = ranked[-1] > ranked[-2] + 1e-6
        expected = np.where(clear, sums.argmax(axis=0) + 1, 0)
        assert np.array_equal(holders.at(step).reshape(height, width), expected)


@pytest.mark.parametrize("name", ["default", "pens"])
def test_a_cell_is_explored_at_the_first_step_at_which_an_agent_sees_it(name):
    replay = load_replay(shipped_named(name))
    found = explored(replay)
    assert found is not None
    width, height = replay.map_size
    until = min(replay.steps, 150)
    expected = np.full((height, width), replay.steps)
    vision = replay.columns["vision_size"].base
    for step in reversed(range(until)):
        for row, (x, y) in zip(replay.agents, replay.location.at(step)[replay.agents], strict=True):
            wide = half_widths(int(vision[row]), replay.version)
            for dy, half in zip(range(-(wide.size // 2), wide.size // 2 + 1), wide, strict=True):
                if 0 <= y + dy < height:
                    expected[y + dy, max(0, x - half) : x + half + 1] = step
    soon = np.where(found < until, found, replay.steps).reshape(height, width)
    assert np.array_equal(soon, expected)
    reader = WireReader(encode(replay))
    assert np.array_equal(np.cumsum(reader.chunks["base"]["explored"].astype(int)), found)


def test_agents_see_the_disc_that_the_engine_shows_them():
    import mettagrid.config.mettagrid_config as grid
    from mettagrid.map_builder.ascii import AsciiMapBuilder
    from mettagrid.simulator import Simulation

    config = grid.MettaGridConfig.EmptyRoom(num_agents=1, width=31, height=31)
    cells = [["#"] * 31 for _ in range(31)]
    cells[15][15] = "@"
    names = {"#": "wall", "@": "agent.agent", ".": "empty"}
    config.game.map_builder = AsciiMapBuilder.Config(map_data=cells, char_to_map_name=names)
    config.game.obs.width = config.game.obs.height = 13
    tokens = np.asarray(Simulation(config)._c_sim.observations())[0]
    seen = {(int(place) >> 4, int(place) & 15) for place in tokens[:, 0] if place < 254}
    wide = half_widths(13, 4)
    assert seen == {(row, 6 + by) for row, half in enumerate(wide) for by in range(-half, half + 1)}
    assert half_widths(5, 3).tolist() == [2] * 5


def test_nobody_explores_while_off_the_map():
    top = small()
    for agent in top["objects"][:2]:
        agent |= {
            "vision_size": 1,
            "alive": [[0, False], [4, True]],
            "location": [[0, [0, 0]], [3, [4, 2]], [6, [4, 3]]],
        }
    found = explored(load_replay(json.dumps(top).encode()))
    assert found is not None
    assert {at: int(step) for at, step in enumerate(found) if step < 10} == {14: 4, 19: 6}


def test_who_sees_farther_than_any_map_sees_all_of_it_at_once():
    top = small()
    for agent in top["objects"][:2]:
        agent["vision_size"] = 2**31 - 1
    found = explored(load_replay(json.dumps(top).encode()))
    assert found is not None
    assert not found.any()
