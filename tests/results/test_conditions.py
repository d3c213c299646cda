"""What differs between what two runs had installed and computed with: real supervisors, kernels and package sets."""

from __future__ import annotations

import json
import sys

import pytest

from experiments.cli.show import show
from experiments.jobs.preparation import launch_plan
from experiments.jobs.ran import codes_of
from experiments.launch import allow_launch
from experiments.results.conditions import compared_conditions
from experiments.results.diff import diff_of
from experiments.results.sides import sides
from experiments.runs.opening import default_store
from tests.fakes.launching import plan_in, wait_for_end, workspace_at


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    return workspace_at(tmp_path, command=(sys.executable, "-c", "pass"))


def launched(workspace, arm):
    with allow_launch() as permit:
        [job] = launch_plan(plan_in(workspace, arms=(arm,), seeds=(0,)), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    return job.run_name


def two_kernels(workspace, monkeypatch):
    first = launched(workspace, "first")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    return first, launched(workspace, "second")


def test_another_kernel_is_said_and_the_packages_are_all_compared(workspace, monkeypatch):
    first, second = two_kernels(workspace, monkeypatch)
    found = diff_of(workspace, *sides(workspace, first, second), default_store(workspace.root))
    assert any("the BLAS kernel of numpy and scipy differs" in words and "Nehalem" in words for words in found.machine)
    assert found.packages == ()
    assert found.same["packages"] > 60


def test_a_package_set_that_was_changed_is_said_and_never_compared(workspace):
    name = launched(workspace, "first")
    [path] = (workspace.state / "packages").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"python": "2.7"}))
    codes = list(codes_of(workspace, [name]).values())
    found = compared_conditions(workspace, codes, codes)
    assert (found.differences, found.same_packages) == ((), None)
    assert "was changed since it was recorded" in found.notes[0]


def told(answer):
    answer.words(answer.data)


def test_show_says_packages_processor_kernel_and_threads(workspace, capsys):
    name = launched(workspace, "first")
    told(show(name))
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    environment = codes_of(workspace, [name])[name].started.environment
    assert (
        rows["ran with"]
        .strip()
        .endswith(f"packages on CPython {'.'.join(map(str, sys.version_info[:3]))} ({environment})")
    )
    assert "cores allowed" in rows["cpu"]
    assert "kernel" in rows["blas"]
    assert "thread" in rows["blas"]
    assert show(name).data.ran.code["machine"]["blas"][0]["package"] == "numpy"


def test_show_says_why_packages_are_not_recorded(tmp_path, monkeypatch, capsys):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    told(show(launched(workspace_at(tmp_path, command=("/bin/sh", "-c", "exit 0")), "first")))
    assert "not recorded: '/bin/sh' is no Python program" in capsys.readouterr().out


def test_wandb_is_told_the_snapshot_and_the_package_set_that_the_record_has(workspace):
    name = launched(workspace, "first")
    told = json.loads((workspace.runs / name / "wandb-config.json").read_text())["experiments"]["value"]
    started = codes_of(workspace, [name])[name].started
    assert (told["snapshot"], told["environment"]) == (started.snapshot, started.environment)
    assert told["kernel"] == started.machine.kernels
