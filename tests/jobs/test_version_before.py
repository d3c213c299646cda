"""What the version before launched goes on under this one: running and waiting jobs, ledger, state and notebook."""

from __future__ import annotations

import json
import time

import pytest

from tests.fakes.project import RECIPE
from tests.fakes.version_before import Installation

pytestmark = pytest.mark.slow

REAL = ["{python}", "-P", "-m", "experiments.trainer", "run={run}", "seed={seed}", "trainer.curriculum={curriculum}"]


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path)


def settings(installation, command, **more):
    values = {"train_command": command, **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    (installation.project / "pyproject.toml").write_text("\n".join(["[tool.experiments]", *lines]))
    (installation.project / "study.py").write_text(RECIPE)


def verdicts(installation):
    found = json.loads(installation.command("status", "--json"))
    jobs = found if isinstance(found, list) else found["data"]["jobs"]  # version 0.1 printed the bare list
    return {job["run_name"]: job["verdict"] for job in jobs}


def wait_for(installation, *wanted, timeout_s=120.0):
    deadline = time.monotonic() + timeout_s
    while (found := verdicts(installation)) and sorted(found.values()) != sorted(wanted):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def test_a_running_and_a_waiting_job_of_the_version_before_end_well_under_this_one(installation):
    script = "echo started; while [ ! -e ../../../go ]; do sleep 0.05; done; echo ended as {run}"
    settings(installation, ["/bin/sh", "-c", f'cd "$EXPERIMENTS_RUN_DIR"; {script}'], max_parallel=1)
    installation.python("study.py", "--seeds", "0,1,2", "--no-follow")
    wait_for(installation, "running", "pending", "pending")
    installation.upgrade()
    assert sorted(verdicts(installation).values()) == ["pending", "pending", "running"]
    first, second, third = verdicts(installation)
    installation.command("cancel", third)
    (installation.project / "go").touch()
    # The supervisor of the version before starts the next job as it ends, by a module's name: nobody else looks.
    log = installation.project / ".experiments" / "runs" / second / "train.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and "ended as" in log.read_text()):
        assert time.monotonic() < deadline, "no supervisor started the waiting job"
        time.sleep(0.1)
    found = wait_for(installation, "succeeded", "succeeded", "cancelled")
    assert found[third] == "cancelled"
    assert installation.command("logs", first).splitlines()[-1] == f"ended as {first}"
    again = installation.command("retry", third, code=0)
    assert "attempt 2" in again
    wait_for(installation, "succeeded", "succeeded", "cancelled", "succeeded")


def test_a_notebook_and_the_runs_of_the_version_before_are_read_and_remade(installation):
    settings(installation, REAL)
    steps = (
        "trainer.total_timesteps=8000",
        "trainer.evaluation.count=0",
        "trainer.replays.count=0",
        "trainer.num_envs=2",
    )
    installation.python("study.py", "--seeds", "0,1", "--follow", "--additional-args", *steps)
    first, second = verdicts(installation)
    installation.command("note", first, "written under 0.1")
    installation.command("tag", "kept", first)
    installation.upgrade()
    notebook = installation.project / "experiments" / "scratch" / "study_nb.py"
    assert notebook.read_text().count("@app.cell") > 40
    runs = verdicts(installation)
    assert list(runs.values()) == ["succeeded", "succeeded"]
    # Its ledger and its runs answer what only this version asks.
    shown = installation.command("show", first)
    assert "written under 0.1" in shown
    assert "kept" in shown
    assert first in installation.command("runs", "--tag", "kept")
    assert second not in installation.command("runs", "--tag", "kept")
    scores = json.loads(installation.command("scores", "study", "--json"))["data"]
    assert [row["outcome"] for row in scores["runs"]] == ["finished", "finished"]
    assert "agent steps" in installation.command("curve", "overview/reward", "--runs", "study/")
    assert "seed" in installation.command("diff", first, second)
    assert installation.command("next", "study").startswith("study")
    # As it is: marimo runs all of its cells, and the log has the runs in it.
    log = installation.project / "log.html"
    installation.command("export", str(notebook), "-o", str(log))
    assert all(run in log.read_text() for run in runs)
    # Made anew, once: the form is today's, and the jobs and what the config says are the file's.
    before = notebook.read_text()
    told = installation.python("study.py", "--no-launch")
    assert "note: made by version 0.1: " in told
    assert f"as it was: {notebook.name}.bak" in told
    assert (notebook.parent / f"{notebook.name}.bak").read_text() == before
    text = notebook.read_text()
    assert text.count("@app.cell") < 20
    assert "config = StudyConfig(" in text
    assert all(run in text for run in runs)
    assert "made by version" not in installation.python("study.py", "--no-launch")
    assert notebook.read_text() == text
    installation.command("export", str(notebook), "-o", str(log))
    assert all(run in log.read_text() for run in runs)
