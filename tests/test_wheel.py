"""The wheel, installed outside the checkout, works from any directory with its state in the project there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.fakes.answers import data_in

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
BUILDING = ("pyproject.toml", "README.md", "LICENSE", "experiments", "apps", "widgets")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing of the checkout changes."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in BUILDING:
        take = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        take(ROOT / name, copy / name)
    done = subprocess.run(["uv", "build", "--wheel", "--out-dir", str(out)], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [found] = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel and its dependencies, and nothing of the checkout."""
    home = tmp_path_factory.mktemp("environment") / "clean"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(home)], check=True)
    python = home / "bin" / "python"
    install = ["uv", "pip", "install", "-q", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run(install, check=True)
    # The dependencies of this environment serve; what points to the checkout is not followed from here.
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("anywhere")


def command(installed, folder, *arguments, code=0):
    """Run `experiments ...` of the wheel, or a script, in the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EXPERIMENTS_"))}
    done = subprocess.run(
        [str(installed), *arguments],
        cwd=folder,
        env={**environment, "EXPERIMENTS_USER": "tester", "CI": "true"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def experiments(installed, folder, *arguments, code=0):
    return command(installed, folder, str(installed.parent / "experiments"), *arguments, code=code)


def test_nothing_of_the_checkout_is_used(installed, folder):
    where = command(installed, folder, "-P", "-c", "import experiments, widgets, apps; print(experiments.__file__)")
    assert where.startswith(str(installed.parent.parent))


def test_the_wheel_holds_what_runs_and_no_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"experiments", "apps", "widgets"}
    template = "experiments/notebooks/template_nb.py"
    static, skill = "experiments/notebooks/export/static/logbook.js", "experiments/cli/agents/SKILL.md"
    for needed in ("experiments/cli/new_recipe.py", static, template, skill):
        assert needed in names
    names.remove(template)
    assert [name for name in names if re.search(r"_nb\.py$|\.html$|\.sqlite|__pycache__|/tests/", name)] == []


def test_it_asks_for_what_the_project_names(wheel):
    archive = zipfile.ZipFile(wheel)
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    asked = re.findall(r"^Requires-Dist: (.+)$", archive.read(metadata).decode(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [text for text in asked if "extra ==" not in text]
    assert names_in(wanted) == names_in(project["dependencies"])
    of_extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    assert names_in(text for text in asked if text not in wanted) == names_in(of_extras)


def names_in(texts):
    return sorted(re.split(r"[<>=]", text)[0] for text in texts)


def test_a_study_goes_from_its_recipe_to_its_log_in_a_folder_of_its_own(installed, folder):
    experiments(installed, folder, "new", "my_study")
    assert str(folder) in experiments(installed, folder, "doctor")
    recipe = "experiments/recipes/my_study.py"
    assert "6 jobs of my_study" in command(installed, folder, recipe, "--dry-run")

    command(installed, folder, recipe, "--seeds", "1", "--total-timesteps", "3000", "--follow")
    jobs = data_in(experiments(installed, folder, "status", "--json"))["jobs"]
    assert [job["verdict"] for job in jobs] == ["succeeded", "succeeded"]

    notebook = folder / "experiments" / "scratch" / "my_study_nb.py"
    assert "load_recipe" in notebook.read_text()
    said = experiments(installed, folder, "export", "experiments/scratch/my_study_nb.py")
    log = folder / "experiments" / "log" / "my_study.html"
    assert said.startswith("experiments/log/my_study.html (")
    assert "my_study.changed.s0" in log.read_text()
    assert str(folder) not in log.read_text()
    assert (log.parent / "index.html").exists()
    assert (folder / ".experiments" / "ledger.sqlite").exists()
