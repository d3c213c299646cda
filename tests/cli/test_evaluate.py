"""What `experiments eval` prints, and what it says of what cannot be evaluated."""

from __future__ import annotations

import pytest

from experiments import cli
from experiments.project.values import replaced
from experiments.results.frames import metrics_frame
from experiments.results.scores import scored_runs
from experiments.runs.opening import default_store
from experiments.statistics import Summary
from tests.fakes.answers import data_in, envelope_in
from tests.fakes.evaluated import TRAINER, played, trained, workspace_of_own
from tests.fakes.trained import train, trained_project
from tests.fakes.wandb_files import exit_record, offline_run, run

KEY = "eval/2-maps/return"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with two seeds of an arm."""
    workspace = workspace_of_own(tmp_path_factory.mktemp("made") / "p")
    return workspace, trained(workspace, seeds=range(2))


@pytest.fixture
def project(made, monkeypatch):
    monkeypatch.chdir(made[0].root)
    return made


def said(capsys, *words, code=0):
    found = cli.run(["eval", *words])
    out = capsys.readouterr()
    assert found == code, out
    return out.out if not code else out.err


def test_each_checkpoint_is_told_with_its_spread_and_a_second_call_plays_nothing(project, capsys):
    workspace, [job, _] = project
    text = said(capsys, job.run_name, "--checkpoints", "last:2", "--maps", "2")
    assert "Launched 2 evaluations." in text
    assert f"{KEY} 25.5, 2 checkpoints at 20 to 30; SD 7.07 over checkpoints, 0.707 over maps" in text
    assert "held-out episodes of one seed: no interval over seeds" in text
    before = played(workspace)
    again = said(capsys, job.run_name, "--checkpoints", "last:2", "--maps", "2")
    assert "Launched" not in again
    assert played(workspace) == before
    assert cli.run(["show", job.run_name]) == 0
    assert f"{KEY} 25.5, 2 checkpoints at 20 to 30" in capsys.readouterr().out


def test_an_arm_has_its_interval_over_seeds_and_none_of_its_evaluations_is_one(project, capsys):
    workspace, jobs = project
    text = said(capsys, "exp", "--checkpoints", "all", "--maps", "2")
    assert f"a: {KEY} 21 over 2 seeds; 95 % interval" in text
    assert "Student t over seeds" in text
    told = envelope_in(said(capsys, "a", "--checkpoints", "all", "--maps", "2", "--json"))
    record = told["data"]
    assert [(one["run"], one["value"]) for one in record["runs"]] == [
        (jobs[0].run_name, 20.5),
        (jobs[1].run_name, 21.5),
    ]
    assert (record["failed"], told["problems"]) == ({}, [])
    assert len(metrics_frame("exp", "overview/reward", workspace=workspace)["run"].unique()) <= 2
    assert cli.run(["status"]) == 0
    table = capsys.readouterr().out
    assert "6 evaluations succeeded; what they found: experiments show RUN" in table
    assert "-evaluation." not in table


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nope"], "'nope' is neither a run nor an arm nor an experiment"),
        (["exp", "--maps", "0"], "--maps 0: from 1 to 1,000,000 can be played"),
        (["exp", "--checkpoints", "last:0"], "--checkpoints 'last:0' names none. Say last:1, last:10, or all."),
        (["exp", "--checkpoints", "newest"], "--checkpoints 'newest' names none"),
        (["exp", "--checkpoints", "last:9"], "has 3 checkpoints, and the last 9 were asked for"),
    ],
)
def test_bad_input_is_told_in_a_sentence_and_plays_nothing(project, words, says, capsys):
    workspace, _ = project
    before = played(workspace)
    assert says in said(capsys, *words, code=2)
    assert played(workspace) == before


def test_an_evaluation_is_not_evaluated_nor_reproduced(project, capsys):
    _, [job, _] = project
    said(capsys, job.run_name, "--maps", "1")
    assert cli.run(["status", "--json"]) == 0
    runs = [one["run_name"] for one in data_in(capsys.readouterr().out)["jobs"] if one.get("role") == "evaluation"]
    assert f"Evaluate that: experiments eval {job.run_name}" in said(capsys, runs[0], code=2)
    assert cli.run(["reproduce", runs[0]]) == 2
    assert f"experiments reproduce {job.run_name}" in capsys.readouterr().err


def test_one_that_finds_nothing_is_named_and_ends_with_1_and_the_others_are_told(tmp_path, monkeypatch, capsys):
    workspace = workspace_of_own(tmp_path / "p")
    monkeypatch.chdir(workspace.root)
    script = f"test {{seed}} = 0 && {' '.join(TRAINER.evaluate[:2])} {{checkpoint}} {{maps}} {{out}}"
    trained(workspace, trainer=replaced(TRAINER, evaluate=("/bin/sh", "-c", script)), seeds=range(2))
    assert cli.run(["eval", "exp"]) == 1
    out = capsys.readouterr()
    assert ".s0." in out.out
    assert ".s1-evaluation." in out.err
    assert "found nothing. Why: experiments logs" in out.err


def test_a_command_that_writes_no_result_is_told_with_what_it_wrote(tmp_path, monkeypatch, capsys):
    workspace = workspace_of_own(tmp_path / "p")
    monkeypatch.chdir(workspace.root)
    script = ("/bin/sh", "-c", "echo {checkpoint} {maps} > {out}")
    trained(workspace, trainer=replaced(TRAINER, evaluate=script))
    assert cli.run(["eval", "exp"]) == 1
    assert "wrote no result" in capsys.readouterr().err
    assert cli.run(["eval", "exp"]) == 2
    assert "delete the file, and run the command again" in capsys.readouterr().err


def test_a_run_without_checkpoints_is_told_beside_those_that_have_some(tmp_path, monkeypatch, capsys):
    workspace = workspace_of_own(tmp_path / "p")
    monkeypatch.chdir(workspace.root)
    jobs = trained(workspace, seeds=range(2))
    for file in (workspace.runs / jobs[1].run_name / "checkpoints").iterdir():
        file.unlink()
    assert cli.run(["eval", "exp"]) == 1
    told = capsys.readouterr()
    assert f"note: run '{jobs[1].run_name}' has no checkpoint in" in told.err
    assert "Launched 1 evaluation." in told.out


def test_scores_are_made_of_evaluations_as_of_any_metric(tmp_path, monkeypatch, capsys):
    workspace = workspace_of_own(tmp_path / "p")
    monkeypatch.chdir(workspace.root)
    [job] = trained(workspace)
    writer = offline_run(workspace.runs, job.run_name)
    writer.write(run(job.run_name, {"seed": 0}))
    for step in (5, 15, 25, 35):
        writer.log({"steps": step, "loss": 1.0})
    writer.write(exit_record(0))
    said(capsys, "exp", "--checkpoints", "all", "--maps", "2")
    found = scored_runs([job.ref()], KEY, default_store(workspace.root), summary=Summary("final", last_values=2))
    [score] = found.scores["a"].runs
    assert (score.value, found.found) == (25.5, "")
    frame = metrics_frame("exp", KEY, workspace=workspace)
    assert (frame["step"].tolist(), frame[KEY].tolist()) == ([10.0, 20.0, 30.0], [10.5, 20.5, 30.5])


@pytest.mark.slow
def test_our_own_trainer_keeps_late_checkpoints_and_plays_them_to_the_same_numbers(tmp_path):
    project = trained_project(tmp_path)
    [job] = train(project, "--additional-args", "trainer.checkpoint.late=2", "trainer.checkpoint.late_share=1")
    first = data_in(project.command("eval", job.run_name, "--checkpoints", "last:2", "--maps", "3", "--json").stdout)
    [found] = first["runs"]
    assert [one["episodes"] for one in found["checkpoints"]] == [3, 3]
    assert [len(one["replays"]) for one in found["checkpoints"]] == [3, 3]
    assert found["metric"] == "eval/3-maps/return"
    for rows in (project.state / "runs" / job.run_name / "evaluations").glob("*/rows.json"):
        rows.unlink()
    again = data_in(project.command("eval", job.run_name, "--checkpoints", "last:2", "--maps", "3", "--json").stdout)
    assert again == first
