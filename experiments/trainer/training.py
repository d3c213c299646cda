"""The state of a run: what it learns, measures, saves and takes up again."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.project.errors import ExperimentsError, UsageError
from experiments.trainer import checkpoint as checkpoints
from experiments.trainer import ppo
from experiments.trainer.arena import load_curriculum
from experiments.trainer.checkpoint import Checkpoint
from experiments.trainer.config import Arguments
from experiments.trainer.evaluation import evaluate, record_replay
from experiments.trainer.network import ActorCritic, Adam, Parameters
from experiments.trainer.progress import late_points
from experiments.trainer.rollout import Collector, Rollout


class TrainingDiverged(ExperimentsError):  # noqa: N818 - says what happened to the run
    """A loss or a parameter is not a number any more; the checkpoints are from before."""


class Training:
    """A run in memory.

    Attributes:
        agent_step: Agent-steps learnt from.
        logged_step: Agent-step of the last row that was logged; -1 before the first.
        network: The policy being trained.
    """

    def __init__(self, arguments: Arguments, run_dir: Path, check: Callable[[], None]) -> None:
        config, adam = arguments.trainer, arguments.trainer.optimizer
        self._config, self._seed, self._run_dir, self._check = config, arguments.seed, run_dir, check
        self._rng = np.random.default_rng(arguments.seed)
        self._collector = Collector(load_curriculum(config.curriculum), config.num_envs, self._rng)
        encoder = self._collector.encoder
        self.network = ActorCritic.create(encoder.size, config.hidden_size, self._collector.actions, self._rng)
        self._adam = Adam(
            self.network.parameters, beta1=adam.beta1, beta2=adam.beta2, eps=adam.eps, max_norm=adam.max_grad_norm
        )
        self._rollout = Rollout.empty(config.rollout_length, self._collector.rows)
        self._losses: list[ppo.Losses] = []
        self._random_reward: dict[int, float] = {}  # by the number of maps
        self.agent_step = 0
        self.logged_step = -1

    @property
    def late_points(self) -> list[int]:
        """Agent-steps near the end of the run at which a checkpoint is saved and kept."""
        wanted = self._config.checkpoint
        return late_points(self._config.total_timesteps, wanted.late, wanted.late_share)

    @property
    def done(self) -> bool:
        """Whether the run has had its steps."""
        return self.agent_step >= self._config.total_timesteps

    def start_episodes(self) -> None:
        """Begin an episode in every environment."""
        self._collector.start()

    def advance(self) -> None:
        """Collect one rollout and learn from it.

        Raises:
            TrainingDiverged: A loss or a parameter is not finite; this state must not be saved.
        """
        config = self._config
        self._collector.fill(self._rollout, self.network, gamma=config.ppo.gamma, check=self._check)
        with np.errstate(all="ignore"):  # looked at below
            losses = ppo.update(self.network, self._adam, self._rollout, config, self._rng)
        self.agent_step += self._rollout.rewards.size
        broken = [name for name, value in vars(losses).items() if not math.isfinite(value)]
        broken += [name for name, array in self.network.parameters.items() if not np.isfinite(array).all()]
        if broken:
            raise TrainingDiverged(
                f"training diverged at agent-step {self.agent_step:,}: {', '.join(broken)} not finite. The checkpoints "
                "from before are kept. Try a new run with trainer.optimizer.learning_rate below "
                f"{config.optimizer.learning_rate}."
            )
        self._losses.append(losses)

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the updates since the last call, as W&B rows name them."""
        row: dict[str, float] = {}
        collector = self._collector
        if collector.returns:
            row["overview/reward"] = float(np.mean(collector.returns))
        if self._losses:
            row |= {f"losses/{name}": value for name, value in vars(ppo.mean_losses(self._losses)).items()}
            self._losses.clear()
        if len(collector.sampler.tasks) > 1:
            for task, chance in zip(collector.sampler.tasks, collector.sampler.probabilities(), strict=True):
                row[f"curriculum/{task.name}/probability"] = float(chance)
        return row

    def evaluate(self) -> dict[str, float]:
        """Return the held-out return of the present policy, and of random actions on the same maps."""
        name, episodes = self._config.curriculum, self._config.evaluation.maps
        if episodes not in self._random_reward:
            self._random_reward[episodes] = evaluate(None, name, episodes=episodes, check=self._check).reward
        result = evaluate(self.network, name, episodes=episodes, check=self._check)
        row = {"eval/reward": result.reward, "eval/random_reward": self._random_reward[episodes]}
        if len(result.returns) > 1:
            row |= {f"eval/{task}/reward": float(np.mean(returns)) for task, returns in result.returns.items()}
        return row

    def record_replay(self) -> Path:
        """Play the present policy on a held-out map and return the replay file."""
        path = self._run_dir / "replays" / f"step_{self.agent_step}.json.z"
        record_replay(self.network, self._config.curriculum, path)
        return path

    def save(self) -> Path:
        """Write a checkpoint of the present state and return its file."""
        arrays = {f"{group}/{name}": array for group, part in self._arrays().items() for name, array in part.items()}
        state = {
            **self._identity(),
            "agent_step": self.agent_step,
            "logged_step": self.logged_step,
            "adam_updates": self._adam.updates,
            "rng": self._rng.bit_generator.state,
            "random_reward": {str(maps): reward for maps, reward in self._random_reward.items()},
        }
        folder = self._run_dir / "checkpoints"
        keep = self._config.checkpoint.keep
        return checkpoints.save(folder, Checkpoint(arrays, state), keep=keep, points=self.late_points)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Take over a saved state; episodes begin anew.

        Raises:
            UsageError: The checkpoint belongs to a run with another curriculum, seed or network.
        """
        state = checkpoint.state
        for key, value in self._identity().items():
            if state[key] != value:
                raise UsageError(
                    f"{str(self._run_dir)!r} holds a run with {key}={state[key]!r}, not {value!r}. Continue it with "
                    "that value, or start another with its own run= (and run_dir=)."
                )
        for group, part in self._arrays().items():
            saved = checkpoint.group(group)
            for name, array in part.items():
                array[...] = saved[name]
        self._adam.updates = int(state["adam_updates"])
        self._rng.bit_generator.state = state["rng"]
        self._random_reward = {int(maps): reward for maps, reward in state["random_reward"].items()}
        self.agent_step = checkpoint.agent_step
        self.logged_step = int(state["logged_step"])

    def _arrays(self) -> dict[str, Parameters]:
        """Return the arrays that change while training, by their group in a checkpoint."""
        return {
            "policy": self.network.parameters,
            "adam_first": self._adam.first,
            "adam_second": self._adam.second,
            "sampler": self._collector.sampler.means,
        }

    def _identity(self) -> dict[str, Any]:
        """Return what cannot differ between a checkpoint and the run that continues it."""
        return {
            "trainer.curriculum": self._config.curriculum,
            "trainer.hidden_size": self._config.hidden_size,
            "seed": self._seed,
            "network inputs": self._collector.encoder.size,
        }
