"""A read that failed is never shown as empty: whoever reads the ledger says that there may be more."""

from __future__ import annotations

import pytest

from apps.parts import details
from apps.parts.comparing import compared_note, known_arms
from apps.parts.gallery import found_replays
from experiments import cli
from experiments.cli.status import follow
from experiments.cli.terminal import console
from experiments.jobs.ledger import open_ledger
from experiments.jobs.watch.alerting import HELD_FILE, held_alerts
from experiments.jobs.watch.logs import failures_of
from experiments.jobs.watch.poller import Sources
from experiments.jobs.watch.snapshots import read_status
from experiments.monitoring import following, job_statuses, poll_once
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.export.facts import find_facts
from experiments.notebooks.monitoring import table_traits
from experiments.notebooks.training import code_note, jobs_note
from experiments.project.errors import LedgerError, StoreError, UsageError
from experiments.project.settings import load_settings
from experiments.types import BaseExperimentConfig, JobRef, JobStatus
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.poison import poison, spoil

MAY_BE_MORE = "There may be more jobs than are shown here: "


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    found = workspace_at(tmp_path)
    plan = plan_in(found, seeds=range(2))
    with open_ledger(found) as ledger:
        ledger.record_plan(plan, provenance={"state": "clean"})
    spoil(found.state, "UPDATE jobs SET state = 'submitted', launcher_id = run_name")
    return found


@pytest.fixture
def broken(workspace):
    spoil(workspace.state, "ALTER TABLE jobs RENAME TO gone")
    return workspace


@pytest.fixture
def poisoned(workspace):
    """Return the workspace and the run whose row is that of version 0.1."""
    with open_ledger(workspace, read_only=True) as ledger:
        run = ledger.jobs()[1].run_name
    poison(workspace.state, run)
    return workspace, run


def context_of(workspace):
    return NotebookContext("exp", workspace.root / "exp_nb.py", workspace, BaseExperimentConfig())


def test_a_notebook_keeps_its_own_references_and_says_that_there_may_be_more(broken):
    own = [JobRef(run="ada.exp.base.s9.aaaaaaaa", arm="base")]
    assert context_of(broken).joined(own) == own
    assert context_of(broken).launched().problem.startswith(MAY_BE_MORE)
    above_the_jobs = jobs_note(context_of(broken), own).text
    assert MAY_BE_MORE in above_the_jobs
    assert "is damaged" in above_the_jobs
    assert code_note(context_of(broken), own) is None  # once is enough


def test_a_notebook_has_the_job_of_a_bad_row_and_names_the_command_that_mends_it(poisoned):
    workspace, run = poisoned
    assert run in [job.run for job in context_of(workspace).joined([])]
    assert "experiments doctor --mend" in jobs_note(context_of(workspace), []).text


def test_a_log_says_what_of_the_ledger_could_not_be_read(broken):
    facts = find_facts({"experiment": context_of(broken), "jobs": []}, [], broken.root / "exp_nb.py", "exp")
    assert facts.problems[0].startswith(MAY_BE_MORE)


def test_the_table_of_jobs_says_that_the_ledger_could_not_be_read(broken):
    assert any("is damaged" in problem for problem in table_traits(poll_once(broken.state), [])["problems"])


def test_compare_says_what_it_cannot_read_and_never_no_job_yet(broken):
    known = known_arms(broken)
    shown = compared_note(known, [], broken).text
    assert known == {}
    assert "is damaged" in shown
    assert "No job yet" not in shown


def test_compare_offers_the_arms_of_bad_rows_too(poisoned):
    workspace, run = poisoned
    known = known_arms(workspace)
    assert run in [job.run for job in known["exp/base"]]
    assert "doctor --mend" in compared_note(known, known["exp/base"], workspace).text


def test_the_gallery_says_what_it_cannot_read(broken):
    _, problems = found_replays(broken)
    assert problems[0].startswith(MAY_BE_MORE)


def test_the_fleet_page_says_why_a_jobs_code_cannot_be_told(poisoned):
    workspace, run = poisoned
    assert "doctor --mend" in details.provenance_of(workspace, {"run": run}).text
    spoil(workspace.state, "UPDATE plans SET provenance = '{\"state\": 3}'")
    assert "record of a job" in details.provenance_of(workspace, {"experiment": "exp"}).text


@pytest.mark.parametrize(
    "command", ["show x", "logs x", "cancel x --yes", "retry x", "note x y", "tag x y", "diff a b", "sync x", "status"]
)
def test_every_command_says_that_the_ledger_could_not_be_read(broken, monkeypatch, capsys, command):
    monkeypatch.chdir(broken.root)
    assert cli.run(command.split()) == 1
    said = capsys.readouterr()
    assert "is damaged" in said.err
    assert "not in the ledger" not in said.err
    assert said.out == ""


def no_jobs():
    raise LedgerError("the ledger cannot be read")


def nothing(_name):
    raise AssertionError("nothing is asked about jobs that nobody knows")


def test_who_follows_jobs_is_told_when_the_ledger_cannot_be_read(workspace):
    sources = Sources(no_jobs, nothing, nothing)
    with pytest.raises(LedgerError, match="cannot be read"), following(workspace.state, ["x"], sources=sources):
        pytest.fail("nobody may follow what cannot be read")
    with pytest.raises(LedgerError, match="cannot be read"):
        job_statuses(workspace.state, sources=sources)


def test_a_job_that_nobody_has_told_of_yet_is_unknown_and_no_end():
    told = [[JobStatus(run_name="x")], [JobStatus(run_name="x", verdict="failed")]]
    assert not follow(lambda: told.pop(0), console())
    assert told == []


def test_a_run_asked_for_that_the_ledger_does_not_have_is_unknown(workspace):
    [status] = job_statuses(workspace.state, ["nobody"])
    assert (status.run_name, status.verdict) == ("nobody", "unknown")


def test_alerts_that_cannot_be_read_are_an_alert(tmp_path):
    assert held_alerts(tmp_path) == []
    (tmp_path / HELD_FILE).write_text("[{")
    [alert] = held_alerts(tmp_path)
    assert alert.text.startswith("alerts cannot be read from ")


class NoLogs:
    def logs(self, run, *, last=None):
        raise StoreError("the server is down")


def test_a_log_that_cannot_be_read_is_no_run_that_printed_nothing():
    failed = JobStatus(run_name="one.run", verdict="failed", exit_code=1)
    [group] = failures_of([JobRef(run="one.run")], {"one.run": failed}, NoLogs())
    assert "the log cannot be read: the server is down" in group.line


def test_settings_that_cannot_be_read_are_an_error_and_not_the_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "settings.toml").write_bytes(b"launcher = '\xff'")
    with pytest.raises(UsageError, match=r"settings.toml.*cannot be read"):
        load_settings(tmp_path)


def test_a_published_file_that_is_damaged_says_so(tmp_path):
    (tmp_path / "status.json").write_text('{"jobs": [{}]}')
    assert "is damaged" in read_status(tmp_path).damage
