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

from experiments.jobs import outbox
from experiments.jobs.launchers.sky.client import BridgeClient, bridge_command
from experiments.jobs.permits import allow_launch
from experiments.jobs.preview import task_preview
from experiments.jobs.submission import submit
from experiments.project.provenance import OwnCode
from experiments.project.settings import Settings, load_settings
from tests.benchmarks import Bar
from tests.fakes.launching import plan_in
from tests.fakes.skypilot import RUNNER, FakeSky, sky_workspace

_JOBS = 20
_TRIES = {"rig": 3, "fake": 40}


def run() -> list[Bar]:
    """Return the bridge's share of a call, questions to the queue, a preview's sockets, and what a launch waits for."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_calls(Path(folder)), _preview(Path(folder)), *_in_background(Path(folder))]


def gates() -> list[Bar]:
    """Return the same without what is for information."""
    return [bar for bar in run() if bar.gate]


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


def _in_background(folder: Path) -> list[Bar]:
    """Launch 200 jobs whose hand-over takes its time, and count what becomes of them."""
    from tests.fakes import handed

    place = folder / "background"
    place.mkdir()
    workspace, cluster = sky_workspace(place), handed.SlowCluster(place)
    handed.use(cluster)
    with mock.patch.object(outbox, "COMMAND", handed.COMMAND), allow_launch() as permit:
        plan = plan_in(workspace, launcher="skypilot", seeds=range(200))
        began, spent = time.monotonic(), time.process_time()
        submit(plan, permit, workspace, own=OwnCode(), in_background=True)
        took, spent = time.monotonic() - began, time.process_time() - spent
        outbox.wait_for(workspace, plan.key, lambda _: None)
    whole = time.monotonic() - began
    names = [job["name"] for job in cluster.jobs()]
    most, twice = cluster.most_at_once(), len(names) - len({*names})
    note = f"{took:.2f} s by the clock; all handed over after {whole:.1f} s"
    return [
        Bar("a launch of 200 jobs returns, CPU", spent, 2, "s", note=note),
        Bar("of these 200, not handed over, or twice", 200 - len({*names}) + twice, 0, "", gate=True),
        Bar("of these 200, handed over at once, at most", most, cluster.at_once, "", gate=True),
    ]


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
