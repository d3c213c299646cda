#!/usr/bin/env -S uv run
"""CleanRL's conventions: one file, typed flags, `charts/episodic_return` over `global_step`."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, Metrics, Trainer


class CleanrlPpoConfig(BaseExperimentConfig):
    """Each field is a flag of the script."""

    env_id: str = Field("CartPole-v1", description="Environment of gymnasium.")
    total_timesteps: int = Field(25_000, ge=1, description="Environment steps of each run.")
    learning_rate: float = Field(2.5e-3, gt=0, description="Adam step size.")
    anneal_lr: bool = Field(True, description="Let the step size fall to zero.")


class CleanrlPpo(Experiment):
    """PPO on CartPole; `--vary learning_rate=0.0001,0.0025` compares two step sizes."""

    trainer = Trainer(
        name="cleanrl",
        command="{python} experiments/recipes/examples/scripts/cleanrl_ppo.py --seed {seed} --track",
        style="--key value",
        dashes=True,
        steps="--total-timesteps",
        uses_gpus=False,
        metrics=Metrics(step="global_step", primary="charts/episodic_return", direction="higher"),
    )
    seeds = (0, 1, 2, 3, 4)
    config: CleanrlPpoConfig


if __name__ == "__main__":
    CleanrlPpo.main(CleanrlPpoConfig, name="cleanrl_ppo")
