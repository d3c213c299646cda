"""A verdict that came early spares seeds: they are cancelled, are not lost, and change nothing of what was decided."""

from __future__ import annotations

import pytest

from experiments.jobs.journal import BLANK, Journal
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.jobs.sparing import SPARED, cancel_spared, spared_runs
from experiments.monitoring import poll_once
from experiments.notebooks.verdict import judged, spared_jobs
from experiments.project.errors import LaunchRefused
from experiments.project.values import replaced
from experiments.results.scores import known_statuses, outcome_of_job
from experiments.types import JobStatus
from tests.fakes.registered import RULE, WRITTEN, registered


@pytest.fixture
def study(tmp_path):
    return registered(tmp_path)


def spare(study, journal=WRITTEN):
    return spared_jobs(study.context, study.jobs, journal)


def cancelled(study):
    """Cancel what is spared, and publish what the sources say of it then."""
    found = spare(study)
    told = cancel_spared(found.runs, found.decided, command_permit("test"), study.workspace)
    polled = {status.run_name: status for status in poll_once(study.workspace.state).jobs}
    study.statuses |= {run: polled[run] for run in found.runs}
    study.publish()
    return told


def test_a_look_that_decides_names_the_jobs_of_both_arms_that_need_not_run(study):
    found = spare(study)
    assert found.sentence == "Confirmed at 3 of 6 planned seeds of each arm; 6 jobs can be cancelled."
    assert sorted(found.runs) == sorted(job.run for job in study.jobs if job.seed >= 3)


def test_how_long_they_would_run_is_told_by_those_that_have_ended(study):
    for job in study.jobs:
        done = job.seed < 3
        times = {"started_at": 0.0, "ended_at": 3600.0} if done else {"started_at": 100.0, "as_of": 1900.0}
        study.statuses[job.run] = replaced(study.statuses[job.run], **times)
    study.publish()
    assert spare(study).sentence.endswith("6 jobs can be cancelled (about 3 h of running).")


def test_the_verdict_stays_as_it_was_after_the_cancel(study):
    before = judged(study.context, study.jobs, WRITTEN)
    told = cancelled(study)
    assert len(told) == 6
    assert all(study.statuses[run].verdict == "cancelled" and study.statuses[run].spared for run in told)
    after = judged(study.context, study.jobs, WRITTEN)
    assert after[1].registration.is_registered
    assert after[1].words == before[1].words
    assert spare(study) is None


def test_spared_seeds_are_neither_lost_nor_waited_for(study):
    cancelled(study)
    scores = judged(study.context, study.jobs, WRITTEN)[0].scores["b"]
    assert (scores.lost, scores.waiting) == ((), 0)
    assert scores.count.sentence == "3 of 3 finished, 3 spared seeds not counted"
    assert {run.outcome for run in scores.beside} == {"spared"}


def test_a_job_that_is_never_handed_over_is_spared_too(tmp_path):
    study = registered(tmp_path)
    waiting = [job for job in study.jobs if job.seed == 5]
    with open_ledger(study.workspace) as ledger, ledger._writing() as execute:
        for job in waiting:
            execute("UPDATE jobs SET state = 'planned', launcher_id = NULL WHERE run_name = ?", [job.run])
    study.jobs = [job for job in study.jobs if job.seed < 5]
    before = judged(study.context, study.jobs, WRITTEN)[1].words
    assert set(spare(study).runs) >= {job.run for job in waiting}
    told = cancelled(study)
    assert told[waiting[0].run] == "cancelled before it was launched"
    joined = study.context.joined(study.jobs)
    assert judged(study.context, joined, WRITTEN)[1].words == before


def test_only_what_a_person_cancelled_so_is_spared(study):
    late = JobStatus(run_name="r", verdict="cancelled", scheduler="CANCELLED")
    assert outcome_of_job(late) == "cancelled"
    assert outcome_of_job(replaced(late, spared=True)) == "spared"
    assert outcome_of_job(replaced(late, spared=True, verdict="succeeded")) == "finished"
    with pytest.raises(LaunchRefused):
        cancel_spared([study.jobs[-1].run], "a look", None, study.workspace)
    assert spared_runs(study.workspace) == frozenset()


def test_it_is_recorded_why_they_were_cancelled(study):
    cancelled(study)
    with open_ledger(study.workspace, read_only=True) as ledger:
        [event, *others] = ledger.events(kind=SPARED)
    assert len(others) == 5
    assert event.data["why"] == "Confirmed at 3 of 6 planned seeds of each arm"
    assert "a look had decided without it" in known_statuses(study.workspace.state)[event.run_name].reason


def test_nothing_is_spared_where_no_look_decided_or_the_design_is_not_registered(tmp_path):
    for name in ("even", "late", "whole"):
        (tmp_path / name).mkdir()
    even = registered(tmp_path / "even", arms={"a": 1.0, "b": 1.5})
    assert spare(even) is None
    late = registered(tmp_path / "late", journal=BLANK)
    assert spare(late) is None
    assert "Exploratory" in judged(late.context, late.jobs, WRITTEN)[1].words
    once = Journal(hypothesis="b is better", rule=replaced(RULE, looks=None, spending=None))
    whole = registered(tmp_path / "whole", journal=once)
    assert spare(whole, once) is None
    assert spare(whole, BLANK) is None
