"""What commands answer of scores, verdicts, curves, failures and what to do next: the values of the pages."""

from __future__ import annotations

import json
import shutil

import pytest

from experiments import cli
from experiments.jobs.journal import Journal
from experiments.notebooks.verdict import verdict_lines
from experiments.project.errors import UsageError
from experiments.project.files import write_json
from experiments.results.advice import advice_on
from experiments.results.subject import subject_of
from tests.fakes.answers import data_in, envelope_in
from tests.fakes.project import COUNTED, Project
from tests.fakes.registered import RULE, STARTED, TOOK_S, WRITTEN, registered
from tests.fakes.studies import REWARD
from tests.fakes.wandb_files import exit_record, offline_run, run


@pytest.fixture
def at(monkeypatch, capsys):
    """Return what asks a command in a study's folder, with --json, and returns its data."""

    def ask(study, *words, code=0):
        monkeypatch.chdir(study.root)
        assert cli.run([*words, "--json"]) == code
        return data_in(capsys.readouterr().out)

    return ask


@pytest.fixture
def words(monkeypatch, capsys):
    """Return what asks a command in a study's folder and returns what a person reads."""

    def ask(study, *line, code=0):
        monkeypatch.chdir(study.root)
        assert cli.run(line) == code
        said = capsys.readouterr()
        return said.out + said.err

    return ask


def lose(study, job, *, exit_code=1, lines=(), **more):
    """Have a run of a study be one that ended without a score, as its supervisor writes it."""
    folder = study.workspace.runs / job.run
    for file in folder.rglob("*.wandb"):
        file.unlink()
    writer = offline_run(study.workspace.runs, job.run)
    writer.write(run(job.run, {"seed": job.seed, "run": job.run}))
    if exit_code > 0:
        writer.write(exit_record(exit_code))
    record = {"run_name": job.run, "started_at": STARTED, "ended_at": STARTED + TOOK_S, "exit_code": exit_code}
    write_json(folder / "job.json", record | more)
    (folder / "train.log").write_text("\n".join(lines))


@pytest.mark.parametrize(("ended", "decision", "code"), [(6, "confirmed", 0), (2, "interim", 3)])
def test_the_verdict_is_that_of_the_page(tmp_path, at, words, ended, decision, code):
    study = registered(tmp_path, ended=ended, running=6 - ended)
    found = at(study, "verdict", "study", code=code)
    jobs = study.context.joined([])
    title, *page = [line.text for line in verdict_lines(study.context, jobs, WRITTEN)]
    assert found["decision"] == decision
    assert (title[2:], page[0]) == (decision.capitalize(), found["reason"])
    assert found["registration"]["said"] in page
    told = " ".join(words(study, "verdict", "study", code=code).split())
    assert found["reason"] in told
    assert found["registration"]["said"] in told
    assert WRITTEN.hypothesis in told


def test_a_verdict_is_exploratory_where_the_notebook_says_another_rule(tmp_path, at):
    study = registered(tmp_path, ended=6, running=0)
    other = Journal(hypothesis="a is better", rule=RULE.model_copy(update={"arm": "a", "baseline": "b"}))
    assert subject_of(study.workspace, "study").claimed[1].registration.is_registered
    found = subject_of(study.workspace, "study", other)
    assert not found.claimed[1].registration.is_registered


def test_a_verdict_says_that_the_notebook_cannot_be_read_and_goes_by_the_last_launch(tmp_path, words):
    study = registered(tmp_path, ended=6, running=0)
    notebook = study.root / "experiments" / "scratch" / "study_nb.py"
    notebook.parent.mkdir(parents=True, exist_ok=True)
    notebook.write_text("def (:")
    told = " ".join(words(study, "verdict", "study").split())
    assert "Confirmed" in told
    assert "The hypothesis and the rule are those of the last launch: " in told
    assert "study_nb.py" in told


def test_without_a_hypothesis_there_is_no_verdict_and_what_to_do_is_to_write_one(tmp_path, at):
    study = registered(tmp_path, Journal(hypothesis="", rule=RULE), ended=6, running=0)
    found = at(study, "verdict", "study", code=3)
    assert found["decision"] == "none"
    assert [todo["kind"] for todo in at(study, "next", "study")["todo"]] == ["write"]


def test_scores_name_every_run_that_was_planned_and_why_one_has_none(tmp_path, at, words):
    study = registered(tmp_path, ended=4, running=2)
    lose(study, study.jobs[0], lines=["Traceback", "ValueError: no"])
    found = at(study, "scores", "study")
    assert len(found["runs"]) == 12
    assert {one["arm"]: (one["planned"], one["waiting"], one["lost"]) for one in found["arms"]} == {
        "a": (6, 2, 1),
        "b": (6, 2, 0),
    }
    assert [one["outcome"] for one in found["runs"] if one["score"] is None] == ["failed", *["unfinished"] * 4]
    assert all(one["reason"] for one in found["runs"] if one["score"] is None)
    [comparison] = found["comparisons"]
    assert (comparison["claim"], comparison["p_value"], comparison["difference"]["interval"]) == ("interim", None, None)
    assert "only the verdict rests on what was registered" in words(study, "scores", "study")


def test_scores_in_a_metric_that_nobody_logged_are_none_and_say_so(tmp_path, at):
    study = registered(tmp_path, ended=6, running=0)
    found = at(study, "scores", "study", "--metric", "no/such")
    assert all(one["score"] is None and one["reason"] for one in found["runs"])
    assert all(one["estimate"]["value"] is None and one["estimate"]["reason"] for one in found["arms"])


def test_many_scores_are_cut_and_the_cursor_goes_on_behind_them(tmp_path, at):
    study = registered(tmp_path, ended=6, running=0)
    first = at(study, "scores", "study", "--limit", "8")
    second = at(study, "scores", "study", "--limit", "8", "--cursor", first["cursor"])
    assert (len(first["runs"]), len(second["runs"]), second["cursor"]) == (8, 4, None)
    assert {one["run"] for one in (*first["runs"], *second["runs"])} == {job.run for job in study.jobs}


def test_a_comparison_by_hand_is_exploratory_and_says_how_far_apart_and_how_sure(tmp_path, at, words):
    study = registered(tmp_path, ended=6, running=0)
    found = at(study, "compare", "study/b", "study/a")
    difference = found["comparison"]["difference"]
    assert found["kind"] == "exploratory"
    assert difference["value"] == pytest.approx(2.25)
    assert difference["interval"][0] < 2.25 < difference["interval"][1]
    assert found["comparison"]["finding"] == "better"
    assert "suggests and decides nothing" in words(study, "compare", "study/b", "study/a")
    single = at(study, "compare", study.jobs[0].run, study.jobs[1].run)
    assert single["comparison"]["difference"]["interval"] is None


def test_a_curve_keeps_its_extremes_and_says_how_many_values_it_has(tmp_path, at):
    values = [0.0] * 500
    values[123], values[321] = 9.0, -9.0
    study = registered(tmp_path, ended=1, running=0, values=[*values, float("nan")])
    name = study.jobs[0].run
    [found] = at(study, "curve", REWARD, "--runs", name, "--points", "20")["curves"]
    assert (max(found["values"]), min(found["values"]), found["rows"], found["not_finite"]) == (9.0, -9.0, 500, 1)
    assert len(found["values"]) == len(found["steps"]) <= 20
    assert found["steps"] == sorted(found["steps"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["curve", REWARD], "no run is named"),
        (["curve", REWARD, "--runs", "study/", "--points", "1"], "--points 1: from 4 to 10,000"),
        (["curve", REWARD, "--runs", "nothing"], "nothing"),
        (["scores", "nothing"], "no job belongs to experiment 'nothing'"),
        (["verdict", "nothing"], "no job belongs to experiment 'nothing'"),
        (["next", "nothing"], "no job belongs to experiment 'nothing'"),
        (["failures", "nothing"], "no job belongs to experiment 'nothing'"),
        (["wait", "nothing"], "no job belongs to experiment 'nothing'"),
        (["wait", "study", "--timeout", "soon"], "--timeout 'soon' is no time"),
        (["wait", "study", "--timeout", "-1s"], "--timeout"),
        (["wait", "--until", "verdict"], "a verdict is that of one experiment"),
        (["compare", "a", "nothing"], "nothing"),
        (["status", "--limit", "0"], "--limit 0: at least 1"),
        (["status", "--cursor", "x"], "--cursor 'x' is none"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(tmp_path, monkeypatch, capsys, line, said):
    monkeypatch.chdir(registered(tmp_path, ended=1, running=0).root)
    assert cli.run([*line, "--json"]) == 2
    found = envelope_in(capsys.readouterr().out)
    assert found["data"] is None
    assert said in found["problems"][0]["message"]


def test_what_the_machine_ended_is_tried_again_and_what_the_training_ended_is_mended(tmp_path, at, words):
    study = registered(tmp_path, ended=6, running=0)
    lose(study, study.jobs[0], lines=["began", "ValueError: the map is empty"])
    lose(study, study.jobs[1], lines=["began", "ValueError: the map is empty"])
    groups = at(study, "failures", "study")["failures"]
    assert [(one["example"], one["number"], one["by_machine"]) for one in groups] == [
        ("ValueError: the map is empty", 2, [])
    ]
    assert groups[0]["runs"] == [study.jobs[0].run, study.jobs[1].run]
    assert groups[0]["retry"].endswith(" ".join(groups[0]["runs"]))
    [todo, *_] = at(study, "next", "study")["todo"]
    assert (todo["kind"], todo["runs"], todo["number"]) == ("mend", groups[0]["runs"], 2)
    assert "stays lost" in todo["why"]
    assert "ValueError: the map is empty" in words(study, "failures")


def test_an_undecided_rule_asks_for_a_new_design_and_says_of_how_many_seeds(tmp_path, at):
    rule = RULE.model_copy(update={"looks": None, "effect": 2.2})
    study = registered(tmp_path, Journal(hypothesis="b is better", rule=rule), ended=4, running=0)
    assert at(study, "verdict", "study", code=3)["decision"] == "undecided"
    [todo] = at(study, "next", "study")["todo"]
    assert todo["kind"] == "seeds"
    assert "under another name than study" in todo["why"]


def test_no_fewer_seeds_are_advised_than_the_verdict_takes(tmp_path, at):
    rule = RULE.model_copy(update={"looks": None})
    study = registered(tmp_path, Journal(hypothesis="b is better", rule=rule), ended=2, running=0)
    assert "a comparison needs 3" in at(study, "verdict", "study", code=3)["reason"]
    [todo] = at(study, "next", "study")["todo"]
    assert "takes 3 seeds an arm, 1 more than the 2 there are, with which the chance is 0 %" in todo["why"]


def test_an_undecided_rule_whose_seeds_ended_without_a_score_is_never_nothing_left_to_do(tmp_path, at):
    study = registered(tmp_path, ended=6, running=0)
    lose(study, study.jobs[0], exit_code=0)
    assert at(study, "verdict", "study", code=3)["decision"] == "undecided"
    [todo] = at(study, "next", "study")["todo"]
    assert todo["kind"] == "mend"
    assert "more seeds do not mend that: " in todo["why"]
    assert "1 of 3 seeds of a was" in todo["why"]


def test_a_seed_that_ended_before_the_others_goes_on_and_is_not_launched_again(tmp_path, at):
    rule = RULE.model_copy(update={"looks": None})
    journal = Journal(hypothesis="b is better", rule=rule)
    study = registered(tmp_path, journal, ended=4, running=0, values=[0.0, *[1.0] * 20])
    short = study.jobs[0]
    shutil.rmtree(study.workspace.runs / short.run / "wandb")
    study.add(short.arm, short.seed, [0.0, 1.0, 1.0], name=short.run, config={"height": 1.0, "anneal": False})
    study.publish()
    command = f"experiments resume {short.run} --steps 2100"
    reason = at(study, "verdict", "study", code=3)["reason"]
    assert command in reason
    assert "experiments retry" not in reason
    [todo] = at(study, "next", "study")["todo"]
    assert (todo["kind"], todo["command"], todo["runs"]) == ("mend", command, [short.run])


def test_what_goes_on_is_waited_for_and_a_verdict_that_came_early_spares_the_rest(tmp_path):
    study = registered(tmp_path, ended=3, running=3)
    kinds = [one.kind for one in advice_on(subject_of(study.workspace, "study"))]
    assert kinds == ["cancel", "wait", "write"]


def test_waiting_ends_as_it_happens_and_its_code_says_how(tmp_path, at):
    study = registered(tmp_path, ended=3, running=3)
    found = at(study, "wait", "study", "--until", "verdict", "--timeout", "20s")
    assert (found["is_reached"], found["verdict"]["decision"], found["states"]["succeeded"]) == (True, "confirmed", 6)
    late = at(study, "wait", "study", "--timeout", "0s", code=3)
    assert (late["is_reached"], late["verdict"]) == (False, None)


def test_waiting_for_all_ends_with_1_where_one_failed_and_for_a_failure_with_0(tmp_path, at):
    study = registered(tmp_path, ended=3, running=0)
    lose(study, study.jobs[0], lines=["boom"])
    assert at(study, "wait", "study", code=1)["failed"] == [study.jobs[0].run]
    assert at(study, "wait", "study", "--until", "failure")["is_reached"]


def test_one_waits_for_a_job_that_runs_and_asks_once(tmp_path, monkeypatch, capsys):
    project = Project(tmp_path, script=f"sleep 2; {COUNTED}")
    project.run("study", "--seeds", "2", "--no-follow", "--skip-git-check", "--wandb-mode", "offline")
    monkeypatch.chdir(project.root)
    assert cli.run(["wait", "study", "--timeout", "60s", "--json"]) == 0
    found = data_in(capsys.readouterr().out)
    assert (found["is_reached"], found["states"]) == (True, {"succeeded": 2})
    assert len(project.started()) == 2


def test_a_log_that_is_followed_is_an_envelope_a_line(tmp_path, monkeypatch, capsys):
    study = registered(tmp_path, ended=1, running=0)
    lose(study, study.jobs[0], lines=["one", "two"])
    monkeypatch.chdir(study.root)
    assert cli.run(["logs", study.jobs[0].run, "-f", "--json"]) == 0
    found = [envelope_in(line)["data"] for line in capsys.readouterr().out.splitlines()]
    assert [one["lines"] for one in found] == [["one"], ["two"]]


def test_what_people_wrote_is_data_in_json_and_acts_on_no_terminal(tmp_path, at, words):
    hostile = "\x1b[31m[bold]b[/bold]\x07 is <b>better</b>\u202e"
    study = registered(tmp_path, Journal(hypothesis=hostile, rule=RULE), ended=6, running=0)
    assert at(study, "verdict", "study")["hypothesis"] == hostile
    said = words(study, "verdict", "study")
    assert "[bold]b[/bold]" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_what_is_asked_by_a_program_is_what_the_command_line_prints(tmp_path, monkeypatch, capsys):
    from experiments.cli.envelope import envelope
    from experiments.cli.scores import scores

    study = registered(tmp_path, ended=6, running=0)
    monkeypatch.chdir(study.root)
    called = json.loads(envelope("scores", scores("study")))
    assert cli.run(["scores", "study", "--json"]) == 0
    typed = envelope_in(capsys.readouterr().out)
    for found in (called, typed):
        found["data"].pop("origin")  # it says at which second it was read
    assert called == typed
    with pytest.raises(UsageError, match="no job belongs to experiment 'other'"):
        scores("other")


def test_commands_take_a_beginning_of_a_run_and_say_which_is_meant(tmp_path, monkeypatch, capsys):
    study = registered(tmp_path, ended=1, running=0)
    monkeypatch.chdir(study.root)
    [run, *_] = [job.run for job in study.jobs]
    short = run[-8:-4]
    for line in (
        ["show", short],
        ["logs", short],
        ["note", short, "seen"],
        ["tag", "kept", short],
        ["untag", "kept", short],
    ):
        assert cli.run(line) == 0
        assert f"{short} is {run}" in capsys.readouterr().err
    assert cli.run(["show", run]) == 0
    assert f" is {run}" not in capsys.readouterr().err
    upto_seed = run.rpartition(".")[0]
    assert cli.run(["show", upto_seed, "--json"]) == 0
    assert data_in(capsys.readouterr().out)["job"]["run_name"] == run
    for act in ("cancel", "retry", "resume", "tag kept"):
        assert cli.run([*act.split(), upto_seed]) == 2
        assert "too little to act on" in capsys.readouterr().err


@pytest.mark.parametrize("lines", ["200", "0"])
def test_the_log_of_a_run_whose_folder_was_deleted_is_said_to_be_lost(tmp_path, words, lines):
    study = registered(tmp_path, ended=3, running=0)
    run = study.jobs[0].run
    assert "has printed nothing so far" in words(study, "logs", run, "--lines", lines)
    shutil.rmtree(study.workspace.runs / run)
    assert f"What {run} printed is lost: its folder .experiments/runs/{run} is" in words(
        study, "logs", run, "-n", lines
    )
