"""What users import to read runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiments import metrics_frame, wandb_utils
from experiments.jobs.ledger import open_ledger
from experiments.notebooks.analysis import create_run_summary_table, plot_sps
from experiments.notebooks.replays import get_available_replays, show_replay
from experiments.project.errors import StoreError, UsageError
from experiments.project.workspace import Workspace
from tests.fakes import wandb_files as fake
from tests.fakes.launching import plan_in
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
    frames = wandb_utils.fetch_metrics(["r0"], samples=10, keys=["loss"])
    origin = frames["r0"].attrs["origin"]
    assert (origin.rows, origin.total, origin.complete) == (10, 100, False)
    assert frames["r0"]["_step"].iloc[[0, -1]].tolist() == [0, 99]
    whole = wandb_utils.fetch_metrics("r0", samples=None, min_step=10, max_step=19)["r0"]
    assert whole["_step"].tolist() == list(range(10, 20))
    assert whole.attrs["origin"].complete


ASKED_OF_A_NAME = [
    wandb_utils.fetch_metrics,
    wandb_utils.get_run,
    wandb_utils.get_run_config,
    wandb_utils.get_training_logs,
    plot_sps,
    get_available_replays,
    show_replay,
    metrics_frame,
]


@pytest.mark.parametrize("function", ASKED_OF_A_NAME)
def test_a_name_that_is_no_run_is_named_with_the_nearest(runs_dir, function):
    with pytest.raises(StoreError, match=r"'rr1' is not known here\. Nearest: 'r1'.*experiments runs"):
        function("rr1")


def test_all_names_that_are_no_run_are_named_at_once(runs_dir):
    with pytest.raises(StoreError, match="runs 'x', 'nope' are not known here"):
        wandb_utils.fetch_metrics(["x", "r0", "nope"])


def test_a_job_that_has_not_begun_to_log_is_known_and_has_nothing(runs_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find(tmp_path)
    plan = plan_in(workspace)
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    waiting = plan.jobs[0].run_name
    frames = wandb_utils.fetch_metrics(["r1", waiting])
    assert [(name, len(frame)) for name, frame in frames.items()] == [("r1", 100), (waiting, 0)]
    assert list(frames[waiting]) == ["_step"]
    assert frames[waiting].attrs["origin"].rows == 0
    assert wandb_utils.get_training_logs(waiting) == []
    assert get_available_replays(waiting) == []
    with pytest.raises(StoreError, match=f"run '{waiting}' has not begun to log"):
        wandb_utils.get_run(waiting)
    states = dict(create_run_summary_table(["r1", waiting, "nope"])[["run_name", "state"]].to_numpy().tolist())
    assert states == {"r1": "running", waiting: "pending", "nope": "NOT FOUND"}


def test_an_empty_place_is_no_place(runs_dir):
    assert wandb_utils.find_training_jobs(entity="", project="", wandb_tags="") == ["r2", "r1", "r0"]


@pytest.mark.parametrize(
    ("condition", "says"), [({"state": "bogus"}, "finished"), ({"limit": 0}, "1 or more"), ({"limit": -1}, "1 or more")]
)
def test_a_condition_that_nothing_can_meet_is_refused(runs_dir, condition, says):
    with pytest.raises(UsageError, match=says):
        wandb_utils.find_training_jobs(**condition)


def test_one_metric_may_be_given_without_a_list(runs_dir):
    assert list(wandb_utils.fetch_metrics("r0", keys="loss")["r0"]) == list(
        wandb_utils.fetch_metrics("r0", keys=["loss"])["r0"]
    )


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
