"""Steps of jobs that ended long ago are one row each in the ledger, and nobody who asks it sees a difference."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter

import pytest

from experiments.jobs.criteria import recorded_criteria
from experiments.jobs.designs import registration_of
from experiments.jobs.journal import entries, recorded_journals
from experiments.jobs.ledger import Limits, folding, open_ledger
from experiments.jobs.ledger.mending import mend, rebuild
from experiments.jobs.ledger.schema import FILE
from experiments.project.errors import LedgerError
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import judge
from tests.fakes.registered import RULE, WRITTEN, registered

LATER = 32 * 86_400.0


@pytest.fixture
def study(tmp_path):
    """A decided study whose jobs ended, beside a budget that one drew on."""
    made = registered(tmp_path, ended=6, running=0)
    names = [job.run for job in made.jobs]
    with open_ledger(made.workspace) as ledger:
        ledger.grant("study", Limits(jobs=40), "test")
        ledger.claimed(names)
        ledger.add_event("code", run_name=names[0], commit="c")
        ledger.annotate(names[:1], note="odd", add_tags=["t"])
        ledger.settle({name: {"word": "SUCCEEDED", "exit_code": 0} for name in names})
    return made


def known(study):
    """Return all that is asked of events: by everything, by run, plan and kind, and what rests on them."""
    workspace, names = study.workspace, [job.run for job in study.jobs]
    runs = scored_runs(study.jobs, RULE.metric, study.store, statuses=study.statuses, summary=summary_of(RULE))
    registration = registration_of(workspace, study.jobs, WRITTEN)
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.jobs()
        keys = sorted({row.plan_key for row in rows})
        events = ledger.events()
        return {
            "all": [event for event in events if event.kind != "rebuilt"],
            "by run": [ledger.events(run_name=name) for name in names],
            "by plan": ledger.events(plan_key=keys),
            "by kind": [ledger.events(kind=kind) for kind in sorted({event.kind for event in events} - {"rebuilt"})],
            "budgets": ledger.budgets(),
            "annotations": ledger.annotations(names),
            "first": [ledger.was_told_first("journal", key) for key in keys],
            "seeds": ledger.seeds_told(rows[-1].config.additional_args, (time.time(), keys[0])),
            "criteria": recorded_criteria(ledger, keys),
            "journals": recorded_journals(workspace, keys),
            "entries": entries(workspace, "study"),
            "registration": registration,
            "verdict": judge(WRITTEN, runs, registration),
        }


def kept_rows(study):
    with sqlite3.connect(study.workspace.state / FILE) as connection:
        return Counter(kind for (kind,) in connection.execute("SELECT kind FROM events"))


def fold(study, after_s=LATER):
    with open_ledger(study.workspace) as ledger:
        return ledger.fold(time.time() + after_s)


def test_nothing_that_is_asked_changes_when_steps_are_folded(study):
    before = known(study)
    assert before["verdict"].decision == "confirmed"
    assert before["registration"].reason == ""
    assert fold(study) == 3 * 12
    assert kept_rows(study).keys().isdisjoint(folding.STEPS)
    assert known(study) == before
    assert fold(study) == 0


def test_a_ledger_that_is_made_again_is_the_same_whether_it_was_folded_or_not(study):
    before = known(study)
    fold(study)
    rebuild(study.workspace.state)
    after = known(study)
    # Those are ended where a ledger is made again, as ever.
    assert {name for name in before if before[name] != after[name]} == {"budgets"}
    assert kept_rows(study)["intent"] == 12


def test_jobs_that_go_on_and_those_that_ended_lately_keep_their_rows(study):
    assert fold(study, -LATER) == 0
    with open_ledger(study.workspace) as ledger:
        ledger._connection.execute("UPDATE events SET kind = 'other' WHERE kind = 'ended' AND id % 2")
    assert 0 < fold(study) < 3 * 12


def test_a_fold_that_is_killed_has_lost_nothing_and_is_taken_up_again(study, monkeypatch):
    before = known(study)
    monkeypatch.setattr(folding, "_RUNS", folding._RUNS.replace(f"LIMIT {folding.AT_ONCE}", "LIMIT 5"))
    with open_ledger(study.workspace) as ledger:
        # The second transaction is broken off by the database itself, in its last statement.
        with ledger._writing() as execute:
            assert folding.fold(execute, time.time() + LATER) == 15
        ledger._connection.execute(
            "CREATE TRIGGER kill BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
        with pytest.raises(LedgerError, match="killed"):
            ledger.fold(time.time() + LATER)
        ledger._connection.execute("DROP TRIGGER kill")
    assert known(study) == before
    assert fold(study) == 3 * 7
    assert known(study) == before


def test_folded_steps_that_cannot_be_read_cost_that_job_s_story_only_and_are_named(study):
    fold(study)
    first, second = (job.run for job in study.jobs[:2])
    with open_ledger(study.workspace) as ledger:
        ledger._connection.execute("UPDATE folded SET steps = '{' WHERE run_name = ?", [first])
        assert "intent" not in [event.kind for event in ledger.events(run_name=first)]
        assert "intent" in [event.kind for event in ledger.events(run_name=second)]
        [text] = ledger.damaged_texts()
        assert text.sentence().startswith(f"steps of {first!r} in the ledger's folded cannot be read")
    assert mend(study.workspace).left == []
    with open_ledger(study.workspace) as ledger:
        assert ledger.damaged_texts() == []


def test_folded_steps_that_cannot_be_read_are_not_folded_over(study):
    fold(study)
    first = study.jobs[0].run
    with open_ledger(study.workspace) as ledger:
        ledger._connection.execute("UPDATE folded SET steps = '{\"steps\": 1' WHERE run_name = ?", [first])
        ledger.add_event("intent", run_name=first)
    assert fold(study) == 0
    with open_ledger(study.workspace) as ledger:
        assert [text.text for text in ledger.damaged_texts()] == ['{"steps": 1']
        assert [event.kind for event in ledger.events(run_name=first, kind="intent")] == ["intent"]
