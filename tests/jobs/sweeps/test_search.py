from __future__ import annotations

import sqlite3

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.ranges import Range
from experiments.jobs.sweeps.search import (
    OPENED,
    TRIAL,
    Course,
    Search,
    Trial,
    choosing_seeds,
    courses,
    end_search,
    open_search,
    suggestion,
    tell,
)
from experiments.launch import allow_launch
from experiments.project.errors import LedgerError, UsageError
from experiments.project.standing import CHOOSING
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.stepped import SPACE, search_of


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


def opened(workspace, search):
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        return open_search(ledger, search, permit)


def found(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return courses(ledger)


def told(number, score, **seeds):
    return Trial(number, {"rate": 0.1, "batch": 256}, "key", True, score, seeds)


def test_a_search_is_read_back_as_it_was_opened_and_known_by_what_decides_its_trials(workspace):
    search = opened(workspace, search_of())
    assert [course.search for course in found(workspace)] == [search]
    assert search.id == search_of().id == search_of(trials=40, at_once=7).id
    assert search.id != search_of(seeds=choosing_seeds(3)).id
    assert search.id != search_of(sampler="random").id
    assert search.id != search_of(rule=Rule(metric="score", direction="lower", effect=0.5)).id


def test_the_same_search_again_is_the_same_and_more_trials_make_it_go_on(workspace):
    for trials in (12, 12, 5):
        assert opened(workspace, search_of(trials=trials)).trials == 12
    assert opened(workspace, search_of(trials=20, at_once=9)).trials == 20
    [course] = found(workspace)
    assert (course.search.trials, course.search.at_once) == (20, 2)
    with open_ledger(workspace) as ledger:
        assert sum(event.kind == OPENED for event in ledger.events()) == 2


def test_another_search_of_the_same_experiment_is_refused_with_a_name_for_it(workspace):
    opened(workspace, search_of())
    with pytest.raises(UsageError, match=r"has another search already .*study-2"):
        opened(workspace, search_of(space={**SPACE, "rate": Range(low=1e-3, high=1e-1, log=True)}))
    opened(workspace, search_of(arm="other"))
    opened(workspace, search_of(experiment="study-2"))
    assert len(found(workspace)) == 3


def test_an_ended_search_asks_no_more_until_it_is_opened_again(workspace):
    search = opened(workspace, search_of())
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        end_search(ledger, search, permit)
    [course] = found(workspace)
    assert (course.is_open, course.may_ask, course.is_ended) == (False, False, True)
    opened(workspace, search_of())
    assert found(workspace)[0].is_open


def test_a_suggestion_and_its_plan_are_recorded_together_or_not_at_all(workspace):
    search, plan = opened(workspace, search_of()), plan_in(workspace)
    with open_ledger(workspace) as ledger:
        why = suggestion(search, 0, {"rate": 0.01, "batch": 256})
        ledger._connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON events WHEN NEW.kind = 'trial' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(LedgerError):
            ledger.record_plan(plan, why=why)
        assert (ledger.jobs(), courses(ledger)[0].trials) == ([], ())
        ledger._connection.execute("DROP TRIGGER no")
        assert ledger.record_plan(plan, why=why)
        assert not ledger.record_plan(plan, why=why)
        [trial] = courses(ledger)[0].trials
        assert (trial.plan_key, trial.values, len(ledger.jobs())) == (plan.key, {"rate": 0.01, "batch": 256}, 5)


def test_a_rebuilt_ledger_keeps_searches_suggestions_and_scores(workspace):
    search = opened(workspace, search_of())
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan_in(workspace), why=suggestion(search, 0, {"rate": 0.01, "batch": 256}))
        tell(ledger, search, 0, 0.1 + 0.2, {"1000000": 0.1 + 0.2, "1000001": None}, "1 of 2 seeds lost")
    before = found(workspace)
    (workspace.state / "ledger.sqlite").write_bytes(b"\x00" * 8192)
    assert rebuild(workspace.state).problems == []
    assert found(workspace) == before


def test_a_suggestion_that_was_told_twice_is_one(workspace):
    search = opened(workspace, search_of())
    with open_ledger(workspace) as ledger:
        for rate in (
            0.01,
            0.02,
        ):  # what is written beside a ledger may be of a step that was killed before it committed
            ledger.add_event(TRIAL, **suggestion(search, 0, {"rate": rate})[1])
    assert [trial.values for trial in found(workspace)[0].trials] == [{"rate": 0.02}]


def test_a_record_that_cannot_be_read_is_no_search_without_it(workspace):
    search = opened(workspace, search_of())
    with open_ledger(workspace) as ledger:
        tell(ledger, search, 1, 1.0, {}, "")
    with pytest.raises(LedgerError, match="trials of a search are missing"):
        found(workspace)
    with sqlite3.connect(workspace.state / "ledger.sqlite") as connection:
        connection.execute("UPDATE events SET data = 'no JSON' WHERE kind = 'trial_told'")
    connection.close()
    with pytest.raises(LedgerError, match="cannot be read in the ledger"):
        found(workspace)


def test_the_next_trial_is_asked_when_what_it_is_to_know_is_told():
    search = search_of(at_once=2)
    out = Trial(0, {}, "key")
    assert Course(search).may_ask
    assert Course(search, (out,)).may_ask
    assert not Course(search, (out, told(1, 3.0))).may_ask
    assert Course(search, (told(0, 3.0), Trial(1, {}, "key"))).may_ask
    assert not Course(search_of(trials=1), (told(0, 3.0),)).may_ask


def test_the_best_has_a_score_that_all_of_its_seeds_stand_behind():
    search = search_of()
    trials = (
        told(0, 1.0, a=1.0),
        told(1, 9.0, a=9.0, b=None),
        told(2, 3.0, a=3.0),
        told(3, 3.0, a=3.0),
        told(4, None, a=None),
    )
    assert Course(search, trials).best.number == 2
    lower = search_of(rule=Rule(metric="score", direction="lower", effect=0.0))
    assert Course(lower, trials).best.number == 0
    stated = search_of(rule=Rule(metric="score", direction="higher", effect=0.0, floor=0.0))
    assert Course(stated, trials).best.number == 1
    assert Course(search, trials[4:]).best is None


def test_seeds_of_trials_are_those_that_choose():
    assert choosing_seeds(3) == (CHOOSING, CHOOSING + 1, CHOOSING + 2)
    assert Search.model_validate(search_of().model_dump(mode="json")).seeds == choosing_seeds(2)
