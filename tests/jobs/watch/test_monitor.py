from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.jobs.watch import monitor as watching
from experiments.jobs.watch.monitor import Monitor
from experiments.jobs.watch.poller import Poller
from experiments.jobs.watch.snapshots import METRICS_FILE, STATUS_FILE, read_ended, read_status, read_versions
from experiments.types import JobRef
from tests.fakes.job_sources import FakeLauncher, FakeStore, info, job, sources
from tests.fakes.waiting import wait_until

ROOT = Path(__file__).parents[3]
FAST = {"ledger": 0.02, "local": 0.02, "offline": 0.02, "online": 0.02}


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    (folder / "live").mkdir(parents=True)
    return folder


@pytest.fixture
def watch(monkeypatch):
    """Return a function that makes a Monitor and subscribes; all end with the test."""
    monkeypatch.setattr(watching, "TICK_S", 0.02)
    opened = []

    def start(state, parts, **more):
        monitor, seen = Monitor(state, parts, paces_s=FAST), []
        opened.append((monitor, monitor.subscribe(seen.append, **more)))
        return monitor, seen

    yield start
    for _, subscription in opened:
        subscription.close()
    for monitor, _ in opened:
        wait_until(lambda monitor=monitor: monitor._thread is None)


@pytest.fixture
def processes(state, tmp_path):
    """Return a function that starts a watching process; all end with the test."""
    started = []

    def start():
        command = [sys.executable, "-m", "tests.fakes.watching_process", str(state), str(tmp_path / "log")]
        started.append(subprocess.Popen(command, cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def one_job(**more):
    return sources([job("a")], FakeLauncher(a="RUNNING"), FakeStore(info("a", step=1)), **more)


def test_a_reader_gets_what_the_sources_say(state, watch):
    _, seen = watch(state, one_job())
    wait_until(lambda: seen and seen[-1].of("a") and seen[-1].of("a").step == 1)
    assert read_status(state / "live").of("a") == seen[-1].of("a")
    assert read_versions(state / "live").keys() == {"a"}


def test_two_readers_in_two_monitors_cost_one_poll(state, watch):
    first, second = FakeStore(info("a", step=1)), FakeStore(info("a", step=1))
    watch(state, sources([job("a")], FakeLauncher(a="RUNNING"), first))
    wait_until(lambda: first.asked)
    _, seen = watch(state, sources([job("a")], FakeLauncher(a="RUNNING"), second))
    wait_until(lambda: seen and seen[-1].of("a"))
    assert second.asked == []


def test_news_reach_a_reader_in_another_monitor(state, watch):
    store = FakeStore(info("a", step=1))
    watch(state, sources([job("a")], FakeLauncher(a="RUNNING"), store))
    wait_until(lambda: store.asked)
    _, seen = watch(state, one_job())
    store.runs["a"] = info("a", step=2)
    wait_until(lambda: seen and seen[-1].of("a") and seen[-1].of("a").step == 2)


def test_the_thread_ends_with_its_last_reader(state, monkeypatch):
    monkeypatch.setattr(watching, "TICK_S", 0.02)
    before, monitor = threading.active_count(), Monitor(state, one_job())
    subscriptions = [monitor.subscribe(lambda _: None) for _ in range(3)]
    wait_until(lambda: monitor.is_polling)
    for subscription in subscriptions:
        subscription.close()
    wait_until(lambda: monitor._thread is None and threading.active_count() == before)


def test_a_reader_that_is_garbage_stops_the_polling(state, watch):
    class Page:
        pass

    page = Page()
    seen = weakref.ref(page)
    monitor, _ = watch(state, one_job(), is_alive=lambda: seen() is not None)
    wait_until(lambda: monitor.is_polling)
    del page
    gc.collect()
    wait_until(lambda: not monitor.is_polling)


def test_a_reader_that_fails_does_not_stop_the_others(state, watch, caplog):
    monitor, seen = watch(state, one_job())
    monitor.subscribe(lambda snapshot: 1 / 0)
    wait_until(lambda: "a reader of the monitor failed" in caplog.text)
    count = len(seen)
    monitor._sources.store("offline").runs["a"] = info("a", step=5)
    wait_until(lambda: len(seen) > count)


def test_polls_that_say_nothing_new_put_no_snapshot_together(state, watch, monkeypatch):
    made, plain = [], Poller.snapshot
    monkeypatch.setattr(Poller, "snapshot", lambda self: made.append(1) or plain(self))
    monkeypatch.setattr(watching, "_REWRITE_S", float("inf"))
    monkeypatch.setattr(watching, "_METRICS_PAUSE_S", 0.0)
    jobs, store = [job("a")], FakeStore(info("a", step=1))
    parts = replace(sources(jobs, FakeLauncher(a="RUNNING"), store), jobs=lambda: jobs)
    watch(state, parts)
    wait_until(lambda: read_versions(state / "live"))
    first = len(store.asked)
    wait_until(lambda: len(store.asked) > first + 1)
    count = len(made)
    wait_until(lambda: len(store.asked) > first + 10)
    assert len(made) == count
    store.runs["a"] = info("a", step=2)
    wait_until(lambda: read_status(state / "live").of("a").step == 2)


def test_metrics_are_written_only_when_a_run_has_new_data(state, watch):
    parts = one_job()
    _, seen = watch(state, parts)
    wait_until((state / "live" / METRICS_FILE).exists)
    written = (state / "live" / METRICS_FILE).stat().st_mtime_ns
    parts.launcher("local").words["a"] = "CANCELLING"
    wait_until(lambda: seen and seen[-1].of("a").scheduler == "CANCELLING")
    assert (state / "live" / METRICS_FILE).stat().st_mtime_ns == written
    parts.store("offline").runs["a"] = info("a", step=8)
    wait_until(lambda: (state / "live" / METRICS_FILE).stat().st_mtime_ns != written)


def test_who_is_told_of_new_rows_finds_them_in_the_metrics_here_and_in_another_process(state, watch):
    infos = [info("a", step=step) for step in (1, 2, 3, 4)]
    versions = [repr(each) for each in infos]  # as the store makes them
    parts, told, readers = one_job(), {"here": [], "there": []}, []
    for name, seen in told.items():

        def note(snapshot, seen=seen):
            if "a" in snapshot.versions:
                seen.append(tuple(versions.index(at["a"]) for at in (snapshot.versions, read_versions(state / "live"))))

        monitor, _ = watch(state, parts if name == "here" else one_job())
        readers.append(monitor.subscribe(note))
        wait_until((state / "live" / METRICS_FILE).exists)
    for each in infos[1:]:
        parts.store("offline").runs["a"] = each
        wait_until(lambda step=each.summary["metric/agent_step"]: read_status(state / "live").of("a").step == step)
    wait_until(lambda: all(seen and seen[-1] == (3, 3) for seen in told.values()))
    assert all(known <= found for seen in told.values() for known, found in seen)
    for reader in readers:
        reader.close()


def test_metrics_are_written_when_a_job_has_ended_without_a_row(state, watch):
    parts = one_job()
    _, seen = watch(state, parts)
    wait_until((state / "live" / METRICS_FILE).exists)
    parts.launcher("local").words["a"] = "FAILED"
    wait_until(lambda: seen and seen[-1].of("a").verdict == "failed")
    wait_until(lambda: read_ended(state / "live") == {"a": "failed"})


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"jobs": 3}', b"[]"])
def test_damaged_live_files_are_replaced(state, watch, damage):
    for name in (STATUS_FILE, METRICS_FILE):
        (state / "live" / name).write_bytes(damage)
    assert "damaged" in read_status(state / "live").problems(0)[0]
    _, seen = watch(state, one_job())
    wait_until(lambda: seen and seen[-1].of("a"))
    assert read_status(state / "live").problems(time.time()) == []
    assert read_versions(state / "live")


def test_a_live_folder_that_is_deleted_is_made_again(state, watch):
    monitor, seen = watch(state, one_job())
    wait_until(lambda: seen and seen[-1].of("a"))
    shutil.rmtree(state / "live")
    monitor._sources.store("offline").runs["a"] = info("a", step=6)
    wait_until(lambda: read_status(state / "live").of("a") and read_status(state / "live").of("a").step == 6)


def test_a_state_folder_that_is_deleted_is_said(state, watch):
    monitor, seen = watch(state, one_job())
    wait_until(lambda: seen and seen[-1].of("a"))
    shutil.rmtree(state)
    wait_until(lambda: "is gone" in "".join(seen[-1].problems(time.time())))
    assert not state.exists()
    assert seen[-1].of("a").step == 1
    assert monitor._thread is not None


def test_a_full_disk_is_said_and_the_page_stays_live(state, watch, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watching, "write_live", full)
    _, seen = watch(state, one_job())
    wait_until(lambda: seen and seen[-1].of("a"))
    assert "No space left on device" in seen[-1].problems(time.time())[0]


def test_jobs_that_only_another_process_names_are_polled_too(state, watch):
    far = JobRef(run="far", launcher="skypilot", tracker="me/p")
    server = FakeStore(info("far"), name="me/p")
    holder, _ = watch(state, sources([], server))
    wait_until(lambda: holder.is_polling)
    _, seen = watch(state, sources([]), refs=[far])
    # Both monitors share this test's process, so the file that tells of the references is renamed to another's.
    (state / "live" / "readers").mkdir(exist_ok=True)
    (state / "live" / "readers" / "1.json").write_text(f"[{far.model_dump_json()}]")
    wait_until(lambda: seen and seen[-1].of("far") and seen[-1].of("far").tracker == "running")


def lines(tmp_path):
    log = tmp_path / "log"
    return log.read_text().split("\n")[:-1] if log.exists() else []


def test_when_the_holder_is_killed_another_process_takes_over(state, tmp_path, processes):
    first = processes()
    wait_until(lambda: f"{first.pid} holds" in lines(tmp_path))
    second = processes()
    wait_until(lambda: f"{first.pid} poll" in lines(tmp_path)[-3:])
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    wait_until(lambda: f"{second.pid} holds" in lines(tmp_path))
    wait_until(lambda: read_status(state / "live").monitor_pid == second.pid)


def test_several_processes_poll_as_often_as_one(state, tmp_path, processes):
    started = [processes() for _ in range(3)]
    wait_until(lambda: any(line.endswith("holds") for line in lines(tmp_path)))
    wait_until(lambda: sum(line.endswith("poll") for line in lines(tmp_path)) >= 4)
    pollers = {line.split()[0] for line in lines(tmp_path) if line.endswith("poll")}
    assert len(pollers) == 1
    assert all(process.poll() is None for process in started)


def test_a_holder_that_is_stopped_is_stood_in_for(state, tmp_path, processes, monkeypatch, watch):
    monkeypatch.setattr(watching, "SILENT_AFTER_S", 0.5)
    holder = processes()
    wait_until(lambda: f"{holder.pid} holds" in lines(tmp_path))
    monitor, seen = watch(state, one_job())
    assert not monitor.is_polling
    os.kill(holder.pid, signal.SIGSTOP)
    wait_until(lambda: monitor.is_polling)
    wait_until(lambda: seen and seen[-1].monitor_pid == os.getpid())
    os.kill(holder.pid, signal.SIGCONT)
    wait_until(lambda: not monitor.is_polling)
