"""The arena recipe on a real SkyPilot and Slurm: success, failure, cancel, preemption, outage, kills, doubles."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.jobs.events import interruptions
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import cancel, reconcile
from experiments.monitoring import job_statuses
from experiments.project.errors import LaunchError
from experiments.runs.opening import offline_store
from tests.slurm.killed import SEEDS

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]

ENDED = {"SUCCEEDED", "FAILED", "CANCELLED", "FAILED_PRECHECKS", "FAILED_NO_RESOURCE", "FAILED_CONTROLLER"}
PACE_S = 8.0  # each question is a new process of the server, which takes 3 s of CPU


def job_of(workspace, experiment):
    with open_ledger(workspace, read_only=True) as ledger:
        return ledger.jobs(experiment=experiment)[-1]


def wait_for(workspace, job, words, timeout_s=600.0) -> SchedulerStatus:
    """Poll a job until its word is one of `words`; an end that is none of them fails the test with its reason."""
    launcher, end = SkyPilotLauncher(workspace), time.monotonic() + timeout_s
    while time.monotonic() < end:
        status = launcher.poll({job.run_name: job.launcher_id})[job.run_name]
        if status.word in words:
            return status
        assert status.word not in ENDED, (status, *launcher.read_log(job.launcher_id))
        time.sleep(PACE_S)
    raise AssertionError(f"{job.run_name} is still {status.word} after {timeout_s:g} s")


def wait_for_file(folder: Path, pattern: str, timeout_s=120.0) -> None:
    end = time.monotonic() + timeout_s
    while not list(folder.glob(pattern)):
        assert time.monotonic() < end, f"no {pattern} in {folder}"
        time.sleep(0.5)


def test_skypilot_itself_accepts_the_task_and_refuses_a_partition_that_is_not_there(recipe):
    assert "SkyPilot accepts it." in recipe("dry", "--dry-run").stdout
    refused = recipe("dry", "--dry-run", code=1, EXPERIMENTS_SKY_INFRA="slurm/rig/nowhere")
    assert "Partition 'nowhere' not found" in refused.stderr
    launched = recipe("refused", "--yes", code=1, EXPERIMENTS_SKY_INFRA="slurm/rig/nowhere")
    assert "Partition 'nowhere' not found" in launched.stderr


@pytest.fixture
def launched(recipe, workspace):
    """Launch the jobs of four tests before the first of them: their minutes on the rig go by together."""
    arguments = {
        "preempted": ["trainer.total_timesteps=1500000", "trainer.checkpoint.interval=5"],
        "arena": ["trainer.total_timesteps=100000"],
        "failing": ["trainer.resume_from=no-such-run"],
        "outage": [],
    }
    with open_ledger(workspace) as ledger:
        there = ledger.experiments()
    for name, values in arguments.items():
        if name not in there:
            command = {} if values else {"EXPERIMENTS_TRAIN_COMMAND": "bash -c 'sleep 100000' {run}"}
            recipe(name, "--yes", *(["--additional-args", *values] if values else []), **command)


def test_a_preempted_job_goes_on_from_its_checkpoint_as_the_same_run(launched, workspace, rig, shared_runs):
    job = job_of(workspace, "preempted")
    wait_for(workspace, job, {"RUNNING"})
    wait_for_file(shared_runs / job.run_name, "checkpoints/step_[1-9]*.npz")
    rig.run("preempt", job.launcher_id)
    wait_for(workspace, job, {"RECOVERING"})
    status = wait_for(workspace, job, {"SUCCEEDED"})
    assert status.recoveries == 1
    [gap] = interruptions(status.events)
    assert 0 < gap.back_at - gap.at < 300
    history, origin = offline_store(workspace).history(job.run_name, ["overview/reward"])
    steps = history["_step"].tolist()
    assert steps == sorted(set(steps))
    assert steps[-1] >= 1_500_000
    assert len(list((shared_runs / job.run_name / "wandb").glob("offline-run-*"))) == 2
    log = (shared_runs / job.run_name / "train.log").read_text()
    assert log.count("started again") == 1, origin


def test_the_arena_recipe_trains_on_slurm_and_its_metrics_are_read(launched, workspace, project):
    job = job_of(workspace, "arena")
    status = wait_for(workspace, job, {"SUCCEEDED"})
    assert [word for word, _, _ in status.events] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert "Slurm (rig)" in status.resources
    [told] = job_statuses(workspace.state, [job.run_name])
    assert (told.verdict, told.tracker) == ("succeeded", "finished")
    assert told.step >= 100_000
    assert "100%" in SkyPilotLauncher(workspace).read_log(job.launcher_id)[-1]
    assert (project / "experiments" / "scratch" / "arena_nb.py").exists()


def test_a_job_that_fails_says_why(launched, workspace):
    job = job_of(workspace, "failing")
    status = wait_for(workspace, job, {"FAILED"})
    assert (status.exit_code, "exit code 2" in status.reason) == (2, True)
    log = SkyPilotLauncher(workspace).read_log(job.launcher_id)
    assert any("'no-such-run' has no checkpoint" in line for line in log)


def test_a_server_that_is_killed_costs_no_job_and_a_cancel_ends_it_after(launched, workspace, rig):
    job = job_of(workspace, "outage")
    wait_for(workspace, job, {"RUNNING"})
    os.kill(rig.server_pid(), signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(LaunchError, match="does not answer"):
        SkyPilotLauncher(workspace).poll({job.run_name: job.launcher_id})
    assert time.monotonic() - began < 20
    rig.up()
    assert wait_for(workspace, job, {"RUNNING"}).recoveries == 0
    with allow_launch() as permit:
        assert cancel([job.run_name], permit, workspace) == {job.run_name: "asked to end"}
    status = wait_for(workspace, job, {"CANCELLED"})
    assert status.ended_at is not None


def test_two_clients_that_launch_the_same_plan_at_once_launch_one_job(project, workspace):
    command = [sys.executable, "-c", LAUNCH_TRUE]
    clients = [subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for client in clients:
        _, errors = client.communicate(timeout=300)
        assert client.returncode == 0, errors
    with open_ledger(workspace) as ledger:
        reconcile(ledger, workspace)
        jobs = ledger.jobs(experiment="exp")
    assert in_queue(workspace, jobs) == {job.run_name: 1 for job in jobs}


def test_a_launch_that_is_killed_at_any_step_launches_each_job_once(project, workspace):
    steps = ["before-asking", "after-asking", "after-request", "before-accepted"]
    for number, step in enumerate([*steps, "never"]):
        done = subprocess.run(
            [sys.executable, "-m", "tests.slurm.killed", step, "1"],
            cwd=project, env={**os.environ, "EXPERIMENTS_TRAIN_COMMAND": "true {run}"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == (-signal.SIGKILL if number < len(steps) else 0), done.stderr
    with open_ledger(workspace) as ledger:
        jobs = [job for job in ledger.jobs(experiment="exp") if job.arm == "killed"]
    assert [job.state for job in jobs] == ["submitted"] * len(SEEDS)
    assert in_queue(workspace, jobs) == {job.run_name: 1 for job in jobs}


def test_twenty_jobs_are_polled_with_one_question_to_the_queue(workspace):
    before = queue_requests()
    SkyPilotLauncher(workspace).poll({f"ada.many.arm.s{number}.aaaaaaaa": str(number) for number in range(1, 21)})
    assert queue_requests() == before + 1


LAUNCH_TRUE = """
from pathlib import Path
from experiments.launch import submit
from experiments.jobs.permits import allow_launch
from experiments.project.workspace import Workspace
from tests.fakes.launching import plan_in
workspace = Workspace.find(Path.cwd())
workspace = type(workspace)(workspace.root, workspace.state, workspace.settings.model_copy(
    update={"train_command": ("true", "{run}")}))
plan = plan_in(workspace, seeds=[0, 1], arms=("both",), launcher="skypilot", gpus=0)
with allow_launch() as permit:
    submit(plan, permit, workspace)
"""


def in_queue(workspace, jobs) -> Counter[str]:
    """Return how often SkyPilot has each of the jobs, by name."""
    client = SkyPilotLauncher(workspace).client
    found: Counter[str] = Counter()
    for job in jobs:
        named = client.call("named", name=job.run_name, deadline_s=120).result
        assert job.launcher_id in {str(each["id"]) for each in named}
        found[job.run_name] = len(named)
    return found


def queue_requests() -> int:
    """Return how many questions to its queue the server remembers."""
    code = "import json, sky; print(json.dumps([r.name for r in sky.api_status(all_status=True)]))"
    done = subprocess.run(
        [os.environ["SLURM_RIG_PYTHON"], "-c", code], cwd="/", capture_output=True, text=True, timeout=120, check=True
    )
    return sum("queue" in name for name in json.loads(done.stdout.splitlines()[-1]))
