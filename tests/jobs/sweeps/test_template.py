from __future__ import annotations

import json
import random

import pytest

from experiments.jobs.sweeps.ranges import Choices, Range
from experiments.jobs.sweeps.template import Template, make_template
from experiments.project.errors import UsageError
from experiments.types import Trainer, TrainingJobConfig

RATE = Range(low=1e-5, high=1e-1, log=True)
BATCH = Choices(values=(256, 512))
TRAINER = Trainer(command=("python", "train.py", "--seed", "{seed}"))


def job(*words, **fields):
    return TrainingJobConfig(trainer=TRAINER, additional_args=words, **fields)


def in_text(values):
    return job(f"optimizer.lr={values['rate']}", f"batch={values['batch']}", "steps=1000")


def in_six_digits(values):
    return job(f"lr={values['rate']:g},betas=0.9", f"batch={values['batch']}")


def in_shape(values):
    more = ("compile=true",) if values["batch"] == 512 else ()
    return job(*more, f"lr={values['rate']}", f"grad={1024 // values['batch']}")


def in_a_field(values):
    return job(f"lr={values['rate']}", gpus=values["batch"] // 256)


def in_the_trainer(values):
    trainer = Trainer(command=("python", "train.py", "{seed}", str(values["rate"]), str(values["batch"])))
    return TrainingJobConfig(trainer=trainer)


@pytest.mark.parametrize("recipe", [in_text, in_six_digits, in_shape, in_a_field, in_the_trainer])
def test_a_trial_s_config_is_what_the_recipe_would_make_of_its_values_also_read_back(recipe):
    template = make_template({"rate": RATE, "batch": BATCH}, recipe)
    kept = Template.model_validate(json.loads(json.dumps(template.model_dump(mode="json"))))
    drawn = random.Random(3)
    for _ in range(50):
        values = {"rate": RATE.at(drawn.random()), "batch": drawn.choice(BATCH.values)}
        assert kept.config(values) == recipe(values)


def test_whole_numbers_and_those_of_a_nested_value_have_their_place():
    steps = Range(low=1, high=4, whole=True)
    template = make_template({"gpus": steps}, lambda values: job("a=1", gpus=values.get("gpus", 1)))
    assert template.config({"gpus": 3}).gpus == 3


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (lambda values: job(f"lr={values['rate'] * 2}"), "not the number itself"),
        (lambda values: job(f"lr={values['rate']:.1e}"), "not the number itself"),
        (lambda values: job(f"lr={values['rate']}", *(["big"] if values["rate"] > 0.05 else [])), "cannot be made"),
        (lambda values: job(f"lr={min(values['rate'], 0.05)}"), "not the number itself"),
        (lambda _: job("lr=1"), "tells no job of it"),
    ],
)
def test_what_a_recipe_makes_of_a_number_and_nobody_could_make_later_is_refused(recipe, said):
    with pytest.raises(UsageError, match=said):
        make_template({"rate": RATE}, recipe)


def test_two_numbers_in_one_argument_are_refused():
    space = {"rate": RATE, "clip": Range(low=0.1, high=0.3)}
    with pytest.raises(UsageError, match="'rate' and 'clip' stand in one argument"):
        make_template(space, lambda values: job(f"x={values['rate']}:{values['clip']}"))


def test_a_choice_that_changes_nothing_is_refused():
    with pytest.raises(UsageError, match="'batch': the recipe tells no job of it"):
        make_template({"rate": RATE, "batch": BATCH}, lambda values: job(f"lr={values['rate']}"))


def test_more_combinations_than_are_taken_down_are_refused():
    space = {name: Choices(values=tuple(range(7))) for name in "abc"}
    with pytest.raises(UsageError, match="343 combinations"):
        make_template(space, lambda values: job(*(f"{name}={value}" for name, value in values.items())))
