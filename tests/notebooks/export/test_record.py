"""What a log keeps of itself, and what two logs say to each other."""

from __future__ import annotations

import pytest

from experiments.notebooks.export.record import (
    LoggedJob,
    LoggedMetric,
    LogRecord,
    changes_between,
    read_record,
    with_record,
)

PAGE = b"<!doctype html><html><head><title>A</title></head><body></body></html>"


def record(**fields):
    return LogRecord(title="A", experiment="a", created="2026-11-22T14:05:00+00:00", **fields)


def test_what_is_written_is_read_back(tmp_path):
    kept = record(
        hypothesis="more </script><script>alert(1)</script> & \u2028 ☃", jobs=(LoggedJob(run="r", reward=1.5),)
    )
    path = tmp_path / "a.html"
    path.write_bytes(with_record(PAGE, kept))
    assert read_record(path) == kept
    assert path.read_bytes().count(b"</script>") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>another page</html>",
        with_record(PAGE, record())[:200],
        with_record(PAGE, record()).replace(b'"format":1', b'"format":99'),
        with_record(PAGE, record()).replace(b'"title"', b'"tit\xff\xfe'),
        b'<script type="application/json" id="experiments-log">[1]</script>',
    ],
)
def test_a_damaged_or_foreign_file_has_no_record(tmp_path, content):
    path = tmp_path / "x.html"
    path.write_bytes(content)
    assert read_record(path) is None


def test_a_field_of_a_later_version_is_left_alone(tmp_path):
    path = tmp_path / "x.html"
    path.write_bytes(with_record(PAGE, record()).replace(b'"who"', b'"novel":[1],"who"'))
    assert read_record(path) == record()


def test_time_and_person_are_no_difference():
    assert record().says_the_same(record(who="other", changes=("x",), previous="y.html"))
    assert not record().says_the_same(record(data="abc"))


def test_each_change_is_a_sentence():
    old = record(
        config={"rate": 0.1, "gone": 1},
        jobs=(LoggedJob(run="r1", state="running", reward=1.0), LoggedJob(run="r2")),
        key_metric=LoggedMetric(name="return", value=1, text="1"),
        code={"a": "1", "b": "1"},
        packages={"numpy": "1"},
        verdict="",
        commit="a" * 40,
        dirty=False,
        data="1",
    )
    new = record(
        config={"rate": 0.2},
        jobs=(LoggedJob(run="r1", state="succeeded", reward=2.0), LoggedJob(run="r3")),
        key_metric=LoggedMetric(name="return", value=2, text="2"),
        code={"a": "2", "c": "1"},
        packages={"numpy": "2"},
        verdict="Confirmed.",
        commit="a" * 40,
        dirty=True,
        data="2",
        problems=("a: ValueError",),
    )
    assert changes_between(old, new) == (
        "config gone: gone (was 1)",
        "config rate: 0.1 is now 0.2",
        "1 job added: r3",
        "1 job gone: r2",
        "r1: running is now succeeded",
        "r1: reward 1 is now 2",
        "return: 1 is now 2",
        "1 cell changed: a",
        "1 cell added: c",
        "1 cell removed: b",
        "package numpy: 1 is now 2",
        "verdict: Confirmed.",
        f"commit {'a' * 10} is now {'a' * 10} with changes",
        "the runs have other data",
        "1 cell failed, before 0",
    )
    assert changes_between(new, new) == ()


def test_many_changed_jobs_are_counted():
    old = record(jobs=tuple(LoggedJob(run=f"r{i}", state="running") for i in range(50)))
    new = record(jobs=tuple(LoggedJob(run=f"r{i}", state="failed") for i in range(50)))
    assert changes_between(old, new)[-1] == "45 more changes of jobs"
