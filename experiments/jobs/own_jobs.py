"""From a recipe's own config to what a trainer is told: each field an argument in the trainer's style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.project.trainers.template import check_template, names_in
from experiments.types import BaseExperimentConfig, Trainer, TrainingJobConfig

_NOT_OF_A_JOB = frozenset(BaseExperimentConfig.model_fields)
_RESOURCES = frozenset(TrainingJobConfig.model_fields) - _NOT_OF_A_JOB - {"trainer"}


def own_fields(config: BaseExperimentConfig) -> dict[str, Any]:
    """Return the fields that a recipe's config has besides those of every experiment."""
    return {name: value for name, value in config if name not in _NOT_OF_A_JOB}


def filled_trainer(trainer: Trainer, fields: Mapping[str, Any]) -> Trainer:
    """Return a trainer whose command line knows a recipe's fields.

    Raises:
        UsageError: A placeholder is neither one of every template nor a field.
    """
    check_template(trainer.name, trainer.command, [*fields, *trainer.values], variables=trainer.env)
    return trainer.filling(fields)


def own_job(trainer: Trainer, config: BaseExperimentConfig, changes: Mapping[str, Any]) -> TrainingJobConfig:
    """Return the job that a config describes: what machines it takes, and arguments for its trainer.

    A field that stands in the command line by its placeholder is no argument besides.

    Args:
        changes: Values in the place of the config's, or of arguments that it has no field for.

    Raises:
        UsageError: The command line holds a placeholder that nothing fills.
        ValidationError: A value is not allowed.
    """
    fields = {**own_fields(config), **changes}
    filled = filled_trainer(trainer, fields)
    shown = names_in([*trainer.command, *trainer.env.values()])
    given = {name: value for name, value in fields.items() if name not in shown and name not in _RESOURCES}
    resources = {} if trainer.uses_gpus else {"gpus": 0}
    resources |= {name: value for name, value in fields.items() if name in _RESOURCES}
    values: dict[str, Any] = {**resources, "trainer": filled, "additional_args": trainer.arguments(given)}
    return TrainingJobConfig.model_validate(values)
