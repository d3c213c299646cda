"""The training loop: rollouts, updates, and what happens at points along the run."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.errors import ExperimentsError, UsageError
from experiments.trainer import checkpoint as checkpoints
from experiments.trainer import ppo
from experiments.trainer.arena import Task, game, load_curriculum
from experiments.trainer.checkpoint import Checkpoint
from experiments.trainer.config import Arguments
from experiments.trainer.environments import HELD_OUT, Environments
from experiments.trainer.evaluation import evaluate, record_replay
from experiments.trainer.features import Encoder
from experiments.trainer.network import ActorCritic, Adam, log_softmax, sample_actions
from experiments.trainer.sampling import TaskSampler


class TrainingDiverged(ExperimentsError):  # noqa: N818 - says what happened to the run
    """A loss is not a number any more; the last checkpoint is from before."""


class Training:
    """State of a run, and the steps that move it on.

    Attributes:
        agent_step: Agent-steps learnt from.
        network: The policy being trained.
    """

    def __init__(self, arguments: Arguments, run_dir: Path, check: Callable[[], None]) -> None:
        config = arguments.trainer
        self._arguments, self._config, self._run_dir, self._check = arguments, config, run_dir, check
        self._curriculum = load_curriculum(config.curriculum)
        first = self._curriculum.tasks[0]
        rules = game(first, map_seed=0).game
        self._encoder = Encoder(rules)
        self._rng = np.random.default_rng(arguments.seed)
        self.network = ActorCritic.create(
            self._encoder.size, config.hidden_size, len(rules.actions.actions()), self._rng
        )
        adam = config.optimizer
        self._adam = Adam(
            self.network.parameters, beta1=adam.beta1, beta2=adam.beta2, eps=adam.eps, max_norm=adam.max_grad_norm
        )
        self._sampler = TaskSampler(self._curriculum)
        self._environments = Environments(config.num_envs, first)
        self._tasks: list[Task] = [first] * config.num_envs
        self._rollout = ppo.Rollout.empty(config.rollout_length, len(self._environments.rewards), self._encoder.size)
        self._returns: deque[float] = deque(maxlen=4 * config.num_envs)
        self._losses: list[ppo.Losses] = []
        self._explained: list[float] = []
        self._random_reward: float | None = None
        self.agent_step = 0

    @property
    def done(self) -> bool:
        """Whether the run has had its steps."""
        return self.agent_step >= self._config.total_timesteps

    def resume(self, checkpoint: Checkpoint) -> None:
        """Take over a saved state; episodes begin anew.

        Raises:
            UsageError: The checkpoint belongs to a run with another curriculum, seed or network.
        """
        state = checkpoint.state
        for key, value in self._identity().items():
            if state[key] != value:
                raise UsageError(
                    f"{self._run_dir} holds a run with {key}={state[key]!r}, not {value!r}. Give that value to continue "
                    "it, or another run= or run_dir= to start a run."
                )
        for mine, prefix in (
            (self.network.parameters, "policy"),
            (self._adam.first, "adam_first"),
            (self._adam.second, "adam_second"),
            (self._sampler.means, "sampler"),
        ):
            for name, array in checkpoint.group(prefix).items():
                mine[name][...] = array
        self._adam.updates = int(state["adam_updates"])
        self._rng.bit_generator.state = state["rng"]
        self._random_reward = state["random_reward"]
        self.agent_step = checkpoint.agent_step

    def save(self) -> Path:
        """Write a checkpoint of the present state and return its path."""
        arrays = {
            f"{prefix}/{name}": array
            for prefix, group in (
                ("policy", self.network.parameters),
                ("adam_first", self._adam.first),
                ("adam_second", self._adam.second),
                ("sampler", self._sampler.means),
            )
            for name, array in group.items()
        }
        state = {
            **self._identity(),
            "agent_step": self.agent_step,
            "adam_updates": self._adam.updates,
            "rng": self._rng.bit_generator.state,
            "random_reward": self._random_reward,
        }
        folder = self._run_dir / "checkpoints"
        return checkpoints.save(folder, Checkpoint(arrays, state), keep=self._config.checkpoint.keep)

    def _identity(self) -> dict[str, Any]:
        """Return the settings that a checkpoint cannot be continued under other values of."""
        return {
            "trainer.curriculum": self._curriculum.name,
            "trainer.hidden_size": self._config.hidden_size,
            "seed": self._arguments.seed,
        }

    def start_episodes(self) -> None:
        """Begin an episode in every environment."""
        for index in range(len(self._environments)):
            self._start_episode(index)

    def advance(self) -> None:
        """Collect one rollout and learn from it.

        Raises:
            TrainingDiverged: A loss is not finite; the state is as the broken update left it.
        """
        self._collect()
        config = self._config
        losses, explained = ppo.update(
            self.network,
            self._adam,
            self._rollout,
            config.ppo,
            learning_rate=config.optimizer.learning_rate,
            epochs=config.update_epochs,
            minibatches=config.minibatches,
            rng=self._rng,
        )
        self.agent_step += self._rollout.rewards.size
        bad = [f"{name}={value}" for name, value in vars(losses).items() if not math.isfinite(value)]
        if bad:
            raise TrainingDiverged(
                f"training diverged at agent-step {self.agent_step}: {', '.join(bad)}. The last checkpoint is kept. Try a "
                f"lower trainer.optimizer.learning_rate than {config.optimizer.learning_rate!r} in a new run."
            )
        self._losses.append(losses)
        self._explained.append(explained)

    def _collect(self) -> None:
        """Fill the rollout with the present policy."""
        rollout, environments = self._rollout, self._environments
        every = np.arange(len(environments.rewards))
        for step in range(len(rollout.rewards)):
            self._check()
            inputs = self._encoder.encode(environments.tokens)
            _, logits, values = self.network.forward(inputs)
            actions = sample_actions(logits, self._rng)
            rollout.inputs[step] = inputs
            rollout.actions[step] = actions
            rollout.log_probs[step] = log_softmax(logits)[every, actions]
            rollout.values[step] = values
            ended = environments.step(actions)
            rollout.rewards[step] = environments.rewards
            rollout.dones[step] = 0
            if ended:
                self._end_episodes(step, ended)
        _, _, rollout.values[-1] = self.network.forward(self._encoder.encode(environments.tokens))

    def _end_episodes(self, step: int, ended: list[int]) -> None:
        """Close the episodes of environments `ended` and begin others.

        Episodes are cut off by the clock, which agents do not see, so what they would have gone on to earn is added.
        """
        environments = self._environments
        _, _, following = self.network.forward(self._encoder.encode(environments.tokens))
        for index in ended:
            rows = slice(index * environments.agents, (index + 1) * environments.agents)
            self._rollout.rewards[step, rows] += self._config.ppo.gamma * following[rows]
            self._rollout.dones[step, rows] = 1
            episode_return = environments.episode_return(index)
            self._returns.append(episode_return)
            self._sampler.record(self._tasks[index], episode_return)
            self._start_episode(index)

    def _start_episode(self, index: int) -> None:
        task = self._sampler.draw(self._rng)
        self._tasks[index] = task
        self._environments.start(index, task, int(self._rng.integers(HELD_OUT)))

    def metrics(self) -> dict[str, float]:
        """Return the metrics since the last call."""
        row: dict[str, float] = {}
        if self._returns:
            row["overview/reward"] = float(np.mean(self._returns))
        if self._losses:
            row |= {f"losses/{name}": value for name, value in vars(ppo.mean_losses(self._losses)).items()}
            row["losses/explained_variance"] = float(np.mean(self._explained))
        if len(self._sampler.tasks) > 1:
            for task, chance in zip(self._sampler.tasks, self._sampler.probabilities(), strict=True):
                row[f"curriculum/{task.name}/probability"] = float(chance)
        self._losses.clear()
        self._explained.clear()
        return row

    def evaluate(self) -> dict[str, float]:
        """Return the held-out return of the present policy and that of random actions on the same maps."""
        name, episodes = self._curriculum.name, self._config.evaluation.maps
        if self._random_reward is None:
            self._random_reward = evaluate(None, name, episodes=episodes, check=self._check).reward
        result = evaluate(self.network, name, episodes=episodes, check=self._check)
        row = {"eval/reward": result.reward, "eval/random_reward": self._random_reward}
        if len(result.returns) > 1:
            row |= {f"eval/{task}/reward": float(np.mean(returns)) for task, returns in result.returns.items()}
        return row

    def record_replay(self, checkpoint: Path) -> Path:
        """Play a saved checkpoint and return the replay file."""
        path = self._run_dir / "replays" / f"step_{self.agent_step}.json.z"
        record_replay(checkpoint, self._curriculum.name, path)
        return path
