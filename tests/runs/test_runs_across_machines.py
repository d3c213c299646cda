"""A run that loses its machine: the real trainer under the node's own script, each start with a home of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.jobs.events import keep
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.project.workspace import node_script
from experiments.results.recoveries import recoveries
from experiments.runs.offline.store import OfflineStore
from experiments.runs.transfer.pull import pull_runs
from experiments.trainer import checkpoint as checkpoints

pytestmark = pytest.mark.slow
RUN = "ada.exp.base.s0.abcdefgh"
ARGUMENTS = (
    *("trainer.curriculum=arena/basic", "trainer.num_envs=2", "trainer.log_interval=768", "trainer.evaluation.count=0"),
    *("trainer.replays.count=1", "trainer.evaluation.maps=1", "trainer.checkpoint.interval=1.5"),
)


def node(share, home, steps):
    """Start the trainer as a node would: nothing at home, everything that lasts on the share."""
    home.mkdir()
    folder = str(share / RUN)
    mine = {"HOME": str(home), "EXPERIMENTS_RUN_DIR": folder, "WANDB_DIR": folder, "WANDB_RUN_ID": RUN}
    flush = {"WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "0.2", "WANDB_MODE": "offline", "PYTHONUNBUFFERED": "1"}
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-P", "-m", "experiments.trainer", f"run={RUN}", f"trainer.total_timesteps={steps}"]
    return subprocess.Popen(
        ["bash", "-c", node_script(" ".join([*words, *ARGUMENTS]))],
        cwd=home,
        env={**os.environ, **mine, **flush, **path},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )


def test_a_preempted_run_goes_on_as_one_curve_with_one_mark(tmp_path):
    share, runs = tmp_path / "share", tmp_path / "runs"
    share.mkdir()
    first = node(share, tmp_path / "home1", 10**8)
    store = OfflineStore(runs, run_root=share)
    while not (checkpoints.saved(share / RUN / "checkpoints")[1:] and store.has(RUN) and _is_ahead(store, share)):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    lost_at = time.time()
    cursor = store.poll([RUN], ["overview/sps"])[RUN].cursor
    before = int(store.history(RUN)[0]["_step"].iloc[-1])
    second = node(share, tmp_path / "home2", before + 4000)
    assert second.wait(timeout=120) == 0
    told = [("RUNNING", "", lost_at - 60), ("RECOVERING", "", lost_at), ("RUNNING", "", lost_at + 2)]
    keep(runs, {RUN: SchedulerStatus("SUCCEEDED", events=told)})

    frame, origin = store.history(RUN)
    assert frame["_step"].is_monotonic_increasing
    assert frame["_step"].is_unique
    assert frame["_step"].iloc[-1] >= before + 4000
    # Whether the kill fell into the writing of a record is chance; nothing else may be said to be damaged.
    assert re.fullmatch(r"(offline-run-\S+: its last record is cut)?", origin.damage)
    assert (store.names(), store.poll([RUN], [], {RUN: cursor})[RUN].reset) == ([RUN], True)
    [mark] = recoveries(RUN, store)
    assert 0 < mark.step < before
    assert f"running again 2 s later, from step {mark.step:,}; " in mark.text
    log = store.logs(RUN)
    assert any(line.startswith("--- started again ") for line in log)
    assert any(f"continuing at agent-step {mark.step:,}" in line for line in log)

    [pulled] = pull_runs([RUN], share, runs)
    assert pulled.problems == []
    assert OfflineStore(runs).history(RUN)[0]["_step"].tolist() == frame["_step"].tolist()
    assert [found.text for found in recoveries(RUN, OfflineStore(runs))] == [mark.text]


def _is_ahead(store, share):
    """Say whether rows were logged behind the newest checkpoint, which a start from it logs again."""
    steps = store.history(RUN)[0]["_step"]
    return len(steps) > 0 and steps.iloc[-1] > int(checkpoints.saved(share / RUN / "checkpoints")[-1].stem[5:])
