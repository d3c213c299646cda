from __future__ import annotations

import pytest
from pydantic import Field

from experiments.notebooks.context import open_notebook, recipe_class
from experiments.project.errors import NotebookError
from experiments.recipes.arena_experiment import ArenaExperiment, ArenaExperimentConfig
from experiments.results.context import Launched
from experiments.types import BaseExperimentConfig, JobRef
from tests.fakes.project import Project


class OrphanConfig(BaseExperimentConfig):
    width: int = Field(1)


def test_the_recipe_of_a_config_is_the_class_that_names_it():
    assert recipe_class(ArenaExperimentConfig()) is ArenaExperiment


def test_a_config_without_a_recipe_is_refused():
    with pytest.raises(NotebookError, match="0 experiment classes"):
        recipe_class(OrphanConfig())


def test_a_notebook_knows_its_experiment_and_joins_its_jobs_with_the_ledgers(tmp_path):
    project = Project(tmp_path)
    project.run("--follow")
    [run] = project.started()
    context = open_notebook(str(project.notebook()), BaseExperimentConfig())
    foreign = JobRef(run="from.another.machine.s0.aaaaaaaa", arm="machine")
    assert context.name == "study"
    assert [ref.run for ref in context.joined([foreign])] == [foreign.run, run]
    assert [ref.run for ref in context.unrecorded([foreign])] == [run]


def test_a_notebook_that_no_recipe_made_takes_its_name_from_its_file(tmp_path):
    file = tmp_path / "mine_nb.py"
    file.write_text("import marimo\n")
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    context = open_notebook(str(file), BaseExperimentConfig())
    assert context.name == "mine"
    assert context.launched() == Launched()
