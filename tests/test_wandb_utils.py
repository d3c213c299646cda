"""What users import to read runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiments import wandb_utils
from experiments.errors import StoreError, UsageError
from tests.fakes import wandb_files as fake
from tests.fakes.wandb_server import FakeWandb


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_HOME", str(tmp_path))
    runs = tmp_path / "runs"
    for number, tag in enumerate(["x", "y", "z"]):
        name = f"r{number}"
        writer = fake.offline_run(runs, name)
        writer.write(fake.run(name, {"user": "ann", "lr": number}, tags=[tag], started_at=1e9 + number))
        writer.log(*({"loss": float(step)} for step in range(100)))
    return runs


def test_jobs_are_found_by_any_of_the_tags(runs_dir):
    assert wandb_utils.find_training_jobs(["x", "z"]) == ["r2", "r0"]
    assert wandb_utils.find_training_jobs(author="nobody") == []
    assert wandb_utils.find_training_jobs(created_after=1e9 + 1, order_by="created_at", limit=1) == ["r1"]
    assert wandb_utils.find_training_jobs(created_before="2001-09-09T01:46:41Z") == ["r0"]


def test_metrics_say_how_many_rows_of_how_many_they_are(runs_dir):
    frames = wandb_utils.fetch_metrics(["r0", "absent"], samples=10, keys=["loss"])
    assert list(frames) == ["r0"]
    origin = frames["r0"].attrs["origin"]
    assert (origin.rows, origin.total, origin.complete) == (10, 100, False)
    assert frames["r0"]["_step"].iloc[[0, -1]].tolist() == [0, 99]
    whole = wandb_utils.fetch_metrics("r0", samples=None, min_step=10, max_step=19)["r0"]
    assert whole["_step"].tolist() == list(range(10, 20))
    assert whole.attrs["origin"].complete


def test_config_and_logs_of_a_run(runs_dir):
    assert wandb_utils.get_run_config("r1") == {"user": "ann", "lr": 1}
    writer = fake.offline_run(runs_dir, "r1")
    writer.write(fake.console("out\n"), fake.console("err\n", stream="stderr"))
    assert wandb_utils.get_training_logs("r1") == ["out", "err"]
    assert wandb_utils.get_training_logs("r1", "stderr") == ["err"]
    with pytest.raises(UsageError, match="'both'"):
        wandb_utils.get_training_logs("r1", "both")
    with pytest.raises(StoreError, match="'nope' is not known"):
        wandb_utils.get_run("nope")


def test_importing_it_loads_nothing_heavy():
    code = "import sys, experiments.wandb_utils; print({'wandb', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def online(runs_dir, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with FakeWandb() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        for number in range(30):
            server.add_run(f"o{number}", rows=50, project="experiments", tags=["x"], created_at=2e9 + number)
        yield server


def test_runs_on_the_server_are_found_beside_those_here(online):
    assert wandb_utils.find_training_jobs(["x"], limit=3) == ["o29", "o28", "o27"]
    assert wandb_utils.find_training_jobs(["x"], limit=None)[-1] == "r0"
    assert "r0" not in wandb_utils.find_training_jobs(["x"], limit=None, project="experiments")
    assert wandb_utils.get_run("o3").url.endswith("/me/experiments/runs/o3")


def test_metrics_of_many_runs_on_the_server_cost_two_requests(online):
    frames = wandb_utils.fetch_metrics(["r0", *(f"o{number}" for number in range(30))], keys=["loss"])
    assert [len(frame) for frame in frames.values()] == [100] + [50] * 30
    assert online.requests == {"Runs": 1, "PollRuns": 1}
    assert frames["o3"].attrs["origin"].source == online.base_url.removeprefix("http://")


def test_offline_mode_asks_no_server(online, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_WANDB_MODE", "offline")
    assert wandb_utils.find_training_jobs(["x"]) == ["r0"]
    assert not online.requests
