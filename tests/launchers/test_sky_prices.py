"""Prices of SkyPilot's machines; the words are those of its source, `format_resource`."""

from __future__ import annotations

import threading
import time

import pytest

from experiments.costs import cost_of
from experiments.errors import LaunchError
from experiments.job_events import keep
from experiments.launchers.sky_prices import Machines, Prices, machines_of
from experiments.launchers.skypilot import SkyPilotLauncher
from tests.fakes.launching import wait_until
from tests.fakes.skypilot import sky_workspace

L4 = "2x[spot](gpus=L4:1, cpus=4, mem=16, g6.xlarge, disk=256)"


def record(words=L4, cloud="AWS", region="us-east-1", zone="us-east-1a", job_id=1):
    return {"job_id": job_id, "cluster_resources_full": words, "cloud": cloud, "region": region, "zone": zone}


def test_the_queues_words_are_understood():
    assert machines_of(record()) == Machines(2, "aws/us-east-1/us-east-1a", "g6.xlarge", "L4:1", spot=True)
    plain = machines_of(record("1x(cpus=2, mem=8, m6i.large, disk=256)", zone=None))
    assert plain == Machines(1, "aws/us-east-1", "m6i.large", None, spot=False)


@pytest.mark.parametrize(
    "changed",
    [
        {"words": "1x(cpus=1, mem=1, disk=256)", "cloud": "Slurm"},
        {"words": "1x(cpus=4, mem=8, disk=256)", "cloud": "Kubernetes"},
        {"words": "1x[CPU:1]"},
        {"words": "-"},
        {"words": None},
        {"cloud": None},
        {"words": "1x(two words, of, a kind)"},
    ],
)
def test_machines_without_a_price_are_never_asked_about(changed):
    asked = []
    assert Prices(lambda machines: asked.append(machines) or []).of([record(**changed)]) == {}
    assert asked == []


def test_each_kind_of_machine_is_asked_about_once():
    asked = []
    prices = Prices(lambda machines: asked.append(len(machines)) or [0.7, None][: len(machines)])
    jobs = [record(job_id=1), record(job_id=2), record("1x(cpus=2, mem=8, m6i.large, disk=256)", job_id=3)]
    assert prices.of(jobs) == {1: 0.7, 2: 0.7}
    assert prices.of(jobs) == {1: 0.7, 2: 0.7}
    assert asked == [2]


def test_a_slow_or_failing_catalog_delays_no_poll_and_is_asked_again():
    gate, asked = threading.Event(), []

    def ask(machines):
        asked.append(len(machines))
        if len(asked) == 1:
            raise LaunchError("the catalog is out of reach")
        gate.wait(10)
        return [0.7]

    prices = Prices(ask)
    assert prices.of([record()]) == {}
    began = time.monotonic()
    assert prices.of([record()]) == {} == prices.of([record()])
    assert time.monotonic() - began < 5
    gate.set()
    wait_until(lambda: prices.of([record()]) == {1: 0.7})
    assert asked == [1, 1]


def test_a_jobs_cost_is_estimated_from_the_catalogs_price_and_stays_known(sky, tmp_path):
    workspace = sky_workspace(tmp_path)
    launcher = SkyPilotLauncher(workspace)
    jobs = {name: str(sky.add(name)) for name in ("priced", "unheard")}
    held = {"cloud": "AWS", "region": "us-east-1", "zone": "us-east-1a", "job_duration": 7200.0}
    sky.change(1, cluster_resources_full=L4, **held)
    sky.change(2, cluster_resources_full="1x(cpus=2, mem=8, unheard.of, disk=256)", **held)

    def costs():
        known = keep(workspace.runs, launcher.poll(jobs))
        return [cost_of("skypilot", status, 0.0).text for status in known.values()]

    wait_until(lambda: costs() == ["about $1.40 (estimate)", "unknown"])
    sky.change(1, cluster_resources_full="1x[CPU:1]", status="SUCCEEDED", end_at=1.8e9)
    assert costs() == ["about $1.40 (estimate)", "unknown"]
    assert sky.calls()["Resources"] == 2
