"""`experiments budget`: granted, seen, changed and ended by a person, and every wrong word is one sentence."""

from __future__ import annotations

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.jobs.submission import submit
from experiments.launch import allow_launch
from experiments.project.workspace import Workspace
from tests.fakes.answers import data_in
from tests.fakes.launching import plan_in
from tests.fakes.project import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, "sleep 600")


def test_a_budget_is_granted_seen_and_changed(project):
    assert "No budget was granted" in project.command("budget").stdout
    said = project.command("budget", "set", "night", "jobs=4", "gpu-hours=2.5", "until=2099-01-01T08:00").stdout
    assert "0 of 4 jobs" in said
    assert "0 of 2.5 GPU hours" in said
    assert "until 2099-01-01 08:00" in said
    project.command("budget", "set", "night", "jobs=6")
    [found] = data_in(project.command("budget", "--json").stdout)["budgets"]
    assert found["limits"] == {"jobs": 6, "gpu_hours": None, "usd": None, "until": None}
    assert found["granted_by"] == "command: experiments budget set night jobs=4 gpu-hours=2.5 until=2099-01-01T08:00"
    assert found["is_open"]


def test_ending_a_budget_ends_its_jobs_only_where_that_is_asked_for(project):
    project.command("budget", "set", "night", "jobs=4")
    workspace = Workspace.find(project.root)
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace, budget="night")
    said = project.command("budget", "end", "night").stdout
    assert "nothing more is launched on it" in said
    assert "1 job of it have not ended. To end them too: experiments budget end night --cancel" in said
    assert job.run_name in project.command("budget", "end", "night", "--cancel", "--yes").stdout
    with open_ledger(workspace, read_only=True) as ledger:
        assert [budget.is_open for budget in ledger.budgets()] == [False]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set",), "which budget?"),
        (("set", "night"), "limits jobs, GPU hours or dollars"),
        (("set", "night", "jobs=0"), "starts nothing"),
        (("set", "night", "jobs=2.5"), "no whole number"),
        (("set", "night", "jobs=1", "jobs=2"), "given twice"),
        (("set", "night", "hours=3"), "'hours=3' is no limit of a budget"),
        (("set", "night", "usd=nan"), "starts nothing"),
        (("set", "night", "jobs=1", "until=tomorrow"), "no date and time"),
        (("set", "night", "jobs=1", "until=2001-01-01"), "over before it begins"),
        (("set", "a night", "jobs=1"), "budget"),
        (("end", "night"), "there is no budget 'night'"),
        (("list", "night"), "there is no budget 'night'"),
    ],
)
def test_a_wrong_word_is_refused_in_one_sentence(project, words, said):
    refused = project.command("budget", *words, code=2)
    assert said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
