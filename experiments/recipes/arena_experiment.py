#!/usr/bin/env -S uv run
"""Train agents on a MettaGrid arena and leave a live notebook: the recipe to copy."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, TrainingJob, TrainingJobConfig


class ArenaExperimentConfig(BaseExperimentConfig):
    """Settings of the arena experiment."""

    curriculum: str = Field(
        "env/mettagrid/curriculum/arena/learning_progress", description="Curriculum that the trainer runs."
    )
    gpus: int = Field(1, ge=0, description="GPUs per node; not used by the local launcher.")
    nodes: int = Field(1, ge=1, description="Nodes; not used by the local launcher.")
    spot: bool = Field(False, description="Use spot machines; not used by the local launcher.")


class ArenaExperiment(Experiment):
    """One arm, `baseline`; `--seeds` gives it as many runs as you like."""

    tags = ("arena",)
    config: ArenaExperimentConfig

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the one arm."""
        config = TrainingJobConfig(
            curriculum=self.config.curriculum,
            gpus=self.config.gpus,
            nodes=self.config.nodes,
            spot=self.config.spot,
        )
        return [self.launch_training_run_from_config("baseline", config)]


if __name__ == "__main__":
    ArenaExperiment.main(ArenaExperimentConfig, name="arena")
