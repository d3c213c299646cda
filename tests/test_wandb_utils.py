"""What users import to read runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiments import wandb_utils
from experiments.errors import StoreError, UsageError
from tests.fakes import wandb_files as fake


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
