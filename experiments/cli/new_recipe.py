#!/usr/bin/env -S uv run
"""One sentence: what this experiment asks."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.jobs.journal import Rule
from experiments.types import BaseExperimentConfig, Field, TrainingJob, TrainingJobConfig


class NewRecipeConfig(BaseExperimentConfig):
    """Settings: each field is a flag of the command line and an input of the notebook."""

    curriculum: str = Field("arena/basic", description="Curriculum that the trainer runs.")
    total_timesteps: int = Field(200_000, ge=1, description="Agent steps of each run.")
    learning_rate: float = Field(0.01, gt=0, description="Adam step size of the arm 'changed'.")


class NewRecipe(Experiment):
    """A baseline and one change, each with the same seeds."""

    seeds = (0, 1, 2)
    hypothesis = ""  # What do you expect, and why? Write it before the launch; the rule then decides.
    rule = Rule(metric="overview/reward", direction="higher", effect=1.0, arm="changed", baseline="baseline")
    config: NewRecipeConfig

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the arms."""
        return [
            self.launch_training_run_from_config("baseline", self._job()),
            self.launch_training_run_from_config("changed", self._job(learning_rate=self.config.learning_rate)),
        ]

    def _job(self, *, learning_rate: float = 0.003) -> TrainingJobConfig:
        arguments = (
            f"trainer.total_timesteps={self.config.total_timesteps}",
            f"trainer.optimizer.learning_rate={learning_rate:g}",
        )
        return TrainingJobConfig(curriculum=self.config.curriculum, additional_args=arguments)


if __name__ == "__main__":
    NewRecipe.main(
        NewRecipeConfig,
        name="new_recipe",
    )
