"""Handing over in the background: a launch returns at once, and each job is handed over once, whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.cli.handing import handed_over
from experiments.cli.status import status
from experiments.cli.terminal import console
from experiments.jobs import handover, outbox
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.watch.snapshots import Ongoing, Snapshot
from experiments.jobs.watch.stepping import Stepper
from experiments.launch import allow_launch, cancel, start_next, submit
from experiments.monitoring import poll_once, sources_of
from experiments.project.errors import LaunchError, UsageError
from experiments.project.files import parse_json
from experiments.project.provenance import OwnCode
from experiments.project.values import replaced
from experiments.types import TERMINAL_VERDICTS
from tests.fakes.handed import COMMAND, SlowCluster, filled
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.skypilot import sky_workspace
from tests.fakes.waiting import wait_until

DRIVER = Path(__file__).parents[1] / "fakes" / "handed.py"


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    made = SlowCluster(tmp_path)
    monkeypatch.setattr(outbox, "COMMAND", COMMAND)
    monkeypatch.setitem(handover.LAUNCHERS, "skypilot", lambda _: made)
    yield made
    (tmp_path / "shut").unlink(missing_ok=True)


def launched(workspace, plan):
    with allow_launch() as permit:
        return submit(plan, permit, workspace, own=OwnCode(), in_background=True)


def at_it(workspace) -> int | None:
    """Return the process that hands over; None while there is none."""
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger._rows("SELECT owner FROM leases WHERE name = ?", [outbox.LEASE])
        return parse_json(rows[0]["owner"])["pid"] if rows and ledger.lease_holder(outbox.LEASE) else None


def is_empty(workspace) -> bool:
    with open_ledger(workspace, read_only=True) as ledger:
        return not ledger.outbox()


def states(workspace) -> list[str]:
    with open_ledger(workspace, read_only=True) as ledger:
        return [job.state for job in ledger.jobs()]


def names_of(cluster) -> list[str]:
    return sorted(job["name"] for job in cluster.jobs())


def test_a_launch_returns_before_any_job_is_handed_over_and_a_process_does_the_rest(tmp_path, cluster, capsys):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=range(12))
    (tmp_path / "shut").touch()
    jobs = launched(workspace, plan)
    assert ({job.state for job in jobs}, cluster.jobs()) == ({"planned"}, [])
    wait_until(lambda: states(workspace).count("submitting") == SlowCluster.at_once)
    [goes_on] = poll_once(workspace.state, sources=sources_of(workspace.state)).ongoing
    assert goes_on.sentence == "exp goes on by itself: handing over 0 of 12 jobs"
    (tmp_path / "shut").unlink()
    wait_until(lambda: is_empty(workspace))
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)
    assert cluster.most_at_once() == SlowCluster.at_once
    wait_until(lambda: at_it(workspace) is None)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_of_120_jobs_is_handed_over_once_though_the_process_is_killed_30_times(tmp_path, seed):
    command = [sys.executable, str(DRIVER), str(tmp_path), "120", "30", str(seed), "1.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["killed"] == 30
    assert sorted(found["names"]) == sorted(found["wanted"])
    assert found["told truly"]
    assert found["most at once"] <= SlowCluster.at_once


def test_two_ledgers_hand_over_to_one_cluster_at_the_same_time(tmp_path):
    parts = [tmp_path / "one", tmp_path / "two"]
    for part in parts:
        part.mkdir()
        (part / "queue.jsonl").symlink_to(tmp_path / "queue.jsonl")
    (tmp_path / "queue.jsonl").touch()
    command = [sys.executable, str(DRIVER)]
    started = [
        subprocess.Popen([*command, str(part), "30", "5", "1", "1"], stdout=subprocess.PIPE, text=True)
        for part in parts
    ]
    wanted = [json.loads(process.communicate()[0])["wanted"] for process in started]
    assert names_of(SlowCluster(tmp_path)) == sorted([*wanted[0], *wanted[1]])
    assert len(set(names_of(SlowCluster(tmp_path)))) == 60


def test_when_the_process_dies_whoever_watches_starts_another(tmp_path, cluster):
    workspace, plan = filled(tmp_path, 10)
    (tmp_path / "shut").touch()
    assert outbox.see_to_it(workspace)
    wait_until(lambda: states(workspace).count("submitting") == SlowCluster.at_once)
    assert not outbox.see_to_it(workspace)  # somebody is at it
    os.kill(at_it(workspace), signal.SIGKILL)
    wait_until(lambda: at_it(workspace) is None)
    (tmp_path / "shut").unlink()
    seen = poll_once(workspace.state, sources=sources_of(workspace.state))
    with allow_launch():
        Stepper(workspace.state, workspace.root).take(seen)
    wait_until(lambda: is_empty(workspace))
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_a_page_that_is_only_read_takes_nothing_over(tmp_path, cluster, monkeypatch):
    workspace, _ = filled(tmp_path, 2)
    monkeypatch.setattr(outbox, "read_only", lambda: True)
    assert not outbox.see_to_it(workspace)
    monkeypatch.setattr("experiments.jobs.watch.stepping.may_go_on", lambda: False)
    seen = Snapshot(ongoing=(Ongoing(experiment="exp", words="handing over", is_handing=True),))
    Stepper(workspace.state, workspace.root).take(seen)
    assert (at_it(workspace), cluster.jobs()) == (None, [])


def test_status_takes_it_over_and_says_how_far_it_is(tmp_path, cluster, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace, plan = filled(tmp_path, 5)
    monkeypatch.chdir(tmp_path)
    [line] = status().data.goes_on
    assert line.startswith("exp goes on by itself: handing over ")
    wait_until(lambda: is_empty(workspace))
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_who_looks_waits_for_no_answer_of_the_launcher(tmp_path, cluster, monkeypatch):
    """To ask for a job in doubt takes minutes where a server is busy: that is for the process that hands over."""
    workspace, plan = filled(tmp_path, 3)
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.intend({job.run_name: ledger.spec(job.run_name) for job in plan.jobs}, cluster.target(), owner)
        ledger.conclude(owner)  # as if its process had died
    asked = []
    monkeypatch.setattr(cluster, "find", lambda *arguments: asked.append(arguments))
    start_next(workspace)
    assert asked == []
    wait_until(lambda: is_empty(workspace))
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_what_was_refused_is_told_with_its_job_and_fails_who_waits(tmp_path, cluster):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=range(6))
    (tmp_path / "refuses").write_text(" ".join(job.run_name for job in plan.jobs[2:4]))
    jobs = launched(workspace, plan)
    with pytest.raises(LaunchError, match=r"4 of 6 jobs launched, 2 failed.*no machine for"):
        handed_over(workspace, plan, jobs, console(stderr=True))
    told = {job.run_name: job for job in poll_once(workspace.state).jobs}
    assert {name: (job.verdict, job.reason) for name, job in told.items() if job.verdict in TERMINAL_VERDICTS} == {
        job.run_name: ("failed", f"no machine for {job.run_name!r}") for job in plan.jobs[2:4]
    }
    (tmp_path / "refuses").write_text("")
    assert {job.state for job in handed_over(workspace, plan, launched(workspace, plan), console())} == {"submitted"}
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_a_launcher_that_cannot_be_reached_costs_no_job_and_is_tried_again(tmp_path, cluster):
    workspace, plan = filled(tmp_path, 10)
    (tmp_path / "down").touch()
    outbox.see_to_it(workspace)

    def goes_on():
        with open_ledger(workspace, read_only=True) as ledger:
            return [handing.words for handing in ledger.handing()]

    words = "handing over 0 of 10 jobs; the others wait: the file-cluster does not answer"
    wait_until(lambda: goes_on() == [words])
    assert set(states(workspace)) <= {"planned", "submitting"}
    (tmp_path / "down").unlink()
    wait_until(lambda: is_empty(workspace))
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_what_kept_jobs_waiting_is_told_no_longer_once_they_are_tried_again(tmp_path, cluster, monkeypatch):
    workspace, _ = filled(tmp_path, 10)
    (tmp_path / "down").touch()
    outbox.hand_over_all(workspace, patience_s=0.0)
    (tmp_path / "down").unlink()
    seen, submit_one = [], cluster.submit

    def submit_and_look(job):
        with open_ledger(workspace, read_only=True) as ledger:
            seen.append(ledger.handing()[0].why)
        return submit_one(job)

    monkeypatch.setattr(cluster, "submit", submit_and_look)
    outbox.hand_over_all(workspace)
    assert seen == [""] * 10


def test_who_waits_for_a_launcher_that_cannot_be_reached_is_told_so(tmp_path, cluster, monkeypatch):
    monkeypatch.setattr(outbox, "_WAIT_S", 1.0)
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=range(2))
    (tmp_path / "down").touch()
    with pytest.raises(LaunchError, match="0 of 2 jobs are handed over, and the others wait: the file-cluster does"):
        handed_over(workspace, plan, launched(workspace, plan), console())
    (tmp_path / "down").unlink()
    wait_until(lambda: is_empty(workspace))


def test_jobs_for_a_place_that_is_not_in_use_any_more_wait_and_say_so(tmp_path, cluster):
    workspace, _ = filled(tmp_path, 2)
    with open_ledger(workspace) as ledger, ledger._writing() as execute:
        execute("UPDATE jobs SET target = 'old-cluster'", [])
    assert not outbox.see_to_it(workspace)
    outbox.hand_over_all(workspace)
    assert cluster.jobs() == []
    assert "'old-cluster', and skypilot is 'file-cluster'" in poll_once(workspace.state).jobs[0].reason


def test_a_job_that_is_cancelled_while_it_waits_is_never_handed_over(tmp_path, cluster):
    workspace, plan = filled(tmp_path, 3)
    with allow_launch() as permit:
        assert cancel([plan.jobs[1].run_name], permit, workspace)
    outbox.hand_over_all(workspace)
    assert names_of(cluster) == sorted([plan.jobs[0].run_name, plan.jobs[2].run_name])
    assert is_empty(workspace)


def test_jobs_of_a_budget_that_ended_meanwhile_stay_planned(tmp_path, cluster):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=range(2))
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(jobs=2), "test")
    (tmp_path / "shut").touch()
    with allow_launch() as permit, contextlib.ExitStack() as undone:
        start, outbox.start = outbox.start, lambda _: None
        undone.callback(setattr, outbox, "start", start)
        submit(plan, permit, workspace, own=OwnCode(), budget="study", in_background=True)
    (tmp_path / "shut").unlink()
    with open_ledger(workspace) as ledger:
        ledger.end_budget("study", "enough")
    outbox.hand_over_all(workspace)
    assert (cluster.jobs(), states(workspace), is_empty(workspace)) == ([], ["planned"] * 2, True)


def test_a_job_that_could_not_run_there_is_refused_before_any_is_recorded(tmp_path, cluster, monkeypatch):
    workspace = workspace_at(tmp_path)

    def prepared(_self, job):
        if job.run_name == plan.jobs[1].run_name:
            raise UsageError("no such kind of GPU")
        return {}

    plan = plan_in(workspace, launcher="skypilot", seeds=range(3))
    monkeypatch.setattr(SlowCluster, "prepared", prepared)
    with pytest.raises(UsageError, match="no such kind"):
        launched(workspace, plan)
    assert is_empty(workspace)


def test_what_another_process_hands_over_is_left_to_it(tmp_path, cluster):
    workspace, plan = filled(tmp_path, 1)
    with open_ledger(workspace) as ledger, tenure() as owner:
        assert ledger.intend({plan.jobs[0].run_name: {}}, cluster.target(), owner)
        outbox.hand_over_all(workspace, patience_s=0.0)
        assert cluster.jobs() == []
        assert ledger.handing()[0].words == "handing over 0 of 1 jobs"  # that is no reason why it waits
        ledger.conclude(owner, accepted={plan.jobs[0].run_name: "7"})
    assert is_empty(workspace)


def test_a_job_of_which_nobody_can_read_what_to_start_is_refused_and_not_tried_for_ever(tmp_path, cluster):
    workspace, plan = filled(tmp_path, 2)
    with open_ledger(workspace) as ledger, ledger._writing() as execute:
        execute("UPDATE jobs SET spec = '{}' WHERE run_name = ?", [plan.jobs[0].run_name])
    outbox.hand_over_all(workspace)
    assert states(workspace) == ["refused", "submitted"]


def test_a_process_that_fails_says_so_with_its_jobs(tmp_path, cluster, monkeypatch):
    workspace, _ = filled(tmp_path, 1)
    told = {"root": str(tmp_path), "state": str(workspace.state), "settings": {"sky_cpus": "2"}}
    code = f"import sys; sys.argv = ['x']; exec(open({str(DRIVER)!r}).read())"
    broken = "from experiments.jobs import outbox\ndef fail(*_, **__): raise RuntimeError('no')\noutbox._round = fail\n"
    done = subprocess.run(
        [sys.executable, "-c", f"__file__ = {str(DRIVER)!r}\n{broken}{code}"],
        input=json.dumps(told), text=True, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "failed: RuntimeError: no" in poll_once(workspace.state).jobs[0].reason


def test_a_task_is_launched_as_it_was_meant_though_another_with_other_settings_hands_it_over(
    sky, tmp_path, monkeypatch
):
    monkeypatch.setattr(outbox, "start", lambda _: None)
    workspace = sky_workspace(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=[0], gpus=2)
    launched(workspace, plan)
    others = replaced(workspace.settings, sky_accelerator="A100", run_root="/elsewhere")
    outbox.hand_over_all(type(workspace)(workspace.root, workspace.state, others))
    [job] = sky.jobs()
    assert job["resources"]["accelerators"] == "H100:2"
    assert job["envs"]["EXPERIMENTS_RUN_DIR"].startswith("/shared/runs/")


def test_a_skypilot_that_is_down_keeps_jobs_waiting_and_one_that_wants_a_login_refuses_them(sky, tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "start", lambda _: None)
    workspace = sky_workspace(tmp_path)
    launched(workspace, plan_in(workspace, launcher="skypilot", seeds=range(3)))
    sky.fault(down=True)
    began = time.monotonic()
    outbox.hand_over_all(workspace, patience_s=0.0)
    assert time.monotonic() - began < 60
    assert states(workspace) == ["planned"] * 3
    assert "does not answer" in poll_once(workspace.state).jobs[0].reason
    sky.fault(login=True)
    outbox.hand_over_all(workspace)
    assert states(workspace) == ["refused"] * 3
    assert (sky.jobs(), is_empty(workspace)) == ([], True)
