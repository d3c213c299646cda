"""What a launch on SkyPilot takes: the price of its machines, and the size of its upload."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time

import pytest

from experiments.jobs.events import cost_of, keep
from experiments.jobs.launchers.sky.estimate import Machines, Prices, check_upload, machines_of, upload_of
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.project.errors import LaunchError
from tests.fakes.skypilot import sky_workspace
from tests.fakes.waiting import wait_until

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


@pytest.fixture
def folder(tmp_path):
    """2 MB of data, 1 kB of code and a link to a large file elsewhere."""
    place = tmp_path / "project"
    (place / "data" / "deep").mkdir(parents=True)
    (place / "data" / "deep" / "big.bin").write_bytes(bytes(2_000_000))
    (place / "code.py").write_bytes(bytes(1_000))
    (tmp_path / "elsewhere").write_bytes(bytes(5_000_000))
    (place / "link").symlink_to(tmp_path / "elsewhere")
    return place


def git(folder, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def refusal(folder):
    with pytest.raises(LaunchError) as caught:
        check_upload(folder, limit_mb=1)
    return str(caught.value)


def follow_advice(folder, text):
    """Run the command that the refusal gives, in a shell as a person would."""
    command = re.search(r"(?:needs|SKYIGNORE|\.skyignore[^:]*|in place of \.gitignore): (.*?) Or commit", text)[1]
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)


def test_everything_counts_but_what_links_point_to(folder):
    found = upload_of(folder)
    assert (found.size, found.files, found.excluded_by) == (2_001_000, 3, "")
    assert found.parts[0] == ("data", 2_000_000)


def test_a_folder_of_code_passes(folder):
    check_upload(folder, limit_mb=3)


def test_a_large_upload_is_refused_with_its_size_and_its_largest_folders(folder):
    text = refusal(folder)
    assert "2.0 MB in 3 files; at most 1 MB are allowed. Largest: data 2.0 MB." in text
    assert "EXPERIMENTS_SKY_WORKDIR=git" in text


@pytest.mark.parametrize("setup", ["plain", "git", "tracked", "skyignore"])
def test_what_the_refusal_says_mends_it(folder, setup):
    if setup in {"git", "tracked"}:
        git(folder, "init", "-q")
        (folder / ".gitignore").write_text("*.tmp\n")
        (folder / "x.tmp").write_bytes(bytes(1_000))
    if setup == "tracked":
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "all")
    if setup == "skyignore":
        (folder / ".skyignore").write_text("*.tmp\n")
    text = refusal(folder)
    assert (".gitignore: " in text or ">> .gitignore" in text) == (setup in {"git", "tracked"})
    follow_advice(folder, text)
    check_upload(folder, limit_mb=1)
    assert "x.tmp" not in dict(upload_of(folder).parts)


def test_what_git_ignores_is_left_out_unless_a_skyignore_decides(folder):
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("data/\n")
    assert "data" not in dict(upload_of(folder).parts)
    (folder / ".skyignore").write_text("# only this\n\ncode.py\n")
    found = upload_of(folder)
    assert ("data" in dict(found.parts), "code.py" in dict(found.parts)) == (True, False)


def test_a_large_history_counts(folder):
    git(folder, "init", "-q")
    (folder / "data" / "deep" / "big.bin").write_bytes(os.urandom(2_000_000))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    git(folder, "rm", "-rq", "data")
    assert upload_of(folder).parts[0][0] == ".git"
    follow_advice(folder, refusal(folder))
    check_upload(folder, limit_mb=1)


def test_odd_names_are_quoted(folder):
    odd = "a b'c"
    (folder / "data").rename(folder / odd)
    follow_advice(folder, refusal(folder))
    check_upload(folder, limit_mb=1)
