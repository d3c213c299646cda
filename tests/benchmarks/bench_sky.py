"""What stands between a question and SkyPilot: on the rig where its environment is set, else on a SkyPilot of files."""

from __future__ import annotations

import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from experiments.jobs.launchers.sky.client import BridgeClient, bridge_command
from experiments.jobs.preview import task_preview
from experiments.project.settings import Settings, load_settings
from tests.benchmarks import Bar
from tests.fakes.launching import plan_in
from tests.fakes.skypilot import RUNNER, FakeSky, sky_workspace

_JOBS = 20
_TRIES = {"rig": 3, "fake": 40}


def run() -> list[Bar]:
    """Return the bridge's own share of a call, the questions that a poll of 20 jobs costs, and a preview's sockets."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_calls(Path(folder)), _preview(Path(folder))]


def _calls(folder: Path) -> list[Bar]:
    is_rig = "SLURM_RIG_PYTHON" in os.environ
    sky = FakeSky(folder / "sky")
    os.environ["FAKE_SKY_DIR"] = str(sky.folder)
    settings = load_settings(folder) if is_rig else Settings(sky_python=(sys.executable, str(RUNNER)))
    client = BridgeClient(bridge_command(settings))
    place = "rig" if is_rig else "fake"
    shares = []
    try:
        client.call("health", deadline_s=60)
        for _ in range(_TRIES[place]):
            began = time.monotonic()
            answer = client.call("poll", ids=list(range(1, _JOBS + 1)), deadline_s=120)
            shares.append(1000 * (time.monotonic() - began - answer.sky_s))
    finally:
        client.close()
    note = f"{place}, {len(shares)} polls of {_JOBS} jobs, worst {max(shares):.1f} ms"
    bars = [Bar("bridge's share of a call, median", statistics.median(shares), 50, "ms", note=note, gate=True)]
    if not is_rig:
        asked = sky.calls()["queue_v2"] / len(shares)
        bars.append(Bar("questions to the queue per poll of 20 jobs", asked, 1, "", note=place, gate=True))
    return bars


def _preview(folder: Path) -> Bar:
    workspace = sky_workspace(folder / "project")
    plan = plan_in(workspace, launcher="skypilot", seeds=range(200))
    opened = []

    class Counted(socket.socket):
        def __init__(self, *arguments, **named) -> None:
            opened.append(arguments)
            super().__init__(*arguments, **named)

    began = time.process_time()
    with mock.patch.object(socket, "socket", Counted):
        task_preview(plan, workspace)
    spent = 1000 * (time.process_time() - began)
    return Bar("sockets opened by a preview of 200 jobs", len(opened), 0, "", note=f"{spent:.0f} ms of CPU", gate=True)
