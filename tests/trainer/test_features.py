import numpy as np

from experiments.trainer import curricula
from experiments.trainer.arena import BASIC, ORE_LIMIT, WINDOW, game, load_curriculum
from experiments.trainer.environments import Environments
from experiments.trainer.features import Encoder

RULES = game(BASIC, map_seed=0).game
TAGS = RULES.id_map().tag_names()
IDS = {feature.name: feature.id for feature in RULES.id_map().features()}
CELLS = WINDOW * WINDOW
CENTRE = 5 << 4 | 5


def columns(*tokens):
    """Encode one agent's tokens and return the columns that are 1, without the constant."""
    encoder = Encoder(RULES)
    observation = np.full((1, 20, 3), 255, np.uint8)
    observation[0, : len(tokens)] = tokens
    [row] = encoder.encode(observation).toarray()
    assert row[-1] == 1
    assert set(np.unique(row)) <= {0, 1}
    return np.flatnonzero(row[:-1]).tolist()


def test_a_tag_has_a_column_per_cell():
    wall = TAGS.index("type:wall")
    assert columns((10 << 4 | 10, IDS["tag"], wall)) == [wall * CELLS + 10 * WINDOW + 10]
    assert columns((0, IDS["tag"], wall)) == [wall * CELLS]


def test_ore_is_a_flag_elsewhere_and_a_count_on_oneself():
    own = (len(TAGS) + 1) * CELLS
    assert columns((3 << 4 | 4, IDS["inv:ore"], 200)) == [len(TAGS) * CELLS + 3 * WINDOW + 4]
    assert columns((CENTRE, IDS["inv:ore"], 1)) == [own]
    assert columns((CENTRE, IDS["inv:ore"], 3)) == [own + ORE_LIMIT - 1]


def test_the_last_action_is_read_from_the_agents_own_tokens():
    own = (len(TAGS) + 1) * CELLS
    assert columns((254, IDS["last_action"], 4)) == [own + ORE_LIMIT + 4]


def test_other_tokens_and_places_outside_the_window_say_nothing():
    assert columns((254, IDS["last_reward"], 200), (CENTRE, IDS["agent_id"], 11), (15 << 4 | 15, IDS["tag"], 1)) == []


def test_rows_do_not_touch_each_other():
    observation = np.full((3, 4, 3), 255, np.uint8)
    observation[1, 0] = (0, IDS["tag"], 0)
    rows = Encoder(RULES).encode(observation).toarray()
    assert np.flatnonzero(rows[:, 0]).tolist() == [1]


def test_no_column_is_set_twice_in_any_curriculum():
    """Two entries of one column would count twice."""
    rng = np.random.default_rng(0)
    for name in curricula.CURRICULA:
        task = load_curriculum(name).tasks[-1]
        environments = Environments(1, task)
        environments.start(0, task, seed=1)
        encoder = Encoder(game(task, map_seed=0).game)
        for _ in range(60):
            rows = encoder.encode(environments.tokens)
            assert rows.toarray().max() == 1
            assert (rows.toarray()[:, -1] == 1).all()
            environments.step(rng.integers(0, 5, task.agents))
