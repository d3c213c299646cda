"""What happened to a job; the payloads are a real SkyPilot's."""

from __future__ import annotations

import json
import time

import pytest

from experiments.jobs.events import (
    FILE,
    NO_COST,
    UNKNOWN,
    Kept,
    cost_of,
    estimated,
    history,
    in_order,
    interruptions,
    keep,
    last_interruption,
    read_kept,
)
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.project.look import IN_LOG

NOON = time.mktime((2026, 11, 22, 12, 0, 0, 0, 0, -1))
NOW = 10_000.0


def at(minutes, seconds=0):
    return NOON + 60 * minutes + seconds


RECOVERED = [
    ("PENDING", "Job submitted to queue", at(38)),
    ("STARTING", "Job is starting", at(38, 5)),
    ("RUNNING", "Job has started", at(41)),
    ("RECOVERING", "Cluster preempted or failed, recovering", at(42, 21)),
    ("RUNNING", "Job has recovered", at(43, 5)),
    ("SUCCEEDED", "Job has succeeded", at(50)),
]


def test_a_recovery_is_one_sentence():
    assert history(RECOVERED, at(60)) == [
        "queued at 12:38",
        "machines asked for at 12:38",
        "running at 12:41",
        "preempted at 12:42, running again 44 s later",
        "succeeded at 12:50",
    ]


def test_a_recovery_that_goes_on_says_so():
    assert history(RECOVERED[:4], at(60))[-1] == "preempted at 12:42, not running again yet"


def test_the_search_for_machines_is_part_of_the_interruption():
    searching = [("PENDING", "backoff", at(44)), ("RECOVERING", "", at(45)), ("STARTING", "", at(46))]
    events = [*RECOVERED[:4], *searching, ("RUNNING", "", at(52, 21))]
    assert history(events, at(60))[3:] == ["preempted at 12:42, running again 10 m 00 s later"]
    [gap] = interruptions(events)
    assert (gap.at, gap.back_at) == (at(42, 21), at(52, 21))


def test_a_job_that_is_cancelled_while_it_recovers_never_runs_again():
    events = [*RECOVERED[:4], ("CANCELLING", "", at(44)), ("CANCELLED", "", at(45))]
    assert history(events, at(60))[3:] == [
        "preempted at 12:42, not running again yet",
        "asked to end at 12:44",
        "cancelled at 12:45",
    ]


def test_the_schedulers_own_reason_is_kept():
    events = [("RECOVERING", "node vm DOWN", at(2)), ("FAILED", "Job exited with exit code 3", at(3))]
    assert history(events, at(60)) == [
        "interrupted (node vm DOWN) at 12:02, not running again yet",
        "failed at 12:03: Job exited with exit code 3",
    ]


def test_unknown_words_are_shown_as_they_are_and_other_days_are_named():
    assert history([("HIBERNATING", "", at(0))], at(0) + 86_400) == ["HIBERNATING at 22 Nov 2026 12:00"]


def test_a_log_says_the_same_on_every_day_and_in_every_zone(monkeypatch):
    monkeypatch.setenv(IN_LOG, "1")
    assert (
        history([("RUNNING", "", 0.0)], at(0))
        == ["running at 01 Jan 1970 00:00 UTC"]
        == history([("RUNNING", "", 0.0)], 0)
    )


@pytest.mark.parametrize(
    "event", [(), ("RUNNING",), ("RUNNING", "", None), ("RUNNING", "", "x"), 5, None, ("A", "", float("nan"))]
)
def test_an_event_that_is_not_understood_is_left_out(event):
    assert [word for word, _, _ in in_order([event, *RECOVERED])] == [word for word, _, _ in RECOVERED]


def test_events_in_any_order_and_twice_tell_the_same():
    assert history([*reversed(RECOVERED), *RECOVERED], at(60)) == history(RECOVERED, at(60))


def test_what_a_scheduler_told_is_kept_when_it_tells_no_more(tmp_path):
    first = SchedulerStatus(
        "RUNNING", events=RECOVERED[:3], resources="1x(cpus=4)", price_per_hour=0.5, duration_s=10.0
    )
    keep(tmp_path, {"r": first})
    known = keep(tmp_path, {"r": SchedulerStatus("RECOVERING", events=RECOVERED[2:4], recoveries=1)})["r"]
    assert list(known.events) == RECOVERED[:4]
    assert (known.word, known.recoveries, known.resources, known.price_per_hour) == ("RECOVERING", 1, "1x(cpus=4)", 0.5)
    assert read_kept(tmp_path / "r") == Kept(tuple(RECOVERED[:4]), 1, "1x(cpus=4)", 0.5, 10.0)


def test_a_history_takes_the_place_of_the_times_in_a_list_of_jobs(tmp_path):
    listed = [("PENDING", "", at(38, 6)), ("RUNNING", "", at(41, 1))]  # SkyPilot lists it as queued when it starts
    keep(tmp_path, {"r": SchedulerStatus("RUNNING", events=listed)})
    for events in (RECOVERED, listed):
        known = keep(tmp_path, {"r": SchedulerStatus("RUNNING", events=events)})["r"]
        assert list(known.events) == RECOVERED


def test_a_poll_without_news_writes_nothing(tmp_path):
    keep(tmp_path, {"r": SchedulerStatus("RUNNING", events=RECOVERED[:3], duration_s=10.0)})
    before = (tmp_path / "r" / FILE).stat().st_mtime_ns
    keep(tmp_path, {"r": SchedulerStatus("RUNNING", events=RECOVERED[:3], duration_s=25.0)})
    assert (tmp_path / "r" / FILE).stat().st_mtime_ns == before
    keep(tmp_path, {"quiet": SchedulerStatus("PENDING")})
    assert not (tmp_path / "quiet").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"events": 5}', '{"events": [[1]], "recoveries": "x"}', "\x00"])
def test_a_damaged_file_is_replaced_by_what_is_told_next(tmp_path, content):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / FILE).write_text(content)
    assert read_kept(tmp_path / "r") == Kept()
    keep(tmp_path, {"r": SchedulerStatus("RUNNING", events=RECOVERED[:1])})
    assert json.loads((tmp_path / "r" / FILE).read_text())["events"] == [list(RECOVERED[0])]


def test_the_newest_interruption_stands_for_all():
    again = [*RECOVERED[:5], ("RECOVERING", "", at(47)), ("RUNNING", "", at(48))]
    assert last_interruption(RECOVERED, 1, at(60)) == "preempted at 12:42, running again 44 s later"
    assert (
        last_interruption(again, 2, at(60)) == "preempted at 12:47, running again 1 m 00 s later (of 2 interruptions)"
    )
    assert [last_interruption((), n, 0.0) for n in (0, 1, 3)] == ["", "started again once", "started again 3 times"]


def test_a_price_times_the_time_held_is_an_estimate():
    status = SchedulerStatus("RUNNING", started_at=NOW - 7200, duration_s=3600.0, price_per_hour=1.2)
    assert cost_of("skypilot", status, NOW).text == "about $1.20 (estimate)"
    assert cost_of("skypilot", SchedulerStatus("RUNNING", started_at=NOW - 7200, price_per_hour=1.2), NOW).usd == 2.4
    ended = SchedulerStatus("SUCCEEDED", started_at=0.0, ended_at=3600.0, price_per_hour=1000.0)
    assert cost_of("skypilot", ended, NOW).text == "about $1,000.00 (estimate)"
    assert cost_of("skypilot", SchedulerStatus("PENDING", price_per_hour=1.2), NOW).usd == 0.0


@pytest.mark.parametrize("price", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_without_a_price_nobody_knows(price):
    status = SchedulerStatus("RUNNING", duration_s=3600.0, price_per_hour=price)
    assert cost_of("skypilot", status, NOW) == UNKNOWN == cost_of("skypilot", None, NOW)


def test_this_machine_costs_nothing():
    assert cost_of("local", SchedulerStatus("RUNNING", started_at=1.0), NOW) == NO_COST == cost_of("dry-run", None, NOW)


def test_an_estimate_says_that_it_is_one():
    assert estimated(1.25).text == "about $1.25 (estimate)"
    assert estimated(0.002).text == "less than $0.01 (estimate)"
