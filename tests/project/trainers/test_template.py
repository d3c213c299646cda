from __future__ import annotations

import pytest

from experiments.project.errors import UsageError
from experiments.project.trainers.template import check_template, filled_words, names_in

VALUES = {"run": "R", "seed": "3", "run_dir": "/runs/R", "curriculum": "arena", "args_json": "{}", "lr": "{seed}"}


@pytest.mark.parametrize(
    ("template", "found"),
    [
        (["train", "--seed={seed}"], ["train", "--seed=3", "a", "b"]),
        (["train", "{args}", "--out", "{run_dir}/x"], ["train", "a", "b", "--out", "/runs/R/x"]),
        (["train", "${args}", "end"], ["train", "a", "b", "end"]),
        (["train", "${args_no_hyphens}", "end"], ["train", "a=1", "end"]),
        (["train", "{args_no_hyphens}", "--", "{args}"], ["train", "a=1", "--", "a", "b"]),
        (["train", "${args_json}"], ["train", "{}"]),
        (["train", "--seed", "${seed}", "${{seed}}"], ["train", "--seed", "3", "${seed}", "a", "b"]),
        (["train", "--config={args_json}"], ["train", "--config={}"]),
        (["{python}", "train.py"], ["{python}", "train.py", "a", "b"]),
        (
            ["{{seed}}", "{}", '{"seed": {seed}}', "${oc.env:HOME}"],
            ["{seed}", "{}", '{"seed": 3}', "${oc.env:HOME}", "a", "b"],
        ),
        (["--lr={lr}"], ["--lr={seed}", "a", "b"]),
    ],
)
def test_placeholders_are_filled_once_and_other_braces_stay(template, found):
    assert list(filled_words(template, VALUES, ["a", "b"], ["a=1"])) == found


def test_a_value_with_braces_is_not_looked_at_again():
    assert filled_words(["{curriculum}"], {"curriculum": "{run}{{seed}}"}, ["{seed}"]) == ("{run}{{seed}}", "{seed}")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("--lr={lrate}", r"\{lrate\} in '--lr=\{lrate\}' is no placeholder. Did you mean \{rate\}\? There are: "),
        ("{program}", r"\{program\} in '\{program\}' is no placeholder.*that is to stay is written \{\{program\}\}"),
        ("--all={args}", r"\{args\} is a word of its own"),
        ("x${args_no_hyphens}", r"\{args_no_hyphens\} is a word of its own"),
        ("${interpreter}", r"\{interpreter\} in '\$\{interpreter\}' is no placeholder. Write \{python\}\. There are"),
        ("${program}", r"\{program\} in .* is no placeholder. Write the program's file\. There are"),
        ("x{python}", r"\{python\} is a word of its own"),
    ],
)
def test_a_placeholder_that_nothing_fills_is_one_sentence(word, says):
    with pytest.raises(UsageError, match=f"trainer 'mine': {says}"):
        check_template("mine", [word], ["rate"])


def test_the_names_in_a_template_are_those_that_have_to_be_filled():
    assert names_in(["{seed}", "{{run}}", "${args}", "{a.b}"]) == {"seed", "args", "a.b"}


@pytest.mark.parametrize("value", ["{args_json}", "${args}", "{python}", "{sed}"])
def test_what_only_a_command_line_can_say_is_refused_in_a_variable(value):
    with pytest.raises(
        UsageError, match=r"is no placeholder\..* There are: \{run\} \{seed\} \{run_dir\} \{curriculum\} \{lr\}"
    ):
        check_template("mine", [], ["lr"], variables={"A": "{seed} {lr} {{x}}", "B": value})
