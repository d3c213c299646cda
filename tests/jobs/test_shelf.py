"""What is archived is out of sight and still counts; what is protected stays."""

from __future__ import annotations

import json
import re

import pytest

from apps.parts.comparing import known_arms
from apps.parts.feed import feed_of
from experiments import cli
from experiments.cli.upkeep import disposable
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.shelf import archived_runs, protected_runs
from experiments.monitoring import poll_once
from tests.fakes import wandb_files as fake
from tests.fakes.answers import data_in
from tests.fakes.registered import registered


@pytest.fixture
def study(tmp_path, monkeypatch):
    found = registered(tmp_path, ended=6, running=1)
    monkeypatch.chdir(found.root)
    return found


def told(capsys, *words, code=0):
    assert cli.run([*words, "--json"]) == code
    return data_in(capsys.readouterr().out)


def shown(capsys, *flags):
    return {job["run_name"] for job in told(capsys, "status", "--all", *flags)["jobs"]}


def ended_runs(study):
    return [job.run_name for job in poll_once(study.workspace.state).jobs if job.verdict == "succeeded"]


def test_archived_jobs_are_out_of_sight_until_asked_for(study, capsys):
    runs = ended_runs(study)
    every = shown(capsys)
    assert told(capsys, "archive", *runs[:2])["changed"] == runs[:2]
    assert shown(capsys) == every - set(runs[:2])
    assert shown(capsys, "--archived") == every
    rows = feed_of(study.workspace).state(poll_once(study.workspace.state)).rows
    assert {row["run"] for row in rows} == every - set(runs[:2])
    assert told(capsys, "unarchive", "study")["changed"] == runs[:2]
    assert shown(capsys) == every


def test_to_archive_is_no_way_to_choose_seeds(study, capsys):
    def decided():
        told_all = [told(capsys, "scores", "study"), told(capsys, "verdict", "study")]
        return re.sub(r"\d\d:\d\d(:\d\d)?", "", json.dumps(told_all))

    before, runs = decided(), ended_runs(study)
    told(capsys, "archive", *runs[1:])
    assert decided() == before


def test_an_arm_is_offered_whole_until_all_of_it_is_archived(study, capsys):
    arm, jobs = next(iter(known_arms(study.workspace).items()))
    ended = [job.run for job in jobs if job.run in ended_runs(study)]
    told(capsys, "archive", ended[0])
    assert known_arms(study.workspace)[arm] == jobs
    if len(ended) == len(jobs):
        told(capsys, "archive", *ended)
        assert arm not in known_arms(study.workspace)


def test_what_goes_on_or_is_protected_is_not_archived_nor_any_beside_it(study, capsys):
    runs = ended_runs(study)
    told(capsys, "archive", "study", code=2)
    told(capsys, "protect", runs[0])
    told(capsys, "archive", *runs, code=2)
    assert archived_runs(study.workspace) == set()
    told(capsys, "unprotect", runs[0])
    told(capsys, "archive", *runs)
    assert archived_runs(study.workspace) == set(runs)


def test_gc_leaves_what_is_protected(tmp_path):
    file = fake.offline_run(tmp_path / "runs", "kept").write(fake.run("kept")).path
    file.with_name(f"{file.name}.synced").touch()
    assert disposable(tmp_path) == [(file.parent, "uploaded to W&B")]
    assert disposable(tmp_path, {"kept"}) == []


def test_a_rebuilt_ledger_knows_what_was_archived_and_protected(study, capsys):
    first, second, *_ = ended_runs(study)
    told(capsys, "archive", first)
    told(capsys, "protect", second)
    rebuild(study.workspace.state)
    assert (archived_runs(study.workspace), protected_runs(study.workspace)) == ({first}, {second})


def test_a_word_that_means_no_job_is_told(study, capsys):
    assert cli.run(["archive", "study/none"]) == 2
    assert "has no arm 'none'" in capsys.readouterr().err
