"""What holds for every recipe: its notebook is canonical, clean, runs as a script and launches nothing by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from marimo._convert.converters import MarimoConvert

from experiments.jobs.ledger import Ledger

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path for path in (ROOT / "experiments" / "recipes").glob("*.py") if path.name != "__init__.py")


def tool(name: str) -> str:
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or name


@pytest.fixture(scope="module", params=RECIPES, ids=lambda path: path.stem)
def notebook(request, tmp_path_factory):
    """The notebook of a recipe, made by its own command line in an empty state folder."""
    folder = tmp_path_factory.mktemp(request.param.stem)
    environment = {**os.environ, "EXPERIMENTS_HOME": str(folder / "state"), "EXPERIMENTS_USER": "tester"}
    command = [sys.executable, str(request.param), "--no-launch", "--output-dir", str(folder)]
    subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    [made] = folder.glob("*_nb.py")
    return made


def test_marimo_and_ruff_find_nothing(notebook):
    checked = subprocess.run([tool("marimo"), "check", "--strict", str(notebook)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for arguments in (["check"], ["format", "--check"]):
        command = [tool("ruff"), *arguments, "--config", str(ROOT / "pyproject.toml"), str(notebook)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_saving_from_the_editor_changes_nothing(notebook):
    source = notebook.read_text(encoding="utf-8")
    assert MarimoConvert.from_py(source).to_py() == source


def test_it_names_no_path_of_this_machine(notebook):
    source = notebook.read_text(encoding="utf-8")
    assert str(ROOT) not in source
    assert str(Path.home()) not in source


def test_run_as_a_script_it_ends_well_and_launches_nothing(notebook):
    state = notebook.parent / "state"
    environment = {**os.environ, "EXPERIMENTS_HOME": str(state), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(notebook)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with Ledger.open(state, read_only=True) as ledger:
        assert ledger.jobs() == []


def test_exported_it_holds_no_planted_secret_and_launches_nothing(notebook, tmp_path):
    state = notebook.parent / "state"
    secret = "k" + "3y" * 20
    environment = {**os.environ, "EXPERIMENTS_HOME": str(state), "PYTHONPATH": str(ROOT), "WANDB_API_KEY": secret}
    page = tmp_path / "page.html"
    command = [tool("marimo"), "export", "html", str(notebook), "-o", str(page), "--no-sandbox"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert secret not in page.read_text(encoding="utf-8")
    with Ledger.open(state, read_only=True) as ledger:
        assert ledger.jobs() == []
