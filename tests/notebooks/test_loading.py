from __future__ import annotations

import subprocess
import sys

import pytest

from experiments.notebooks.loading import load_recipe, origin_of_module
from experiments.project.errors import NotebookError

RECIPE = '''"""A recipe that no package holds."""

import sys
from beside import FACTOR
from experiments.types import BaseExperimentConfig


class Config(BaseExperimentConfig):
    gpus: int = FACTOR


def main(notebook):
    from pathlib import Path

    from experiments.notebooks.generation import NotebookSpec, generate

    root = Path(notebook).parents[1]
    spec = NotebookSpec("mine", Config(gpus=4), ["double"], own=[double], root=root)
    Path(notebook).write_text(generate(spec))


def double(study):
    print(FACTOR * study.experiment.config.gpus)


if __name__ == "__main__":
    main(sys.argv[1])
'''


@pytest.fixture
def project(tmp_path):
    """A project whose root says so, with a recipe in a folder that is no package."""
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "recipes" / "my-recipe.py").write_text(RECIPE)
    (tmp_path / "recipes" / "beside.py").write_text("FACTOR = 2\n")
    return tmp_path


def python(*arguments, cwd):
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_of_a_lone_recipe_names_it_by_its_path_in_the_project(project):
    notebook = project / "scratch" / "mine_nb.py"
    python("recipes/my-recipe.py", str(notebook), cwd=project)
    text = notebook.read_text()
    assert '    Config = load_recipe("recipes/my-recipe.py", __file__).Config\n' in text
    assert '    double = load_recipe("recipes/my-recipe.py", __file__).double\n' in text
    assert str(project) not in text


@pytest.mark.slow
def test_the_notebook_of_a_lone_recipe_runs_from_anywhere_in_the_project(project):
    notebook = project / "scratch" / "mine_nb.py"
    python("recipes/my-recipe.py", str(notebook), cwd=project)
    copies = [project / folder / "copied_nb.py" for folder in (".", "scratch", "recipes")]
    for copy in copies:
        copy.write_text(notebook.read_text())
    code = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path, run_name='__main__')"
    assert python("-c", code, *map(str, copies), cwd="/") == "8\n8\n8\n"


def test_a_recipe_in_an_installed_package_is_imported_by_name_also_when_it_runs_as_a_script(tmp_path):
    package = tmp_path / "library" / "ours"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "recipe.py").write_text(RECIPE.replace("from beside import FACTOR", "FACTOR = 2"))
    code = f"import runpy, sys; sys.path += [{str(tmp_path / 'library')!r}]; sys.argv = ['x', sys.argv[1]]\n"
    code += "runpy.run_module('ours.recipe', run_name='__main__', alter_sys=True)"
    notebook = tmp_path / "scratch" / "mine_nb.py"
    notebook.parent.mkdir()
    python("-c", code, str(notebook), cwd=tmp_path)
    assert "    from ours.recipe import Config, double\n" in notebook.read_text()


def test_our_own_modules_are_imported_by_name():
    origin = origin_of_module("experiments.notebooks.loading")
    assert (origin.module, origin.package, origin.is_file) == (
        "experiments.notebooks.loading",
        "experiments.notebooks",
        False,
    )


def test_a_recipe_is_loaded_once_and_leads_back_to_its_file(project):
    notebook = str(project / "scratch" / "a_nb.py")
    first = load_recipe("recipes/my-recipe.py", notebook)
    assert load_recipe("recipes/my-recipe.py", str(project / "b_nb.py")) is first
    assert first.Config().gpus == 2
    origin = origin_of_module(first.Config.__module__, project)
    assert (origin.module, origin.is_file) == ("recipes/my-recipe.py", True)


@pytest.mark.parametrize("path", ["recipes/absent.py", "../outside.py", "/etc/hostname", "recipes"])
def test_only_files_of_the_project_are_loaded(project, path):
    (project.parent / "outside.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(NotebookError, match="does not exist in project"):
        load_recipe(path, str(project / "scratch" / "a_nb.py"))


def test_a_recipe_that_fails_can_be_loaded_again_once_it_is_mended(project):
    recipe = project / "recipes" / "broken.py"
    recipe.write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load_recipe("recipes/broken.py", str(project / "a_nb.py"))
    recipe.write_text("value = 1\n# mended\n")
    assert load_recipe("recipes/broken.py", str(project / "a_nb.py")).value == 1


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("no.such.module", "'no.such.module' cannot be found"),
        ("math", "'math' cannot be found, or has no Python source"),
        ("absent.py", "'absent.py' does not exist"),
        ("", "cannot be found"),
    ],
)
def test_a_module_that_cannot_be_found_is_an_error(tmp_path, module, said):
    with pytest.raises(NotebookError, match=said):
        origin_of_module(module, tmp_path)


def test_a_lone_file_outside_the_project_is_refused(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "recipe.py"
    elsewhere.write_text("")
    with pytest.raises(NotebookError, match="lies outside the project"):
        origin_of_module(str(elsewhere), project)


def test_a_page_is_imported_without_looking_for_garbage_and_looks_for_it_again_after():
    """Each look goes through all that was imported so far: of an open they took a third of the import."""
    code = """
import gc, marimo
looks = []
gc.callbacks.append(lambda phase, info: looks.append(phase))
from experiments.notebooks import Journal
looks.clear()
from experiments.notebooks import open_study
print(looks.count("start"), gc.isenabled())
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    looks, is_on = told.split()
    assert int(looks) <= 2  # of hundreds: the one that was due, once it was over
    assert is_on == "True"
