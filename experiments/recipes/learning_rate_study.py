#!/usr/bin/env -S uv run
"""Does a larger learning rate learn more in the same number of steps? Four rates, five seeds, one answer."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.jobs.journal import Rule
from experiments.types import BaseExperimentConfig, Field, TrainingJob, TrainingJobConfig


class LearningRateStudyConfig(BaseExperimentConfig):
    """Settings of the learning rate study."""

    description: str = Field(
        "Which learning rate of PPO learns most within a small budget of agent steps?",
        description="What the experiment is for; shown at the top of the notebook.",
    )
    curriculum: str = Field("arena/basic", description="Curriculum that the trainer runs.")
    learning_rates: tuple[float, ...] = Field(
        (0.001, 0.003, 0.01, 0.03), min_length=1, description="Step sizes of Adam, one arm each; the baseline first."
    )
    total_timesteps: int = Field(400_000, ge=1, description="Agent steps of each run.")


class LearningRateStudy(Experiment):
    """One arm a learning rate, each with the same five seeds."""

    tags = ("arena", "learning-rate")
    seeds = (10, 11, 12, 13, 14)
    hypothesis = (
        "With 400,000 agent steps, Adam's step size of 0.01 learns more than 0.001: the budget ends long before "
        "learning does, so larger steps pay as long as they do not break the policy. A first look at seeds 0 to 4 "
        "suggested it; these five seeds are new, so that they can say no."
    )
    rule = Rule(metric="overview/reward", direction="higher", effect=1.0, arm="rate-0_01", baseline="rate-0_001")
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
