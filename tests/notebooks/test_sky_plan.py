"""A plan for SkyPilot on a page: the task under the table, and what it lacks as a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.forms import config_form
from experiments.notebooks.sheet import SHEET
from experiments.notebooks.training import plan_preview
from experiments.recipes.arena_experiment import ArenaExperimentConfig
from tests.fakes.skypilot import sky_workspace


def preview(folder, **settings):
    workspace, config = sky_workspace(folder, **settings), ArenaExperimentConfig()
    experiment = NotebookContext("arena", folder / "arena_nb.py", workspace, config)
    how = {"seeds": "2", "launcher": "skypilot", "vary": "", "repeat": "1", "same_seed": "1"}
    return plan_preview(experiment, config_form(config, name="arena"), SimpleNamespace(value=how))


def test_the_task_is_shown_under_the_table_of_its_plan(tmp_path):
    shown = preview(tmp_path)
    assert shown.task.startswith(f"name: {shown.plan.jobs[0].run_name}\n")
    assert "SkyPilot task of the first job" in shown.view().text


def test_the_table_of_a_plan_asks_the_page_for_no_charts_in_its_heads(tmp_path):
    assert "data-show-column-summaries='false'" in preview(tmp_path).view().text


def test_what_the_plan_lacks_for_skypilot_is_a_sentence(tmp_path):
    shown = preview(tmp_path, sky_accelerator=None)
    assert shown.plan is None
    assert "SkyPilot wants one" in shown.problem


def test_a_preview_shows_the_first_notes_and_folds_the_others_in_letters_that_wrap(tmp_path):
    shown = preview(tmp_path)
    few = replace(shown, notes=("one.", "two.", "three.")).view().text
    many = replace(shown, notes=("one.", "two.", "three.", "four.", "five.")).view().text
    assert "further note" not in few
    assert "2 further notes on this launch" in many
    assert many.index("three.") < many.index("2 further notes") < many.index("four.")
    assert re.search(r"^\.xs pre \{[^}]*white-space: pre-wrap", SHEET, re.MULTILINE)
