"""Upload of finished offline runs."""

from __future__ import annotations

import fcntl

import pytest

from experiments.errors import StoreError
from experiments.runs.sync import sync_runs
from tests.fakes import wandb_files as fake


@pytest.fixture
def logged_in(server, monkeypatch, tmp_path):
    for name, value in {**server.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return server


def states(results):
    return {result.run: result.state for result in results}


def test_what_needs_no_upload_is_told_without_asking_anyone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fake.offline_run(tmp_path, "live").write(fake.run("live"))
    fake.offline_run(tmp_path, "online", offline=False).write(fake.run("online"), fake.exit_record(0))
    results = sync_runs(["live", "online", "nobody"], runs_dir=tmp_path)
    assert states(results) == {"live": "running", "online": "online", "nobody": "unknown"}


def test_without_a_key_nothing_is_uploaded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    fake.offline_run(tmp_path, "r").write(fake.run("r"), fake.exit_record(0))
    with pytest.raises(StoreError, match=r"no W&B key.*wandb login"):
        sync_runs(runs_dir=tmp_path)


@pytest.mark.slow
def test_runs_are_uploaded_once_with_progress(logged_in, tmp_path):
    runs = tmp_path / "runs"
    for name, code in [("a", 0), ("b", 3)]:
        writer = fake.offline_run(runs, name).write(fake.run(name, {"lr": 1}, tags=["t"]))
        writer.log(*({"loss": float(step)} for step in range(20))).write(fake.exit_record(code))
    seen = []
    results = sync_runs(None, lambda at: seen.append((at.run, at.done, at.total, at.result is None)), runs_dir=runs)
    assert states(results) == {"a": "synced", "b": "synced"}
    assert seen == [("a", 0, 2, True), ("a", 1, 2, False), ("b", 1, 2, True), ("b", 2, 2, False)]
    uploaded = {name: run for (_, _, name), run in logged_in.runs.items()}
    assert [row["loss"] for row in uploaded["a"].history] == [float(step) for step in range(20)]
    assert (uploaded["a"].state, uploaded["b"].state, uploaded["a"].tags) == ("finished", "failed", ["t"])
    count = sum(logged_in.requests.values())
    assert states(sync_runs(runs_dir=runs)) == {"a": "already", "b": "already"}
    assert sum(logged_in.requests.values()) == count


@pytest.mark.slow
def test_a_failed_upload_says_why_and_is_tried_again(logged_in, tmp_path):
    fake.offline_run(tmp_path / "runs", "a").write(fake.run("a")).log({"x": 1}).write(fake.exit_record(0))
    logged_in.faults.expired = True
    (result,) = sync_runs(["a"], runs_dir=tmp_path / "runs")
    assert result.state == "failed"
    assert logged_in.key not in result.detail
    logged_in.faults.expired = False
    assert states(sync_runs(["a"], runs_dir=tmp_path / "runs")) == {"a": "synced"}


def test_two_uploads_of_one_run_do_not_meet(logged_in, tmp_path):
    fake.offline_run(tmp_path, "r").write(fake.run("r"), fake.exit_record(0))
    with (tmp_path / "r" / "sync.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert states(sync_runs(runs_dir=tmp_path)) == {"r": "busy"}


@pytest.mark.slow
def test_a_killed_run_is_uploaded_once_and_its_next_start_after_it(logged_in, tmp_path):
    runs = tmp_path / "runs"
    writer = fake.offline_run(runs, "a").write(fake.run("a")).log({"x": 1}, {"x": 2})
    with writer.path.open("ab") as file:
        file.write(b"\x01\x02\x03")
    (runs / "a" / "job.json").write_text('{"ended_at": 5}')
    assert states(sync_runs(runs_dir=runs)) == {"a": "synced"}
    assert states(sync_runs(runs_dir=runs)) == {"a": "already"}
    second = fake.offline_run(runs, "a", stamp="20260102_120000")
    second.step = 2
    second.write(fake.run("a")).log({"x": 3}).write(fake.exit_record(0))
    assert states(sync_runs(runs_dir=runs)) == {"a": "synced"}
    (run,) = logged_in.runs.values()
    assert (run.state, run.history[-1]["x"]) == ("finished", 3)
