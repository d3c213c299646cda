import pytest

from experiments.project.errors import UsageError
from experiments.trainer.config import parse
from experiments.trainer.tracking import Tracker, replay_link


def test_a_replay_without_a_public_address_is_linked_inside_the_runs_folder():
    assert replay_link("step_7.json.z", "") == '<a href="replays/step_7.json.z">step_7.json.z</a>'


def test_a_public_replay_is_linked_to_metta_scope_with_its_address_encoded():
    link = replay_link("step_7.json.z", 'https://host/a"b/?key=1&x/')
    assert "mettascope.html?replay=https%3A%2F%2Fhost%2Fa%22b%2F%3Fkey%3D1%26x%2Fstep_7.json.z" in link


def test_an_unknown_wandb_mode_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "cloud")
    with pytest.raises(UsageError, match=r"WANDB_MODE='cloud' is not a mode of W&B\. Known: online, offline"):
        Tracker(parse(["run=r"]), tmp_path)


def test_empty_variables_of_wandb_are_none(tmp_path, monkeypatch):
    for name in ("TAGS", "RUN_ID", "NAME", "PROJECT", "DIR", "MODE", "RESUME", "QUIET", "HTTP_TIMEOUT"):
        monkeypatch.setenv(f"WANDB_{name}", "")
    tracker = Tracker(parse(["run=r", "wandb.mode=offline", "wandb.entity=", "wandb.group="]), tmp_path)
    tracker.finish(0)
    [file] = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert file.name == "run-r.wandb"
