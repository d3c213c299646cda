"""Hypotheses beside plans: recorded at the launch, never a reason to launch again; notes and tags, refused or shown."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from pydantic import ValidationError

from experiments import cli
from experiments.jobs.designs import change_since_launch, record_journal
from experiments.jobs.journal import (
    BLANK,
    Journal,
    Rule,
    add_tag,
    entries,
    kept_notes,
    recorded_journals,
    remove_tag,
    write_entry,
    write_note,
)
from experiments.jobs.ledger import Ledger, open_ledger
from experiments.jobs.permits import command_permit
from experiments.notebooks.data_cells import read_journal
from experiments.project.errors import LaunchRefused, UsageError
from experiments.project.workspace import Workspace
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.project import Project

RULE = Rule(metric="overview/reward", direction="higher", effect=0.5, arm="b", baseline="a")
WRITTEN = 'hypothesis="Bigger is better."'
HALVES = ["\ud800", "a\udcff", "\udfffb"]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def written(project, text=WRITTEN):
    project.run("--no-launch")
    notebook = project.notebook()
    notebook.write_text(notebook.read_text().replace('hypothesis=""', text))
    return notebook


def placed(project):
    return Workspace.find(project.root)


def plans(project):
    with open_ledger(placed(project), read_only=True) as ledger:
        return list(dict.fromkeys(job.plan_key for job in ledger.jobs()))


def recorded(project):
    return recorded_journals(placed(project), plans(project))


def test_the_notebooks_hypothesis_is_recorded_at_the_launch(project):
    written(project)
    project.run("--no-follow")
    [record] = recorded(project)
    assert record.journal.hypothesis == "Bigger is better."
    assert record.digest == record.journal.digest


def test_a_mended_typo_is_recorded_but_launches_nothing_again(tmp_path):
    project = Project(tmp_path, "sleep 1000")
    notebook = written(project)
    project.run("--no-follow")
    before = plans(project)
    notebook.write_text(notebook.read_text().replace("Bigger is better.", "Bigger is best."))
    try:
        project.run("--no-follow")
        assert plans(project) == before
        assert len(project.command("status", "--json").stdout.split('"run_name"')) == 2
        assert [record.journal.hypothesis for record in recorded(project)] == ["Bigger is better.", "Bigger is best."]
    finally:
        project.command("cancel", *[job.run_name for job in jobs(project)], "--yes")


def jobs(project):
    with open_ledger(placed(project), read_only=True) as ledger:
        return ledger.jobs()


def test_a_journal_that_cannot_be_read_is_refused_before_anything_is_launched(project):
    written(project, 'hypothesis="x", surprise=1')
    refused = project.run("--no-follow", code=1)
    assert "journal" in refused.stderr
    assert "--theirs journal" in refused.stderr
    assert plans(project) == []


def test_a_blank_form_and_a_dry_run_leave_no_record(project):
    project.run("--no-follow")
    project.run("--dry-run")
    assert recorded(project) == []


def test_only_a_person_may_record_or_note(project, monkeypatch):
    place = placed(project)
    with pytest.raises(LaunchRefused):
        write_entry("study", "hello", None, place)
    with pytest.raises(UsageError, match="1 to 4,000"):
        write_entry("study", "  ", command_permit("test"), place)


def test_notes_stand_between_launches_by_time(project):
    written(project)
    project.run("--no-follow")
    write_entry("study", "the <b>second</b> seed looks odd", command_permit("test"), placed(project))
    found = entries(placed(project), "study")
    assert [entry.kind for entry in found if entry.kind != "ended"] == ["journal", "launch", "note"]
    assert found == sorted(found, key=lambda entry: entry.at)
    assert entries(placed(project), "other") == []


def test_spacing_and_notes_are_not_part_of_the_hash():
    one = Journal(hypothesis="a  b\n", rule=RULE, notes={"2026-11-22": "x"})
    assert one.digest == Journal(hypothesis="a b", rule=RULE).digest
    assert one.digest != Journal(hypothesis="a b", rule=RULE.model_copy(update={"effect": 0.6})).digest
    assert not BLANK.is_written


def test_a_rule_changed_after_the_launch_is_said(project):
    written(project)
    project.run("--no-follow")
    [record] = recorded(project)
    assert change_since_launch(record.journal, [record])[0] is False
    changed, sentence = change_since_launch(record.journal.model_copy(update={"rule": RULE}), [record])
    assert changed
    assert sentence.startswith("The rule changed after the launch")
    assert change_since_launch(record.journal, []) == (True, change_since_launch(record.journal, [])[1])
    assert "Written after the launch" in change_since_launch(record.journal, [])[1]


def test_recording_the_same_twice_keeps_one(project, tmp_path):
    project.run("--no-follow")
    place = placed(project)
    with open_ledger(place, read_only=True) as ledger:
        plan = ledger.plan(plans(project)[0])
    journal = Journal(hypothesis="x", rule=None)
    assert record_journal(plan, journal, command_permit("test"), place)
    assert not record_journal(plan, journal, command_permit("test"), place)


def test_notes_are_written_into_the_file_once_and_stay_when_it_is_made_again(project):
    notebook = written(project)
    project.run("--no-follow")
    write_entry("study", 'odd: "x" \\ <b>\nsecond line', command_permit("test"), placed(project))
    assert "1 note added" in project.command("record", str(notebook)).stdout
    assert "Nothing to add" in project.command("record", str(notebook)).stdout
    project.run("--no-launch")
    journal = read_journal(notebook)
    assert list(journal.notes.values()) == ['odd: "x" \\ <b>\nsecond line']
    assert journal.hypothesis == "Bigger is better."
    assert recorded(project)[0].digest == journal.digest


EARLIER = "41460e65ccf1c5b3b53b1fb545a064e2aa54c05f9c23850a0125081cfc6fadcf"
BOUNDED = {"metric": "overview/reward", "direction": "higher", "effect": 0.5, "arm": "b", "baseline": "a"}


def test_a_rule_without_bounds_keeps_the_hash_that_version_0_1_0_recorded():
    assert Journal(hypothesis="b is better", rule=Rule(**BOUNDED)).digest == EARLIER
    assert Journal(hypothesis="b is better", rule=Rule(**BOUNDED, floor=0.0)).digest != EARLIER


def test_the_bounds_of_a_rule_are_checked_and_said():
    rule = Rule(**BOUNDED, floor=0.0, ceiling=10.0)
    assert rule.sentence.endswith("A lost seed of b counts as 0 and of a counts as 10.")
    turned = Rule(**{**BOUNDED, "direction": "lower"}, ceiling=10.0)
    assert turned.sentence.endswith("A lost seed of b counts as 10 and of a leaves it undecided.")
    assert Rule(**BOUNDED).sentence.endswith(
        "A lost seed leaves it undecided: no floor and ceiling of the score are stated."
    )
    for wrong in ({"floor": 1.0, "ceiling": 1.0}, {"floor": float("nan")}, {"ceiling": float("inf")}):
        with pytest.raises(ValidationError):
            Rule(**BOUNDED, **wrong)


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


def annotation(workspace, run):
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
    assert annotation(workspace, runs[0]) is None


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
    assert (annotation(workspace, first).tags, annotation(workspace, second).tags) == (("good one",), ())
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
    assert annotation(planted, first).note == "no\ufffdte"
    assert annotation(planted, first).tags == ("t\ufffdg", "5")
    assert annotation(planted, second).note == "r\ufffdw"
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
    assert annotation(planted, first).tags == ("5",)


def test_a_text_that_is_no_utf8_costs_no_other_row(planted):
    with Ledger.open(planted.state) as ledger:
        assert len(ledger.jobs()) == 2
        assert ledger.events()
