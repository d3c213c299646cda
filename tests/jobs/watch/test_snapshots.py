from __future__ import annotations

import json

import pytest

from experiments.jobs.watch.snapshots import (
    Snapshot,
    SourceState,
    age_in_words,
    read_ended,
    read_status,
    read_versions,
    reason_of,
    time_left_s,
    write_live,
)
from experiments.project.values import replaced
from experiments.types import JobStatus


def status(**more):
    return JobStatus(run_name="a", verdict="running", **more)


def shot(*found, written_at=100.0):
    return Snapshot(sources=found, written_at=written_at, monitor_pid=7)


def source(name="local", **more):
    return SourceState(name=name, kind="launcher", **{"as_of": 100.0, **more})


def test_a_snapshot_is_as_old_as_its_oldest_source_that_is_still_asked():
    assert shot(source(as_of=90.0), source(as_of=50.0, active=False), source(as_of=95.0)).as_of == 90.0


def test_a_source_that_never_answered_leaves_no_age():
    assert shot(source(), source(as_of=None)).as_of is None


def test_a_snapshot_of_ended_jobs_never_grows_old():
    done = shot(source(active=False))
    assert done.is_settled
    assert done.stale_after_s == 0
    assert done.problems(now=10_000_000) == []


def test_a_monitor_that_fell_silent_is_a_problem_with_its_age():
    assert shot(source()).problems(now=105) == []
    assert shot(source()).problems(now=140) == ["nobody has polled for 40 s (last: process 7)"]


def test_a_slow_source_is_not_stale_within_three_of_its_polls():
    assert shot(source(), source("skypilot", interval_s=15)).stale_after_s == 45


def test_the_time_left_follows_the_latest_speed():
    assert time_left_s(status(step=50, total_steps=200, sps=10.0)) == 15


def test_without_a_speed_the_time_left_follows_the_mean():
    assert time_left_s(status(step=50, total_steps=100, started_at=100.0, as_of=110.0)) == 10


@pytest.mark.parametrize("known", [{}, {"step": 5}, {"total_steps": 5}, {"step": 5, "total_steps": 9, "sps": 0.0}])
def test_no_time_left_is_guessed(known):
    assert time_left_s(status(**known)) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (61, "1 m"), (8040, "2 h 14 m"), (200_000, "2 d"), (-3, "0 s")]
)
def test_ages_are_words(seconds, words):
    assert age_in_words(seconds) == words


def test_a_reason_is_one_short_line_without_a_key(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef0123456789abcdef01234567")
    assert reason_of(RuntimeError("401 for 0123456789abcdef0123456789abcdef01234567\nand more")) == "401 for ***"
    assert len(reason_of(RuntimeError("x y " * 1000))) == 300
    assert reason_of(KeyError()) == "KeyError"


def test_a_write_that_fails_leaves_no_draft(tmp_path):
    (tmp_path / "status.json").mkdir()
    with pytest.raises(OSError, match="status"):
        write_live(tmp_path, Snapshot(), with_metrics=False)
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def lab(alive, ended, *, earlier=0, version="1"):
    """Return a snapshot with jobs that have ended for good, and after every tenth of them one that is alive."""
    names = [f"e{n:04}" for n in range(ended)]
    jobs = [JobStatus(run_name=name, verdict="succeeded", step=7) for name in names]
    for n in range(alive):
        jobs.insert(min(len(jobs), 11 * n), JobStatus(run_name=f"a{n}", verdict="running", step=n))
    versions = {job.run_name: version if job.verdict == "running" else "0" for job in jobs}
    return Snapshot(jobs=tuple(jobs), versions=versions, settled=dict.fromkeys(names, "k"), earlier=earlier)


def written(live):
    return {path.name: path.stat().st_size for path in live.iterdir()}


@pytest.mark.parametrize(("alive", "ended"), [(0, 0), (3, 10), (3, 49), (3, 50), (5, 700)])
def test_what_is_read_is_what_was_published_however_many_have_ended(tmp_path, alive, ended):
    shot = lab(alive, ended, earlier=4)
    write_live(tmp_path, shot, with_metrics=True)
    assert read_status(tmp_path) == shot
    assert read_versions(tmp_path) == shot.versions
    assert read_ended(tmp_path) == shot.ended
    assert read_status(tmp_path) is read_status(tmp_path)


def test_status_holds_what_is_alive_and_the_ended_are_written_once(tmp_path):
    write_live(tmp_path, lab(3, 700), with_metrics=True)
    before = (tmp_path / "ended.json").stat().st_mtime_ns
    for ended in (701, 720, 749):
        shot = lab(3, ended, version=str(ended))
        write_live(tmp_path, shot, with_metrics=True)
        assert read_status(tmp_path) == shot
        assert read_ended(tmp_path) == shot.ended
    sizes = written(tmp_path)
    assert (tmp_path / "ended.json").stat().st_mtime_ns == before
    assert max(sizes["status.json"], sizes["metrics.json"]) < sizes["ended.json"] / 5
    write_live(tmp_path, lab(3, 750), with_metrics=True)
    assert (tmp_path / "ended.json").stat().st_mtime_ns != before
    assert read_status(tmp_path) == lab(3, 750)


def test_an_ended_job_that_is_no_more_or_runs_again_is_shown_as_it_is(tmp_path):
    write_live(tmp_path, lab(0, 60), with_metrics=True)
    shot = lab(0, 60)
    jobs = [job if job.run_name != "e0003" else replaced(job, verdict="running") for job in shot.jobs[:-1]]
    settled = {name: "k" for name in shot.settled if name not in {"e0003", "e0059"}}
    versions = {name: "0" for name in shot.versions if name != "e0059"}
    again = replaced(shot, jobs=tuple(jobs), settled=settled, versions=versions)
    write_live(tmp_path, again, with_metrics=True)
    assert read_status(tmp_path) == again
    assert "e0003" not in read_status(tmp_path).ended


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text('{"jobs": [')])
def test_without_the_file_of_ended_jobs_nobody_takes_what_is_left_for_all(tmp_path, harm):
    write_live(tmp_path, lab(1, 60), with_metrics=True)
    harm(tmp_path / "ended.json")
    found = read_status(tmp_path)
    assert found.jobs == ()
    assert "ended.json" in found.damage
    write_live(tmp_path, lab(1, 60), with_metrics=True)
    assert read_status(tmp_path) == lab(1, 60)


def test_a_folder_of_a_version_that_kept_all_in_one_file_is_read_as_it_is(tmp_path):
    shot = lab(2, 80)
    (tmp_path / "status.json").write_text(shot.model_dump_json(exclude={"damage"}))
    (tmp_path / "metrics.json").write_text(json.dumps({"runs": shot.versions, "ended": shot.ended}))
    assert read_status(tmp_path) == shot
    assert (read_versions(tmp_path), read_ended(tmp_path)) == (shot.versions, shot.ended)


def test_a_reader_between_two_writes_misses_nobody(tmp_path):
    """The file of ended jobs is written before the status that leaves them out."""
    write_live(tmp_path, lab(1, 60), with_metrics=True)
    old = (tmp_path / "status.json").read_bytes()
    write_live(tmp_path, lab(1, 120), with_metrics=True)
    (tmp_path / "status.json").write_bytes(old)
    assert {job.run_name for job in lab(1, 60).jobs} <= {job.run_name for job in read_status(tmp_path).jobs}
