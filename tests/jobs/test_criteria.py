"""Criteria of acceptance: what they say, which of them contradict, and how they are kept with a launch."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from experiments.experiment import Experiment
from experiments.jobs.criteria import (
    Criterion,
    Stated,
    check_arms,
    check_criteria,
    record_criteria,
    recorded_criteria,
    stated_by,
    written_in,
)
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.permits import command_permit
from experiments.project.errors import LaunchRefused, UsageError
from experiments.project.workspace import Workspace
from experiments.types import Plan, PlannedJob, TrainingJobConfig

SPEED = Criterion("overview/sps", ">=", 23_000, unit="steps a second")
CONFIG = TrainingJobConfig(curriculum="arena/basic")


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    return Workspace.find(tmp_path)


def plan(launcher="local", key="k" * 64, arm="a"):
    job = PlannedJob(run_name=f"ada.study.{arm}.s0.abcdefgh", arm=arm, seed=0, config=CONFIG, command=("true",))
    return Plan(
        experiment="study", user="ada", launcher=launcher, target="x", repeat=1, key=key, family="f", jobs=(job,)
    )


def test_a_criterion_is_said_in_words_with_its_unit():
    assert SPEED.words == "overview/sps at least 23,000 steps a second"
    assert Criterion("loss", "<", 0.05, arm="big").words == "loss of big less than 0.05"


@pytest.mark.parametrize(
    ("comparison", "met"), [(">=", [False, True, True]), (">", [False, False, True]), ("<=", [True, True, False])]
)
def test_a_bound_belongs_to_the_side_that_the_comparison_says(comparison, met):
    assert [Criterion("m", comparison, 2).is_met_by(value) for value in (1, 2, 3)] == met


@pytest.mark.parametrize(
    "given",
    [
        ("m", "=", 1),
        ("", ">", 1),
        ("m", ">", float("nan")),
        ("m", ">", "much"),
    ],
)
def test_what_is_no_criterion_is_none(given):
    with pytest.raises(ValidationError):
        Criterion(*given)
    with pytest.raises(ValidationError):
        Criterion("m", ">", 1, level=0.95)


def test_criteria_that_leave_something_between_them_or_are_about_other_scores_do_not_contradict():
    check_criteria([Criterion("m", ">=", 1), Criterion("m", "<=", 1)])
    check_criteria([Criterion("m", ">", 5, arm="a"), Criterion("m", "<", 3, arm="b")])
    check_criteria([Criterion("m", ">", 5), Criterion("m", "<", 3, score="area")])
    with pytest.raises(UsageError, match="exclude each other"):
        check_criteria([Criterion("m", "<", 3), Criterion("m", ">", 5)])
    with pytest.raises(UsageError, match="exclude each other"):
        check_criteria([Criterion("m", "<=", 1), Criterion("m", ">", 1)])


def test_a_lost_seed_never_meets_a_criterion():
    check_criteria([Criterion("m", ">=", 1, lost=0), Criterion("m", "<", 9, lost=9)])
    with pytest.raises(UsageError, match="would be met by lost seeds, which count as 1 in it"):
        check_criteria([Criterion("m", ">=", 1, lost=1)])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"window": (200, 100)}, "which is no stretch of steps"),
        ({"window": (0, 100), "share": 0.5}, "names share and window"),
        ({"window": (0, 100), "score": "best"}, "takes the best value"),
    ],
)
def test_a_part_of_the_steps_that_cannot_be_is_refused(more, said):
    check_criteria([Criterion("m", ">", 1, window=(0, 100), score="area")])
    with pytest.raises(UsageError, match=said):
        check_criteria([Criterion("m", ">", 1, **more)])


def test_an_arm_of_an_earlier_launch_is_known(workspace):
    check_arms([Criterion("m", ">", 1, arm="a")], plan(), workspace)
    with pytest.raises(UsageError, match=r"arm 'b', which this experiment does not have\. Its arms: 'a'"):
        check_arms([Criterion("m", ">", 1, arm="b")], plan(), workspace)
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan(key="e" * 64, arm="b"))
    check_arms([Criterion("m", ">", 1, arm="b")], plan(), workspace)


def test_criteria_are_recorded_once_with_leave_and_never_for_a_dry_run(workspace):
    stated, permit = Stated((SPEED,), "study.py", "Study", "(...)"), command_permit("test")
    assert not record_criteria(plan("dry-run"), stated, permit, workspace)
    assert not record_criteria(plan(), Stated(), permit, workspace)
    with pytest.raises(LaunchRefused):
        record_criteria(plan(), stated, None, workspace)
    assert record_criteria(plan(), stated, permit, workspace)
    assert not record_criteria(plan(), stated, permit, workspace)
    with open_ledger(workspace) as ledger:
        [found] = recorded_criteria(ledger, [plan().key, "other"])
    assert found.stated == stated


def test_a_ledger_that_is_made_again_has_the_criteria_and_what_this_version_cannot_read_is_not_none(workspace):
    record_criteria(plan(), Stated((SPEED,)), command_permit("test"), workspace)
    with open_ledger(workspace) as ledger:
        ledger.add_event("criteria", plan_key=plan().key, criteria=[{"metric": "m", "later": 1}])
    (workspace.state / "ledger.sqlite").write_text("no database")
    rebuild(workspace.state)
    with open_ledger(workspace, read_only=True) as ledger:
        found = recorded_criteria(ledger, [plan().key])
    assert [one.stated and one.stated.criteria for one in found] == [(SPEED,), None]


def test_the_file_of_a_recipe_is_read_for_its_criteria_and_not_run(tmp_path):
    file = tmp_path / "recipe.py"
    file.write_text("raise SystemExit\nclass A:\n    accept = (  # fast\n        Criterion('m', '>', 1_0),\n    )\n")
    assert written_in(file, "A") == "(Criterion('m', '>', 10),)"
    assert written_in(file, "B") is None
    file.write_text("class A:\n    accept: tuple\n    other = 1\n")
    assert written_in(file, "A") == ""
    file.write_text("class A:\n    accept: tuple = ()\n")
    assert written_in(file, "A") == "()"
    for text in ("class A(:", "\x00"):
        file.write_text(text)
        assert written_in(file, "A") is None
    assert written_in(tmp_path / "none.py", "A") is None


class Held(Experiment):
    accept = (SPEED,)


def test_a_recipe_states_several_criteria_or_is_told_so():
    found = stated_by(Held, Path(__file__).parents[2])
    assert (found.criteria, found.recipe, found.owner) == ((SPEED,), "tests/jobs/test_criteria.py", "Held")
    assert found.written == "(SPEED,)"
    assert stated_by(Held, Path("/elsewhere")).recipe == ""
    with pytest.raises(UsageError, match="Write several criteria"):
        stated_by(type("One", (Experiment,), {"accept": SPEED}), Path())
