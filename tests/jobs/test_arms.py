from __future__ import annotations

import enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, model_validator

from experiments.cli.new_recipe import NewRecipeConfig
from experiments.jobs.arms import Ablation, Grid, apart, differences, parse_vary, vary_example
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.project.errors import UsageError
from experiments.project.values import Frozen
from experiments.recipes.arena_experiment import ArenaExperimentConfig
from experiments.recipes.learning_rate_study import LearningRateStudyConfig
from experiments.types import BaseExperimentConfig, Control, TrainingJobConfig


class Optimizer(BaseModel):
    lr: float = Field(0.001, gt=0)


class Config(BaseExperimentConfig):
    width: int = Field(64, ge=1)
    path: str = "env/a/basic"
    optimizer: Optimizer = Optimizer()


def plan_of(**arms: TrainingJobConfig):
    place = Placement(user="u", ledger_id="l", launcher="local", target="t", train_command=("t", "{curriculum}"))
    return make_plan("exp", [RecordedJob(name, config) for name, config in arms.items()], place)


def test_an_ablation_has_its_baseline_first_and_each_arm_changes_only_what_it_says():
    arms = Ablation(Config(), {"wide": {"width": 128}, "slow": {"optimizer.lr": 0.0001}}).arms()
    assert list(arms) == ["baseline", "wide", "slow"]
    assert (arms["wide"].width, arms["wide"].optimizer.lr) == (128, 0.001)
    assert (arms["slow"].width, arms["slow"].optimizer.lr) == (64, 0.0001)


def test_the_baseline_itself_is_never_changed():
    base = Config()
    Ablation(base, {"wide": {"width": 128}, "slow": {"optimizer.lr": 0.5}}).arms()
    assert base == Config()


def test_a_grid_takes_every_combination_in_order():
    arms = Grid(Config(), {"width": [1, 2], "optimizer.lr": [0.1, 0.2]}).arms()
    assert [(c.width, c.optimizer.lr) for c in arms.values()] == [(1, 0.1), (1, 0.2), (2, 0.1), (2, 0.2)]
    assert next(iter(arms)) == "width-1-lr-0_1"


def test_vary_is_parsed_into_the_types_of_the_fields():
    arms = parse_vary(["optimizer.lr=0.001,0.003", "path=env/a/basic,env/a/sparse"], Config()).arms()
    assert {c.optimizer.lr for c in arms.values()} == {0.001, 0.003}
    assert "lr-0_001-path-basic" in arms


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wide": {"widht": 1}}, "Did you mean 'width'"),
        ({"wide": {"width": 0}}, "greater than or equal to 1"),
        ({"wide": {"optimizer.lr": -1}}, "greater than 0"),
        ({"wide": {"width.x": 1}}, "has no fields of its own"),
        ({"wide": {}}, "changes nothing"),
        ({"baseline": {"width": 2}}, "stands twice"),
        ({"My Arm": {"width": 2}}, "Try 'my-arm'"),
    ],
)
def test_a_wrong_change_is_refused_with_what_is_allowed(changes, words):
    with pytest.raises(UsageError, match=words):
        Ablation(Config(), changes).arms()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["width"], "not 'field=value,value'"),
        (["=1"], "not 'field=value,value'"),
        (["width=1", "width=2"], "twice"),
        (["depth=1"], "has no field 'depth'"),
        (["width=1,1"], "two combinations"),
    ],
)
def test_a_wrong_vary_is_refused(texts, words):
    with pytest.raises(UsageError, match=words):
        parse_vary(texts, Config()).arms()


class Several(BaseExperimentConfig):
    rates: tuple[float, ...] = Field((0.1,), min_length=1)
    words: tuple[str, ...] = ()


def test_vary_takes_the_values_of_a_field_that_holds_several_in_brackets():
    arms = parse_vary(["rates=[0.001, 0.003],[0.01]", "words=[a],['b',c]"], Several()).arms()
    assert [(c.rates, c.words) for c in arms.values()][::3] == [((0.001, 0.003), ("a",)), ((0.01,), ("b", "c"))]
    assert next(iter(arms)) == "rates-0_001-0_003-words-a"


def test_vary_on_a_field_that_holds_several_says_how_to_write_both_readings():
    with pytest.raises(UsageError, match="brackets") as error:
        parse_vary(["rates=0.001,0.003"], Several())
    assert "--vary 'rates=[0.001,0.003]'" in str(error.value)
    assert "--vary 'rates=[0.001],[0.003]'" in str(error.value)


class Bounds(Frozen):
    low: int = 0
    high: int = 10

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Outer(BaseExperimentConfig):
    bounds: Bounds = Bounds()

    @model_validator(mode="after")
    def _short(self) -> Outer:
        if self.bounds.high > 99:
            raise ValueError("high is above 99")
        return self


@pytest.mark.parametrize(
    ("value", "words"), [("bounds.low=20", "low is above high"), ("bounds.high=100", "high is above 99")]
)
def test_a_changed_field_is_checked_with_the_models_around_it(value, words):
    with pytest.raises(UsageError, match=words):
        parse_vary([value], Outer())
    assert parse_vary(["bounds.high=20"], Outer()).arms()["high-20"].bounds == Bounds(high=20)


def test_a_field_without_values_is_refused():
    with pytest.raises(UsageError, match="no value to take"):
        Grid(Config(), {"width": []}).arms()


def test_the_difference_of_each_arm_is_said_against_the_first():
    plan = plan_of(
        base=TrainingJobConfig(curriculum="a", additional_args=("x=1",)),
        more=TrainingJobConfig(curriculum="a", gpus=2, additional_args=("x=2",)),
        less=TrainingJobConfig(curriculum="a"),
        twin=TrainingJobConfig(curriculum="a", gpus=2, additional_args=("x=2",), wandb_tags=("t",)),
    )
    assert differences(plan) == {
        "base": "the baseline",
        "more": "gpus 2; x 2",
        "less": "x not set",
        "twin": "the same job as more",
    }


def test_another_job_under_a_known_label_is_an_arm_of_its_own():
    def recorded(**jobs):
        return [RecordedJob(arm, TrainingJobConfig(curriculum=curriculum)) for arm, curriculum in jobs.items()]

    there = recorded(base="a", low="b")
    assert [job.arm for job in apart(recorded(base="a", low="b", more="c"), there, "n-3")] == ["base", "low", "more"]
    assert [job.arm for job in apart(recorded(base="x", low="b"), there, "n-3")] == ["n-3-base", "low"]
    assert [job.arm for job in apart(recorded(base="x"), there, "n-3")] == ["n-3"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    rate: float = Field(0.9, ge=0, le=1)


class Whole(BaseExperimentConfig):
    on: bool = False
    hidden: Annotated[int, Control("hidden")] = 1
    path: str = "arena"
    steps: int = Field(100, le=101)
    kind: Literal["adam", "muon"] = "muon"
    colour: Colour = Colour.RED
    inner: Inner = Inner()


class Fixed(BaseExperimentConfig):
    path: str = "arena"


@pytest.mark.parametrize(
    ("config", "fields", "example"),
    [
        (Whole(), 1, "steps=100,101"),
        (Whole(), 9, "steps=100,101; kind=muon,adam; colour=red,blue; inner.rate=0.9,0.3; on=false,true"),
        (Fixed(), 2, "path=A,B"),
        (BaseExperimentConfig(), 2, "field=A,B"),
        (ArenaExperimentConfig(), 2, "gpus=1,2; nodes=1,2"),
        (LearningRateStudyConfig(), 2, "total_timesteps=400000,800000"),
        (NewRecipeConfig(), 2, "total_timesteps=200000,400000; learning_rate=0.01,0.03"),
    ],
)
def test_an_example_of_what_to_vary_names_fields_of_this_config_and_values_that_they_take(config, fields, example):
    assert vary_example(config, fields) == example
    if "A,B" not in example:
        for part in example.split("; "):
            assert len(parse_vary([part], config).arms()) == 2


def test_what_is_no_grid_is_answered_with_an_example_of_this_config():
    with pytest.raises(UsageError, match=r"Try --vary gpus=1,2$"):
        parse_vary(["gpus"], ArenaExperimentConfig())
