"""Upload of finished offline runs."""

from __future__ import annotations

import fcntl

import pytest

from experiments.project.errors import StoreError
from experiments.runs.transfer.sync import sync_runs
from tests.fakes import wandb_files as fake
from tests.fakes.cases import case_copy


@pytest.fixture
def logged_in(server, monkeypatch, tmp_path):
    # W&B's own program alone would refuse a variable that somebody emptied.
    for name, value in {**server.environment(), "HOME": str(tmp_path), "WANDB_TAGS": ""}.items():
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


@pytest.mark.slow
def test_the_rows_of_two_ranks_reach_the_server_each_step_once(logged_in, tmp_path):
    case_copy("data/two-ranks-one-id", tmp_path / "runs" / "job1")
    (result,) = sync_runs(runs_dir=tmp_path / "runs")
    assert (result.state, result.note) == (
        "synced",
        "2 writers at once: the rows of all are laid into each other by step",
    )
    (run,) = logged_in.runs.values()
    assert [row["_step"] for row in run.history] == list(range(10))
    for key in ("rank0/loss", "rank1/loss"):
        assert [row[key] for row in run.history] == list(range(10))
        assert run.summary[key] == 9
    assert run.state == "finished"
    assert states(sync_runs(runs_dir=tmp_path / "runs")) == {"job1": "already"}


@pytest.mark.slow
def test_writers_that_cannot_be_joined_are_uploaded_with_all_their_values_and_said_to_be(logged_in, tmp_path):
    for number in range(2):
        began = 1.7e9 + number
        writer = fake.offline_run(tmp_path / "runs", "r", stamp=f"20260101_12000{number}", began=began)
        writer.write(fake.run("r", {f"rank{number}": True}, started_at=began))
        writer.log(*({"loss": float(number)} for _ in range(3))).write(fake.exit_record(0, runtime=5))
    (result,) = sync_runs(runs_dir=tmp_path / "runs")
    assert result.note.startswith("2 writers at once, of which more than one logged 'loss'")
    (run,) = logged_in.runs.values()
    assert [row["loss"] for row in run.history] == [0, 1, 0, 1, 0, 1]
    # W&B's own client moves the second row of a step to the next.
    assert [row["_step"] for row in run.history] == list(range(6))
    assert {"rank0", "rank1"} <= set(run.config)


@pytest.mark.slow
def test_a_run_is_uploaded_wherever_its_directory_is(logged_in, tmp_path):
    case_copy("data/two-ids-one-folder", tmp_path / "runs" / "job")
    case_copy("data/sync-dir-suffix", tmp_path / "runs" / "sfx")
    (tmp_path / "runs" / "sfx" / "wandb").rename(tmp_path / "runs" / "sfx" / ".wandb")
    results = sync_runs(runs_dir=tmp_path / "runs")
    assert states(results) == {"job": "synced", "ra": "synced", "sfx": "synced"}
    assert results[0].note.startswith("its folder has runs of 2 ids")
    found = {name: [row["loss"] for row in run.history] for (_, _, name), run in logged_in.runs.items()}
    assert found == {"rb": [100, 101, 102, 103, 104], "ra": [0, 1, 2, 3, 4], "sfx": [0, 1, 2, 3, 4]}
    again = sync_runs(runs_dir=tmp_path / "runs")
    assert states(again) == {"job": "already", "ra": "already", "sfx": "already"}
