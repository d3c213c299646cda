from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.watch.poller import Poller
from experiments.project.errors import LaunchError, LedgerError, StoreError
from experiments.types import JobRef, TrainingJobConfig
from tests.fakes.job_sources import FakeClock, FakeLauncher, FakeStore, info, job, sources


@pytest.fixture
def clock():
    return FakeClock()


def poller(jobs, *parts, clock=None, **more):
    wired = {name: more.pop(name) for name in ("start_next",) if name in more}
    ticks = {"clock": clock, "ticks": clock} if clock else {}
    return Poller(sources(jobs, *parts, **wired), **ticks, **more)


def statuses(polled):
    return {status.run_name: status for status in polled.snapshot().jobs}


def settle(polled):
    """Take one step and wait until every poll that it started has answered."""
    polled.step()
    while any(source.is_busy for source in polled._asked.values()):
        assert polled.wait(5)


def test_one_poll_asks_each_source_once_for_all_its_jobs():
    local, cluster = FakeLauncher(a="RUNNING", b="PENDING"), FakeLauncher("skypilot", c="RUNNING")
    offline, server = FakeStore(info("a")), FakeStore(info("c"), name="me/p")
    jobs = [job("a"), job("b"), job("c", launcher="skypilot", tracker="me/p")]
    polled = poller(jobs, local, cluster, offline, server)
    polled.step_all(5)
    assert (local.asked, cluster.asked, offline.asked, server.asked) == ([["a", "b"]], [["c"]], [["a", "b"]], [["c"]])
    assert {run: status.verdict for run, status in statuses(polled).items()} == {
        "a": "running",
        "b": "pending",
        "c": "running",
    }


def test_a_status_holds_what_both_witnesses_say():
    began = SchedulerStatus("RUNNING", started_at=5.0)
    polled = poller([job("a")], FakeLauncher(a=began), FakeStore(info("a", step=50, total=200)))
    polled.step_all(5)
    status = statuses(polled)["a"]
    assert (status.scheduler, status.tracker, status.started_at) == ("RUNNING", "running", 5.0)
    assert (status.step, status.total_steps, status.reward, status.sps) == (50, 200, 1.5, 100.0)


def test_the_steps_asked_for_are_known_before_the_first_row():
    config = TrainingJobConfig(curriculum="arena", additional_args=("trainer.total_timesteps=2e5",))
    polled = poller([job("a", config=config)], FakeLauncher(a="PENDING"), FakeStore())
    polled.step_all(5)
    assert statuses(polled)["a"].total_steps == 200_000


def test_a_reward_that_is_no_number_is_said_and_not_shown():
    bad = info("a", summary={"overview/reward": float("nan"), "metric/agent_step": 3})
    polled = poller([job("a")], FakeLauncher(a="RUNNING"), FakeStore(bad))
    polled.step_all(5)
    assert statuses(polled)["a"].reward is None
    assert "the latest reward is nan" in statuses(polled)["a"].reason


@pytest.mark.parametrize(
    ("name", "kind", "pace"),
    [("local", "launcher", 1), ("skypilot", "launcher", 15), ("offline", "store", 1), ("me/p", "store", 10)],
)
def test_a_source_is_asked_at_its_own_pace(clock, name, kind, pace):
    part = FakeLauncher(name, a="RUNNING") if kind == "launcher" else FakeStore(info("a"), name=name)
    where = {"launcher": name} if kind == "launcher" else {"tracker": name}
    others = (FakeStore(info("a")),) if kind == "launcher" else (FakeLauncher(a="RUNNING"),)
    polled = poller([job("a", created_at=clock.now, **where)], part, *others, clock=clock)
    settle(polled)
    clock.pass_s(pace - 0.1)
    settle(polled)
    assert len(part.asked) == 1
    clock.pass_s(0.2)
    settle(polled)
    assert len(part.asked) == 2


def test_the_same_answers_again_are_no_news(clock):
    jobs, parts = [job("a"), job("b")], (FakeLauncher(a="RUNNING"), FakeStore(info("a", step=1)))
    polled = Poller(replace(sources([], *parts), jobs=lambda: jobs), clock=clock, ticks=clock)
    settle(polled)
    seen = polled.revision
    for _ in range(5):
        clock.pass_s(5)
        settle(polled)
    assert len(parts[1].asked) > 5
    assert polled.revision == seen


@pytest.mark.parametrize("what", ["another word", "a new row", "a failure", "a job"])
def test_whatever_a_snapshot_would_say_anew_is_news(clock, what):
    jobs, local, offline = [job("a")], FakeLauncher(a="RUNNING"), FakeStore(info("a", step=1))
    polled = poller(jobs, local, offline, clock=clock)
    settle(polled)
    seen, before = polled.revision, polled.snapshot().without_times()
    if what == "another word":
        local.words["a"] = "CANCELLING"
    elif what == "a new row":
        offline.runs["a"] = info("a", step=2)
    elif what == "a failure":
        local.error = LaunchError("no")
    else:
        jobs.append(job("b"))
    clock.pass_s(5)
    settle(polled)
    assert polled.snapshot().without_times() != before
    assert polled.revision > seen


def test_old_jobs_are_asked_about_less_often(clock):
    local = FakeLauncher(a="RUNNING")
    polled = poller([job("a", created_at=clock.now - 7200)], local, FakeStore(info("a")), clock=clock)
    for _ in range(40):
        settle(polled)
        clock.pass_s(0.5)
    assert len(local.asked) == 5


def test_ended_jobs_are_not_asked_about_again(clock):
    local, offline = FakeLauncher(a="SUCCEEDED", b="RUNNING"), FakeStore(info("a", "finished"), info("b"))
    polled = poller([job("a"), job("b")], local, offline, clock=clock)
    settle(polled)
    clock.pass_s(100)
    settle(polled)
    assert local.asked == [["a", "b"], ["b"]] == offline.asked


def test_polling_stops_when_all_have_ended(clock):
    local, offline = FakeLauncher(a="FAILED"), FakeStore(info("a", "failed"))
    polled = poller([job("a")], local, offline, clock=clock)
    settle(polled)
    clock.pass_s(1000)
    settle(polled)
    assert (len(local.asked), len(offline.asked)) == (1, 1)
    assert polled.snapshot().is_settled


def test_a_run_that_was_not_closed_is_read_for_another_minute(clock):
    local, offline = FakeLauncher(a="SUCCEEDED"), FakeStore(info("a", "running", step=1))
    polled = poller([job("a")], local, offline, clock=clock)
    settle(polled)
    offline.runs["a"] = info("a", "running", step=2)
    clock.pass_s(20)
    settle(polled)
    assert statuses(polled)["a"].step == 2
    clock.pass_s(60)
    settle(polled)
    clock.pass_s(60)
    settle(polled)
    assert len(local.asked) == 1
    assert polled.snapshot().is_settled


def test_a_failed_poll_keeps_the_data_its_age_and_the_reason(clock):
    local, offline = FakeLauncher(a="RUNNING"), FakeStore(info("a", step=7))
    polled = poller([job("a")], local, offline, clock=clock)
    settle(polled)
    offline.error = StoreError("the server said 500")
    clock.pass_s(40)
    settle(polled)
    shot = polled.snapshot()
    assert shot.of("a").step == 7
    assert shot.problems(clock.now) == ["offline: the server said 500 (data 40 s old)"]


def test_a_source_that_fails_is_asked_less_and_less(clock):
    offline = FakeStore()
    offline.error = OSError("down")
    polled = poller([job("a", created_at=clock.now)], FakeLauncher(a="RUNNING"), offline, clock=clock)
    for _ in range(120):
        settle(polled)
        clock.pass_s(1)
    assert len(offline.asked) <= 7


def test_one_source_down_leaves_the_others_alone(clock):
    local, offline = FakeLauncher(a="RUNNING"), FakeStore(info("a", step=9))
    local.error = LaunchError("no scheduler here")
    polled = poller([job("a")], local, offline, clock=clock)
    settle(polled)
    status = statuses(polled)["a"]
    assert (status.scheduler, status.tracker, status.step) == (None, "running", 9)
    assert polled.snapshot().problems(clock.now) == ["local: no scheduler here (no answer yet)"]


def test_a_source_that_hangs_delays_nobody():
    local, offline = FakeLauncher(a="RUNNING"), FakeStore(info("a", step=3))
    local.gate = threading.Event()
    polled = poller([job("a")], local, offline)
    polled.step_all(0.2)
    local.gate.set()
    assert statuses(polled)["a"].step == 3
    assert polled.snapshot().problems(0)[0].startswith("local: no answer within 0.2 s")


def test_a_job_that_its_launcher_no_longer_knows_is_not_shown_as_running(clock):
    local = FakeLauncher(a="RUNNING")
    polled = poller([job("a")], local, FakeStore(), clock=clock)
    settle(polled)
    del local.words["a"]
    clock.pass_s(30)
    settle(polled)
    assert (statuses(polled)["a"].scheduler, statuses(polled)["a"].verdict) == (None, "unknown")


def test_a_ledger_that_cannot_be_read_is_a_problem_and_nothing_is_lost(clock):
    broken = []

    def jobs():
        if broken:
            raise broken[0]
        return [job("a")]

    parts = sources([], FakeLauncher(a="RUNNING"), FakeStore(info("a")))
    polled = Poller(type(parts)(jobs, parts.launcher, parts.store), clock=clock, ticks=clock)
    settle(polled)
    broken.append(OSError("disk on fire"))
    clock.pass_s(5)
    settle(polled)
    assert statuses(polled)["a"].verdict == "running"
    assert polled.snapshot().problems(clock.now) == ["ledger: disk on fire (data 5 s old)"]


def test_a_problem_that_begins_with_its_source_names_it_once(clock):
    def jobs():
        raise LedgerError("ledger 'x' is damaged. Rebuild it: experiments doctor --rebuild")

    parts = sources([], FakeLauncher(), FakeStore())
    polled = Poller(type(parts)(jobs, parts.launcher, parts.store), clock=clock, ticks=clock)
    settle(polled)
    assert polled.snapshot().problems(clock.now) == ["ledger 'x' is damaged. Rebuild it: experiments doctor --rebuild"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("planned", "pending"), ("submitting", "pending"), ("refused", "failed"), ("cancelled", "cancelled")],
)
def test_a_job_that_no_launcher_has_is_told_by_the_ledger(state, expected):
    local = FakeLauncher()
    polled = poller([job("a", state=state, error="too big")], local, FakeStore())
    polled.step_all(5)
    assert statuses(polled)["a"].verdict == expected
    assert statuses(polled)["a"].reason == "too big"
    assert local.asked == []


def test_a_reference_that_nobody_here_knows_was_recorded_elsewhere():
    ref = JobRef(run="eve.far.base.s3.abcdefgh", arm="base", seed=3)
    polled = poller([], FakeLauncher(), FakeStore(), refs=lambda: [ref])
    polled.step_all(5)
    status = statuses(polled)[ref.run]
    assert (status.verdict, status.reason, status.experiment) == ("unknown", "recorded on another machine", "far")


def test_a_job_that_the_ledger_changed_is_asked_about_again(clock):
    jobs, local = [job("a")], FakeLauncher(a="SUCCEEDED")
    polled = poller(jobs, local, FakeStore(info("a", "finished")), clock=clock)
    settle(polled)
    jobs[0] = job("a", attempt=2)
    local.words["a"] = "RUNNING"
    clock.pass_s(2)
    settle(polled)
    assert statuses(polled)["a"].scheduler == "RUNNING"


def test_what_ended_before_is_not_asked_about_by_the_next_process(clock):
    first = poller([job("a")], FakeLauncher(a="SUCCEEDED"), FakeStore(info("a", "finished", step=5)), clock=clock)
    settle(first)
    local, offline = FakeLauncher(), FakeStore()
    second = poller([job("a")], local, offline, clock=clock, before=first.snapshot())
    settle(second)
    assert second.snapshot().jobs == first.snapshot().jobs
    assert local.asked == [] == offline.asked


def test_a_changed_row_is_not_taken_from_what_was_published(clock):
    first = poller([job("a")], FakeLauncher(a="SUCCEEDED"), FakeStore(info("a", "finished")), clock=clock)
    settle(first)
    local = FakeLauncher(a="RUNNING")
    second = poller([job("a", attempt=2)], local, FakeStore(info("a")), clock=clock, before=first.snapshot())
    settle(second)
    assert statuses(second)["a"].verdict == "running"


def test_waiting_local_jobs_are_started_where_that_is_allowed():
    started = []
    polled = poller([job("a")], FakeLauncher(a="PENDING"), FakeStore(), start_next=lambda: started.append(1))
    polled.step_all(5)
    assert started == [1]


def test_waiting_jobs_that_cannot_be_started_are_a_problem_and_no_lost_poll():
    def fail():
        raise LaunchError("no memory left")

    polled = poller([job("a")], FakeLauncher(a="PENDING"), FakeStore(), start_next=fail)
    polled.step_all(5)
    assert statuses(polled)["a"].scheduler == "PENDING"
    assert "waiting jobs cannot be started: no memory left" in polled.snapshot().problems(0)[0]


def test_a_crashed_run_without_a_scheduler_may_come_back(clock):
    ref, server = JobRef(run="r", tracker="me/p", launcher="skypilot"), FakeStore(info("r", "crashed"), name="me/p")
    polled = poller([], server, refs=lambda: [ref], clock=clock)
    settle(polled)
    assert statuses(polled)["r"].verdict == "failed"
    server.runs["r"] = info("r", "running")
    clock.pass_s(100)
    settle(polled)
    assert statuses(polled)["r"].verdict == "running"


def test_a_new_job_does_not_wait_for_the_pace_of_the_old_ones(clock):
    jobs, cluster = [job("a", launcher="skypilot")], FakeLauncher("skypilot", a="RUNNING", b="STARTING")
    polled = poller(jobs, cluster, FakeStore(), clock=clock)
    settle(polled)
    jobs.append(job("b", launcher="skypilot"))
    clock.pass_s(1.1)
    settle(polled)
    assert statuses(polled)["b"].scheduler == "STARTING"


def test_a_run_that_failed_is_not_the_end_before_the_scheduler_has_spoken(clock):
    cluster, server = FakeLauncher("skypilot", a="RECOVERING"), FakeStore(info("a", "failed"), name="me/p")
    cluster.error = LaunchError("not reached")
    polled = poller([job("a", launcher="skypilot", tracker="me/p")], cluster, server, clock=clock)
    settle(polled)
    cluster.error = None
    clock.pass_s(70)
    settle(polled)
    assert statuses(polled)["a"].verdict == "recovering"


def test_a_job_nobody_has_told_of_yet_says_so():
    polled = poller([job("a")], FakeLauncher(), FakeStore())
    polled._read_ledger()
    assert statuses(polled)["a"].reason == "no answer from local and offline yet"


def test_a_run_that_could_not_be_read_in_full_says_so():
    store = FakeStore(info("a", step=5))
    store.damage = "1 block of 32 KiB is damaged"
    polled = poller([job("a")], FakeLauncher(a="RUNNING"), store)
    polled.step_all(5)
    assert (statuses(polled)["a"].step, statuses(polled)["a"].reason) == (5, "1 block of 32 KiB is damaged")


def test_an_end_that_the_ledger_holds_is_known_while_the_scheduler_is_down(clock):
    cluster = FakeLauncher("skypilot", b="RUNNING")
    cluster.error = LaunchError("the server is down")
    jobs = [job("a", launcher="skypilot"), job("b", launcher="skypilot")]
    polled = Poller(
        replace(sources(jobs, cluster, FakeStore()), outcomes=lambda _: {"a": SchedulerStatus("SUCCEEDED")}),
        clock=clock,
        ticks=clock,
    )
    settle(polled)
    assert (statuses(polled)["a"].verdict, statuses(polled)["b"].verdict) == ("succeeded", "unknown")
    assert statuses(polled)["b"].reason == "skypilot has not answered yet"
    assert cluster.asked == [["b"]]


def test_the_silence_of_a_scheduler_has_its_age_beside_what_it_said_last(clock):
    cluster = FakeLauncher("skypilot", a="RUNNING")
    polled = poller([job("a", launcher="skypilot")], cluster, FakeStore(), clock=clock)
    settle(polled)
    cluster.error = LaunchError("the server is down")
    clock.pass_s(720)
    settle(polled)
    status = statuses(polled)["a"]
    assert (status.scheduler, status.verdict, status.reason) == (
        "RUNNING",
        "running",
        "skypilot has not answered for 12 m",
    )
    again = poller([job("a", launcher="skypilot")], cluster, FakeStore(), clock=clock, before=polled.snapshot())
    clock.pass_s(60)
    settle(again)
    assert statuses(again)["a"].reason == "skypilot has not answered for 13 m"


def test_two_jobs_whose_scripts_gave_one_run_id_say_so_and_how_to_mend_it():
    both = [replace(info(name), run_id="same") for name in "ab"]
    polled = poller([job("a"), job("b"), job("c")], FakeLauncher(a="RUNNING", b="RUNNING"), FakeStore(*both, info("c")))
    polled.step_all(5)
    found = statuses(polled)
    assert "gave W&B the run id 'same', and so did that of b: on a server the two are one run" in found["a"].reason
    assert "and so did that of a" in found["b"].reason
    assert "run id" not in found["c"].reason


def test_a_job_too_old_to_be_watched_is_known_whole_where_a_page_has_it_and_the_others_are_counted(clock):
    old = job("old")
    asked = replace(
        sources([job("a")], FakeLauncher(a="RUNNING", old="SUCCEEDED"), FakeStore(info("a"))),
        earlier=lambda: 9,
        named=lambda runs: [old] if "old" in runs else [],
    )
    polled = Poller(asked, refs=lambda: [JobRef(run="old"), JobRef(run="elsewhere")], clock=clock, ticks=clock)
    polled.step_all(5)
    found = polled.snapshot()
    assert found.earlier == 9
    assert [(status.run_name, status.verdict) for status in found.jobs[:2]] == [("a", "running"), ("old", "succeeded")]
    assert polled.known("old")[1].experiment == old.experiment
