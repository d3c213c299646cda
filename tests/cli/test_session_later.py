"""What is done with jobs after they were launched: retried, extended, noted, recorded, found again."""

from __future__ import annotations

import re

import pytest

from experiments.jobs.ledger import Ledger
from experiments.notebooks.data_cells import read_jobs
from tests.fakes.answers import data_in
from tests.fakes.project import Project, jobs_of


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_gc_names_what_can_go_and_deletes_nothing_without_a_yes(project):
    cached = project.state / "cache" / "replays" / "a"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"x" * 100_000)
    assert "0.1 MB" in project.command("gc").stdout
    assert cached.exists()
    project.command("gc", "--yes")
    assert not cached.exists()
    assert "Nothing can go." in project.command("gc").stdout


def test_a_lost_ledger_is_rebuilt_from_the_runs(project):
    project.run("--follow")
    [before] = jobs_of(project)
    (project.state / "ledger.sqlite").unlink()
    assert "experiments doctor --rebuild" in project.run(code=1).stderr
    assert "rebuilt: 1 jobs" in project.command("doctor", "--rebuild").stdout
    [after] = jobs_of(project)
    assert (after.run_name, after.arm, after.seed) == (before.run_name, before.arm, before.seed)


def test_a_retry_is_a_new_attempt_that_names_the_first(project):
    project.run("--follow")
    [run] = project.started()
    assert "attempt 2" in project.command("retry", run).stdout
    _, again = jobs_of(project)
    assert (again.attempt, again.retry_of) == (2, run)
    shown = data_in(project.command("show", run, "--json").stdout)
    assert shown["attempts"] == [run, again.run_name]


def test_notes_and_tags_are_kept_and_shown(project):
    project.run("--follow")
    [run] = project.started()
    project.command("note", run, "looks <b>good</b>")
    project.command("tag", "keep", run)
    project.command("tag", "keep", run)
    shown = data_in(project.command("show", run, "--json").stdout)
    assert (shown["note"], shown["tags"]) == ("looks <b>good</b>", ["keep"])
    assert "looks <b>good</b>" in project.command("show", run).stdout
    assert "without a comma" in project.command("tag", "a,b", run, code=2).stderr


def test_what_happened_is_shown_with_times_and_without_what_is_empty(project):
    project.run("--follow")
    [run] = project.started()
    with Ledger.open(project.state) as ledger:
        ledger.add_event("ended", run_name=run, word="SUCCEEDED", reason="", error=None, started_at=1795390567.5)
    told = project.command("show", run).stdout
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"
    assert re.search(rf"^ended +{time}  word SUCCEEDED, started_at {time}$", told, re.MULTILINE)
    assert not re.search(r" None\b|reason ,|\[\]", told)


@pytest.mark.slow
def test_a_finished_run_is_extended_as_a_new_run_that_goes_on_at_its_step(tmp_path):
    command = [
        *("{python}", "-P", "-m", "experiments.trainer", "run={run}"),
        "trainer.curriculum={curriculum}",
        "seed={seed}",
    ]
    project = Project(tmp_path, train_command=command)
    short = ("trainer.evaluation.count=0", "trainer.replays.count=0")
    project.run("--follow", "--additional-args", "trainer.total_timesteps=20000", *short)
    [first] = jobs_of(project)
    project.run("--follow", "--resume", first.run_name, "--additional-args", "trainer.total_timesteps=40000", *short)
    _, second = jobs_of(project)
    assert (second.arm, second.seed) == (first.arm, first.seed)
    assert "continuing at agent-step 2" in project.command("logs", second.run_name).stdout
    [_, status] = data_in(project.command("status", "--json").stdout)["jobs"]
    assert status["step"] >= 40_000
    told = data_in(project.command("eval", second.run_name, "--episodes", "2", "--json").stdout)
    [score] = told["runs"][0]["checkpoints"]
    assert (score["value"], score["episodes"]) == (told["runs"][0]["value"], 2)
    assert [(project.root / path).exists() for path in score["replays"]] == [True, True]
    summary = data_in(project.command("replay", "inspect", score["replays"][0], "--json").stdout)
    assert (summary["version"], summary["issues"]) == (4, [])


def test_jobs_launched_elsewhere_are_recorded_in_the_notebook(project):
    project.run("--no-launch")
    project.run("--output-dir", "elsewhere", "--follow")
    assert read_jobs(project.notebook()) == []
    assert "1 job added" in project.command("record", str(project.notebook())).stdout
    assert [ref.run for ref in read_jobs(project.notebook())] == project.started()
    refused = project.command("record", "missing.py", code=None)
    assert "there is no notebook 'missing.py'" in refused.stderr
    assert "--force" not in refused.stderr


def test_status_and_logs_show_the_job(project):
    project.run("--follow")
    [run] = project.started()
    [status] = data_in(project.command("status", "--json").stdout)["jobs"]
    assert (status["run_name"], status["verdict"], status["exit_code"]) == (run, "succeeded", 0)
    assert project.command("logs", run).stdout == f"hello from {run}\n"
    assert "not in the ledger" in project.command("logs", "nope", code=2).stderr
