from __future__ import annotations

import argparse
import enum
import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from experiments.project.trainers.words import (
    as_json,
    checked_words,
    overridden,
    read_arguments,
    without_hyphens,
    written,
)

OPTIONS = "--key value"


class Kind(enum.Enum):
    FAST = "fast"


class Optimizer(BaseModel):
    lr: float = 0.1
    betas: tuple[float, ...] = (0.9, 0.99)


def keys(words, style):
    return [(each.key, each.value) for each in read_arguments(words, style)]


@pytest.mark.parametrize(
    ("style", "words", "found"),
    [
        ("key=value", ["a.b=1", "c="], [("a.b", "1"), ("c", "")]),
        (
            "key=value",
            ["--verbose", "lr=1", "train", "--out", "x"],
            [("verbose", None), ("lr", "1"), ("", None), ("out", "x")],
        ),
        ("--key=value", ["--learning-rate=0.1", "--text=a=b"], [("learning_rate", "0.1"), ("text", "a=b")]),
        (OPTIONS, ["--learning-rate", "0.1", "--anneal"], [("learning_rate", "0.1"), ("anneal", None)]),
        (OPTIONS, ["--low", "-0.5", "-3"], [("low", "-0.5 -3")]),
        (OPTIONS, ["--text", "a=b", "--env-id=c"], [("text", "a=b"), ("env_id", "c")]),
        (OPTIONS, ["--layers", "64", "64", "-v"], [("layers", "64 64"), ("v", None)]),
        (OPTIONS, ["--", "--not-an-option"], [("", None), ("", None)]),
        ("hydra", ["+env.id=c", "++a=1", "~env", "~env=c"], [("env.id", "c"), ("a", "1"), ("env", None), ("env", "c")]),
        (
            "hydra",
            ["model/opt=c", "db@backup=x", "-m", "lr=1,2"],
            [("model/opt", "c"), ("db@backup", "x"), ("m", None), ("lr", "1,2")],
        ),
    ],
)
def test_which_key_a_word_sets_is_read_in_the_style(style, words, found):
    assert keys(words, style) == found


@pytest.mark.parametrize(
    ("style", "words", "by", "found"),
    [
        ("key=value", ["a=1", "b=2"], ["a=3", "a=4"], ["b=2", "a=4"]),
        (
            OPTIONS,
            ["--learning-rate", "0.1", "--env", "c"],
            ["--learning_rate=0.3"],
            ["--env", "c", "--learning_rate=0.3"],
        ),
        (OPTIONS, ["--layers", "64", "64", "go"], ["--layers", "8"], ["--layers", "8"]),
        (OPTIONS, ["--tag", "a"], ["--tag", "b", "--tag", "c"], ["--tag", "b", "--tag", "c"]),
        ("--key=value", ["--a=1", "--b=2"], ["--a=9"], ["--b=2", "--a=9"]),
        ("hydra", ["+env.id=c", "model=big"], ["++env.id=d", "~model"], ["++env.id=d", "~model"]),
    ],
)
def test_a_later_argument_takes_the_place_of_the_one_of_its_key(style, words, by, found):
    assert list(overridden(words, by, style)) == found


@pytest.mark.parametrize(
    ("style", "options", "found"),
    [
        (
            "key=value",
            {},
            [
                "learning_rate=0.1",
                "deep=true",
                "kind=fast",
                "layers=[64, 8]",
                "name=a b",
                "optimizer.lr=0.1",
                "optimizer.betas=[0.9, 0.99]",
            ],
        ),
        (
            "--key=value",
            {"dashes": True},
            [
                "--learning-rate=0.1",
                "--deep=true",
                "--kind=fast",
                "--layers=[64, 8]",
                "--name=a b",
                "--optimizer.lr=0.1",
                "--optimizer.betas=[0.9, 0.99]",
            ],
        ),
        (
            OPTIONS,
            {"dashes": True, "switch": "no"},
            [
                "--learning-rate",
                "0.1",
                "--deep",
                "--kind",
                "fast",
                "--layers",
                "64",
                "8",
                "--name",
                "a b",
                "--optimizer.lr",
                "0.1",
                "--optimizer.betas",
                "0.9",
                "0.99",
            ],
        ),
        (
            "hydra",
            {},
            [
                "learning_rate=0.1",
                "deep=true",
                "kind=fast",
                "layers=[64,8]",
                "name='a b'",
                "optimizer.lr=0.1",
                "optimizer.betas=[0.9,0.99]",
            ],
        ),
    ],
)
def test_values_are_written_in_the_style(style, options, found):
    values = {"learning_rate": 0.1, "deep": True, "none": None, "kind": Kind.FAST, "layers": (64, 8), "name": "a b"}
    assert list(written({**values, "optimizer": Optimizer()}, style, **options)) == found


@pytest.mark.parametrize(
    ("switch", "yes", "no"),
    [("value", ["--a", "true"], ["--a", "false"]), ("no", ["--a"], ["--no-a"]), ("present", ["--a"], [])],
)
def test_a_switch_is_said_as_the_program_takes_it(switch, yes, no):
    assert list(written({"a": True}, OPTIONS, switch=switch)) == yes
    assert list(written({"a": False}, OPTIONS, switch=switch)) == no


def test_a_value_that_looks_like_an_option_reaches_argparse_as_a_value():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text")
    assert parser.parse_args(list(written({"text": "--rm -rf"}, OPTIONS))).text == "--rm -rf"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a b",
        "it's",
        'say "hi"',
        "a=b",
        "a,b",
        "{x}",
        "[1]",
        "1.5",
        "true",
        "null",
        "",
        " ",
        "back\\slash",
        "end\\",
        "\\'",
        "${not}",
        "\\${x}",
        "tab\tline\nend",
        "é😀",
        "#c",
        "(x)",
        "~/a",
        "%",
    ],
)
def test_hydra_reads_back_each_text_that_is_written_for_it(text):
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    [word] = written({"key": text}, "hydra")
    override = OverridesParser.create().parse_override(word)
    config = OmegaConf.create({override.key_or_group: override.value()})
    assert config.key == text
    assert isinstance(config.key, str)


def test_arguments_as_json_keep_their_types():
    words = ["--lr", "0.1", "--anneal", "--name", "a b"]
    assert json.loads(as_json(words, OPTIONS)) == {"lr": 0.1, "anneal": True, "name": "a b"}


def test_a_switch_a_list_and_a_negation_are_values_in_json_and_without_hyphens():
    words = ["--layers", "64", "32", "--no-anneal", "--track", "--learning-rate=1e-4", "--name", "007 a"]
    assert json.loads(as_json(words, OPTIONS, "no")) == {
        "layers": [64, 32], "anneal": False, "track": True, "learning_rate": 1e-4, "name": "007 a",
    }  # fmt: skip
    found = without_hyphens(words, OPTIONS, "no")
    assert found == ("layers=[64, 32]", "anneal=false", "track=true", "learning_rate=1e-4", "name=007 a")
    assert without_hyphens(["no_anneal=1", "--no-anneal"], "key=value") == ("no_anneal=1", "no_anneal=true")


@pytest.mark.parametrize(("word", "style"), [("resume", "--key value"), ("--", "key=value"), ("~momentum", "hydra")])
def test_a_word_that_sets_nothing_is_not_lost_on_its_way_into_json(word, style):
    for say in (as_json, without_hyphens):
        with pytest.raises(ValueError, match=f"'{word}' sets nothing by name"):
            say([word, "--lr=1"], style)


@pytest.mark.parametrize(
    ("word", "says"),
    [("a\0b", "'a\\x00b' holds a NUL"), ("\ud83d", "half a character"), ("x" * 131_072, "more than 131,071 bytes")],
)
def test_what_no_process_can_be_given_is_refused(word, says):
    with pytest.raises(ValueError, match=says.replace("\\", r"\\")):
        checked_words(("fine", word))


def test_arguments_that_are_too_much_together_are_refused():
    with pytest.raises(ValueError, match="they would have more than 1,000,000 bytes"):
        checked_words(("x" * 100_000,) * 11)


def test_a_path_is_written_as_it_is():
    assert list(written({"data": Path("/a b/c")}, "hydra")) == ["data='/a b/c'"]
