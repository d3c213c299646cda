"""Notes and tags: what is refused when it is given, and what an earlier version kept is shown all the same."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from experiments import cli
from experiments.jobs.journal_record import add_tag, entries, kept_notes, remove_tag, write_entry, write_note
from experiments.jobs.ledger import Ledger, open_ledger
from experiments.launch import command_permit
from experiments.project.errors import LaunchRefused, UsageError
from tests.fakes.launching import plan_in, workspace_at

HALVES = ["\ud800", "a\udcff", "\udfffb"]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    found = workspace_at(tmp_path)
    with open_ledger(found) as ledger:
        ledger.record_plan(plan_in(found, seeds=range(2)))
    change(found, "UPDATE jobs SET state = 'submitted', launcher_id = run_name")
    monkeypatch.chdir(tmp_path)
    return found


def change(workspace, statement, values=()):
    with closing(sqlite3.connect(workspace.state / "ledger.sqlite")) as connection:
        connection.execute(statement, values)
        connection.commit()


def names(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return [job.run_name for job in ledger.jobs()]


def written(workspace, run):
    with open_ledger(workspace, read_only=True) as ledger:
        return ledger.annotations([run]).get(run)


@pytest.mark.parametrize("text", HALVES)
def test_what_is_no_utf8_text_is_refused_when_it_is_given(workspace, text, capsys):
    runs, permit = names(workspace), command_permit("test")
    for keep in (
        lambda: add_tag(runs, text, permit, workspace),
        lambda: write_note(runs, text, permit, workspace),
        lambda: write_entry("exp", text, permit, workspace),
    ):
        with pytest.raises(UsageError, match=r"no UTF-8 text\. Write it again"):
            keep()
    for command in (["tag", text, runs[0]], ["note", runs[0], text], ["untag", text, runs[0]]):
        assert cli.run(command) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert written(workspace, runs[0]) is None


@pytest.mark.parametrize("tag", ["a\x1b[31m", "a\nb", "a\tb", "a\x00", "a\u202eb", "a\x85b", "a,b", "", "x" * 65])
def test_a_tag_is_one_phrase_that_can_be_shown(workspace, tag):
    with pytest.raises(UsageError, match="can be shown"):
        add_tag(names(workspace), tag, command_permit("test"), workspace)


def test_a_tag_can_be_taken_back(workspace, capsys):
    first, second = names(workspace)
    for arguments, code in (
        (["tag", "good one", first, second], 0),
        (["untag", "good one", first], 0),
        (["untag", "good one", first], 2),
        (["untag", "good one", first, second], 0),
        (["tag", "good one", first], 0),
    ):
        assert cli.run(arguments) == code
    assert (written(workspace, first).tags, written(workspace, second).tags) == (("good one",), ())
    said = capsys.readouterr()
    assert "1 job no longer tagged 'good one'" in said.out
    assert said.err == "error: no job named has the tag 'good one'. They have none; those of a launch stay.\n"


def test_only_somebody_who_may_tag_takes_tags_back(workspace):
    with pytest.raises(LaunchRefused):
        remove_tag(names(workspace), "x", None, workspace)


@pytest.fixture
def planted(workspace):
    """A ledger in which an earlier version kept what cannot be shown."""
    first, second = names(workspace)
    data = {"note": "no\udcffte", "added": ["t\ud800g", 5], "removed": None}
    add = "INSERT INTO events (at, kind, run_name, data) VALUES (1, ?, ?, ?)"
    change(workspace, add, ["annotated", first, json.dumps(data)])
    change(workspace, add, ["annotated", second, json.dumps({"note": ["x"], "added": "ab"})])
    change(workspace, add, ["journal_note", None, json.dumps({"experiment": "exp", "text": "lo\udcffg"})])
    raw = json.dumps({"note": "r@w", "added": []}).encode().replace(b"@", b"\xff")
    change(workspace, add.replace("?)", "CAST(? AS TEXT))"), ["annotated", second, raw])
    config = "UPDATE jobs SET config = json_set(config, '$.wandb_tags', json(?)) WHERE run_name = ?"
    change(workspace, config, [json.dumps(["la\udcffunch"]), first])
    return workspace


def test_what_an_earlier_version_kept_is_shown_with_replacement_signs(planted, capsys):
    first, second = names(planted)
    assert written(planted, first).note == "no\ufffdte"
    assert written(planted, first).tags == ("t\ufffdg", "5")
    assert written(planted, second).note == "r\ufffdw"
    with open_ledger(planted, read_only=True) as ledger:
        assert ledger.jobs()[0].config.wandb_tags == ("la\ufffdunch",)
    assert list(kept_notes(planted, "exp").values()) == ["lo\ufffdg"]
    assert any("no\ufffdte" in entry.text for entry in entries(planted, "exp"))
    for command in (["show", first], ["show", second, "--json"], ["status"], ["runs", "--tag", "t\ufffdg"]):
        assert cli.run(command) == 0, capsys.readouterr()
    assert "no\ufffdte" in capsys.readouterr().out


def test_a_tag_that_an_earlier_version_kept_can_be_taken_back(planted):
    first, _ = names(planted)
    remove_tag([first], "t\ufffdg", command_permit("test"), planted)
    assert written(planted, first).tags == ("5",)


def test_a_text_that_is_no_utf8_costs_no_other_row(planted):
    with Ledger.open(planted.state) as ledger:
        assert len(ledger.jobs()) == 2
        assert ledger.events()
