from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from experiments import monitoring as layer
from experiments.jobs.watch.snapshots import Snapshot, SourceState
from experiments.notebooks import monitoring
from experiments.notebooks.monitoring import job_row, table_traits, watch
from experiments.project.workspace import Workspace
from experiments.types import JobRef, JobStatus
from tests.fakes.going import going
from tests.fakes.job_sources import FakeLauncher, FakeStore, info, job, sources
from tests.fakes.waiting import wait_until
from widgets.jobs import JobTable

REFS = [JobRef(run="b", arm="x", seed=1), JobRef(run="a", arm="y", seed=2)]


@pytest.fixture
def state(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    return Workspace.find(tmp_path).state


@pytest.fixture
def store():
    return FakeStore(info("a", step=1), info("b", step=2))


@pytest.fixture
def on_page(monkeypatch, store):
    """Have the code believe that it runs for a page, with sources that the test holds."""
    young = [job(run, created_at=time.time()) for run in "ab"]
    parts = sources(young, FakeLauncher(a="RUNNING", b="RUNNING"), store)
    monkeypatch.setattr(monitoring, "on_a_page", lambda: True)
    monkeypatch.setattr(monitoring, "asked_by_a_person", lambda: True)
    monkeypatch.setattr(layer, "sources_of", lambda _, **__: parts)


def watched(state):
    table = JobTable()
    watch(table, state, REFS)
    return table


def monitor_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("monitor ")]


def test_rows_follow_the_references_and_leave_none_out():
    shot = Snapshot(jobs=(JobStatus(run_name="a", verdict="running", step=3),))
    rows = table_traits(shot, REFS)["rows"]
    assert [(row["run"], row["state"], row["step"]) for row in rows] == [("b", "unknown", None), ("a", "running", 3)]
    assert rows[0]["reason"] == "not read yet"


def test_a_row_holds_both_words_and_the_time_left():
    status = JobStatus(
        run_name="a", verdict="running", scheduler="RUNNING", tracker="running", step=50, total_steps=100, sps=5.0
    )
    row = job_row(status)
    assert (row["words"], row["left_s"]) == ("scheduler RUNNING, tracker running", 10.0)


def test_an_old_snapshot_says_how_old_it_is_and_why():
    source = SourceState(name="offline", kind="store", as_of=time.time() - 40, problem="the server said 500")
    traits = table_traits(Snapshot(sources=(source,), written_at=time.time()), REFS)
    assert traits["stale_after"] == 10
    assert traits["problems"] == ["offline: the server said 500 (data 40 s old)"]


def test_a_script_gets_one_poll_and_a_table_that_stays(state):
    before = monitor_threads()
    table = watched(state)
    assert [row["state"] for row in table.rows] == ["unknown", "unknown"]
    assert (table.sent_at, table.actions) == (0.0, [])
    assert monitor_threads() == before


@pytest.mark.usefixtures("on_page")
def test_a_page_begins_with_data_and_follows_it_without_a_re_run(state, store):
    table = watched(state)
    assert [row["step"] for row in table.rows] == [2, 1]
    store.runs["a"] = info("a", step=9)
    wait_until(lambda: table.rows[1]["step"] == 9)
    assert table.sent_at > 0
    table.close()


@pytest.mark.usefixtures("on_page")
def test_twenty_tables_cost_the_polls_of_one(state, store):
    tables = [watched(state) for _ in range(20)]
    store.runs["a"] = info("a", step=9)
    wait_until(lambda: all(table.rows[1]["step"] == 9 for table in tables))
    assert len(monitor_threads()) == 1
    assert len(store.asked) <= 6
    for table in tables:
        table.close()


@pytest.mark.usefixtures("on_page")
def test_a_table_that_its_page_closed_is_no_longer_polled_for(state):
    table = watched(state)
    assert monitor_threads()
    table.close()
    wait_until(lambda: not monitor_threads())


@pytest.mark.usefixtures("on_page")
def test_a_table_whose_session_ended_is_closed_and_forgotten(state):
    made = []
    session = threading.Thread(target=lambda: made.append(watched(state)))
    session.start()
    session.join()
    seen = weakref.ref(made.pop())
    wait_until(lambda: not monitor_threads())
    gc.collect()
    assert seen() is None


@pytest.mark.usefixtures("on_page")
def test_what_waits_for_new_rows_keeps_the_polling_alive(state, monkeypatch):
    monkeypatch.setattr(monitoring.mo.watch, "file", lambda path: path)
    experiment = type("Experiment", (), {"workspace": type("Workspace", (), {"state": state})})
    made = []

    def session():
        made.extend(monitoring.watched_metrics(experiment) for _ in range(3))

    thread = threading.Thread(target=session)
    thread.start()
    thread.join()
    assert made[0].read_text()
    wait_until(lambda: not monitor_threads())


def rows_of(*statuses):
    return table_traits(Snapshot(jobs=statuses), [JobRef(run=each.run_name) for each in statuses])["rows"]


def running(step, *, verdict="running"):
    return [JobStatus(run_name=f"r{n}", verdict=verdict if n == 0 else "running", step=step) for n in range(40)]


def test_numbers_of_many_jobs_are_shown_less_often_and_what_became_of_one_at_once():
    before, after, ended = (rows_of(*each) for each in (running(1), running(2), running(2, verdict="failed")))
    assert monitoring._pace_s(before[:1], after[:1]) < 0.1
    assert 1.0 <= monitoring._pace_s(before, after) <= 5.0
    assert monitoring._pace_s(before, ended) == 0.0
    assert monitoring._pace_s(before[:3], before) == 0.0


@pytest.mark.usefixtures("on_page")
def test_two_hundred_pages_have_their_rows_made_once(state, store, monkeypatch):
    made = []
    monkeypatch.setattr(monitoring, "job_row", lambda status: made.append(status.run_name) or job_row(status))
    snapshots = []
    listening = layer.monitor_for(state).subscribe(snapshots.append)
    tables = [watched(state) for _ in range(200)]
    store.runs["a"] = info("a", step=9)
    wait_until(lambda: all(table.rows[1]["step"] == 9 for table in tables))
    assert len(monitor_threads()) == 1
    assert len(made) <= len(REFS) * (len(snapshots) + 2)
    assert len({id(table.rows[1]) for table in tables}) == 1
    listening.close()
    for table in tables:
        table.close()


def test_a_run_of_ten_thousand_keys_is_published_as_small_as_any_other(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    with going(tmp_path, seeds=2, rows=1) as jobs:
        layer.publish_once(jobs.workspace.state)
        live = jobs.workspace.state / "live"
        before = {path.name: path.stat().st_size for path in live.glob("*.json")}
        jobs.writers[jobs.jobs[0].run].log({f"key/{number}": float(number) for number in range(10_000)})
        layer.publish_once(jobs.workspace.state)
        after = {path.name: path.stat().st_size for path in live.glob("*.json")}
    assert all(after[name] <= before[name] + 300 for name in before)
