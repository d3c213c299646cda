from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from experiments.arms import Ablation, Grid, differences, parse_vary
from experiments.errors import UsageError
from experiments.planning import Placement, RecordedJob, make_plan
from experiments.types import BaseExperimentConfig, TrainingJobConfig


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
