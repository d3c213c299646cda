from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.jobs.watch.poller import Poller, Sources
from experiments.launch import submit
from experiments.monitoring import (
    following,
    job_statuses,
    monitor_for,
    monitor_training_statuses,
    poll_once,
    publish_once,
    snapshot,
    sources_of,
)
from experiments.project.errors import LedgerError, StoreError
from experiments.project.files import locked
from experiments.project.workspace import Workspace
from experiments.types import JobRef, TrainingJobConfig
from tests.fakes.job_sources import FakeLauncher, FakeStore, info, job, sources
from tests.fakes.waiting import wait_until
from tests.fakes.wandb_files import offline_run
from tests.fakes.wandb_files import run as run_record
from tests.fakes.wandb_server import KEY, FakeWandb

ROOT = Path(__file__).parent.parent
TRAINER = (
    "{python}",
    "-c",
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.fakes.tiny_trainer import main; main()",
)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\nmax_parallel = 2\n")
    return Workspace.find(tmp_path)


@pytest.fixture
def launch(workspace):
    """Return a function that launches seeds of a trainer which does what files say; what still runs is ended."""
    launched = []

    def start(seeds=(0,)):
        with open_ledger(workspace) as ledger:
            place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target="local", train_command=TRAINER)
        plan = make_plan("exp", [RecordedJob("base", TrainingJobConfig(curriculum="arena"))], place, seeds=seeds)
        with allow_launch() as permit:
            jobs = submit(plan, permit, workspace)
        launched.extend(jobs)
        return [item.run_name for item in jobs]

    yield start
    for item in launched:
        say(workspace, item.run_name, "finish")
    wait_until(lambda: all(status.verdict in {"succeeded", "failed"} for status in job_statuses(workspace.state)))


def say(workspace, run, what):
    if (workspace.runs / run).is_dir():
        (workspace.runs / run / what).touch()


def test_a_local_job_is_followed_from_its_first_row_to_its_end(workspace, launch):
    [run] = launch()
    with following(workspace.state, [run]) as statuses:
        say(workspace, run, "row1")
        wait_until(lambda: statuses()[0].step == 100)
        assert (statuses()[0].verdict, statuses()[0].total_steps) == ("running", 1000)
        say(workspace, run, "finish")
        # Two sources: the scheduler's word and the tracker's may arrive one after the other.
        wait_until(lambda: (statuses()[0].verdict, statuses()[0].tracker) == ("succeeded", "finished"))


def test_who_asks_of_some_runs_has_nobody_ask_of_the_others(tmp_path):
    jobs = [job("one"), job("two"), job("three")]
    launcher, store = FakeLauncher(one="RUNNING", two="RUNNING"), FakeStore(info("one"), info("two"))
    asked = sources(jobs, launcher, store, named=lambda runs: [each for each in jobs if each.run_name in runs])
    found = job_statuses(tmp_path, ["two", "stranger"], sources=asked)
    assert [status.verdict for status in found] == ["running", "unknown"]
    assert launcher.asked == store.asked == [["two"]]


def test_a_trainer_that_was_killed_has_failed_although_its_file_says_running(workspace, launch):
    [run] = launch()
    say(workspace, run, "row1")
    wait_until(lambda: job_statuses(workspace.state, [run])[0].step == 100)
    say(workspace, run, "die")
    wait_until(lambda: job_statuses(workspace.state, [run])[0].verdict == "failed")
    status = job_statuses(workspace.state, [run])[0]
    assert status.exit_code == -9
    assert "signal 9 (SIGKILL)" in status.reason


def test_waiting_jobs_are_started_while_somebody_watches(workspace, launch):
    runs = launch((0, 1, 2))
    assert [status.scheduler for status in job_statuses(workspace.state, runs)].count("PENDING") == 1
    with following(workspace.state, runs) as statuses:
        for run in runs[:2]:
            say(workspace, run, "finish")
        wait_until(lambda: statuses()[2].scheduler == "RUNNING")


def test_ended_jobs_keep_their_end_when_their_folder_is_deleted(workspace, launch):
    [run] = launch()
    say(workspace, run, "finish")
    wait_until(lambda: job_statuses(workspace.state, [run])[0].verdict == "succeeded")
    with open_ledger(workspace) as ledger:
        ledger.settle({run: {"word": "SUCCEEDED", "exit_code": 0}})
    shutil.rmtree(workspace.runs / run)
    assert job_statuses(workspace.state, [run])[0].verdict == "succeeded"


def test_a_status_can_be_printed_as_json_for_scripts(workspace):
    parts = sources([job("a")], FakeLauncher(a="RUNNING"), FakeStore(info("a", step=3)))
    [status] = job_statuses(workspace.state, sources=parts)
    assert json.loads(status.model_dump_json())["step"] == 3


def test_a_job_that_another_process_has_not_polled_yet_stays(workspace):
    """Otherwise a view that waits for its jobs to end would take none for all."""
    parts = sources([job("a")], FakeLauncher(a="RUNNING"), FakeStore(info("a")))
    with following(workspace.state, ["a"], sources=parts) as statuses:
        assert [status.run_name for status in statuses()] == ["a"]


def test_no_poll_is_made_by_reading_the_last_snapshot(workspace):
    assert snapshot(workspace.state).jobs == ()
    assert "nothing has polled" in snapshot(workspace.state).problems(0)[0]


def test_one_monitor_serves_a_whole_process(workspace):
    assert monitor_for(workspace.state) is monitor_for(workspace.state)


def test_an_unknown_launcher_is_a_problem_of_its_own(workspace):
    with open_ledger(workspace) as ledger:
        place = Placement(user="ada", ledger_id=ledger.id, launcher="skypilot", target="aws", train_command=TRAINER)
        plan = make_plan("exp", [RecordedJob("base", TrainingJobConfig(curriculum="arena"))], place)
        ledger.record_plan(plan)
    shot = poll_once(workspace.state)
    assert [status.verdict for status in shot.jobs] == ["pending"]
    assert shot.problems(0) == []


def test_runs_of_a_server_cost_one_request_and_its_failure_keeps_what_was_seen(workspace, monkeypatch):
    with FakeWandb() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        refs = [JobRef(run=f"r{number}", launcher="skypilot", tracker="me/p") for number in range(30)]
        for ref in refs:
            server.add_run(ref.run, summary={"metric/agent_step": 7}, state="running")
        polled = Poller(sources_of(workspace.state), refs=lambda: refs)
        polled.step_all(20)
        asked = len(server.queries)
        polled.step_all(20)
        assert len(server.queries) - asked == 1
    polled.step_all(20)
    shot = polled.snapshot()
    assert {(job.verdict, job.step) for job in shot.jobs} == {("running", 7)}
    assert len(shot.problems(time.time())) == 1
    assert KEY not in shot.model_dump_json()


def test_the_table_of_statuses_has_the_documented_columns(workspace):
    parts = sources(
        [job("c", launcher="skypilot", tracker="me/p", launcher_id="17")],
        FakeLauncher("skypilot", c="RUNNING"),
        FakeStore(info("c", step=9, created_at=5.0, url="https://w/c"), name="me/p"),
        FakeStore(),
    )
    frame = monitor_training_statuses(["gone", "c"], ["metric/agent_step"], state_dir=workspace.state, sources=parts)
    assert list(frame.columns) == [
        *("run_name", "state", "created", "metric/agent_step", "url", "verdict", "sky_job_id", "sky_status"),
        "sky_duration",
    ]
    assert list(frame["state"]) == ["NOT FOUND", "running"]
    assert frame["sky_job_id"].isna().iloc[0]
    assert frame["sky_job_id"].iloc[1] == "17"
    assert frame["metric/agent_step"].iloc[1] == 9


def test_runs_that_only_a_server_knows_are_in_the_table_too(workspace):
    server = FakeStore(info("far", "finished", step=4), name="me/p")
    frame = monitor_training_statuses(
        ["far"],
        ["metric/agent_step"],
        entity="me",
        project="p",
        state_dir=workspace.state,
        sources=sources([], server, FakeLauncher()),
    )
    assert list(frame["state"]) == ["finished"]


def test_a_server_that_does_not_answer_is_not_one_without_the_run(workspace):
    server = FakeStore(name="me/p")
    server.error = StoreError("it is down")
    frame = monitor_training_statuses(
        "far", project="p", entity="me", state_dir=workspace.state, sources=sources([], server, FakeLauncher())
    )
    assert list(frame["run_name"]) == ["far"]
    assert list(frame["state"]) == ["NOT READ"]
    assert "it is down" in " ".join(frame.attrs["problems"])


def test_a_ledger_that_cannot_be_read_is_not_one_without_jobs(workspace):
    def damaged():
        raise LedgerError("the ledger is damaged")

    parts = Sources(damaged, lambda _: FakeLauncher(), lambda _: FakeStore())
    with pytest.raises(LedgerError, match="the ledger is damaged"):
        monitor_training_statuses("a", state_dir=workspace.state, sources=parts)


def test_without_a_place_a_run_that_is_not_here_is_looked_up_where_one_is_logged_in(workspace, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    server = FakeStore(info("far", "finished", step=4), name="/experiments")
    parts = sources([], server, FakeStore(), FakeLauncher())
    offline_run(workspace.runs, "near").write(run_record("near"))
    frame = monitor_training_statuses(["far", "near"], state_dir=workspace.state, sources=parts)
    assert list(frame["state"]) == ["finished", "NOT FOUND"]
    assert server.asked == [["far"]]


def test_a_page_watches_what_goes_on_and_the_newest_jobs_and_asks_for_its_own_old_ones(workspace, monkeypatch):
    monkeypatch.setattr("experiments.monitoring.WATCHED", 2)
    with open_ledger(workspace) as ledger, tenure() as owner:
        place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target="here", train_command=TRAINER)
        plan = make_plan(
            "exp", [RecordedJob("base", TrainingJobConfig(curriculum="arena"))], place, seeds=tuple(range(5))
        )
        ledger.record_plan(plan)
        names = [planned.run_name for planned in plan.jobs]
        ledger.conclude(owner, accepted={key: key for key in ledger.intend({key: {} for key in names}, "here", owner)})
        ledger.settle({key: {"word": "SUCCEEDED", "exit_code": 0} for key in names})
    seen = []
    subscription = monitor_for(workspace.state).subscribe(seen.append, refs=[JobRef(run=names[0])])
    try:
        wait_until(lambda: any(len(found.jobs) == 3 for found in seen))
    finally:
        subscription.close()
    whole = next(found for found in seen if len(found.jobs) == 3)
    assert [status.run_name for status in whole.jobs] == [names[3], names[4], names[0]]
    assert whole.earlier == 3
    assert len(poll_once(workspace.state).jobs) == 5


def test_what_nobody_polls_is_polled_once_and_published_and_what_somebody_does_is_left_to_them(workspace, launch):
    [name] = launch()
    wait_until(lambda: poll_once(workspace.state).jobs[0].verdict == "running")
    publish_once(workspace.state)
    assert snapshot(workspace.state).jobs[0].verdict == "running"
    (workspace.runs / name / "finish").touch()
    wait_until(lambda: poll_once(workspace.state).jobs[0].verdict == "succeeded")
    with locked(workspace.state / "live" / "monitor.lock", wait_s=0.0) as mine:
        assert mine
        publish_once(workspace.state)
        assert snapshot(workspace.state).jobs[0].verdict == "running"
    publish_once(workspace.state)
    assert snapshot(workspace.state).jobs[0].verdict == "succeeded"


def test_nothing_is_published_of_a_project_without_jobs(workspace):
    publish_once(workspace.state)
    assert not (workspace.state / "live" / "status.json").exists()
