"""Every public name has an example in its docstring, and each does what it says, in a project with six runs."""

from __future__ import annotations

import ast
import doctest
import inspect
import io
import json
import zlib
from importlib import import_module
from pathlib import Path

import pytest

import experiments
from tests.fakes.studies import two_arms
from tests.widgets.replays import small


def exported(module):
    """Return what a module defines, and what it takes from another to hand on (`import name as name`)."""
    handed_on = {
        alias.name
        for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    values = {
        name: value for name, value in vars(module).items() if inspect.isclass(value) or inspect.isfunction(value)
    }
    own = {name for name, value in values.items() if value.__module__ == module.__name__ and not name.startswith("_")}
    return {
        name: values[name]
        for name in own | handed_on
        if name in values and values[name].__module__.startswith("experiments.")
    }


PUBLIC = {
    **{name: getattr(experiments, name) for name in experiments.__all__},
    **exported(import_module("experiments.types")),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    study = two_arms(folder)
    (folder / "train.py").write_text("# a training script of somebody's\n")
    replays = study.workspace.runs / study.jobs[0].run / "replays"
    replays.mkdir()
    for step in (100, 300):
        (replays / f"step_{step}.json.z").write_bytes(zlib.compress(json.dumps(small()).encode()))
    return folder


def test_the_public_names_are_those_of_the_package_and_of_the_modules_that_recipes_import():
    assert {"Trainer", "Metrics", "StopWhen", "JobRef", "check_name", "Experiment", "launch_training"} <= set(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_example_of_a_public_name_does_what_it_says(name, project, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setenv("EXPERIMENTS_USER", "ada")
    found = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={})
    examples = [test for test in found if test.examples]
    assert examples, f"{name} has no example in its docstring"
    said = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples:
        runner.run(test, out=said.write)
    assert runner.summarize(verbose=False).failed == 0, said.getvalue()
