"""A recipe that the command begins is good as it stands, and its name is checked before anything is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli import run
from experiments.cli.new import check_recipe_name, write_recipe
from experiments.project.errors import UsageError

ROOT = Path(__file__).parents[2]
LONGEST = "a" * 40


def tool(name):
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or name


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def test_a_new_recipe_lies_in_the_project_of_the_folder_and_can_be_run(folder, capsys):
    assert run(["new", "my_study"]) == 0
    recipe = folder / "experiments" / "recipes" / "my_study.py"
    assert os.access(recipe, os.X_OK)
    assert "[tool.experiments]" in (folder / "pyproject.toml").read_text()
    assert "experiments/recipes/my_study.py --dry-run" in capsys.readouterr().out
    done = subprocess.run([sys.executable, str(recipe), "--dry-run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "6 jobs of my_study" in done.stdout
    assert "New" not in recipe.read_text()


@pytest.mark.parametrize("name", ["my_study", LONGEST])
def test_it_is_clean_by_our_own_rules(tmp_path, name):
    path = tmp_path / f"{name}.py"
    write_recipe(path, name)
    for arguments in (["check"], ["format", "--check"]):
        command = [tool("ruff"), *arguments, "--config", str(ROOT / "pyproject.toml"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_types_hold(tmp_path):
    path = tmp_path / "my_study.py"
    write_recipe(path, "my_study")
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("My-Study", "'my_study'"),
        ("MyStudy", "'my_study'"),
        ("2fast", "'study_2fast'"),
        ("../evil", "'evil'"),
        ("", "'experiment'"),
        ("études", "'tudes'"),
        ("random", "'random_study'"),
        ("class", "'class_study'"),
        ("numpy", "'numpy_study'"),
        ("a" * 41, "'" + "a" * 40 + "'"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(folder, name, suggestion):
    with pytest.raises(UsageError) as error:
        check_recipe_name(name)
    assert suggestion in str(error.value)
    assert list(folder.iterdir()) == []


def test_a_file_that_exists_is_left_alone(folder, capsys):
    path = folder / "experiments" / "recipes" / "mine_here.py"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert run(["new", "mine_here"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_a_project_file_that_exists_keeps_what_it_says(folder):
    (folder / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    assert run(["new", "my_study"]) == 0
    assert (folder / "pyproject.toml").read_text() == '[project]\nname = "mine"\n\n[tool.experiments]\n'


def test_a_project_marked_in_another_way_is_left_alone(folder):
    (folder / "pyproject.toml").write_text("[tool]\nexperiments = {}\n")
    assert run(["new", "my_study"]) == 0
    assert (folder / "pyproject.toml").read_text() == "[tool]\nexperiments = {}\n"


def test_a_repository_needs_no_mark(folder):
    (folder / ".git").mkdir()
    assert run(["new", "my_study"]) == 0
    assert not (folder / "pyproject.toml").exists()
