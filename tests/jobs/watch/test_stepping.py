"""Steps that whoever watches takes: where something goes on, one at a time, ever later where they fail, from no page
that is read."""

from __future__ import annotations

import json
import sys
import threading
import time

import pytest

from experiments.jobs import permits
from experiments.jobs.launchers.local.supervisor import GOES_ON
from experiments.jobs.sweeps.going_on import last_step, record_step
from experiments.jobs.watch.monitor import Monitor
from experiments.jobs.watch.poller import Sources
from experiments.jobs.watch.snapshots import Snapshot
from experiments.jobs.watch.stepping import EVERY_S, GRACE_S, Stepper
from tests.fakes.job_sources import FakeLauncher, FakeStore, job, sources
from tests.fakes.waiting import wait_until

STEP = """
import sys, time
from pathlib import Path
from experiments.jobs.sweeps.going_on import record_step
began = time.time()
with open("taken", "a") as taken:
    taken.write(" ".join(sys.argv[1:]) + "\\n")
    taken.flush()
    time.sleep({sleeps})
    {does}
record_step(Path("."), {problems}, began)
"""


class Ticks:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A state folder, which is the root as well, with a step that appends a line to `taken`."""

    monkeypatch.setattr(permits, "_edited", False)

    class Place:
        state = tmp_path
        ticks = Ticks()

        def goes_on(self, *, problems=None, does="pass", sleeps=0.0):
            step = STEP.format(problems=problems or {}, does=does, sleeps=sleeps)
            command = [sys.executable, "-c", step]
            (tmp_path / GOES_ON).write_text(json.dumps({"command": command}))

        def stepper(self):
            return Stepper(tmp_path, tmp_path, ticks=self.ticks)

        def taken(self):
            file = tmp_path / "taken"
            return file.read_text().splitlines() if file.exists() else []

        def look(self, stepper, snapshot, after_s=GRACE_S + 1):
            """Look twice, so long apart, and wait for the step that may come of it."""
            self.ticks.now += 1.0
            stepper.take(snapshot)
            self.ticks.now += after_s
            stepper.take(snapshot)
            wait_until(lambda: not any(thread.name == "step" for thread in threading.enumerate()))

    return Place()


def seen(*ended):
    return Snapshot(jobs=tuple(status(name) for name in ended), written_at=1.0)


def status(name):
    from experiments.types import JobStatus

    values = {
        "experiment": "study",
        "arm": "a",
        "seed": 0,
        "launcher": "skypilot",
        "as_of": 1.0,
        "verdict": "succeeded",
    }
    return JobStatus(run_name=name, **{key: values[key] for key in values if key in JobStatus.model_fields})


def test_a_step_is_taken_when_something_has_ended_and_not_again_until_more_has(place):
    place.goes_on()
    stepper = place.stepper()
    place.look(stepper, seen("a"))
    assert place.taken() == ["while somebody watched"]
    place.look(stepper, seen("a"), after_s=EVERY_S / 4)
    assert len(place.taken()) == 1
    place.look(stepper, seen("a", "b"))
    assert len(place.taken()) == 2
    place.look(stepper, seen("a", "b"), after_s=EVERY_S + 1)
    assert len(place.taken()) == 3


def test_the_step_of_a_supervisor_makes_another_one_needless(place):
    place.goes_on()
    stepper = place.stepper()
    place.look(stepper, seen("a"))
    place.ticks.now += 1.0
    stepper.take(seen("a", "b"))
    place.ticks.now += 1.0
    record_step(place.state, {}, time.time())
    place.look(stepper, seen("a", "b"))
    assert len(place.taken()) == 1


def test_nothing_is_started_where_nothing_goes_on_or_the_mark_is_damaged(place):
    stepper = place.stepper()
    place.look(stepper, seen("a"))
    for mark in ("", "[]", '{"command": "rm"}', '{"command": []}', '{"command": [1]}'):
        (place.state / GOES_ON).write_text(mark)
        place.look(stepper, seen("a"), after_s=EVERY_S + 1)
    assert place.taken() == []
    assert last_step(place.state) is None


def test_a_step_that_fails_comes_again_ever_later_and_is_kept_for_pages(place):
    place.goes_on(problems={"study": ["study: no room"]})
    stepper = place.stepper()
    place.look(stepper, seen("a"))
    assert last_step(place.state).problems_of("study") == ["study: no room"]
    assert last_step(place.state).problems_of("other") == []
    pauses = []
    for _ in range(3):
        began, before = place.ticks.now, len(place.taken())
        while len(place.taken()) == before:
            place.look(stepper, seen("a"), after_s=10.0)
        pauses.append(place.ticks.now - began)
    assert [round(pause / EVERY_S) for pause in pauses] == [2, 4, 8]


def test_a_step_that_dies_at_once_is_told_with_its_last_words(place):
    place.goes_on(does="raise ValueError('no such thing')")
    place.look(place.stepper(), seen("a"))
    found = last_step(place.state)
    assert found.problems_of("study") == ["a step could not be taken: ValueError: no such thing"]
    assert found.failures == 1


def test_two_who_watch_start_one_step_between_them(place):
    place.goes_on(sleeps=1.0)
    first, second = place.stepper(), place.stepper()
    for stepper in (first, second):
        stepper.take(seen("a"))
    place.ticks.now += GRACE_S + 1
    for stepper in (first, second):
        stepper.take(seen("a"))
    wait_until(lambda: not any(thread.name == "step" for thread in threading.enumerate()))
    assert len(place.taken()) == 1


@pytest.mark.parametrize("mode", ["run", "script", "edit"])
def test_no_page_that_is_read_or_exported_takes_one(place, monkeypatch, mode):
    place.goes_on()
    monkeypatch.setattr(permits, "page_mode", lambda: mode)  # in mode edit nobody asked: it is being exported
    place.look(place.stepper(), seen("a"))
    assert place.taken() == []


def test_a_page_that_a_person_edits_takes_one_wherever_its_monitor_was_made(place, monkeypatch):
    place.goes_on()
    made = []
    thread = threading.Thread(target=lambda: made.append(place.stepper()))
    thread.start()
    thread.join()
    monkeypatch.setattr(permits, "_edited", True)  # a cell asked for leave since
    place.look(made[0], seen("a"))
    assert len(place.taken()) == 1


def test_no_process_that_may_only_read_and_no_thread_takes_one(place, monkeypatch):
    place.goes_on()
    made = []
    thread = threading.Thread(target=lambda: made.append(place.stepper()))
    thread.start()
    thread.join()
    looking = threading.Thread(target=place.look, args=(made[0], seen("a")))
    looking.start()
    looking.join()
    stepper = place.stepper()
    monkeypatch.setattr("experiments.jobs.watch.stepping.read_only", lambda: True)
    place.look(stepper, seen("a"))
    assert place.taken() == []


def test_a_monitor_takes_the_step_also_where_another_process_polls(tmp_path):
    told = []
    parts = sources([job("a")], FakeLauncher(), FakeStore())
    parts = Sources(**{**vars(parts), "carry_on": told.append})
    (tmp_path / "live").mkdir()
    follower = Monitor(tmp_path, parts, follows_only=True)
    poller = Monitor(tmp_path, sources([job("a")], FakeLauncher(), FakeStore()))
    subscriptions = [poller.subscribe(lambda _: None), follower.subscribe(lambda _: None)]
    try:
        wait_until(lambda: told)
    finally:
        for subscription in subscriptions:
            subscription.close()
