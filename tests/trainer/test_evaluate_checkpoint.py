"""The command that plays a checkpoint of the reference trainer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.arena import BASIC, game
from experiments.trainer.checkpoint import Checkpoint
from experiments.trainer.environments import HELD_OUT
from experiments.trainer.evaluate_checkpoint import main
from experiments.trainer.evaluation import evaluate
from experiments.trainer.features import Encoder
from experiments.trainer.network import ActorCritic


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    size = Encoder(game(BASIC, map_seed=0).game).size
    network = ActorCritic.create(size, 8, 5, np.random.default_rng(0))
    state = {"agent_step": 7, "trainer.curriculum": "env/mettagrid/curriculum/arena/basic"}
    arrays = {f"policy/{name}": array for name, array in network.parameters.items()}
    return checkpoints.save(tmp_path_factory.mktemp("run"), Checkpoint(arrays, state), keep=2), network


def played(path, out, *more):
    assert main([f"checkpoint={path}", "maps=2", f"out={out}", *more]) == 0
    return out.read_bytes()


def test_it_writes_a_row_for_each_held_out_map_and_the_same_call_writes_the_same(saved, tmp_path):
    path, network = saved
    first = played(path, tmp_path / "rows.json")
    returns = evaluate(network, "arena/basic", episodes=2).returns["basic"]
    assert json.loads(first) == [
        {"map": HELD_OUT + at, "task": "basic", "return": value} for at, value in enumerate(returns)
    ]
    assert played(path, tmp_path / "rows.json") == first
    assert len(list((tmp_path / "replays").glob("*.json.z"))) == 2


def test_replays_can_be_left_out(saved, tmp_path):
    played(saved[0], tmp_path / "rows.json", "replays=0")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.json"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["checkpoint=CUT", "maps=2", "out=rows.json"], 1, "step_9.npz cannot be read"),
        (["checkpoint=gone.npz", "maps=2", "out=rows.json"], 1, "gone.npz cannot be read"),
        (["checkpoint=x", "maps=0", "out=rows.json"], 2, "maps: "),
        (["checkpoint=x", "maps=2"], 2, "out: "),
        (["checkpoint=x", "maps=2", "out=y", "colour=red"], 2, "colour: "),
        ([], 2, "usage: python"),
    ],
)
def test_what_cannot_be_played_says_why_and_writes_nothing(saved, words, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cut = tmp_path / "step_9.npz"
    cut.write_bytes(saved[0].read_bytes()[:1000])
    assert main([word.replace("CUT", str(cut)) for word in words]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "rows.json").exists()
