#!/usr/bin/env -S uv run
"""A Hydra program: groups, keys with dots, and overrides as Hydra writes them (`-- +tag=x ~momentum`)."""

from __future__ import annotations

from typing import Literal

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, Metrics, Trainer, TrainingJob


class HydraStyleConfig(BaseExperimentConfig):
    """What the study compares and how long."""

    optimizer: Literal["sgd", "adam"] = Field("sgd", description="Group of the program's config.")
    steps: int = Field(200, ge=1, description="Steps of each run.")


class HydraStyle(Experiment):
    """Two arms: the optimiser as it is, and a larger step."""

    trainer = Trainer(
        name="hydra-style",
        command="{python} experiments/recipes/examples/scripts/hydra_style.py seed={seed} hydra.run.dir={run_dir}",
        style="hydra",
        steps="steps",
        uses_gpus=False,
        metrics=Metrics(step="trainer/step", primary="loss", direction="lower", unit="squared error", total="steps"),
    )
    seeds = (0, 1, 2)
    config: HydraStyleConfig

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the arms: a key with a dot is an argument that no field has."""
        arms = {"base": self.job(), "larger": self.job(**{"optimizer.lr": 0.2})}
        return [self.launch_training_run_from_config(arm, job) for arm, job in arms.items()]


if __name__ == "__main__":
    HydraStyle.main(HydraStyleConfig, name="hydra_style")
