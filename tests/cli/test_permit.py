"""`experiments permit` on a real terminal, and what a program without one may do."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from tests.fakes.serving import ROOT

TOKEN = re.compile(r"permit\.[\w\-]+\.[\w\-]{43}")
RECIPE = """
from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, TrainingJobConfig


class Study(Experiment):
    def launch_training_runs(self):
        return [self.launch_training_run_from_config("base", TrainingJobConfig(curriculum="arena"))]


if __name__ == "__main__":
    Study.main(BaseExperimentConfig, name="study")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder whose user wants permits of commands and scripts."""
    config = tmp_path / "config" / "experiments"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text('launch = "permit"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    root = tmp_path / "project"
    root.mkdir()
    settings = ["[tool.experiments]", 'train_command = ["/bin/sh", "-c", "exit 0"]', "in_place = true"]
    (root / "pyproject.toml").write_text("\n".join(settings))
    (root / "study.py").write_text(RECIPE)
    return root


def command(*words):
    return [sys.executable, "-P", "-m", "experiments.cli", *words]


def on_a_terminal(project, words, answer, **env):
    """Run a command on a terminal of its own, type an answer, and return its exit code and all that it showed."""
    leader, follower = pty.openpty()
    child = subprocess.Popen(
        command(*words), cwd=project, stdin=follower, stdout=follower, stderr=follower, env=os.environ | env,
        start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    os.write(leader, f"{answer}\n".encode())
    shown = b""
    try:
        while piece := os.read(leader, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(leader)
    return child.wait(60), shown.decode()


def alone(project, *words, **env):
    """Run a command as a program does, without a terminal."""
    start = [sys.executable, "study.py"] if words[0] == "study.py" else command(words[0])
    return subprocess.run(
        [*start, *words[1:]], cwd=project, env=os.environ | env, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_person_grants_a_permit_and_a_program_launches_within_it(project):
    refused = alone(project, "study.py", "--seeds", "0..1", "--no-follow")
    assert refused.returncode != 0
    assert 'your settings say launch = "permit"' in refused.stderr

    code, shown = on_a_terminal(project, ["permit", "--name", "night", "--jobs", "3", "--recipes", "study.py"], "yes")
    assert code == 0, shown
    assert "Permit night: 3 jobs; may launch, cancel, retry; of study.py." in shown
    token = TOKEN.search(shown)[0]

    launched = alone(project, "study.py", "--seeds", "0..1", "--no-follow", EXPERIMENTS_PERMIT_TOKEN=token)
    assert launched.returncode == 0, launched.stderr
    more = alone(project, "study.py", "again", "--seeds", "0..1", "--no-follow", EXPERIMENTS_PERMIT_TOKEN=token)
    assert more.returncode != 0
    assert "has 1 of 3 jobs left" in more.stderr
    assert token not in launched.stdout + launched.stderr + more.stderr
    for file in project.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file

    [listed] = json.loads(alone(project, "permit", "list", "--json").stdout)["data"]["permits"]
    assert (listed["budget"]["name"], listed["budget"]["jobs"], listed["recipes"]) == ("night", 2, ["study.py"])
    assert alone(project, "permit", "end", "night").returncode == 0
    ended = alone(project, "study.py", "third", "--no-follow", EXPERIMENTS_PERMIT_TOKEN=token)
    assert "permit 'night' has ended (ended by a person)" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["permit", "--jobs", "5"],
        ["budget", "set", "study", "jobs=5"],
        ["budget", "end", "study", "--cancel", "--yes"],
        ["pool", "apply", "lab", "--workers", "2", "--yes"],
    ],
)
def test_a_program_without_a_terminal_neither_grants_nor_ends_anything(project, words):
    refused = alone(project, *words)
    assert refused.returncode != 0
    assert "only a person does, on a terminal" in refused.stderr
    assert "No permit" in alone(project, "permit", "list").stdout


@pytest.mark.parametrize(
    "words", [["permit", "--jobs", "5"], ["budget", "set", "night", "jobs=500"], ["permit", "end", "night"]]
)
def test_who_acts_with_a_permit_grants_changes_and_ends_none_even_on_a_terminal(project, words):
    _, shown = on_a_terminal(project, ["permit", "--name", "night", "--jobs", "3", "--save", "../token"], "yes")
    assert not TOKEN.search(shown)
    code, shown = on_a_terminal(project, words, "yes", EXPERIMENTS_PERMIT_FILE=str(project.parent / "token"))
    assert code != 0
    assert "this process acts with permit 'night', which grants nothing" in re.sub(r"\s+", " ", shown)


def test_a_person_who_does_not_say_yes_grants_nothing(project):
    code, shown = on_a_terminal(project, ["permit", "--jobs", "5"], "no")
    assert code != 0
    assert not TOKEN.search(shown)
    assert "No permit" in alone(project, "permit", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["permit"], "limits jobs, GPU hours or dollars"),
        (["permit", "--jobs", "0"], "starts nothing"),
        (["permit", "--jobs", "5", "--may", "launch,fly"], "not 'fly'"),
        (["permit", "--jobs", "5", "--may", ","], "covers nothing"),
        (["permit", "--jobs", "5", "--until", "tomorrow"], "is no date and time"),
        (["permit", "--jobs", "5", "--until", "2020-01-01T00:00"], "over before it begins"),
        (["permit", "--jobs", "5", "--recipes", "none.py"], "there is no recipe 'none.py'"),
        (["permit", "--jobs", "5", "--save", "study.py"], "is there already"),
        (["permit", "end"], "which permit?"),
        (["permit", "end", "night"], "there is no permit 'night'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_permit_is_said_in_one_sentence(project, words, said):
    code, shown = on_a_terminal(project, words, "yes")
    assert code == 2
    assert said in re.sub(r"\s+", " ", shown)
    assert "Traceback" not in shown
