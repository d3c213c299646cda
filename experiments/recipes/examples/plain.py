#!/usr/bin/env -S uv run
"""Five seeds of a script of somebody else's: argparse and `wandb.init`, and nothing in it knows of us."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, Metrics, Trainer


class PlainConfig(BaseExperimentConfig):
    """Each field is an option of the script."""

    learning_rate: float = Field(0.1, gt=0, description="Step size.")
    steps: int = Field(300, ge=1, description="Steps of each run.")


class Plain(Experiment):
    """`--vary learning_rate=0.01,0.1` makes two arms of it."""

    trainer = Trainer(
        name="plain",
        command="{python} experiments/recipes/examples/scripts/plain.py --seed {seed}",
        style="--key value",
        dashes=True,
        steps="--steps",
        uses_gpus=False,
        metrics=Metrics(step="step", primary="score", direction="higher", total="steps"),
    )
    seeds = (0, 1, 2, 3, 4)
    config: PlainConfig


if __name__ == "__main__":
    Plain.main(PlainConfig, name="plain")
