"""The commands that list runs and upload them."""

from __future__ import annotations

import pytest

from experiments import cli
from tests.fakes import wandb_files as fake
from tests.fakes.cases import case_copy


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EXPERIMENTS_WANDB_MODE", "offline")
    (tmp_path / "pyproject.toml").touch()
    return tmp_path / ".experiments" / "runs"


def test_the_list_of_runs_says_under_it_what_is_to_be_known_of_their_rows(runs_dir, capsys):
    case_copy("data/two-ids-one-folder", runs_dir / "job")
    case_copy("data/forked", runs_dir / "forked")
    assert cli.run(["runs"]) == 0
    printed = capsys.readouterr().out
    assert "job: its folder has runs of 2 ids, none of them its own: shown is the newest, 'rb', and not 'ra'" in printed
    assert "forked: forked from run 'parent' at step 10" in printed


def test_a_list_of_runs_says_where_what_trainers_name_cannot_be_read(runs_dir, capsys):
    case_copy("data/forked", runs_dir / "forked")
    (runs_dir.parent / "ledger.sqlite").write_text("no database")
    assert cli.run(["runs"]) == 0
    said = capsys.readouterr()
    assert "forked" in said.out
    assert "steps and rewards are found by their names, for what trainers name cannot be read: " in said.err


def test_sync_says_of_each_run_what_became_of_it(runs_dir, capsys):
    assert cli.run(["sync"]) == 0
    assert capsys.readouterr().out == "No run to upload.\n"
    fake.offline_run(runs_dir, "live").write(fake.run("live"))
    assert cli.run(["sync"]) == 0
    assert capsys.readouterr().out == "1 of 1  live: running  it is uploaded once it has ended\n"
