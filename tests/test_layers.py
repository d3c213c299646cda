"""The order of rooms of DESIGN section 3, and their contracts: nobody imports upward, nor a private file of another."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.imports import DOOR, Imports, level, room

ROOT = Path(__file__).parent.parent
TREE = Imports(ROOT)
ROOMS = ("project", "statistics", "runs", "trainer", "jobs", "results", "notebooks", "cli")
HEAVY = {
    "wandb",
    "sky",
    "marimo",
    "altair",
    "pandas",
    "numpy",
    "pyarrow",
    "scipy",
    "mettagrid",
    "optuna",
    "mcp",
    "mcp_types",
}


def open_to_all(name):
    """Return the modules of a room that its docstring opens to the others; None where it opens all."""
    text = import_module(f"experiments.{name}").__doc__
    said = re.search(r"What one may import: (.*?)(\n\n|$)", text, re.DOTALL).group(1)
    return None if said.startswith("any of its modules") else set(re.findall(r"`([\w.]+)`", said))


def test_no_room_imports_a_higher_one_but_by_the_door():
    through_the_door = f"experiments.{DOOR[0]} imports experiments.{DOOR[1]}."
    assert [line for line in TREE.upward() if not line.startswith(through_the_door)] == []


def test_no_modules_import_each_other():
    assert TREE.circles() == []


def test_every_module_is_in_a_room_and_the_doorstep_is_clear():
    assert [name for name in TREE.files if name.startswith("experiments.") and level(room(name)) < 0] == []
    assert len(TREE.entries) <= 15


@pytest.mark.parametrize("name", ROOMS)
def test_what_a_room_does_not_open_is_private_to_it(name):
    allowed = open_to_all(name)
    top = f"experiments.{name}"
    wrong = [
        f"{one} imports {other}"
        for one, others in TREE.by_module.items()
        for other in sorted(others)
        if other.startswith(f"{top}.") and not f"{one}.".startswith(f"{top}.")
        if allowed is not None and other.removeprefix(f"{top}.") not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_opens_nothing_that_is_not_there(name):
    there = {other.removeprefix(f"experiments.{name}.") for other in TREE.files}
    handed_on = set(getattr(import_module(f"experiments.{name}"), "__all__", ()))
    assert (open_to_all(name) or set()) - there - handed_on == set()


def test_widgets_import_nothing_of_experiments():
    wrong = [f"{n}: {o}" for n, all_ in TREE.by_package.items() if n.startswith("widgets") for o in all_]
    assert [line for line in wrong if "experiments" in line] == []


def test_only_the_bridge_imports_sky():
    wrong = [name for name, path in TREE.files.items() if re.search(r"^\s*(import|from) sky\b", path.read_text(), re.M)]
    assert wrong == ["experiments.jobs.launchers.sky.bridge"]


@pytest.mark.parametrize(
    "start",
    [
        "import experiments",
        "import experiments.experiment",
        "import experiments.recipes.arena_experiment",
        "from experiments.cli.__main__ import commands; commands()",
    ],
)
def test_starting_a_command_loads_nothing_heavy(start):
    code = f"{start}; import sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_what_every_job_starts_loads_neither_the_versions_of_packages_nor_what_checks_values():
    code = "import experiments.jobs.launchers.local.supervisor, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"importlib.metadata", "email", "pydantic", "sqlite3"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize("words", [["-m", "experiments.cli", "status"], ["experiments/recipes/arena_experiment.py"]])
def test_the_help_of_a_command_does_not_load_what_checks_types_at_run_time(words):
    command = [sys.executable, "-X", "importtime", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "tyro._cli" in loaded
    assert {"typeguard", "unittest.mock", "asyncio"} & loaded == set()


def test_the_list_of_commands_imports_neither_a_command_nor_what_parses_one():
    code = "import sys; from experiments.cli.__main__ import main; main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "experiments.cli.envelope" in loaded
    assert {"tyro", "rich", "experiments.types", "experiments.cli.status"} & loaded == set()


@pytest.mark.parametrize("start", ["experiments.cli.status", "experiments.recipes.arena_experiment"])
def test_a_start_builds_no_model_before_it_is_asked_for_one(start):
    code = f"""
import {start}
from pydantic import BaseModel
def below(kind):
    return [found for each in kind.__subclasses__() for found in (each, *below(each))]
ours = [each for each in below(BaseModel) if each.__module__.startswith("experiments.")]
assert ours
print(*(each.__name__ for each in ours if each.__pydantic_complete__))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
