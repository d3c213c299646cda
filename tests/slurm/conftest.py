"""The rig, a project of its own, and an environment that points to both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.project.workspace import Workspace
from tests.fakes.checkout import pushed_copy
from tests.fakes.skypilot import close_clients
from tests.slurm.rig import NODE_VENV, Rig, why_not

# Its quotes survive two shells, and it has no '!': SkyPilot runs a node's commands in an interactive bash.
SETUP = f"echo 'PYTHONPATH=. exec {NODE_VENV}/bin/python \"$@\"' > node-python; chmod +x node-python"


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    if reason := why_not():
        pytest.skip(reason)
    found = Rig()
    was_up = found.is_up()
    try:
        found.up()
    except (subprocess.SubprocessError, AssertionError) as error:
        # The rig's own program failed, with none of ours in it: no Debian packages, no network, no time.
        if not was_up:
            found.down()
        pytest.skip(f"the Slurm rig did not come up: {str(error)[-400:]}")
    found.prepare_node()
    yield found
    if not was_up:
        found.down()


@pytest.fixture(scope="session")
def shared_runs() -> Iterator[Path]:
    """A folder that this machine and the node's user both write."""
    folder = Path("/var/tmp") / f"experiments-rig-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """A clean, pushed copy of this checkout as it stands."""
    return pushed_copy(tmp_path_factory.mktemp("clone") / "project")


@pytest.fixture(scope="session")
def state(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(autouse=True)
def rig_environment(clean_environ, rig, project, state, shared_runs, monkeypatch):
    environment = rig.environment()
    environment |= {
        "EXPERIMENTS_HOME": str(state),
        "EXPERIMENTS_USER": "ada",
        "EXPERIMENTS_RUN_ROOT": str(shared_runs),
        "EXPERIMENTS_SKY_PYTHON": environment["SLURM_RIG_PYTHON"],
        "EXPERIMENTS_SKY_INFRA": environment["SLURM_RIG_INFRA"],
        "EXPERIMENTS_SKY_CPUS": "1",
        "EXPERIMENTS_SKY_MEMORY": "1+",
        "EXPERIMENTS_SKY_SETUP": SETUP,
        "EXPERIMENTS_SKY_NODE_PYTHON": "./node-python",
        "PYTHONPATH": str(project),
        "PYTHONWARNINGS": "ignore",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    yield
    close_clients()


@pytest.fixture
def workspace(rig_environment, project) -> Workspace:
    return Workspace.find(project)


@pytest.fixture
def recipe(rig_environment, project):
    """Return what runs the arena recipe on SkyPilot, as a person would."""

    def run(name: str, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "experiments/recipes/arena_experiment.py", name, "--launcher", "skypilot"]
        done = subprocess.run(
            [*command, "--gpus", "0", "--no-follow", "--wait", *arguments],
            cwd=project, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run
