"""What a page would launch beside what its notebook has: each other job is an arm named after what differs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.forms import config_form
from experiments.notebooks.training import plan_preview
from experiments.recipes.arena_experiment import ArenaExperimentConfig
from tests.fakes.launching import workspace_at


@pytest.fixture
def previewed(tmp_path):
    """Return a function that previews what the page's inputs would launch."""
    workspace = workspace_at(tmp_path)

    def preview(vary="", **typed):
        own = ArenaExperimentConfig()
        experiment = NotebookContext("arena", tmp_path / "arena_nb.py", workspace, own)
        form = config_form(ArenaExperimentConfig(**typed), name="arena")
        how = {"seeds": "2", "launcher": "dry-run", "vary": vary, "repeat": "1"}
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
