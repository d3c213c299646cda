"""What the state folder could do without."""

from __future__ import annotations

import json
import sqlite3
from types import SimpleNamespace

import pytest

from experiments import cli
from experiments.cli import upkeep
from experiments.cli.upkeep import disposable, size_of
from experiments.jobs.ledger import Ledger
from experiments.jobs.ledger.schema import STARTING
from experiments.project.files import locked
from experiments.project.snapshots import checkout, is_there, take
from experiments.project.snapshots.checkouts import checkouts
from tests.fakes import wandb_files as fake
from tests.fakes.cases import case_copy
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.repositories import repository


@pytest.mark.parametrize("folder", ["wandb", ".wandb"])
def test_only_the_files_of_runs_that_were_uploaded_whole_can_go(tmp_path, folder):
    fake.offline_run(tmp_path / "runs", "kept").write(fake.run("kept"))
    run = case_copy("data/sync-dir-suffix", tmp_path / "runs" / "sfx")
    (run / "wandb").rename(run / folder)
    [directory] = (run / folder).iterdir()
    assert disposable(tmp_path) == []
    (directory / "run-sfx.wandb.synced").touch()
    assert disposable(tmp_path) == [(directory, "uploaded to W&B")]


def test_a_file_of_two_names_is_one_to_the_disk(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 1000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert size_of(tmp_path) == 1000


def test_an_unpacked_bundle_can_go_for_its_file_has_all_of_it(tmp_path):
    (tmp_path / "bundles" / "0123").mkdir(parents=True)
    assert disposable(tmp_path) == [
        (tmp_path / "bundles" / "0123", "unpacked from a bundle, and again when it is wanted")
    ]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two checkouts; a job that has not ended runs from the first."""
    root = repository(tmp_path / "p")
    workspace = workspace_at(root)
    monkeypatch.chdir(root)
    plan = plan_in(workspace, seeds=[0])
    ids = []
    for number in range(2):
        (root / "big.bin").write_bytes(bytes([number]) * 1_000_000)
        snapshot = take(root, workspace.state, workspace.settings)
        checkout(workspace.state, snapshot)
        ids.append(snapshot.id)
        if not number:
            with Ledger.open(workspace.state) as ledger:
                ledger.record_plan(plan)
                ledger.intend({plan.jobs[0].run_name: {"snapshot": snapshot.model_dump(mode="json")}}, "here", "tester")
    return SimpleNamespace(state=workspace.state, ids=ids, run=plan.jobs[0].run_name)


def kept(project):
    return {one.snapshot for one in checkouts(project.state)}


def test_a_checkout_goes_once_no_job_needs_it_and_its_snapshot_stays(project, capsys):
    assert cli.run(["gc", "--yes"]) == 0
    printed = capsys.readouterr().out
    assert f".experiments/code/{project.ids[1]}  (code that no job runs" in printed
    assert project.ids[0] not in printed
    assert "1.0 MB deleted" in printed
    assert kept(project) == {project.ids[0]}
    assert is_there(project.state, project.ids[1])


def test_a_job_that_ended_needs_no_checkout_any_more(project):
    with Ledger.open(project.state) as ledger:
        ledger.conclude("tester", accepted={project.run: "1"})
        ledger.settle({project.run: {"word": "SUCCEEDED"}})
    cli.run(["gc", "--yes"])
    assert kept(project) == set()


def test_steps_of_jobs_that_ended_a_month_ago_are_folded_and_still_told(project, capsys, monkeypatch):
    with Ledger.open(project.state) as ledger:
        ledger.conclude("tester", accepted={project.run: "1"})
        ledger.settle({project.run: {"word": "SUCCEEDED"}})
        before = ledger.events()
    cli.run(["gc", "--yes"])
    assert "folded" not in capsys.readouterr().out
    monkeypatch.setattr(upkeep, "_FOLDED_AFTER_S", -60.0)
    cli.run(["gc", "--yes"])
    assert "2 steps of jobs that ended more than a month ago folded in the ledger" in capsys.readouterr().out
    with Ledger.open(project.state) as ledger:
        assert ledger.events() == before


def test_a_checkout_that_a_program_wrote_into_stays_and_is_named_with_its_files(project, capsys):
    (project.state / "code" / project.ids[1] / "tree" / "scores.csv").write_text("1,2\n")
    assert cli.run(["gc", "--yes"]) == 0
    assert kept(project) == set(project.ids)
    said = capsys.readouterr().out
    assert f"code/{project.ids[1]} has 1 file that a program wrote beside its source: scores.csv" in said
    assert "rm -r " in said


def test_nothing_goes_without_a_yes(project, monkeypatch):
    monkeypatch.setattr(upkeep, "agrees", lambda _: False)
    assert cli.run(["gc"]) == 0
    assert len(kept(project)) == 2


def test_a_job_that_is_launched_while_the_question_stands_keeps_its_checkout(project, monkeypatch):
    def launch(_: str) -> bool:
        with sqlite3.connect(project.state / "ledger.sqlite") as connection:
            connection.execute("UPDATE jobs SET spec = replace(spec, ?, ?)", project.ids)
        return True

    monkeypatch.setattr(upkeep, "agrees", launch)
    cli.run(["gc"])
    assert kept(project) == {project.ids[1]}


def test_nothing_that_jobs_run_from_goes_while_some_are_started(project, capsys, monkeypatch):
    monkeypatch.setattr(upkeep, "_WAIT_S", 0.0)
    with locked(project.state / STARTING, wait_s=0) as held:
        assert held
        assert cli.run(["gc", "--yes"]) == 0
    assert kept(project) == set(project.ids)
    assert "Run this again: experiments gc" in capsys.readouterr().err
    assert cli.run(["gc", "--yes"]) == 0
    assert kept(project) == {project.ids[0]}


@pytest.mark.parametrize(
    "told",
    [
        lambda home: {"command": [f"{home}/bin/python", "train.py"]},
        lambda home: {"command": ["uv", "run", "train.py"], "env": {"VIRTUAL_ENV": home}},
    ],
)
def test_a_made_environment_goes_once_no_job_runs_with_it(project, capsys, told):
    made = [project.state / "env" / name for name in ("abc", "abd")]
    for folder in made:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "large").write_bytes(b"x" * 1_000_000)
    with sqlite3.connect(project.state / "ledger.sqlite") as connection:
        connection.execute("UPDATE jobs SET spec = json_patch(spec, ?)", [json.dumps(told(str(made[0])))])
    cli.run(["gc", "--yes"])
    assert ".experiments/env/abd  (packages that no job runs with" in capsys.readouterr().out
    assert [folder.exists() for folder in made] == [True, False]
