"""The functions that the README names, as a stranger runs them: with their defaults, from a launch to a trained end.

In a folder that only `mkdir` and `git init` have seen, with the real trainer and W&B's own SDK.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from tests.share import IS_FULL, share

ROOT = Path(__file__).parents[2]
LAUNCH = """
launched = [
    experiments.launch_training("alone", "arena/basic"),
    *experiments.launch_multiple_training_runs("several", "arena/basic"),
]
"""
WAIT = """
while not set(experiments.monitor_training_statuses(launched)["verdict"]) <= {"succeeded", "failed", "cancelled"}:
    time.sleep(1)
"""
READ = """
names = [job.run_name for job in launched]
read = {
    "launched": names,
    "found": experiments.find_training_jobs(),
    "statuses": experiments.monitor_training_statuses(names)[["run_name", "state", "verdict", "_step"]].values.tolist(),
    "rows": {name: frame["overview/reward"].notna().sum() for name, frame in experiments.fetch_metrics(names).items()},
    "speed": experiments.plot_sps(names).to_dict(),
    "summary": experiments.create_run_summary_table(names)[["run_name", "state", "total_steps"]].values.tolist(),
    "replays": [item["step"] for item in experiments.get_available_replays(names[0])],
    "shown": experiments.show_replay(names[0]).text,
    "tidy": experiments.metrics_frame("several")[["run", "arm", "seed"]].drop_duplicates().values.tolist(),
}
pathlib.Path("read.json").write_text(json.dumps(read, default=str))
"""
IMPORTS = "import json, pathlib, time\nimport experiments\n"
SCRIPT = f"set -e\n{sys.executable} - <<'END'\n{IMPORTS}{LAUNCH}{WAIT}{READ}END\n"
NOTEBOOK = f"""
import marimo

app = marimo.App()

with app.setup:
    import json
    import pathlib
    import time

    import experiments


@app.cell
def _():
    with experiments.allow_launch():
{indent(LAUNCH, " " * 8)}
    return (launched,)


@app.cell
def _(launched):
{indent(WAIT, " " * 4)}
    ended = True
    return (ended,)


@app.cell
def _(ended, launched):
{indent(READ, " " * 4)}
    assert ended
    return


if __name__ == "__main__":
    app.run()
"""
# Fewer steps, so that the runs take seconds; what the functions are given is the same.
SHORT = (
    "{python} -P -m experiments.trainer run={run} trainer.curriculum={curriculum} seed={seed} "
    "trainer.total_timesteps=40000 trainer.evaluation.count=1 trainer.replays.count=1"
)
SETTINGS = f"[tool.experiments]\ntrain_command = {SHORT.split()}\n"

pytestmark = pytest.mark.slow


def run_to_the_end(folder, *command):
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    environment = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    done = subprocess.run(
        command, cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "read.json").read_text())


def check(read, steps):
    alone, several = read["launched"]
    assert read["found"] == [several, alone] or read["found"] == [alone, several]
    for name, state, verdict, step in read["statuses"]:
        assert (name in (alone, several), state, verdict, step >= steps) == (True, "finished", "succeeded", True)
    assert [(name, state) for name, state, _ in read["summary"]] == [(alone, "finished"), (several, "finished")]
    assert all(total >= steps for *_, total in read["summary"])
    assert all(int(rows) > 0 for rows in read["rows"].values())
    assert list(read["rows"]) == [alone, several]
    assert "of 2 of 2 runs, complete" in read["speed"]["usermeta"]["caption"]
    assert read["replays"] == sorted(read["replays"])
    assert read["replays"][-1] >= steps
    assert "marimo-anywidget" in read["shown"]
    assert read["tidy"] == [[several, "run", 0]]


@pytest.mark.timeout(1200)
def test_from_a_shell_with_every_default(tmp_path, monkeypatch):
    """But for the trainer's own, unless all is asked for: the README's first command, which CI runs, has those."""
    if not IS_FULL:
        monkeypatch.setenv("EXPERIMENTS_TRAIN_COMMAND", SHORT)
    check(run_to_the_end(tmp_path, "bash", "-c", SCRIPT), steps=share(1_500_000, 40_000))


@pytest.mark.timeout(600)
def test_in_a_plain_notebook(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "plain.py").write_text(NOTEBOOK)
    check(run_to_the_end(tmp_path, sys.executable, "plain.py"), steps=40_000)


@pytest.mark.timeout(300)
def test_with_names_of_another_run_and_empty_ones_in_the_environment(tmp_path, monkeypatch):
    for name, text in {"TAGS": "", "RUN_ID": "", "NOTES": "", "SWEEP_ID": "", "RESUME_FROM": "x?_step=1"}.items():
        monkeypatch.setenv(f"WANDB_{name}", text)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    check(run_to_the_end(tmp_path, "bash", "-c", SCRIPT), steps=40_000)
