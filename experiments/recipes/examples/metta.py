#!/usr/bin/env -S uv run
"""Metta's own `tools/run.py`, by the named trainer: run this in a checkout of Metta."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, TrainingJob


class MettaConfig(BaseExperimentConfig):
    """Settings of the study."""

    curriculum: str = Field("arena.train", description="Recipe and tool, as tools/run.py takes them.")
    steps: int = Field(1_000_000, ge=1, description="Agent steps of each run.")
    learning_rate: float = Field(0.001, gt=0, description="Step size of the arm 'changed'.")


class Metta(Experiment):
    """A baseline and one change."""

    trainer = "metta"
    seeds = (0, 1, 2)
    config: MettaConfig

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the arms, each with Metta's own keys."""
        common = {"trainer.total_timesteps": self.config.steps, "steps": None, "learning_rate": None}
        rate = {"trainer.optimizer.learning_rate": self.config.learning_rate}
        arms = {"baseline": self.job(**common), "changed": self.job(**common, **rate)}
        return [self.launch_training_run_from_config(arm, job) for arm, job in arms.items()]


if __name__ == "__main__":
    Metta.main(MettaConfig, name="metta")
