"""What notebooks, recipes and running jobs of version 0.1 import or call by a path that has moved."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from experiments.project.old_paths import MOVED

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "tests" / "fakes" / "version_0_1_nb.py"
RECIPE = """
from experiments.errors import UsageError
from experiments.experiment import Experiment
from experiments.journal import Rule
from experiments.types import BaseExperimentConfig, Control, SectionName, TrainingJob, TrainingJobConfig
"""


def imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("experiments"):
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize(("module", "name"), sorted({*imported(NOTEBOOK.read_text()), *imported(RECIPE)}))
def test_what_a_notebook_or_recipe_of_version_0_1_imports_is_there(module, name):
    assert getattr(import_module(module), name) is not None


@pytest.mark.parametrize("old", MOVED)
def test_an_old_path_leads_to_the_very_module_of_the_new_one(old):
    module = import_module(MOVED[old])
    spec = module.__spec__
    assert import_module(old) is module
    assert module.__spec__ is spec
    assert module.__name__ == MOVED[old]


@pytest.mark.parametrize("name", ["slots", "supervisor"])
def test_a_command_line_that_a_running_job_recorded_finds_its_program(name, tmp_path):
    old = [sys.executable, "-P", "-m", f"experiments.launchers.{name}", str(tmp_path / "gone")]
    new = [sys.executable, "-P", "-m", MOVED[f"experiments.launchers.{name}"], str(tmp_path / "gone")]
    said = [subprocess.run(words, capture_output=True, text=True, cwd=ROOT) for words in (old, new)]
    assert said[0].returncode == said[1].returncode
    assert "No module named" not in said[0].stderr
    assert said[0].stderr.splitlines()[-1:] == said[1].stderr.splitlines()[-1:]


def test_the_old_paths_cost_nothing_where_none_is_asked_for():
    code = "import sys, experiments.project.old_paths as door; print(*(set(door.MOVED) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
