"""What a page would launch beside what its notebook has: each other job is an arm named after what differs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from experiments.jobs.batches import courses
from experiments.jobs.criteria import Criterion, recorded_criteria
from experiments.jobs.journal import Journal, Rule
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.notebooks import training
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.forms import config_form
from experiments.notebooks.training import launch_plan_of, plan_preview
from experiments.project.values import replaced
from experiments.recipes.arena_experiment import ArenaExperiment, ArenaExperimentConfig
from experiments.results.accepted_by import asked_of
from tests.fakes.launching import wait_for_end, workspace_at


@pytest.fixture
def previewed(tmp_path):
    """Return a function that previews what the page's inputs would launch."""
    workspace = workspace_at(tmp_path)

    def preview(vary="", **typed):
        own = ArenaExperimentConfig()
        experiment = NotebookContext("arena", tmp_path / "arena_nb.py", workspace, own)
        form = config_form(ArenaExperimentConfig(**typed), name="arena")
        how = {"seeds": "2", "launcher": "dry-run", "vary": vary, "repeat": "1", "same_seed": "1"}
        found = plan_preview(experiment, form, SimpleNamespace(value=how))
        assert found.plan is not None, found.problem
        return {row["arm"]: row["difference"] for row in found.rows()}

    return preview


def test_the_notebooks_own_config_keeps_the_recipes_arm_as_the_baseline(previewed):
    [(arm, difference)] = previewed().items()
    assert difference == "the baseline"
    assert previewed(description="Another text.", wandb_tags=("x",)) == {arm: difference}


def test_what_was_typed_names_the_arm_and_says_what_it_changes(previewed):
    assert previewed(gpus=2) == {"gpus-2": "gpus 2"}
    assert previewed(gpus=2, curriculum="lab/maze") == {"curriculum-maze-gpus-2": "curriculum lab/maze; gpus 2"}


def test_two_long_changes_have_two_names(previewed):
    one, other = (next(iter(previewed(additional_args=(f"trainer.ppo.a_very_long_name={n}",)))) for n in (1, 2))
    assert one != other
    assert max(len(one), len(other)) <= 40


def test_what_is_varied_is_named_besides_what_was_typed(previewed):
    assert previewed(vary="gpus=1,2") == {"gpus-1": "the baseline", "gpus-2": "gpus 2"}
    assert list(previewed(vary="gpus=2,4", curriculum="arena/other")) == [
        "curriculum-other-gpus-2",
        "curriculum-other-gpus-4",
    ]
    assert list(previewed(vary="gpus=2,4", gpus=8)) == ["gpus-2", "gpus-4"]


def test_a_seed_that_is_to_run_three_times_is_three_jobs_of_which_one_counts(tmp_path):
    workspace = workspace_at(tmp_path)
    experiment = NotebookContext("arena", tmp_path / "arena_nb.py", workspace, ArenaExperimentConfig())
    form = config_form(ArenaExperimentConfig(), name="arena")
    how = {"seeds": "2", "launcher": "dry-run", "vary": "", "repeat": "1", "same_seed": "3"}
    found = plan_preview(experiment, form, SimpleNamespace(value=how))
    assert [row["role"] for row in found.rows()] == ["seed", "replicate 1", "replicate 2"] * 2
    assert "4 replicates do not count as seeds" in found.sentence()
    once = plan_preview(experiment, form, SimpleNamespace(value={**how, "same_seed": "1"}))
    assert len(once.rows()) == 2
    assert "role" not in once.rows()[0]
    wrong = plan_preview(experiment, form, SimpleNamespace(value={**how, "same_seed": "0"}))
    assert wrong.problem == "Runs of each seed '0' is not a number from 1 on. Set it to 1, or to 3 for a noise floor."


def test_a_launch_from_a_page_records_the_recipes_criteria_and_its_preview_refuses_those_that_no_arm_has(
    tmp_path, monkeypatch
):
    workspace = workspace_at(tmp_path)
    experiment = NotebookContext("arena", tmp_path / "arena_nb.py", workspace, ArenaExperimentConfig())
    form = config_form(ArenaExperimentConfig(), name="arena")
    how = SimpleNamespace(value={"seeds": "1", "launcher": "local", "vary": "", "repeat": "1", "same_seed": "1"})
    speed = Criterion("overview/sps", ">=", 23_000)
    monkeypatch.setattr(ArenaExperiment, "accept", (speed, Criterion("overview/sps", ">", 1, arm="other")))
    assert "arm 'other', which this experiment does not have" in plan_preview(experiment, form, how).problem
    monkeypatch.setattr(ArenaExperiment, "accept", (speed,))
    preview = plan_preview(experiment, form, how)
    monkeypatch.setattr(training, "page_permit", lambda: command_permit("a click"))
    outcome = launch_plan_of(preview, experiment, None)
    assert outcome.succeeded, outcome.text
    wait_for_end(workspace, [job.run_name for job in preview.plan.jobs])
    with open_ledger(workspace, read_only=True) as ledger:
        [recorded] = recorded_criteria(ledger, [preview.plan.key])
    assert recorded.stated.criteria == (speed,)
    assert asked_of(workspace, "arena").exploratory == ""


LOOKS = Rule(metric="overview/reward", direction="higher", effect=0.1, arm="gpus-2", baseline="gpus-1", looks=(3, 5))
UNTIL = {"seeds": "until-decided", "launcher": "local", "vary": "gpus=1,2", "repeat": "1", "same_seed": "1"}


def test_a_launch_from_a_page_until_decided_begins_with_the_first_look_and_goes_on_under_a_budget(
    tmp_path, monkeypatch
):
    workspace = workspace_at(tmp_path)
    experiment = NotebookContext("arena", tmp_path / "arena_nb.py", workspace, ArenaExperimentConfig())
    form = config_form(ArenaExperimentConfig(), name="arena")
    how, journal = SimpleNamespace(value=UNTIL), Journal(hypothesis="Two are better.", rule=LOOKS)
    preview = plan_preview(experiment, form, how, journal)
    assert sorted({job.seed for job in preview.plan.jobs}) == [0, 1, 2]
    assert "Goes on by itself until decided, up to 5 seeds of each arm." in preview.notes
    monkeypatch.setattr(training, "page_permit", lambda: command_permit("a click"))
    outcome = launch_plan_of(preview, experiment, journal)
    assert outcome.succeeded, outcome.text
    wait_for_end(workspace, [job.run_name for job in preview.plan.jobs])
    with open_ledger(workspace, read_only=True) as ledger:
        [course] = courses(ledger)
        [budget] = ledger.budgets()
    assert course.batched.plan_key == preview.plan.key
    assert (budget.limits.jobs, budget.jobs) == (10, 6)
    assert "goes on by itself" in plan_preview(experiment, form, how, journal).problem


@pytest.mark.parametrize(
    ("typed", "journal", "said"),
    [
        (
            {"vary": ""},
            Journal(hypothesis="x", rule=replaced(LOOKS, arm="", baseline="")),
            "does not say which: the arms are 'baseline'",
        ),
        ({"same_seed": "3"}, Journal(hypothesis="x", rule=LOOKS), "with 1 run of each seed and repeat 1"),
        ({}, None, "need a hypothesis beside the rule"),
        ({}, Journal(hypothesis="x", rule=replaced(LOOKS, looks=None, spending=None)), "need a rule that looks"),
    ],
)
def test_what_cannot_go_on_until_decided_is_said_in_the_form(tmp_path, typed, journal, said):
    experiment = NotebookContext("arena", tmp_path / "nb.py", workspace_at(tmp_path), ArenaExperimentConfig())
    how = SimpleNamespace(value={**UNTIL, **typed})
    assert said in plan_preview(experiment, config_form(ArenaExperimentConfig(), name="arena"), how, journal).problem


@pytest.mark.parametrize("name", ["wandb_entity", "wandb_project", "wandb_group"])
def test_an_empty_place_of_wandb_is_refused_at_its_field_or_can_be_planned(previewed, name):
    refused = []
    try:
        typed = ArenaExperimentConfig(**{name: ""}).changed()
    except ValidationError as error:
        refused = [problem["loc"] for problem in error.errors()]
    assert refused == [(name,)] or (not refused and previewed(**typed))
