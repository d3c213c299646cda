#!/usr/bin/env -S uv run
"""Does a larger learning rate learn more in the same number of steps? Four rates, five seeds, one answer."""

from __future__ import annotations

from pydantic import Field

from experiments.experiment import Experiment
from experiments.journal import Rule
from experiments.types import BaseExperimentConfig, TrainingJob, TrainingJobConfig


class LearningRateStudyConfig(BaseExperimentConfig):
    """Settings of the learning rate study."""

    description: str = Field(
        "Which learning rate of PPO learns most within a small budget of agent steps?",
        description="What the experiment is for; shown at the top of the notebook.",
    )
    curriculum: str = Field("arena/basic", description="Curriculum that the trainer runs.")
    learning_rates: tuple[float, ...] = Field(
        (0.003, 0.001, 0.01, 0.03), min_length=1, description="Step sizes of Adam, one arm each; the baseline first."
    )
    total_timesteps: int = Field(400_000, ge=1, description="Agent steps of each run.")


class LearningRateStudy(Experiment):
    """One arm a learning rate, each with the same five seeds."""

    tags = ("arena", "learning-rate")
    seeds = (0, 1, 2, 3, 4)
    hypothesis = (
        "Within 400,000 agent steps a learning rate of 0.01 brings agents further than the trainer's default of 0.003: "
        "the budget ends long before learning does, so larger steps pay, as long as they do not break the policy. "
        "A pilot with another seed (100) suggested it."
    )
    rule = Rule(metric="overview/reward", direction="higher", effect=0.5, arm="rate-0_01", baseline="rate-0_003")
    config: LearningRateStudyConfig

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record one arm a learning rate."""
        return [
            self.launch_training_run_from_config(arm_of(rate), self._job(rate)) for rate in self.config.learning_rates
        ]

    def _job(self, rate: float) -> TrainingJobConfig:
        arguments = (
            f"trainer.optimizer.learning_rate={rate:g}",
            f"trainer.total_timesteps={self.config.total_timesteps}",
            "trainer.evaluation.count=4",
            "trainer.replays.count=4",
        )
        return TrainingJobConfig(curriculum=self.config.curriculum, additional_args=arguments)


def arm_of(rate: float) -> str:
    """Return the arm of a learning rate: `rate-0_003`."""
    return f"rate-{rate:g}".replace(".", "_").replace("+", "")


if __name__ == "__main__":
    LearningRateStudy.main(LearningRateStudyConfig, name="learning_rate_study")
