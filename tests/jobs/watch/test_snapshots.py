from __future__ import annotations

import pytest

from experiments.jobs.watch.snapshots import Snapshot, SourceState, age_in_words, reason_of, time_left_s, write_live
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
