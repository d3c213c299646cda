"""A search at its edge is searched once more over wider ranges, once, under a budget of its own."""

from __future__ import annotations

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import open_ledger
from experiments.jobs.sweeps.ranges import Range
from experiments.jobs.sweeps.search import courses
from experiments.jobs.sweeps.template import make_template
from experiments.launch import allow_launch
from experiments.project.errors import LaunchRefused, UsageError
from experiments.results.expanding import expansion_of, open_expansion
from experiments.results.steps import take_step
from tests.fakes.stepped import SPACE, config_of, opened, search_of, to_the_end


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that takes a search to its end."""

    def begun(space):
        search = search_of(space=space, trials=1, template=make_template(space, config_of))
        workspace, cluster = opened(tmp_path, search)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        to_the_end(workspace)
        return workspace, cluster

    return begun


WHOLE = {"rate": SPACE["rate"], "batch": Range(low=300, high=301, whole=True)}
"""Either of two whole numbers lies at an end."""


def open_it(workspace, **options):
    with allow_launch() as permit:
        return open_expansion(expansion_of(workspace, "study", **options), permit, workspace)


def searched(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return {course.search.experiment: course for course in courses(ledger)}


def test_a_wider_search_goes_on_to_its_end_from_what_was_recorded(begin):
    workspace, cluster = begin(WHOLE)
    found = expansion_of(workspace, "study")
    assert (found.name, found.is_open, found.jobs) == ("study-2", False, 2)
    stepped = open_it(workspace)
    assert (stepped.problems, "Its budget is 'study-2'" in stepped.done[0]) == ([], True)
    with allow_launch() as permit:
        take_step(workspace, permit)
    wider = searched(workspace)["study-2"]
    assert (wider.is_open, wider.search.space["batch"].text in {"299..301", "300..302"}) == (False, True)
    assert len(cluster.jobs()) == 4


def test_to_expand_twice_opens_nothing_twice(begin):
    workspace, cluster = begin(WHOLE)
    open_it(workspace)
    again = expansion_of(workspace, "study")
    assert (again.name, again.is_open) == ("study-2", True)
    before = len(cluster.jobs())
    open_it(workspace)
    assert (len(cluster.jobs()), list(searched(workspace))) == (before, ["study", "study-2"])
    with open_ledger(workspace, read_only=True) as ledger:
        assert [budget.name for budget in ledger.budgets()] == ["study-2"]


def test_a_search_that_is_no_edge_or_is_none_has_nothing_to_expand(begin):
    workspace, _ = begin({"rate": SPACE["rate"], "batch": SPACE["batch"]})
    [course] = searched(workspace).values()
    assert SPACE["rate"].edge(course.best.values["rate"]) is None
    assert expansion_of(workspace, "study") is None
    assert expansion_of(workspace, "nothing") is None


def test_a_name_of_ones_own_is_taken_and_one_that_is_none_is_refused(begin):
    workspace, _ = begin(WHOLE)
    assert expansion_of(workspace, "study", "wider").name == "wider"
    with pytest.raises(UsageError, match="experiment 'A b' cannot be part of a run name"):
        expansion_of(workspace, "study", "A b")


def test_nothing_is_opened_without_a_person(begin):
    workspace, cluster = begin(WHOLE)
    found, before = expansion_of(workspace, "study"), len(cluster.jobs())
    with pytest.raises(LaunchRefused, match="refused to search batch="):
        open_expansion(found, None, workspace)
    assert (len(cluster.jobs()), list(searched(workspace))) == (before, ["study"])
