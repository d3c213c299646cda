"""Where a run was started again."""

from __future__ import annotations

import json
import time

import pytest

from experiments.jobs.events import keep
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.results.recoveries import recoveries, recovery_marks
from experiments.runs.offline.places import ATTEMPTS
from experiments.runs.offline.store import OfflineStore
from experiments.runs.opening import RoutedStore
from experiments.types import JobRef
from tests.fakes import wandb_files as fake

NOON = time.mktime((2026, 11, 22, 12, 0, 0, 0, 0, -1))


def at(minutes, seconds=0):
    return NOON + 60 * minutes + seconds


def started(folder, number, moment, steps):
    writer = fake.offline_run(folder, "r", stamp=f"2026010{number}_120000").write(fake.run("r", started_at=moment))
    for step in steps:
        writer.step = step
        writer.log({"metric/agent_step": step})


def noted(folder, *starts):
    lines = [json.dumps({"at": moment, "step": step, "host": "node-3"}) for moment, step in starts]
    (folder / "r").mkdir(exist_ok=True)
    (folder / "r" / ATTEMPTS).write_text("\n".join(lines) + "\n")


def told(folder, *events):
    keep(folder, {"r": SchedulerStatus("RUNNING", events=events)})


@pytest.fixture
def share(tmp_path):
    """A run whose second start went back to step 20 and logged two rows again."""
    started(tmp_path, 1, at(41), [0, 10, 20, 30, 40])
    started(tmp_path, 2, at(43), [25, 35, 45])
    return tmp_path


def told_of(folder):
    return [(found.step, found.text) for found in recoveries("r", OfflineStore(folder), now=at(60))]


def test_the_trainers_note_and_the_schedulers_word_are_one_mark(share):
    noted(share, (at(41), 0), (at(43, 20), 20))
    told(share, ("RUNNING", "", at(41)), ("RECOVERING", "", at(42, 21)), ("RUNNING", "", at(43, 5)))
    text = "preempted at 12:42, running again 44 s later, from step 20; 2 rows after it were logged again"
    assert told_of(share) == [(20, text)]


def test_without_a_scheduler_the_trainers_note_says_where(share):
    noted(share, (at(41), 0), (at(43), 20))
    text = "started again at 12:43 on node-3, from step 20; 2 rows after it were logged again"
    assert told_of(share) == [(20, text)]


def test_without_notes_wandbs_own_files_tell(share):
    text = "started again at 12:43, from step 25; 2 rows after it were logged again"
    assert told_of(share) == [(25, text)]


def test_an_interruption_without_a_start_is_put_where_the_rows_were(tmp_path):
    writer = fake.offline_run(tmp_path, "r").write(fake.run("r"))
    writer.log(*({"metric/agent_step": step * 100} for step in range(5)))  # one a second from 1.7e9 on
    told(tmp_path, ("RECOVERING", "", 1.7e9 + 2.5))
    [found] = recoveries("r", OfflineStore(tmp_path), now=1.7e9)
    assert (found.step, found.text.endswith("not running again yet")) == (200, True)


def test_machines_lost_before_the_trainer_was_on_them_are_part_of_the_next_start(share):
    noted(share, (at(41), 0), (at(50), 20))
    lost = [("RECOVERING", "", at(42)), ("RUNNING", "", at(43)), ("RECOVERING", "", at(44)), ("RUNNING", "", at(49))]
    told(share, *lost)
    [(step, text)] = told_of(share)
    assert (step, text.partition(",")[0]) == (20, "preempted at 12:44")


def test_a_run_that_was_started_once_has_no_mark(tmp_path):
    started(tmp_path, 1, at(41), [0, 10])
    noted(tmp_path, (at(41), 0))
    assert told_of(tmp_path) == []
    assert recoveries("absent", OfflineStore(tmp_path)) == []


def test_an_interruption_of_an_online_run_is_put_where_the_servers_rows_were(tmp_path):
    server = tmp_path / "server"
    writer = fake.offline_run(server, "r").write(fake.run("r"))
    writer.log(*({"metric/agent_step": step * 100} for step in range(5)))
    told(tmp_path, ("RECOVERING", "", 1.7e9 + 3.5), ("RUNNING", "", 1.7e9 + 60))
    routed = RoutedStore(OfflineStore(tmp_path), lambda: OfflineStore(server))
    assert recovery_marks([JobRef(run="r")], routed)["step"].tolist() == [300]
    assert recovery_marks([JobRef(run="r")], RoutedStore(OfflineStore(tmp_path), None)).empty


def test_marks_are_a_table_of_all_runs(share):
    noted(share, (at(41), 0), (at(43), 20))
    jobs = [JobRef(run="r", arm="base"), JobRef(run="absent", arm="base"), JobRef(run="../x", arm="base")]
    marks = recovery_marks(jobs, RoutedStore(OfflineStore(share), None), now=at(60))
    assert marks[["run", "arm", "step"]].values.tolist() == [["r", "base", 20]]
    assert (marks["step"].dtype, list(marks.columns)) == ("int64", ["run", "arm", "step", "text"])
    assert recovery_marks(jobs[1:], OfflineStore(share)).empty
