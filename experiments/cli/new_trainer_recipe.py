#!/usr/bin/env -S uv run
"""One sentence: what this experiment asks."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, Metrics, Trainer


class NewRecipeConfig(BaseExperimentConfig):
    """Settings: each field is an argument of the program; other arguments follow a `--` on the command line."""

    number: int | None = Field(None, description="One of its arguments; None leaves it to the program.")


class NewRecipe(Experiment):
    """One arm with several seeds; `--vary FIELD=A,B` makes an arm of each value."""

    trainer = Trainer(
        name="new_recipe",
        command="train --seed {seed}",
        style="--key value",
        dashes=True,
        # Name what it logs, and a verdict can rest on it: Metrics(step="global_step", primary="return",
        # direction="higher"). What is not named is found, shown and said to be found.
        metrics=Metrics(),
    )
    seeds = (0, 1, 2, 3, 4)
    hypothesis = ""  # What do you expect, and why? Write it before the launch, with a rule of experiments.jobs.journal.
    config: NewRecipeConfig


if __name__ == "__main__":
    NewRecipe.main(
        NewRecipeConfig,
        name="new_recipe",
    )
