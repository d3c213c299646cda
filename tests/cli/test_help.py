"""What `--help` and refused words say: a placeholder is a word for people, and no sentence is Python's."""

from __future__ import annotations

import re

import pytest

from experiments import cli
from experiments.cli.__main__ import commands, run


def test_no_help_shows_a_type_of_python_s_as_a_placeholder_or_an_empty_default(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    wrong = {}
    for word in commands():
        with pytest.raises(SystemExit):
            cli.run([word, "--help"])
        said = capsys.readouterr().out
        if found := re.findall(r"\bNone\b|\b(?:STR|INT|FLOAT|PATH)\b|\(default: \)", said):
            wrong[word] = found
    assert wrong == {}


def test_help_has_one_word_for_each_thing_and_no_line_break_of_our_files(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "1000")
    other_words = re.compile(r"\b(?:candidates?|treatments?|tries|hyperparameters?|journal)\b", re.IGNORECASE)
    wrong = {}
    for word in commands():
        with pytest.raises(SystemExit):
            cli.run([word, "--help"])
        said = capsys.readouterr().out
        broken = re.findall(r"(?m)^│ {10,}[a-z].*", said)  # a line of its own is a flag with its sentence
        if found := [*other_words.findall(said), *broken]:
            wrong[word] = found
    assert wrong == {}


def test_the_list_of_commands_says_of_each_what_its_own_help_begins_with(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        cli.run(["--help"])
    said = capsys.readouterr().out
    for word, command in commands().items():
        assert re.search(rf"(?m)^  {word} +{re.escape(command.__doc__.strip().splitlines()[0])}$", said), word


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["logs", "RUN", "-n", "six"], "-n/--lines takes a whole number, not 'six'. Its help: -n N, --lines N."),
        (["status", "--last", "many"], "--last takes a whole number, not 'many'. Its help: --last N."),
        (["serve", "--port", "4.5"], "--port takes a whole number, not '4.5'."),
        (["export", "x_nb.py", "--deadline", "soon"], "--deadline takes a number, not 'soon'."),
    ],
)
def test_a_word_that_is_no_number_is_named_with_what_is_taken(words, said, capsys):
    assert run(words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {said}")
    assert "literal" not in error
    assert "NoneType" not in error
