"""The shapes of all answers: made from the types, published under a number, and held to on success and on failure."""

from __future__ import annotations

import json
import shutil

import pytest
from jsonschema import Draft202012Validator, ValidationError

from experiments import cli
from experiments.cli.__main__ import command_words
from experiments.cli.envelope import EXIT_CODES, SCHEMA
from experiments.cli.schema import schema_of
from tests.cli.published import published, shapes
from tests.fakes.answers import all_schemas, data_in, envelope_in, validator
from tests.fakes.cases import CASES
from tests.fakes.registered import registered


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return registered(tmp_path_factory.mktemp("study"), ended=6, running=0)


@pytest.fixture
def here(study, monkeypatch):
    monkeypatch.chdir(study.root)
    return study


def answer(capsys, *words):
    code = cli.run([*words, "--json"])
    assert code in EXIT_CODES
    return code, envelope_in(capsys.readouterr().out)


def test_a_shape_that_was_published_changes_only_with_the_number():
    changed = [word for word, shape in published()[SCHEMA].items() if shapes().get(word) != shape]
    assert changed == [], (
        f"the answers of {', '.join(changed)} have another shape than was published as {SCHEMA}. Raise SCHEMA in "
        "experiments/cli/envelope.py and write the shapes under it: python -m tests.cli.published"
    )


def test_every_command_is_published():
    assert set(shapes()) - set(published()[SCHEMA]) == set(), "write them: python -m tests.cli.published"


def test_a_field_more_or_of_another_type_is_another_shape(monkeypatch):
    from tests.cli import published as module

    before = module.shapes()["machine"]
    schema = json.loads(json.dumps(all_schemas()["machine"]))
    schema["$defs"]["Machine"]["description"] = "In other words."
    monkeypatch.setattr(module, "all_schemas", lambda: {"machine": schema})
    assert module.shapes()["machine"] == before
    schema["$defs"]["Machine"]["properties"]["title"] = {"type": "string", "title": "Title"}
    assert module.shapes()["machine"] != before


@pytest.mark.parametrize("word", command_words())
def test_a_command_has_a_schema_and_answers_a_flag_that_it_lacks_by_it(word, here, capsys):
    Draft202012Validator.check_schema(schema_of(word))
    code, found = answer(capsys, word, "--no-such-flag")
    assert (code, found["command"], found["data"]) == (2, word, None)
    [problem] = found["problems"]
    assert "--no-such-flag" in problem["message"] or "Missing value" in problem["message"]
    assert problem["next"]


@pytest.mark.parametrize("word", command_words())
def test_help_under_json_is_an_answer(word, here, capsys):
    code, found = answer(capsys, word, "--help")
    assert code == 0
    assert found["data"]["help"].startswith("usage: experiments ")


SUCCESSES = (
    "status",
    "status --machine",
    "machine",
    "logs RUN",
    "show RUN",
    "cancel RUN --yes",
    "note RUN seen",
    "tag mine RUN",
    "untag mine RUN",
    "archive RUN",
    "unarchive study",
    "protect RUN",
    "unprotect RUN",
    "scores study",
    "verdict study",
    "compare a b",
    "curve overview/reward --runs study/",
    "failures",
    "next",
    "wait study",
    "wait study --until verdict",
    "budget",
    "budget set night jobs=3",
    "budget end night",
    "controls",
    "step",
    "diff a b",
    "runs",
    "new mine",
    "replay inspect FILE",
    "replay map FILE",
    "replay convert FILE out.json.z",
    "schema",
    "schema recipe",
    "gc",
    "sync",
)


@pytest.mark.parametrize("line", SUCCESSES)
def test_what_is_done_is_answered_by_the_schema_of_its_command(line, here, capsys):
    shutil.copy(CASES / "replays" / "07-nan-reward.json.z", here.root / "file.json.z")
    names = {"RUN": here.jobs[0].run, "FILE": "file.json.z"}
    words = [names.get(word, word) for word in line.split()]
    code, found = answer(capsys, *words)
    assert code in {0, 1} or line == "sync", found["problems"]
    assert found["command"] == words[0]
    assert found["data"] is not None or line == "sync", found["problems"]


def test_an_answer_that_lacks_a_field_or_has_one_more_is_refused_by_the_schema(here, capsys):
    _, found = answer(capsys, "machine")
    for change in ({"cores": None}, {"more": 1}):
        wrong = {**found, "data": {**found["data"], **change}}
        with pytest.raises(ValidationError):
            validator("machine").validate(wrong)
    with pytest.raises(ValidationError):
        validator("machine").validate({**found, "more": 1})


def test_a_schema_that_does_not_exist_is_a_problem_with_what_to_do(here, capsys):
    code, found = answer(capsys, "schema", "nonsense")
    assert (code, found["data"]) == (2, None)
    [problem] = found["problems"]
    assert "'nonsense' is no command" in problem["message"]
    assert problem["next"] == "See them all: experiments schema"


def test_the_schema_of_one_command_is_printed_alone_and_the_exit_codes_stand_in_the_answer(here, capsys):
    assert cli.run(["schema", "machine"]) == 0
    assert json.loads(capsys.readouterr().out) == schema_of("machine")
    assert cli.run(["schema", "machine", "--json"]) == 0
    found = data_in(capsys.readouterr().out)
    assert found["schemas"] == {"machine": schema_of("machine")}
    assert {int(code) for code in found["exit_codes"]} == set(EXIT_CODES)
