"""`stop_when` on a cluster: the real bridge on a fake SkyPilot with recorded payloads."""

from __future__ import annotations

import threading
import time

import pytest

from experiments import cli
from experiments.jobs.launchers.local.hopeless import STOPPED
from experiments.jobs.launchers.sky import words as sky_words
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.jobs.watch.ending import Ender
from experiments.launch import submit
from experiments.monitoring import following, poll_once, sources_of
from experiments.project.errors import LaunchError
from experiments.results.scores import cause_of_end
from experiments.runs.opening import default_store
from experiments.types import StopWhen
from tests.fakes.launching import plan_in
from tests.fakes.skypilot import FakeSky, close_clients, sky_workspace
from tests.fakes.waiting import wait_until
from tests.fakes.wandb_files import offline_run, run, summary

HOUR = 3600.0


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    monkeypatch.setenv("SKYPILOT_API_SERVER_ENDPOINT", "http://ada:hunter2@fake:1")
    monkeypatch.setattr(sky_words, "SETTLE_S", 0.0)
    yield FakeSky(tmp_path / "sky")
    close_clients()


@pytest.fixture
def workspace(sky, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\nwandb_mode = 'offline'\n")
    return sky_workspace(tmp_path, wandb_mode="offline")


def launched(workspace, *, seeds=(0,), **rules):
    plan = plan_in(workspace, launcher="skypilot", seeds=list(seeds), stop_when=StopWhen(**rules))
    with allow_launch() as permit:
        return [job.run_name for job in submit(plan, permit, workspace)]


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


def ender_of(workspace, clock=time.time):
    sources = sources_at(workspace)
    return Ender(workspace, sources.jobs, sources.launcher, lambda: default_store(workspace.root), clock=clock)


def sources_at(workspace):
    return sources_of(workspace.state)


@pytest.fixture(autouse=True)
def _bridge(monkeypatch, workspace):
    """Who finds the project by its folder finds the same SkyPilot."""
    monkeypatch.setattr("experiments.monitoring.load_settings", lambda _: workspace.settings)


def told(workspace, name):
    with open_ledger(workspace, read_only=True) as ledger:
        return [event.data["reason"] for event in ledger.events(run_name=name) if event.kind == STOPPED]


def one(workspace, name):
    [job] = [job for job in poll_once(workspace.state).jobs if job.run_name == name]
    return job


def test_a_job_that_makes_no_step_is_ended_once_and_is_stopped_not_failed(workspace, sky):
    [name] = launched(workspace, idle_minutes=60)
    offline_run(workspace.runs, name).write(run(name), summary({"metric/agent_step": 5}))
    clock = Clock()
    ender = ender_of(workspace, clock)
    assert ender.look(poll_once(workspace.state)) == {}
    clock.now += 0.9 * HOUR
    # Another process looks, which knows since when from the first.
    assert ender_of(workspace, clock).look(poll_once(workspace.state)) == {}
    assert sky.calls()["jobs.cancel"] == 0
    clock.now += 0.2 * HOUR
    assert ender.look(poll_once(workspace.state)) == {name: "no step for 60 minutes"}
    assert ender.look(poll_once(workspace.state)) == {}  # it is ending
    assert sky.calls()["jobs.cancel"] == 1
    assert told(workspace, name) == ["no step for 60 minutes"]
    sky.change(1, status="CANCELLED", end_at=time.time())
    status = one(workspace, name)
    assert (status.scheduler, status.verdict) == ("STOPPED", "cancelled")
    assert status.reason == "stopped by its stop_when: no step for 60 minutes"
    assert cause_of_end(status.scheduler, status.tracker or "") == ("person", "stopped by its stop_when")
    sky.fault(down=True)  # what the ledger knows stays known
    assert one(workspace, name).scheduler == "STOPPED"


def test_a_job_whose_run_nobody_has_seen_is_not_known_to_stand_still(workspace, sky):
    """Its run lies where only its node sees it."""
    launched(workspace, idle_minutes=60)
    clock = Clock()
    for _ in range(3):
        assert ender_of(workspace, clock).look(poll_once(workspace.state)) == {}
        clock.now += HOUR
    assert sky.calls()["jobs.cancel"] == 0


def test_who_is_killed_before_the_launcher_was_asked_leaves_it_to_the_next_who_looks(workspace, sky):
    [name] = launched(workspace, hours=0.5)
    sky.change(1, start_at=time.time() - HOUR)
    seen = poll_once(workspace.state)
    sky.fault(down=True)
    with pytest.raises(LaunchError):
        ender_of(workspace).look(seen)
    sky.heal()
    assert one(workspace, name).verdict == "running"
    [why] = ender_of(workspace).look(poll_once(workspace.state)).values()
    assert why == "its experiment's runs took 1 hours together, of 0.5"
    assert len(told(workspace, name)) == sky.calls()["jobs.cancel"] == 1


def test_of_many_who_look_at_once_one_ends_a_job(workspace, sky):
    [name] = launched(workspace, hours=0.5)
    sky.change(1, start_at=time.time() - HOUR)
    seen = poll_once(workspace.state)
    together = [threading.Thread(target=ender_of(workspace).look, args=(seen,)) for _ in range(6)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(told(workspace, name)) == 1


def test_a_job_that_ended_by_itself_before_it_could_be_ended_is_what_it_is(workspace, sky):
    [name] = launched(workspace, hours=0.5)
    sky.change(1, start_at=time.time() - HOUR)
    ender_of(workspace).look(poll_once(workspace.state))
    sky.change(1, status="SUCCEEDED", end_at=time.time())
    assert one(workspace, name).scheduler == "SUCCEEDED"


def test_one_that_a_person_cancelled_is_cancelled(workspace, sky):
    [name] = launched(workspace, hours=5)
    sky.change(1, status="CANCELLED", start_at=time.time() - HOUR, end_at=time.time())
    assert one(workspace, name).scheduler == "CANCELLED"


def test_nothing_is_ended_within_its_rules_nor_while_skypilot_is_silent_nor_by_who_may_not(workspace, sky, monkeypatch):
    launched(workspace, hours=5)
    sky.change(1, start_at=time.time() - HOUR)
    assert ender_of(workspace).look(poll_once(workspace.state)) == {}
    sky.change(1, start_at=time.time() - 9 * HOUR)
    seen = poll_once(workspace.state)
    monkeypatch.setattr("experiments.jobs.watch.ending.read_only", lambda: True)
    assert ender_of(workspace).look(seen) == {}
    monkeypatch.undo()
    sky.fault(down=True)
    late = poll_once(workspace.state)
    assert ender_of(workspace).look(late) == {}


def test_the_command_status_ends_what_is_hopeless_and_says_so(workspace, sky, monkeypatch, capsys):
    [name] = launched(workspace, gpu_hours=0.5)
    sky.change(1, start_at=time.time() - HOUR)
    monkeypatch.chdir(workspace.root)
    assert cli.run(["status"]) == 0
    said = capsys.readouterr().err
    assert f"note: {name} was asked to end by its stop_when: its experiment's runs took 1 GPU hours together" in said


def test_who_follows_jobs_ends_those_that_are_hopeless(workspace, sky):
    [name] = launched(workspace, hours=0.5)
    sky.change(1, start_at=time.time() - HOUR)
    with following(workspace.state, [name], sources=sources_at(workspace)):
        wait_until(lambda: sky.calls()["jobs.cancel"] == 1)
    assert len(told(workspace, name)) == 1
