"""Short jobs through a pool of two workers on a real SkyPilot and Slurm; one worker is preempted, the client killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from experiments.jobs import outbox, pools
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import submit
from experiments.project.errors import LaunchError
from experiments.project.files import parse_json
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.project.values import replaced
from tests.fakes.launching import plan_in
from tests.slurm.test_end_to_end import in_queue

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(2400)]

POOL, JOBS, WORKERS = "rigpool", 8, 2
PACE_S = 5.0


@pytest.fixture
def pooled(workspace):
    """A workspace whose jobs go through a pool of two workers, which comes up."""
    short = ("sh", "-c", "echo {run} >> $EXPERIMENTS_RUN_DIR/../started; sleep 5")
    found = replace(workspace, settings=replaced(workspace.settings, sky_pool=POOL, train_command=short))
    with allow_launch() as permit:
        pools.apply(pools.request(found, POOL, WORKERS, 0), found, permit)
        yield found
        with contextlib.suppress(LaunchError):
            pools.end(POOL, found, permit)


def wait_until(what, timeout_s: float = 1200.0) -> None:
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end
        time.sleep(PACE_S)


def submitted(workspace) -> list:
    with open_ledger(workspace, read_only=True) as ledger:
        return [job for job in ledger.jobs() if job.arm == "pooled" and job.state == "submitted"]


def kill_who_hands_over(workspace) -> None:
    with open_ledger(workspace, read_only=True) as ledger:
        [row] = ledger._rows("SELECT owner FROM leases WHERE name = ?", [outbox.LEASE])
    os.kill(parse_json(row["owner"])["pid"], signal.SIGKILL)


def test_short_jobs_go_through_two_workers_each_once_whoever_is_killed(pooled, shared_runs):
    plan = plan_in(pooled, seeds=range(JOBS), arms=("pooled",), launcher="skypilot", gpus=0)
    with allow_launch() as permit:
        submit(plan, permit, pooled, in_background=True)
    wait_until(lambda: len(submitted(pooled)) >= 2)
    kill_who_hands_over(pooled)
    assert outbox.see_to_it(pooled)
    wait_until((shared_runs / "started").exists)
    queue = subprocess.run(["squeue", "-h", "-o", "%i %j"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["scancel", next(line.split()[0] for line in queue.splitlines() if f" {POOL}-" in line)], check=True)
    wait_until(lambda: len(submitted(pooled)) == JOBS)
    jobs, launcher = submitted(pooled), SkyPilotLauncher(pooled)

    def words() -> list[str]:
        found = launcher.poll({job.run_name: job.launcher_id for job in jobs})
        return [status.word for status in found.values() if status.word in SCHEDULER_ENDS]

    wait_until(lambda: len(words()) == JOBS)
    assert set(words()) == {"SUCCEEDED"}
    assert in_queue(pooled, jobs) == {job.run_name: 1 for job in jobs}
    assert set((shared_runs / "started").read_text().split()) == {job.run_name for job in plan.jobs}
    [pool] = [each for each in pools.pools_of(pooled) if each.name == POOL]
    # Two, and one in the place of the one that was taken away.
    assert max(worker.id for worker in pool.workers) <= WORKERS + 1
