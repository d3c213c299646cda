"""What the curricula contain: MettaGrid games, all with one vocabulary of objects and items.

Because the vocabulary is shared, observations of every curriculum have one layout and a checkpoint trained on one
curriculum can be evaluated on another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from mettagrid.builder import building
from mettagrid.config.filter import resource_filter
from mettagrid.config.handler_config import Handler
from mettagrid.config.mettagrid_config import (
    ActionsConfig,
    AgentConfig,
    AttackActionConfig,
    ChangeVibeActionConfig,
    GameConfig,
    GridObjectConfig,
    InventoryConfig,
    MettaGridConfig,
    MoveActionConfig,
    NoopActionConfig,
    ObsConfig,
    ResourceLimitsConfig,
)
from mettagrid.config.mutation import resource_mutation
from mettagrid.config.reward_config import inventoryReward
from mettagrid.map_builder.map_builder import GameMap, MapBuilder, MapBuilderConfig
from mettagrid.map_builder.random_map import RandomMapBuilder
from numpy.typing import NDArray

from experiments.trainer import curricula

WINDOW = 11
"""Side of the square that an agent sees, itself in the middle."""
NUM_TOKENS = 280
"""Room for the fullest window of any task: MettaGrid ends the episode with an error where tokens do not fit."""
ORE_LIMIT = 3
ORE_PER_MINE = 12
ORE_REWARD, HEART_REWARD = 0.2, 1.0

Sampling = Literal["uniform", "learning_progress"]


@dataclass(frozen=True)
class Task:
    """One game: its rules and the density of its maps.

    Attributes:
        name: Short name, used in metric names.
        agents: Agents on the map.
        size: Height and width of the map, with its border.
        mines: Mines, each holding `ORE_PER_MINE` ore.
        altars: Altars, which turn one ore into a heart.
        beacons: Beacons, each worth one heart to the first agent.
        walls: Single walls strewn over the map.
        combat: Whether walking into an agent takes one ore from it.
        maze: Whether the map is a maze; `walls` are then taken out of it.
        episode_steps: Length of an episode.
    """

    name: str
    agents: int = 12
    size: int = 25
    mines: int = 0
    altars: int = 0
    beacons: int = 0
    walls: int = 30
    combat: bool = False
    maze: bool = False
    episode_steps: int = 256


@dataclass(frozen=True)
class Curriculum:
    """Tasks and the way in which the task of the next episode is drawn.

    Attributes:
        name: Full name.
        tasks: Tasks, all with the same number of agents.
        sampling: How the next task is drawn.
    """

    name: str
    tasks: tuple[Task, ...]
    sampling: Sampling = "uniform"


BASIC = Task("basic", mines=30, altars=6)
CLUTTERED = Task("cluttered", mines=30, altars=6, walls=90)
SPARSE = Task("sparse", size=33, mines=18, altars=4)
COMBAT = Task("combat", agents=24, size=33, mines=40, altars=8, combat=True)
BEACONS = Task("beacons", agents=8, size=47, beacons=160, walls=300)
MAZE = Task("maze", agents=8, size=41, beacons=120, walls=60, maze=True)

_TABLE: dict[str, tuple[tuple[Task, ...], Sampling]] = {
    "arena/learning_progress": ((BASIC, CLUTTERED, SPARSE), "learning_progress"),
    "arena/random": ((BASIC, CLUTTERED, SPARSE), "uniform"),
    "arena/basic": ((BASIC,), "uniform"),
    "arena/sparse": ((SPARSE,), "uniform"),
    "arena/combat": ((COMBAT,), "uniform"),
    "navigation/beacons": ((BEACONS,), "uniform"),
    "navigation/maze": ((MAZE,), "uniform"),
}


def load_curriculum(name: str) -> Curriculum:
    """Return the tasks of a curriculum.

    Raises:
        UsageError: No curriculum has this name.
    """
    full_name = curricula.resolve(name)
    tasks, sampling = _TABLE[full_name.removeprefix(curricula.PREFIX)]
    return Curriculum(full_name, tasks, sampling)


def game(task: Task, *, map_seed: int) -> MettaGridConfig:
    """Return the MettaGrid configuration of one episode of `task`.

    Args:
        task: Rules and density.
        map_seed: The map is drawn from this seed alone; without one MettaGrid draws another map each time.
    """
    mine = GridObjectConfig(
        name="mine",
        inventory=InventoryConfig(initial={"ore": ORE_PER_MINE}),
        on_use_handler=Handler(mutations=[resource_mutation.withdraw({"ore": 1}, remove_when_empty=True)]),
    )
    altar = GridObjectConfig(
        name="altar",
        on_use_handler=Handler(
            filters=[resource_filter.actorHas({"ore": 1})],
            mutations=[resource_mutation.updateActor({"ore": -1, "heart": 1})],
        ),
    )
    beacon = GridObjectConfig(
        name="beacon",
        inventory=InventoryConfig(initial={"heart": 1}),
        on_use_handler=Handler(mutations=[resource_mutation.withdraw({"heart": 1}, remove_when_empty=True)]),
    )
    return MettaGridConfig(
        label=task.name,
        game=GameConfig(
            num_agents=task.agents,
            max_steps=task.episode_steps,
            resource_names=["ore", "heart"],
            episode_truncates=True,
            obs=ObsConfig(width=WINDOW, height=WINDOW, num_tokens=NUM_TOKENS),
            actions=ActionsConfig(
                noop=NoopActionConfig(),
                move=MoveActionConfig(),
                change_vibe=ChangeVibeActionConfig(enabled=False),
                attack=AttackActionConfig(enabled=False),
            ),
            objects={"altar": altar, "beacon": beacon, "mine": mine, "wall": building.wall},
            agent=_agent(combat=task.combat),
            map_builder=_map_builder(task, map_seed),
        ),
    )


def _agent(*, combat: bool) -> AgentConfig:
    limits = {
        "ore": ResourceLimitsConfig(base=ORE_LIMIT, resources=["ore"]),
        "heart": ResourceLimitsConfig(base=200, resources=["heart"]),
    }
    robbed = Handler(
        filters=[resource_filter.targetHas({"ore": 1})], mutations=[resource_mutation.withdraw({"ore": 1})]
    )
    return AgentConfig(
        inventory=InventoryConfig(limits=limits),
        rewards={
            "heart": inventoryReward("heart", weight=HEART_REWARD),
            "ore": inventoryReward("ore", weight=ORE_REWARD),
        },
        on_use_handler=robbed if combat else None,
    )


def _map_builder(task: Task, map_seed: int) -> MapBuilderConfig:
    objects = {"mine": task.mines, "altar": task.altars, "beacon": task.beacons}
    if task.maze:
        return MazeArena.Config(size=task.size, agents=task.agents, objects=objects, openings=task.walls, seed=map_seed)
    return RandomMapBuilder.Config(
        agents=task.agents,
        width=task.size,
        height=task.size,
        objects={"wall": task.walls, **objects},
        border_width=1,
        border_object="wall",
        seed=map_seed,
    )


class MazeArenaConfig(MapBuilderConfig["MazeArena"]):  # type: ignore[misc]  # mettagrid ships no types
    """A maze with agents and objects strewn over its corridors.

    Attributes:
        size: Odd height and width.
        agents: Number of agents.
        objects: Object name to number.
        openings: Inner walls taken out, which makes loops.
        seed: Seed of the maze and of all places.
    """

    size: int
    agents: int
    objects: dict[str, int]
    openings: int = 0
    seed: int = 0


class MazeArena(MapBuilder[MazeArenaConfig]):  # type: ignore[misc]  # mettagrid ships no types
    """Builds the maps of `MazeArenaConfig`."""

    def build(self) -> GameMap:
        """Return the map drawn from the configured seed."""
        config = self.config
        rng = np.random.default_rng(config.seed)
        grid = _corridors(config.size, rng)
        # Walls with one odd coordinate stand between two places; the others would open onto nothing.
        inner = np.argwhere(grid[1:-1, 1:-1] == "wall") + 1
        between = inner[inner.sum(axis=1) % 2 == 1]
        for row, column in rng.permutation(between)[: config.openings]:
            grid[row, column] = "empty"
        names = ["agent.agent"] * config.agents
        for name, number in config.objects.items():
            names += [name] * number
        places = rng.permutation(np.argwhere(grid == "empty"))
        for (row, column), name in zip(places, names, strict=False):
            grid[row, column] = name
        return GameMap(grid)


def _corridors(size: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Return a maze of odd `size` in which one way leads from each place to each other, by depth-first search."""
    grid = [["wall"] * size for _ in range(size)]  # a list: numpy is slow at single cells
    choices = iter(rng.random(size * size).tolist())
    grid[1][1] = "empty"
    path = [(1, 1)]
    directions = ((0, 2), (0, -2), (2, 0), (-2, 0))
    while path:
        row, column = path[-1]
        open_ways = [
            (row + down, column + right)
            for down, right in directions
            if 0 < row + down < size and 0 < column + right < size and grid[row + down][column + right] == "wall"
        ]
        if not open_ways:
            path.pop()
            continue
        there = open_ways[int(next(choices) * len(open_ways))]
        grid[(row + there[0]) // 2][(column + there[1]) // 2] = "empty"
        grid[there[0]][there[1]] = "empty"
        path.append(there)
    return np.array(grid, dtype="<U50")
