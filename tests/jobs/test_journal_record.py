"""Hypotheses beside plans: recorded at the launch, never a reason to launch again."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from experiments.jobs.journal import BLANK, Journal, Rule
from experiments.jobs.journal_record import entries, record_journal, recorded_journals, write_entry
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.notebooks.generation import read_journal
from experiments.project.errors import LaunchRefused, UsageError
from experiments.project.workspace import Workspace
from experiments.results.verdict import change_since_launch
from tests.fakes.project import Project

RULE = Rule(metric="overview/reward", direction="higher", effect=0.5, arm="b", baseline="a")
WRITTEN = 'hypothesis="Bigger is better."'


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def written(project, text=WRITTEN):
    project.run("--no-launch")
    notebook = project.notebook()
    notebook.write_text(notebook.read_text().replace('hypothesis=""', text))
    return notebook


def workspace(project):
    return Workspace.find(project.root)


def plans(project):
    with open_ledger(workspace(project), read_only=True) as ledger:
        return list(dict.fromkeys(job.plan_key for job in ledger.jobs()))


def recorded(project):
    return recorded_journals(workspace(project), plans(project))


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
    with open_ledger(workspace(project), read_only=True) as ledger:
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
    place = workspace(project)
    with pytest.raises(LaunchRefused):
        write_entry("study", "hello", None, place)
    with pytest.raises(UsageError, match="1 to 4,000"):
        write_entry("study", "  ", command_permit("test"), place)


def test_notes_stand_between_launches_by_time(project):
    written(project)
    project.run("--no-follow")
    write_entry("study", "the <b>second</b> seed looks odd", command_permit("test"), workspace(project))
    found = entries(workspace(project), "study")
    assert [entry.kind for entry in found if entry.kind != "ended"] == ["journal", "launch", "note"]
    assert found == sorted(found, key=lambda entry: entry.at)
    assert entries(workspace(project), "other") == []


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
    place = workspace(project)
    with open_ledger(place, read_only=True) as ledger:
        plan = ledger.plan(plans(project)[0])
    journal = Journal(hypothesis="x", rule=None)
    assert record_journal(plan, journal, command_permit("test"), place)
    assert not record_journal(plan, journal, command_permit("test"), place)


def test_notes_are_written_into_the_file_once_and_stay_when_it_is_made_again(project):
    notebook = written(project)
    project.run("--no-follow")
    write_entry("study", 'odd: "x" \\ <b>\nsecond line', command_permit("test"), workspace(project))
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
