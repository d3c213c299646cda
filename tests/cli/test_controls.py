"""`experiments controls`: keep, list and show, for people and for programs."""

from __future__ import annotations

import pytest

from experiments.cli.__main__ import run
from experiments.jobs.controls.files import path_of, write_control
from tests.fakes.answers import data_in
from tests.fakes.kept import KeptProject, control_file, repository_at
from tests.fakes.project import Project
from tests.fakes.repositories import git


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    workspace = repository_at(tmp_path / "project")
    (workspace.root / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(workspace.root)
    return workspace


def said(capsys, *words, code=0):
    assert run(["controls", *words]) == code
    shown = capsys.readouterr()
    return shown.out + shown.err


def test_without_any_it_says_how_one_is_kept(workspace, capsys):
    assert "No control is kept here. Keep one: experiments controls keep EXPERIMENT" in said(capsys)
    assert data_in(said(capsys, "list", "--json")) == {"controls": []}


def test_a_control_is_listed_and_shown_with_the_score_of_each_run(workspace, capsys):
    write_control(workspace, control_file(workspace))
    assert "kept  old/baseline" in said(capsys)
    shown = said(capsys, "show", "kept")
    assert "kept: arm baseline of old, seeds 0, 1, 2, kept on 2026-11-30" in shown
    assert "settings: --rate 0.1" in shown
    assert "finished" in shown
    [listed] = data_in(said(capsys, "--json"))["controls"]
    assert (listed["seeds"], listed["metrics"]) == ([0, 1, 2], ["score"])
    assert data_in(said(capsys, "show", "kept", "--json"))["control"]["format"] == 1


def test_one_damaged_file_hides_no_other(workspace, capsys):
    write_control(workspace, control_file(workspace))
    path_of(workspace.root, "broken").write_text("{")
    shown = said(capsys, code=1)
    assert "old/baseline" in shown
    assert "cannot be read" in shown
    problems = {one["name"]: one["problem"] or "" for one in data_in(said(capsys, "--json", code=1))["controls"]}
    assert problems["kept"] == ""
    assert "git checkout -- experiments/controls/broken.json" in problems["broken"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("keep",), "keep what? Name it: experiments controls keep EXPERIMENT --arm ARM --as NAME"),
        (("keep", "hills"), "how is it called? experiments controls keep hills --arm baseline --as NAME"),
        (("show",), "show what? Name it: experiments controls show NAME"),
        (("show", "../kept"), "'../kept' is no name of a control"),
        (("show", "none"), "there is no control 'none'. None is kept here."),
        (("list", "kept"), "To see one: experiments controls show kept"),
        (("keep", "hills", "--as", "kept"), "there is no experiment 'hills' here"),
    ],
)
def test_what_is_not_understood_is_said_with_the_next_command(workspace, capsys, words, expected):
    assert expected in " ".join(said(capsys, *words, code=2).split())


def test_keeping_says_what_to_commit_what_to_write_and_what_may_have_been_chosen(tmp_path):
    project = KeptProject(tmp_path)
    project.recipe_run("hills", "--follow", "--seeds", "2")
    project.recipe_run("hills", "other", "--follow", "--seeds", "5..6")
    kept = project.command("controls", "keep", "hills", "--as", "kept").stdout
    assert "Commit it: git add experiments/controls/kept.json" in kept
    assert 'controls = "kept"' in kept
    assert "2 arms of these settings were launched here" in " ".join(kept.split())
    assert git(tmp_path, "status", "--porcelain", "-uall").endswith("experiments/controls/kept.json")
    again = project.command("controls", "keep", "hills", "--as", "kept").stdout
    assert again.startswith("Kept already: kept")
    refused = project.command("controls", "keep", "other", "--as", "kept", code=2).stderr
    assert "--as kept-2" in refused
    (tmp_path / ".gitignore").write_text(".experiments/\nexperiments/\n")
    ignored = project.command("controls", "keep", "other", "--as", "ignored", "--metric", "score").stdout
    assert "git ignores experiments/controls/ignored.json" in " ".join(ignored.split())


def test_of_a_trainer_that_names_no_metric_the_usual_reward_is_kept_and_its_lack_is_said(tmp_path):
    project = Project(tmp_path)
    project.run("--follow")
    said = project.command("controls", "keep", "study", "--arm", "arm-0", "--as", "kept", code=2).stderr
    assert "no run of arm 'arm-0' has a value of 'overview/reward'" in said
    assert "--metric KEY" in said
