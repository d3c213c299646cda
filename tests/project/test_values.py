from __future__ import annotations

import pytest
from pydantic import Field

from experiments.project.settings import Settings
from experiments.project.values import Frozen, replaced
from experiments.types import JobStatus, Trainer, TrainingJobConfig


class Table(Frozen):
    """A value that holds tables and several values."""

    of: dict[str, list[int]] = Field(default_factory=dict)
    names: tuple[str, ...] = ()


def test_equal_values_have_one_hash_whatever_they_hold():
    first, second = Table(of={"a": [1], "b": [2]}), Table(of={"b": [2], "a": [1]})
    assert first == second
    assert hash(first) == hash(second)
    assert {first: "known"}[second] == "known"
    assert hash(Table(of={"a": [2]})) != hash(first)


@pytest.mark.parametrize(
    "value",
    [
        Settings(trainers={"mine": Trainer(command="python train.py", env={"A": "1"})}),
        TrainingJobConfig(trainer=Trainer(command="python train.py", env={"A": "1"})),
        JobStatus(run_name="a", keys={"step": "global_step"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_knows_of_trainers_can_be_known_by_a_cache(value):
    assert {value: 1}[replaced(value)] == 1
