"""What pages say of what goes on by itself: how far it is, what its budget has left, and what keeps it from more."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.sweeps.search import choosing_seeds
from experiments.jobs.watch.ongoing import ongoing
from experiments.launch import allow_launch
from experiments.monitoring import poll_once, sources_of
from experiments.results.steps import take_step
from tests.fakes import decided, stepped
from tests.fakes.launching import workspace_at
from tests.fakes.stepped import AtOnce, opened, search_of, to_the_end


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A search with a first trial that is out, and room for three."""
    search = search_of(trials=5, at_once=1, seeds=choosing_seeds(1), budget="study")
    workspace, cluster = opened(tmp_path, search)
    monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
    granted(workspace, jobs=3)
    step(workspace)
    return workspace, cluster


def granted(workspace, **limits):
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(**limits), "test")


def step(workspace):
    with allow_launch() as permit:
        return take_step(workspace, permit)


def lines(workspace, experiments=None):
    return poll_once(workspace.state).ongoing_lines(experiments)


def test_a_search_says_how_far_it_is_and_what_its_budget_has_left(begun):
    workspace, _ = begun
    [line] = lines(workspace)
    assert line == (
        "study goes on by itself: search over rate log:1e-05..0.1, batch 256,512: 0 of 5 trials ended, 1 out; "
        "budget study: 1 of 3 jobs; left: 2 jobs"
    )
    assert lines(workspace, {"other"}) == []
    granted(workspace, jobs=3, usd=20.0, until=time.time() + 86_400)
    assert "left: 2 jobs, nobody" not in lines(workspace)[0]
    assert "until " in lines(workspace)[0]


def test_what_keeps_it_from_going_on_is_a_problem_of_its_own_pages_alone(begun):
    workspace, _ = begun
    while not step(workspace).problems:
        pass
    seen = poll_once(workspace.state)
    [problem] = seen.ongoing_problems({"study"})
    assert "has 0 of 3 jobs left" in problem
    assert seen.ongoing_problems({"other"}) == []
    granted(workspace, jobs=5)
    to_the_end(workspace)
    seen = poll_once(workspace.state)
    assert (seen.ongoing_lines(), seen.ongoing_problems()) == ([], [])


def test_tables_of_a_notebook_and_of_the_fleet_show_it_above_their_rows(begun):
    workspace, cluster = begun
    from apps.parts.feed import FleetFeed, _signs
    from experiments.notebooks.monitoring import table_traits
    from experiments.types import JobRef

    seen = poll_once(workspace.state)
    [job] = cluster.jobs()
    own = JobRef(run=job["name"], arm="trial-0", seed=1_000_000, launcher="skypilot")
    assert table_traits(seen, [own])["ongoing"] == seen.ongoing_lines()
    assert table_traits(seen, [])["ongoing"] == []
    assert _signs(FleetFeed().state(seen), time.time())["ongoing"] == seen.ongoing_lines()


def test_a_budget_that_ends_by_the_clock_is_seen_to_though_nothing_is_written(begun, monkeypatch):
    workspace, _ = begun
    granted(workspace, jobs=3, until=time.time() + 3600)
    look = sources_of(workspace.state).ongoing
    assert "left: 2 jobs" in look()[0].budget
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    assert look()[0].budget.endswith("; ended: its time is over")


def test_seeds_until_decided_say_so_and_what_has_no_budget_any_more_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(stepped, "score_of", decided.scored(0.0))
    workspace = workspace_at(tmp_path, user="ada")
    cluster = AtOnce(workspace.state)
    monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
    decided.begun(workspace, decided.RULE)
    step(workspace)
    with open_ledger(workspace) as ledger:
        [found] = ongoing(ledger, workspace.state)
        assert found.words == "seeds until decided: 4 seeds of each arm launched so far"
        ledger._connection.execute("DELETE FROM budgets")
        assert "no budget 'study': experiments budget set study jobs=10" in ongoing(ledger, workspace.state)[0].budget
