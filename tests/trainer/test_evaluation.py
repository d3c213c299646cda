import json
import zlib

import numpy as np
import pytest

from experiments.trainer.arena import BASIC, game, load_curriculum
from experiments.trainer.environments import HELD_OUT
from experiments.trainer.evaluation import evaluate, held_out_seeds, record_replay
from experiments.trainer.features import Encoder
from experiments.trainer.network import ActorCritic


@pytest.fixture(scope="module")
def network():
    size = Encoder(game(BASIC, map_seed=0).game).size
    return ActorCritic.create(size, 8, 5, np.random.default_rng(0))


def test_the_same_policy_gets_the_same_figures(network):
    first = evaluate(network, "arena/basic", episodes=2)
    assert first == evaluate(network, "arena/basic", episodes=2)
    assert first.returns.keys() == {"basic"}
    assert first.reward == pytest.approx(np.mean(first.returns["basic"]))


def test_each_task_counts_equally():
    result = evaluate(None, "arena/learning_progress", episodes=1)
    assert list(result.returns) == ["basic", "cluttered", "sparse"]
    assert result.reward == pytest.approx(np.mean([returns[0] for returns in result.returns.values()]))


def test_a_policy_can_be_evaluated_on_another_curriculum(network):
    assert len(evaluate(network, "navigation/maze", seeds=[1, 2, 3]).returns["maze"]) == 3


def test_held_out_maps_are_not_training_maps():
    assert min(held_out_seeds(100)) == HELD_OUT


def test_an_evaluation_can_be_broken_off():
    def check():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(None, "arena/basic", check=check)


@pytest.mark.parametrize("curriculum", ["arena/basic", "navigation/maze"])
def test_a_replay_is_a_whole_metta_scope_file(network, curriculum, tmp_path):
    path = tmp_path / "replays" / "step_7.json.z"
    reward = record_replay(network, curriculum, path)
    replay = json.loads(zlib.decompress(path.read_bytes()))
    task = load_curriculum(curriculum).tasks[0]
    assert replay["version"] == 4
    assert replay["max_steps"] == task.episode_steps
    agents = [thing for thing in replay["objects"] if "agent_id" in thing]
    assert len(agents) == replay["num_agents"] == task.agents
    totals = [agent["total_reward"] for agent in agents]
    last = [total[-1][1] if isinstance(total, list) else total for total in totals]
    assert np.mean(last) == pytest.approx(reward, abs=1e-4)
    assert [entry.name for entry in path.parent.iterdir()] == ["step_7.json.z"]
