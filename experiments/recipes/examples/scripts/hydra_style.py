"""Fit a line, configured by Hydra: `optimizer` is a group, the rest are keys. Needs `hydra-core`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import hydra
import numpy as np
import wandb
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf


@dataclass
class Optimizer:
    """A group: one of these is chosen by `optimizer=NAME`."""

    name: str = "sgd"
    lr: float = 0.05
    momentum: float = 0.0


@dataclass
class Config:
    """The program's settings."""

    defaults: list[Any] = field(default_factory=lambda: ["_self_", {"optimizer": "sgd"}])
    optimizer: Any = None
    seed: int = 0
    steps: int = 200


store = ConfigStore.instance()
store.store(name="config", node=Config)
store.store(group="optimizer", name="sgd", node=Optimizer)
store.store(group="optimizer", name="adam", node=Optimizer(name="adam", lr=0.02, momentum=0.9))


@hydra.main(version_base=None, config_name="config")
def main(config: DictConfig) -> None:
    """Fit, and log the loss of each step."""
    rng = np.random.default_rng(config.seed)
    inputs = rng.normal(size=(64, 4))
    targets = inputs @ np.array([1.0, -2.0, 0.5, 3.0]) + rng.normal(0.0, 0.1, 64)
    weights, speed, scale = rng.normal(size=4), np.zeros(4), np.zeros(4)
    run = wandb.init(config=cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True)))
    for step in range(config.steps):
        error = inputs @ weights - targets
        slope = inputs.T @ error / len(error)
        speed = config.optimizer.momentum * speed + slope
        if config.optimizer.name == "adam":
            scale = 0.99 * scale + 0.01 * slope**2
            weights -= config.optimizer.lr * speed / (np.sqrt(scale) + 1e-3)
        else:
            weights -= config.optimizer.lr * speed
        run.log({"trainer/step": step, "loss": float(np.mean(error**2))})
    run.finish()


if __name__ == "__main__":
    main()
