"""Thirty questions about a project, answered by a script from JSON alone: no answer takes words apart.

The project is a design of two arms with six seeds each, looked at after three and six: four of each have ended, one of
them failed, and two wait. People and programs have noted, tagged and budgeted.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from experiments import cli
from experiments.project.files import write_json
from tests.fakes.answers import envelope_in
from tests.fakes.registered import STARTED, TOOK_S, WRITTEN, registered
from tests.fakes.studies import REWARD
from tests.fakes.wandb_files import exit_record, offline_run, run

FAILED = "ValueError: the map is empty"


@dataclass
class Asked:
    """The prepared project, asked by command lines; each is asked once."""

    runs: dict[tuple[str, int], str]
    capsys: pytest.CaptureFixture[str]
    answers: dict[tuple[str, ...], tuple[int, dict[str, Any]]]

    def __call__(self, *words: str) -> Any:
        return self.answered(*words)[1]["data"]

    def answered(self, *words: str) -> tuple[int, dict[str, Any]]:
        if words not in self.answers:
            code = cli.run([*words, "--json"])
            self.answers[words] = code, envelope_in(self.capsys.readouterr().out)
        return self.answers[words]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the project's folder, and its run names by arm and seed."""
    root = tmp_path_factory.mktemp("project")
    study = registered(root, ended=4, running=2)
    runs = {(job.arm, job.seed): job.run for job in study.jobs}
    lost = study.workspace.runs / runs["a", 3]
    for file in lost.rglob("*.wandb"):
        file.unlink()
    writer = offline_run(study.workspace.runs, runs["a", 3])
    writer.write(run(runs["a", 3], {"seed": 3, "run": runs["a", 3]}))
    writer.log({"metric/agent_step": 100, REWARD: 0.0})
    writer.write(exit_record(1))
    times = {"started_at": STARTED, "ended_at": STARTED + TOOK_S}
    write_json(lost / "job.json", {"run_name": runs["a", 3], **times, "exit_code": 1})
    (lost / "train.log").write_text(f"began\n{FAILED}\n")
    return root, runs


@pytest.fixture(scope="module", autouse=True)
def written(project):
    """What people kept with the jobs before anybody asks."""
    root, runs = project
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for words in (
            ["note", runs["b", 0], "looks good"],
            ["tag", "best", runs["b", 2]],
            ["budget", "set", "night", "jobs=40", "gpu-hours=20"],
        ):
            assert cli.run(words) == 0


@pytest.fixture(scope="module")
def answers():
    return {}


@pytest.fixture
def ask(project, answers, monkeypatch, capsys):
    root, runs = project
    monkeypatch.chdir(root)
    return Asked(runs, capsys, answers)


def of(items, **wanted):
    """Return the one item with these values."""
    [found] = [item for item in items if all(item[key] == value for key, value in wanted.items())]
    return found


QUESTIONS = {
    "how many jobs are there?": (lambda ask: len(ask("status", "--all")["jobs"]), 12),
    "how many have ended well?": (lambda ask: len(ask("status", "--state", "succeeded")["jobs"]), 7),
    "which failed?": (
        lambda ask: [job["run_name"] for job in ask("status", "--state", "failed")["jobs"]],
        lambda ask: [ask.runs["a", 3]],
    ),
    "with which exit code?": (lambda ask: ask("failures", "study")["failures"][0]["exit_codes"], [1]),
    "what did it say last?": (lambda ask: ask("failures", "study")["failures"][0]["example"], FAILED),
    "was it the machine?": (lambda ask: ask("failures", "study")["failures"][0]["by_machine"], []),
    "what did it print?": (lambda ask: ask("logs", ask.runs["a", 3])["lines"], ["began", FAILED]),
    "how long did a job take?": (
        lambda ask: (
            of(ask("status", "--all")["jobs"], run_name=ask.runs["b", 0])["ended_at"]
            - of(ask("status", "--all")["jobs"], run_name=ask.runs["b", 0])["started_at"]
        ),
        TOOK_S,
    ),
    "which step is it at?": (
        lambda ask: of(ask("status", "--all")["jobs"], run_name=ask.runs["b", 0])["step"],
        500,
    ),
    "what is expected?": (lambda ask: ask("verdict", "study")["hypothesis"], WRITTEN.hypothesis),
    "is it confirmed?": (lambda ask: ask("verdict", "study")["decision"], "confirmed"),
    "may a script go on by the exit code?": (lambda ask: ask.answered("verdict", "study")[0], 0),
    "was that registered before the launch?": (lambda ask: ask("verdict", "study")["kind"], "registered"),
    "as which design of its family?": (lambda ask: ask("verdict", "study")["registration"]["number"], 1),
    "did anybody change the rule since?": (lambda ask: ask("verdict", "study")["registration"]["is_changed"], False),
    "which effect does the rule ask for?": (lambda ask: ask("verdict", "study")["rule"]["effect"], 0.5),
    "how large is the difference?": (
        lambda ask: round(ask("verdict", "study")["comparison"]["difference"]["value"], 6),
        2.1,
    ),
    "does its interval exclude the effect?": (
        lambda ask: (
            ask("verdict", "study")["comparison"]["difference"]["interval"][0]
            > ask("verdict", "study")["rule"]["effect"]
        ),
        True,
    ),
    "on how many pairs does it rest?": (lambda ask: ask("verdict", "study")["comparison"]["difference"]["n"], 3),
    "which seeds are needless by now?": (lambda ask: ask("verdict", "study")["spared"], [3, 4, 5]),
    "what is an arm's mean?": (
        lambda ask: round(of(ask("scores", "study")["arms"], arm="b")["estimate"]["value"], 6),
        round(3.0 * (1 + 0.05 * 1.5), 6),
    ),
    "how many of its seeds are out?": (lambda ask: of(ask("scores", "study")["arms"], arm="a")["waiting"], 2),
    "how many were lost?": (lambda ask: of(ask("scores", "study")["arms"], arm="a")["lost"], 1),
    "what is a run's score?": (
        lambda ask: round(of(ask("scores", "study")["runs"], run=ask.runs["b", 2])["score"], 6),
        3.3,
    ),
    "which is the best run?": (
        lambda ask: max(
            (run for run in ask("scores", "study")["runs"] if run["score"] is not None), key=lambda run: run["score"]
        )["run"],
        lambda ask: ask.runs["b", 3],
    ),
    "what was its reward at the end?": (
        lambda ask: round(
            of(ask("curve", REWARD, "--runs", "study/")["curves"], run=ask.runs["b", 3])["values"][-1], 6
        ),
        3.45,
    ),
    "may anything be claimed of the arms by themselves?": (
        lambda ask: ask("compare", "b", "a")["comparison"]["claim"],
        "interim",
    ),
    "what would a careful person do now?": (
        lambda ask: [todo["kind"] for todo in ask("next", "study")["todo"]],
        ["cancel", "mend", "wait", "write"],
    ),
    "which jobs would that end?": (
        lambda ask: sorted(of(ask("next", "study")["todo"], kind="cancel")["runs"]),
        lambda ask: sorted(ask.runs[arm, seed] for arm in "ab" for seed in (4, 5)),
    ),
    "what may still be launched tonight?": (
        lambda ask: (
            of(ask("budget")["budgets"], name="night")["limits"]["jobs"]
            - of(ask("budget")["budgets"], name="night")["jobs"]
        ),
        40,
    ),
    "what is noted of a run?": (lambda ask: ask("show", ask.runs["b", 0])["note"], "looks good"),
    "which runs carry a tag?": (
        lambda ask: [run["name"] for run in ask("runs", "--tag", "best")["runs"]],
        lambda ask: [ask.runs["b", 2]],
    ),
    "which setting differs between the arms?": (
        lambda ask: {line["key"]: (line["a"], line["b"]) for line in ask("diff", "a", "b")["config"]}["height"],
        ("1", "3"),
    ),
    "which controls are kept?": (lambda ask: ask("controls")["controls"], []),
    "how many jobs run here at once?": (lambda ask: ask("machine")["slots"] >= 1, True),
    "has it been decided by now?": (
        lambda ask: ask("wait", "study", "--until", "verdict", "--timeout", "1s")["is_reached"],
        True,
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_from_json_alone(question, ask):
    answer, expected = QUESTIONS[question]
    assert answer(ask) == (expected(ask) if callable(expected) else expected)


def test_there_are_thirty_and_none_takes_words_apart():
    assert len(QUESTIONS) >= 30
    tree = ast.parse(inspect.getsource(inspect.getmodule(of)))
    assigned = {ast.unparse(node.targets[0]): node for node in tree.body if isinstance(node, ast.Assign)}
    methods = {node.attr for node in ast.walk(assigned["QUESTIONS"]) if isinstance(node, ast.Attribute)}
    assert methods == {"runs", "answered", "hypothesis"}
