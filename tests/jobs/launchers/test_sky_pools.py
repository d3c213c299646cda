"""Jobs of a pool: how they get their code on a worker, run for real in bash; pools themselves, on a fake SkyPilot."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.cli.pool import pool as pool_command
from experiments.jobs import outbox, pools
from experiments.jobs.launchers.sky import words as sky_words
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.launchers.sky.pools import FOLDER, Source, archive_path, arrival, put_archive
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.jobs.submission import code_now
from experiments.launch import retry, submit
from experiments.project.errors import LaunchError, LaunchRefused, UsageError
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from tests.fakes.launching import plan_in
from tests.fakes.skypilot import PAYLOADS, sky_workspace

SETUP = "mkdir -p .venv/bin && echo made > .venv/bin/python && echo once >> $HOME/set-up"


@pytest.fixture(autouse=True)
def no_settling(monkeypatch):
    monkeypatch.setattr(sky_words, "SETTLE_S", 0.0)


@pytest.fixture
def shared(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def workspace(sky, tmp_path, shared):
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "train.py").write_text("print('trained')\n")
    (root / "run me.sh").write_text("#!/bin/sh\necho ran\n")
    (root / "run me.sh").chmod(0o755)
    (root / "link").symlink_to("train.py")
    (root / "sub" / "part.py").write_text("x = 1\n")
    return sky_workspace(root, run_root=str(shared), sky_pool="lab", sky_setup=SETUP)


@pytest.fixture
def lab(sky, workspace):
    """Bring up a pool of two workers, as a person would."""
    with allow_launch() as permit:
        pools.apply(pools.request(workspace, "lab", 2, 0), workspace, permit)


def snapshot_of(workspace):
    return code_now(workspace).snapshot


def source(workspace, within="."):
    digest = put_archive(workspace.state, snapshot_of(workspace), workspace.settings.run_root)
    return Source(digest, archive_path(workspace.settings.run_root, digest), False, within)


def on_a_worker(home, script, code=0):
    """Run bash lines as a worker does, and return what they printed."""
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        ["bash", "-c", script], cwd=home, env={**os.environ, "HOME": str(home)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_job_runs_in_the_files_of_its_snapshot_with_what_the_set_up_made(workspace, tmp_path):
    came = arrival(source(workspace), SETUP)
    said = on_a_worker(tmp_path / "worker", f"{came}\ncat train.py; ./'run me.sh'; readlink link; cat .venv/bin/python")
    assert said == "print('trained')\nran\ntrain.py\nmade\n"


def test_the_set_up_runs_once_for_all_jobs_and_none_sees_what_another_wrote(workspace, tmp_path):
    home, came = tmp_path / "worker", arrival(source(workspace), SETUP)
    jobs = [
        threading.Thread(target=on_a_worker, args=(home, f"{came}\n[ ! -e left ] && echo x > left && sleep 0.3"))
        for _ in range(4)
    ]
    home.mkdir()
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert (home / "set-up").read_text() == "once\n"
    assert on_a_worker(home, f"{came}\n[ -e left ] && echo seen; true") == ""
    assert list((home / FOLDER).glob("job.*")) == []  # what a job left goes with it


def test_code_that_is_not_what_was_launched_is_not_run(workspace, tmp_path):
    found = source(workspace)
    with Path(found.place).open("r+b") as file:
        file.write(b"another")
    said = on_a_worker(tmp_path / "worker", f"{arrival(found, SETUP)}\ncat train.py", code=1)
    assert "has another SHA-256 than the code that was launched. Launch again: that mends it" in said
    assert source(workspace) == found  # put there again by the next launch
    assert on_a_worker(tmp_path / "worker", f"{arrival(found, SETUP)}\ncat link") == "print('trained')\n"


def test_a_worker_that_does_not_see_the_code_and_a_set_up_that_fails_each_say_so(workspace, tmp_path):
    found = source(workspace)
    unseen = replace(found, place="/nowhere/x.tar")
    assert "this worker does not see /nowhere/x.tar" in on_a_worker(tmp_path / "a", arrival(unseen, SETUP), code=1)
    said = on_a_worker(tmp_path / "b", arrival(found, "echo trying\nexit 3"), code=1)
    assert "the set-up of this worker failed" in said
    # Another try may succeed: nothing was kept of the first.
    assert on_a_worker(tmp_path / "b", f"{arrival(found, SETUP)}\ncat .venv/bin/python") == "made\n"


def test_a_project_inside_its_repository_runs_in_its_own_folder(workspace, tmp_path):
    came = arrival(source(workspace, within="sub"), "echo made > made")
    assert on_a_worker(tmp_path / "worker", f"{came}\nls; cat made; cat ../train.py").split("\n")[:3] == [
        "made", "part.py", "made",
    ]  # fmt: skip


def test_a_commit_is_fetched_by_its_hash(tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "train.py").write_text("1\n")

    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(["git", *identity, *words], cwd=repository, check=True, capture_output=True, text=True)

    git("init", "-q")
    git("add", "."), git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD").stdout.strip()
    (repository / "train.py").write_text("2\n")
    git("commit", "-qam", "two")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    found = Source(commit, f"file://{repository}", True)
    assert on_a_worker(tmp_path / "worker", f"{arrival(found, '')}\ncat train.py") == "1\n"
    gone = replace(found, key="f" * 40)
    assert "cannot be fetched on this worker" in on_a_worker(tmp_path / "worker", arrival(gone, ""), code=1)


def test_the_same_files_give_one_archive_that_anybody_can_read_and_nothing_half_written(workspace, shared):
    first, second = source(workspace), source(workspace)
    assert first == second
    [archive] = (shared / FOLDER).iterdir()
    assert (archive.name, archive.stat().st_mode & 0o777) == (f"{first.key}.tar", 0o644)


def test_a_run_root_that_cannot_be_written_from_here_is_told(workspace, tmp_path):
    snapshot = snapshot_of(workspace)
    with pytest.raises(LaunchError, match=r"cannot be written from here.*commit and push"):
        put_archive(workspace.state, snapshot, str(tmp_path / "nowhere"))


def plan_of(workspace, seeds=(0,), **config):
    return plan_in(workspace, launcher="skypilot", seeds=list(seeds), **config)


def launched(workspace, plan, **how):
    with allow_launch() as permit:
        return submit(plan, permit, workspace, **how)


def test_jobs_go_through_the_pool_with_names_and_marks_and_neither_workdir_nor_set_up(workspace, sky, lab, tmp_path):
    [job] = launched(workspace, plan_of(workspace, gpus=2))
    [queued] = sky.jobs()
    assert (queued["name"], queued["pool"]) == (job.run_name, "lab")
    assert queued.keys() == {"id", "name", "pool", "resources", "envs", "run"}
    assert queued["resources"] == {"accelerators": "H100:2"}
    with open_ledger(workspace) as ledger:
        assert queued["envs"]["EXPERIMENTS_LEDGER_ID"] == ledger.id
    assert job.target.endswith(" pool:lab")
    # What was sent does run: the trainer of this plan counts its start beside the runs.
    env = "\n".join(f"export {name}={value!r}" for name, value in queued["envs"].items())
    on_a_worker(tmp_path / "worker", f"{env}\n{queued['run']}")
    assert (tmp_path / "started").read_text() == f"{job.run_name}\n"


def test_a_launch_in_the_background_goes_through_the_pool_whoever_hands_it_over(workspace, sky, lab, monkeypatch):
    monkeypatch.setattr(outbox, "start", lambda _: None)
    jobs = launched(workspace, plan_of(workspace, seeds=range(3)), in_background=True)
    other = replace(workspace, settings=replaced(workspace.settings, sky_pool=None))
    outbox.hand_over_all(other)
    assert {(job["name"], job["pool"]) for job in sky.jobs()} == {(job.run_name, "lab") for job in jobs}


def test_a_retry_goes_through_the_pool_that_its_job_went_through(workspace, sky, lab):
    [job] = launched(workspace, plan_of(workspace))
    sky.change(1, status="FAILED", end_at=1.0)
    other = replace(workspace, settings=replaced(workspace.settings, sky_pool=None))
    with allow_launch() as permit:
        retry(job.run_name, permit, other)
    assert [queued["pool"] for queued in sky.jobs()] == ["lab", "lab"]


@pytest.mark.parametrize("step", ["before-post", "after-post", "in-get"])
def test_a_bridge_that_dies_in_a_submission_to_a_pool_leaves_exactly_one_job(workspace, sky, lab, step, monkeypatch):
    monkeypatch.setattr(outbox, "start", lambda _: None)
    monkeypatch.setattr(outbox, "PAUSES_S", (0.01, 0.01))
    launched(workspace, plan_of(workspace), in_background=True)
    sky.fault(die=step)
    outbox.hand_over_all(workspace)
    with open_ledger(workspace) as ledger:
        assert [job.state for job in ledger.jobs()] == ["submitted"]
    assert len(sky.jobs()) == 1


def test_a_job_that_needs_two_nodes_is_refused(workspace):
    with pytest.raises(UsageError, match="nodes=2, but a job of a pool takes one worker"):
        launched(workspace, plan_of(workspace, nodes=2), in_background=True)


def test_code_that_no_worker_could_get_is_refused_with_what_to_do(workspace):
    nowhere = replace(workspace, settings=replaced(workspace.settings, run_root=None))
    with pytest.raises(UsageError, match=r"brings no code to the workers of pool 'lab'.*Commit and push it, or"):
        launched(nowhere, plan_of(nowhere), in_background=True)


def test_code_that_runs_in_place_is_refused_where_it_would_be_fetched(workspace):
    in_place = replace(workspace, settings=replaced(workspace.settings, in_place=True))
    with pytest.raises(UsageError, match="in place"):
        launched(in_place, plan_of(in_place), in_background=True)


def test_a_pool_that_is_gone_refuses_its_jobs_in_one_sentence(workspace, sky):
    with pytest.raises(LaunchError, match=r"no such pool \(AssertionError: Pool lab not found\)\. Make it"):
        launched(workspace, plan_of(workspace))
    assert sky.jobs() == []


def test_a_skypilot_without_pools_says_so_and_launches_as_before_without_one(workspace, sky):
    plan = plan_of(workspace)
    sky.fault(no_pools=True)
    with pytest.raises(LaunchError, match=r"has no pools.*Launch without one"):
        launched(workspace, plan)
    with pytest.raises(LaunchError, match="has no pools"):
        pools.pools_of(workspace)
    before = replace(workspace, settings=replaced(workspace.settings, sky_pool=None))
    launched(before, plan_of(before))
    assert ["pool" in job for job in sky.jobs()] == [False]


def test_a_job_that_waits_for_a_worker_says_so(workspace, sky, lab):
    [job] = launched(workspace, plan_of(workspace))
    sky.change(1, status="PENDING")
    status = SkyPilotLauncher(workspace).poll({job.run_name: "1"})[job.run_name]
    assert status.reason == "waits for a worker of pool 'lab', all of which are busy or on their way"


def test_nobody_brings_up_or_ends_a_pool_without_a_permit(workspace, sky, lab):
    with pytest.raises(LaunchRefused):
        pools.apply(pools.request(workspace, "lab", 3, 0), workspace, None)
    with pytest.raises(LaunchRefused):
        pools.end("lab", workspace, None)


def test_a_full_pool_says_that_it_is_and_one_of_an_earlier_version_too(workspace, sky, lab):
    path = sky.folder / "pools.json"
    made = json.loads(path.read_text())
    # As a real one tells it: 8 and 10 have no worker yet.
    for worker, job in zip(made["lab"]["replica_info"], [7, 9], strict=True):
        worker["used_by"] = [8, 10, job]
    made["lab"]["version"] = 2
    path.write_text(json.dumps(made))
    [found] = pools.pools_of(workspace)
    assert found.sentence == "pool lab (READY): 2 of 2 workers ready, 2 busy: it is full, 2 jobs waiting"
    assert [worker.used_by for worker in found.workers] == [("7",), ("9",)]
    [note] = found.notes(pools.asked_of(workspace, 0))
    assert note.startswith("pool lab is of version 2, and workers 1, 2 of an earlier one")
    [note, *_] = replace(found, status="SHUTTING_DOWN").notes({})
    assert "is SHUTTING_DOWN and takes no job" in note


@pytest.fixture
def typed(workspace, monkeypatch):
    """Type `experiments pool` in the project."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(Workspace, "find", classmethod(lambda *_, **__: workspace))
    return pool_command


def test_a_pool_is_made_joined_changed_and_ended_from_the_command_line(typed, workspace, sky, shared):
    with pytest.raises(UsageError, match=r"how many workers.*--workers 2"):
        typed("apply", "lab", yes=True)
    with pytest.raises(LaunchError, match="Bring up 2 workers for pool lab wants a yes: add --yes"):
        typed("apply", "lab", workers=2)
    assert sky.calls()["pool_apply"] == 0
    typed("apply", "lab", workers=2, yes=True)
    [made] = json.loads((sky.folder / "pools.json").read_text()).values()
    task = json.loads(made["pool_yaml"])
    assert (task["pool"], task["resources"]) == ({"workers": 2}, {})
    assert str(shared) in task["setup"]
    typed("apply", "lab")  # joins it: nothing is asked for
    assert sky.calls()["pool_apply"] == 1
    typed("apply", "lab", workers=3, yes=True)
    assert json.loads((sky.folder / "pools.json").read_text())["lab"]["version"] == 1  # no worker is replaced
    [shown] = typed("status").data.pools
    assert (shown.wanted, len(shown.workers)) == (3, 3)
    with pytest.raises(UsageError, match=r"no pool 'other' \(there: lab\)"):
        typed("status", "other")
    with pytest.raises(LaunchError, match="End pool lab and its workers wants a yes"):
        typed("down", "lab")
    assert typed("down", "lab", yes=True).data.pools == ()
    with pytest.raises(UsageError, match="no pool 'lab'"):
        typed("down", "lab", yes=True)


def test_a_pool_of_other_resources_is_told_and_replaced_only_with_a_yes(typed, workspace, sky, lab, monkeypatch):
    other = replace(workspace, settings=replaced(workspace.settings, sky_cpus="4"))
    monkeypatch.setattr(Workspace, "find", classmethod(lambda *_, **__: other))
    [note] = typed("status", "lab").notes
    assert "made with other resources than these settings ask for (cpus not set, here 4)" in str(note)
    with pytest.raises(LaunchError, match=r"Bring pool lab up to date \(cpus not set, here 4\)"):
        typed("apply", "lab")
    typed("apply", "lab", yes=True)
    assert json.loads((sky.folder / "pools.json").read_text())["lab"]["version"] == 2


def test_to_end_a_pool_through_which_jobs_go_says_how_many(typed, workspace, lab):
    launched(workspace, plan_of(workspace, seeds=range(3)))
    with pytest.raises(LaunchError, match="End pool lab and its workers, through which 3 jobs of this project may st"):
        typed("down", "lab")


@pytest.mark.parametrize("name", ["Lab", "my pool", "-x", "x" * 41, ""])
def test_a_name_that_is_none_for_a_pool_is_refused(workspace, name):
    with pytest.raises(UsageError, match="is no name for a pool"):
        pools.request(workspace, name, 2, 0)


def test_a_recorded_pool_of_a_real_skypilot_is_read(sky, workspace):
    (sky.folder / "pools.json").write_text(json.dumps({"lab": PAYLOADS["pool"]}))
    [found] = pools.pools_of(workspace)
    assert found.sentence == "pool lab (READY): 2 of 2 workers ready, 0 busy"
    assert found.resources == {"infra": "slurm/rig/dev", "cpus": 1, "memory": "1+"}
    assert {worker.infra for worker in found.workers} == {"Slurm (rig)"}
