"""The bar of `experiments reproduce`: twenty runs of all kinds come back byte for byte in a fresh clone."""

from __future__ import annotations

import json

import pytest

from experiments.trainer.curricula import CURRICULA, PREFIX
from tests.fakes.answers import data_in
from tests.fakes.project import Project, jobs_of
from tests.fakes.trained import COMMAND, SMALL, git, train, trained_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

# The project's own part of its trainer, so that an edit of the project is an edit of what trains.
TRAIN = """\
import sys
from experiments.trainer.__main__ import main
from tweak import MORE
sys.exit(main([*sys.argv[2:], *MORE]))
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "tweak.py").write_text("MORE = []\n")
    project = trained_project(folder)
    settings = project.root / "pyproject.toml"
    words = ["{python}", "train.py", *COMMAND[3:], *SMALL]
    lines = [line for line in settings.read_text().splitlines() if not line.startswith("train_command")]
    lines.insert(1, f"train_command = {json.dumps(words)}")
    settings.write_text("\n".join(lines))
    git(folder, "commit", "-qam", "A trainer of our own")
    return project


def test_twenty_runs_come_back_in_a_fresh_clone(project, tmp_path):
    names = [name.removeprefix(PREFIX) for name in CURRICULA]
    train(project, "curricula", "--vary", f"curriculum={','.join(names)}")
    train(project, "seeds", "--seeds", "1..5")
    # Of a second recipe, which nobody gave to git.
    other = project.root / "other.py"
    other.write_text(project.recipe.read_text().replace('"study"', '"other"').replace("arm-", "kind-"))
    first, project.recipe = project.recipe, other
    train(project, "other", "--seeds", "0..3", "--arms", "1")
    project.recipe = first
    # With an edit, which is taken back afterwards.
    (project.root / "tweak.py").write_text("MORE = ['trainer.ppo.clip_coef=0.1']\n")
    edited = train(project, "edited", "--seeds", "0..1")
    git(project.root, "checkout", "-q", "tweak.py")
    other.unlink()
    # And some that go on.
    for parent in edited:
        project.command("resume", parent.run_name, "--steps", "3000", "--json")
        project.command("logs", "-f", jobs_of(project)[-1].run_name)
    runs = [job for job in jobs_of(project) if job.counts]
    assert len(runs) >= 20
    git(tmp_path, "clone", "-q", str(project.root), "second")
    clone = Project.__new__(Project)
    clone.root, clone.recipe = tmp_path / "second", tmp_path / "second" / "study.py"
    clone.state = clone.root / ".experiments"
    verdicts = {}
    for experiment in dict.fromkeys(job.experiment for job in runs):
        answer = data_in(clone.command("reproduce", f"{experiment}/", "--from", str(project.root), "--json").stdout)
        verdicts |= {run["original"]: run["verdict"] for run in answer["runs"]}
    assert verdicts == {job.run_name: "identical" for job in runs}
