"""Under `--json` there is one envelope on standard output, whatever is typed and whatever happens."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from experiments import cli
from experiments.cli.__main__ import command_words, commands, taken_by
from experiments.cli.cutting import Long, cut
from experiments.cli.envelope import EXIT_CODES, Answer, Stream, envelope, next_of, respond
from experiments.cli.options import RunOptions
from experiments.cli.recipe import run_recipe
from experiments.project.errors import UsageError
from experiments.recipes.arena_experiment import ArenaExperiment, ArenaExperimentConfig
from tests.fakes.answers import envelope_in
from tests.fakes.registered import registered

ODD = (
    *("", " ", "-", "--", "0", "-1", "1e999", "nan", "99999999999999999999", "0x10", "true", "None", "[]", "{}"),
    *("a=b", "=", "a,b", "..", "/", "\n", "a\nb", "\x1b[31m", "é", "名", "\U0001f600", "\udcff", "a\0b", "x" * 300),
    *("*", "$(id)", "'", '"', "{run}", "%s", "--json", "--help", "-h", "--no-such-flag", "<script>", "NaN"),
)
NUMBER = 300


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return registered(tmp_path_factory.mktemp("study"), ended=6, running=0)


@pytest.fixture
def here(study, monkeypatch):
    monkeypatch.chdir(study.root)
    monkeypatch.setenv("COLUMNS", "100")
    return study


def flags_of(word):
    """Return the flags that the parser of a command takes, each with whether it takes a value, and its positionals."""
    flags, positionals = [], 0
    for name, parameter in inspect.signature(taken_by(commands(word)[word])).parameters.items():
        marks = getattr(parameter.annotation, "__metadata__", ())
        if any(mark is tyro.conf.Positional or "Positional" in repr(mark) for mark in marks):
            positionals += 1
            continue
        named = next((mark.name for mark in marks if getattr(mark, "name", None)), None)
        is_switch = parameter.default is False
        flags.append((f"--{(named or name).replace('_', '-')}", is_switch))
    return flags, positionals


def random_line(chance, known):
    word = chance.choice([*command_words(), "", "nonsense", "--json", "-x"])
    flags, positionals = flags_of(word) if word in command_words() else ([("--all", True)], 1)

    def value():
        return chance.choice(known if chance.random() < 0.7 else ODD)

    words = [value() for _ in range(chance.choice([positionals, positionals, positionals, 1, 0, positionals + 1]))]
    for flag, is_switch in chance.sample(flags, min(len(flags), chance.choice([0, 0, 1, 1, 2, 3]))):
        words += [flag] if is_switch else [flag, value()]
    at = chance.randrange(len(words) + 1)
    return [word, *words[:at], "--json", *words[at:]]


@pytest.mark.timeout(600)
def test_random_command_lines_are_answered_by_one_envelope_each(here, capsys, monkeypatch):
    chance, wrong, done, answered = random.Random(23), [], 0, 0
    known = [here.jobs[0].run, here.jobs[-1].run, "study", "study/a", "a", "b", "overview/reward", "3", "mean"]
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody answers
    while done < NUMBER:
        words = random_line(chance, known)
        if "--" in words[: words.index("--json")]:
            continue  # behind it nothing is a flag
        done += 1
        code = cli.run(words)
        out, err = capsys.readouterr()
        try:
            found = [envelope_in(line) for line in out.splitlines()] if is_stream(words, out) else [envelope_in(out)]
            assert code in EXIT_CODES
            assert code != 70, err
            answered += any(one["data"] is not None and "help" not in one["data"] for one in found)
            assert found or is_stream(words, out)
            assert all(one["data"] is not None or one["problems"] for one in found)
            assert all(problem["message"] and problem["next"] for one in found for problem in one["problems"])
        except Exception as error:  # noqa: BLE001 - all that is wrong is told at once
            wrong.append((words, code, str(error)[-900:], out[:200]))
    assert wrong == []
    assert answered > NUMBER / 10  # most are refused, as they should be; not all


def is_stream(words, out):
    return words[0] == "logs" and "--follow" in words and not out.startswith("{\n")


@pytest.mark.timeout(600)
def test_random_command_lines_of_a_recipe_are_answered_by_one_envelope_each(here, capsys, monkeypatch):
    chance, wrong = random.Random(24), []
    flags = [f"--{item.name.replace('_', '-')}" for item in dataclasses.fields(RunOptions) if item.name != "name"]
    flags += [f"--{name.replace('_', '-')}" for name in ArenaExperimentConfig.model_fields]
    values = [each for each in ODD if each not in {"--", "\udcff"}]
    for _ in range(60):
        words = ["odd", *(word for flag in chance.sample(flags, 2) for word in (flag, chance.choice(values)))]
        monkeypatch.setattr(sys, "argv", ["recipe.py", *words, "--json", "--dry-run", "--no-follow"])
        code = run_recipe(ArenaExperiment, ArenaExperimentConfig, default_name="odd")
        out, err = capsys.readouterr()
        try:
            found = envelope_in(out)
            assert found["command"] == "recipe"
            assert code in EXIT_CODES
            assert code != 70, err
            assert found["data"] is not None or found["problems"]
        except Exception as error:  # noqa: BLE001 - all that is wrong is told at once
            wrong.append((words, code, str(error)[-900:], out[:200]))
    assert wrong == []


def told(capsys, call, *words):
    code = respond("status", [*words, "--json"], lambda: call)
    return code, json.loads(capsys.readouterr().out)


def test_what_is_printed_meanwhile_goes_to_standard_error(capsys):
    def talks():
        print("for a person")
        return Answer(None)

    assert respond("status", ["--json"], lambda: talks) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["data"] is None
    assert said.err == "for a person\n"


def test_what_a_program_prints_that_a_command_starts_goes_to_standard_error_too(tmp_path):
    code = (
        "import subprocess, sys; from experiments.cli.envelope import Answer, respond\n"
        "def talks():\n"
        "    subprocess.run(['echo', 'a program']); return Answer(None)\n"
        "sys.exit(respond('status', ['--json'], lambda: talks))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["problems"] == []
    assert done.stderr == "a program\n"


def test_an_error_that_nobody_foresaw_is_an_envelope_with_its_own_code_and_its_traceback_beside(capsys):
    def breaks():
        raise KeyError("gone")

    assert respond("status", ["--json"], lambda: breaks) == 70
    said = capsys.readouterr()
    [problem] = json.loads(said.out)["problems"]
    assert problem["message"] == "KeyError: 'gone'."
    assert "fault of Experiments" in problem["next"]
    assert "Traceback" in said.err


def test_an_error_that_nobody_foresaw_has_the_same_code_for_a_person(capsys):
    def breaks():
        raise KeyError("gone")

    assert respond("status", [], lambda: breaks) == 70
    assert "error: KeyError: 'gone'." in capsys.readouterr().err


def test_an_interrupted_command_is_an_envelope(capsys):
    def interrupted():
        raise KeyboardInterrupt

    code, found = told(capsys, interrupted)
    assert (code, found["data"]) == (130, None)
    assert found["problems"][0]["message"].startswith("interrupted")


def test_what_comes_bit_by_bit_is_an_envelope_a_line_and_its_error_the_last(capsys):
    def values():
        yield 1
        yield 2
        raise UsageError("it broke. Mend it.")

    assert respond("logs", ["--json"], lambda: lambda: Stream(values(), print)) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["data"] for line in lines] == [1, 2, None]
    assert lines[-1]["problems"] == [{"message": "it broke.", "next": "Mend it."}]


def test_numbers_that_json_lacks_are_null_and_text_that_is_none_is_kept_readable():
    found = json.loads(envelope("status", Answer({"a": float("nan"), "b": [float("inf")], "c": "x\udcff"})))
    assert found["data"] == {"a": None, "b": [None], "c": "x?"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("no run 'x'. List them: experiments status", ("no run 'x'.", "List them: experiments status")),
        ("3 are not shown: experiments status --all", ("3 are not shown.", "experiments status --all")),
        ("nothing was done", ("nothing was done", "")),
        ("a. B. Do C.", ("a. B.", "Do C.")),
    ],
)
def test_the_last_sentence_of_an_error_is_what_to_do_next(text, parts):
    assert next_of(text) == parts


class Letters(Long):
    ITEMS = "letters"

    letters: tuple[str, ...]


class Named(Long):
    ITEMS, KEY = "names", "real"

    names: tuple[int, ...]


def test_a_long_answer_is_cut_and_its_cursors_lead_through_all_of_it():
    whole, seen, cursor = Letters(letters=tuple("abcdefg")), [], None
    while True:
        part = cut(whole, cursor, 3)
        seen.append("".join(part.letters))
        if (cursor := part.cursor) is None:
            break
    assert seen == ["abc", "def", "g"]
    assert cut(whole, None, 7) == whole


def test_a_cursor_holds_where_items_come_before_it_and_says_where_its_item_is_gone():
    cursor = cut(Named(names=(5, 6, 7)), None, 2).cursor
    assert cut(Named(names=(1, 2, 5, 6, 7)), cursor, 2).names == (7,)
    with pytest.raises(UsageError, match="'6', behind which the cursor stands, is not listed any more"):
        cut(Named(names=(5, 7)), cursor, 2)


@pytest.mark.parametrize("cursor", ["", "x", "nonsense", "é", "LTE6", "MDo="])
def test_a_cursor_that_is_none_is_refused(cursor):
    with pytest.raises(UsageError, match=r"is none\. Take one from the cursor of an answer"):
        cut(Letters(letters=("a", "b")), cursor, 1)


def test_a_terminal_is_told_where_the_rest_is(here, capsys):
    assert cli.run(["status", "--limit", "2"]) == 0
    said = capsys.readouterr()
    assert "note: there are more jobs than these. Go on with: --cursor " in said.err
    assert cli.run(["status", "--json", "--limit", "2"]) == 0
    data = envelope_in(capsys.readouterr().out)["data"]
    assert (len(data["jobs"]), data["cursor"]) == (2, said.err.split("--cursor ")[1].strip())


def test_a_program_that_calls_a_command_has_the_same_values(here):
    """A program calls what a command does with its arguments, and has the same values."""
    from experiments.cli.machine import machine

    answer = machine()
    assert answer.data is not None
    assert json.loads(envelope("machine", answer))["data"]["cores"] == answer.data.cores


def test_no_module_but_one_prints_json_for_programs():
    """`stopping` and `schema` print JSON that is no answer of a command."""
    folder = Path(cli.__file__).parent
    found = {path.stem for path in folder.glob("*.py") if "json.dumps" in path.read_text()}
    assert found == {"envelope", "stopping", "schema"}
