import numpy as np
import pytest

from experiments.trainer import arena
from experiments.trainer.arena import NUM_TOKENS, WINDOW, Task, game
from experiments.trainer.environments import Environments

TASKS = list(dict.fromkeys(task for tasks, _ in arena._TABLE.values() for task in tasks))
NOOP, NORTH, SOUTH, WEST, EAST = range(5)


def drawn(task, seed):
    return game(task, map_seed=seed).game.map_builder.create().build_for_num_agents(task.agents).grid


def play(task, steps, seed=0):
    environments = Environments(1, task)
    environments.start(0, task, seed)
    rng = np.random.default_rng(seed)
    rewards = []
    for _ in range(steps):
        environments.step(rng.integers(0, 5, task.agents))
        rewards.append(environments.rewards.copy())
    return np.array(rewards), environments


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_fullest_window_fits_the_tokens(task):
    # An agent shows at most its tag, group, id, ore and hearts; a mine or beacon its tag and content; three are global.
    tokens = sorted([5] * task.agents + [2] * (task.mines + task.beacons) + [1] * WINDOW**2, reverse=True)
    assert sum(tokens[: WINDOW**2]) + 3 <= NUM_TOKENS


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_map_holds_what_its_task_says_and_follows_from_its_seed(task):
    grid = drawn(task, 5)
    assert (grid == drawn(task, 5)).all()
    assert (grid != drawn(task, 6)).any()
    for name, count in {"agent.agent": task.agents, "mine": task.mines, "beacon": task.beacons}.items():
        assert (grid == name).sum() == count


def test_every_place_of_a_maze_can_be_reached():
    grid = drawn(arena.MAZE, 3)
    free = {(int(row), int(column)) for row, column in np.argwhere(grid != "wall")}
    seen, edge = set(), [next(iter(free))]
    while edge:
        row, column = edge.pop()
        if (row, column) in free - seen:
            seen.add((row, column))
            edge += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    assert seen == free


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_episode_is_the_same_each_time(task):
    first, _ = play(task, 40)
    second, _ = play(task, 40)
    assert (first == second).all()
    assert first.any()


def test_combat_takes_ore_from_another_agent_and_peace_does_not():
    # Without altars, ore can be lost to another agent only.
    crowd = {"agents": 12, "size": 9, "mines": 12, "walls": 0}
    _, fight = play(Task("fight", combat=True, **crowd), 100)
    _, peace = play(Task("peace", **crowd), 100)
    lost = [
        sum(agent.get("ore.lost", 0) for agent in environments._simulations[0].get_episode_stats()["agent"])
        for environments in (fight, peace)
    ]
    assert lost[0] > 0
    assert lost[1] == 0


def test_a_beacon_pays_once():
    _, environments = play(Task("one", agents=4, size=7, beacons=3, walls=0), 200)
    assert environments.episode_return(0) * 4 == pytest.approx(3)


def test_an_episode_ends_on_time():
    environments = Environments(1, arena.BASIC)
    environments.start(0, arena.BASIC, 1)
    ended = [environments.step(np.zeros(arena.BASIC.agents, np.int64)) for _ in range(arena.BASIC.episode_steps)]
    assert ended == [[]] * (arena.BASIC.episode_steps - 1) + [[0]]
