"""Climb a noisy hill: the thirty-line script that everybody has."""

from __future__ import annotations

import argparse

import numpy as np
import wandb


def main() -> None:
    """Read the options, climb, and log each step."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    place = rng.normal(3.0, 0.2, 8)
    run = wandb.init(project="hills", config=vars(args))
    for step in range(args.steps):
        slope = -2 * place + rng.normal(0.0, 1.0, 8)
        place += args.learning_rate * slope
        run.log({"step": step, "score": float(-np.sum(place**2))})
    run.finish()


if __name__ == "__main__":
    main()
