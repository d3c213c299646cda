"""Each event told at most once: over restarts, crashes and two Monitors."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from pathlib import Path

import pytest

from experiments.jobs.watch.alerting import AlertWatch, Records, hand_on, held_alerts, limits_of
from experiments.jobs.watch.alerts import Alert, Limits
from experiments.jobs.watch.snapshots import Snapshot
from experiments.project.errors import StoreError, UsageError
from experiments.project.settings import Settings, load_settings
from tests.fakes.job_sources import FakeClock
from tests.jobs.watch.test_alerts import status

WRITE = "import os, sys; open(sys.argv[1], 'a').write(os.environ['EXPERIMENTS_ALERT_TEXT'] + chr(10))"


@pytest.fixture
def state(tmp_path):
    (tmp_path / "live").mkdir()
    return tmp_path


def command(target):
    return (sys.executable, "-S", "-c", WRITE, str(target))


def lines(path, count, timeout_s=20.0):
    """Return the lines of a file once it has `count`."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = path.read_text().splitlines() if path.exists() else []
        if len(found) >= count:
            return found
        time.sleep(0.02)
    return found


def snapshot(*jobs):
    return Snapshot(jobs=jobs, written_at=1.0, versions={job.run_name: str(job.step) for job in jobs})


def test_a_failure_is_handed_on_once_over_many_snapshots_and_a_restart(state, tmp_path):
    told = tmp_path / "told"
    jobs = snapshot(status("a", "failed", reason="exit code 1"), status("b"))
    for _ in range(3):
        watch = AlertWatch(state, Limits(), command=command(told))
        for _ in range(5):
            watch.look(jobs)
    watch.look(snapshot(status("c", "failed")))
    assert sorted(lines(told, 2)) == ["a: failed: exit code 1", "c: failed"]
    time.sleep(0.2)
    assert len(lines(told, 2)) == 2


def race(state, told, number):
    watch = AlertWatch(Path(state), Limits(), command=command(told))
    for run in range(20):
        watch.look(snapshot(status(f"run{run}", "failed")))
    time.sleep(3)


def test_two_monitors_that_race_tell_each_event_once(state, tmp_path):
    told = tmp_path / "told"
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=race, args=(str(state), str(told), number)) for number in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert sorted(lines(told, 20)) == sorted(f"run{run}: failed" for run in range(20))


def test_a_record_appears_whole_or_not_at_all(state):
    alert = Alert(key="k", rule="failed", experiment="e", run="r", text="t", at=5.0)
    records = Records(state)
    assert [records.first(alert), records.first(alert), Records(state).first(alert)] == [True, False, False]
    assert [path.name for path in (state / "alerts").iterdir()] == ["k.json"]
    assert Records(state).told_at(alert.model_copy(update={"at": 9.0})) == 5.0


def test_what_cannot_be_recorded_is_told_to_nobody(state, tmp_path):
    (state / "alerts").write_text("a file where the folder should be")
    watch = AlertWatch(state, Limits(), command=command(tmp_path / "told"))
    assert [alert.run for alert in watch.look(snapshot(status("a", "failed")))] == ["a"]
    time.sleep(0.3)
    assert not (tmp_path / "told").exists()


def test_what_holds_is_kept_for_the_pages_and_goes_when_it_no_longer_holds(state):
    clock, changes = FakeClock(), []
    watch = AlertWatch(state, Limits(stalled_s=60), changed=lambda: changes.append(1), clock=clock)
    watch.look(snapshot(status("a", step=1)))
    clock.pass_s(61)
    watch.look(snapshot(status("a", step=1)))
    assert [alert.rule for alert in held_alerts(state / "live")] == ["stalled"]
    first = held_alerts(state / "live")[0].at
    clock.pass_s(10)
    watch.look(snapshot(status("a", step=1)))
    assert held_alerts(state / "live")[0].at == first
    watch.look(snapshot(status("a", step=2)))
    assert held_alerts(state / "live") == []
    assert len(changes) == 3


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"\xff", b'[{"key": 1}]'])
def test_a_damaged_file_of_alerts_is_said_and_no_file_is_no_alert(state, content):
    assert held_alerts(state / "live") == []
    (state / "live" / "alerts.json").write_bytes(content)
    [alert] = held_alerts(state / "live")
    assert "alerts cannot be read from" in alert.text


class Broken:
    """A store that is down."""

    def find(self, query):
        raise StoreError("the server is down")


def test_a_store_that_is_down_takes_no_other_alert_with_it(state):
    watch = AlertWatch(state, Limits(), store=Broken)
    assert [alert.run for alert in watch.look(snapshot(status("a", "failed"), status("b")))] == ["a"]


def test_a_loss_that_is_no_number_is_found_in_the_runs_own_files(state):
    class Store:
        def find(self, query):
            from experiments.runs.store import RunInfo

            return [RunInfo(name=name, state="running", summary={"losses/loss": "NaN"}) for name in query.names]

    watch = AlertWatch(state, Limits(), store=Store)
    assert [(alert.rule, alert.run) for alert in watch.look(snapshot(status("a"), status("b", "pending")))] == [
        ("nan", "a")
    ]


def test_a_text_reaches_the_command_in_its_environment_and_never_as_a_word(tmp_path):
    target = tmp_path / "told"
    text = "$(touch /tmp/pwned); `id` \n --flag 'x'"
    alert = Alert(key="k", rule="failed", experiment="e", run="r", text=text, at=0.0)
    assert hand_on(alert, command(target)) == 0
    assert target.read_text() == "r: $(touch /tmp/pwned); `id` --flag 'x'\n"


@pytest.mark.parametrize("words", [("/nowhere/program",), (sys.executable, "-c", "raise SystemExit(3)")])
def test_a_command_that_fails_takes_nothing_with_it(words):
    alert = Alert(key="k", rule="cost", experiment="e", text="t", at=0.0)
    assert hand_on(alert, words) in {None, 3}


def test_a_repository_cannot_name_the_command(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.experiments]\nalert_command = ["/bin/evil"]\n')
    with pytest.raises(UsageError, match="alert_command"):
        load_settings(tmp_path)


def test_a_project_sets_the_limits(tmp_path):
    settings = Settings(alert_stalled_minutes=2, alert_evaluations=5, alert_cost=100)
    assert limits_of(settings) == Limits(stalled_s=120, evaluations=5, cost=100)
    assert json.loads(limits_of(Settings()).model_dump_json())["stalled_s"] == 900
