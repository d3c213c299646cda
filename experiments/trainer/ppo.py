"""Proximal policy optimisation: advantages, losses and their gradients, in the notation of the papers.

Source: Schulman et al. 2017 (PPO), Schulman et al. 2016 (GAE).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.config import PPOConfig
from experiments.trainer.features import FloatArray
from experiments.trainer.network import ActorCritic, Adam, Parameters, log_softmax


@dataclass(frozen=True)
class Losses:
    """What one minibatch, or the mean of several, says about the update.

    Attributes:
        policy_loss: Clipped surrogate loss.
        value_loss: Half the mean squared error of the values.
        entropy: Mean entropy of the policy, in nats.
        approx_kl: Estimate of the divergence between the old and the present policy.
        clip_fraction: Part of the steps whose ratio is outside the clipping range.
    """

    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float
    clip_fraction: float


@dataclass
class Rollout:
    """What a batch of agents saw, did and got; arrays are (steps, rows, ...).

    Attributes:
        inputs: Encoded observations, (steps, rows, inputs).
        actions: Actions taken.
        log_probs: Their log-probabilities at that time.
        values: Predicted values, (steps + 1, rows): the last row is for what follows the rollout.
        rewards: Rewards; at the end of an episode with the discounted value of what would have followed.
        dones: 1 where an episode ended with this step.
    """

    inputs: FloatArray
    actions: NDArray[np.int64]
    log_probs: FloatArray
    values: FloatArray
    rewards: FloatArray
    dones: FloatArray

    @classmethod
    def empty(cls, steps: int, rows: int, inputs: int) -> Rollout:
        """Return a rollout to be filled."""
        grid = (steps, rows)
        return cls(
            inputs=np.zeros((*grid, inputs), np.float32),
            actions=np.zeros(grid, np.int64),
            log_probs=np.zeros(grid, np.float32),
            values=np.zeros((steps + 1, rows), np.float32),
            rewards=np.zeros(grid, np.float32),
            dones=np.zeros(grid, np.float32),
        )


def advantages(rollout: Rollout, *, gamma: float, gae_lambda: float) -> FloatArray:
    """Return the generalised advantage estimates, (steps, rows)."""
    estimates = np.zeros_like(rollout.rewards)
    following = np.zeros(rollout.rewards.shape[1], np.float32)
    for step in range(len(estimates) - 1, -1, -1):
        goes_on = 1 - rollout.dones[step]
        delta = rollout.rewards[step] + gamma * rollout.values[step + 1] * goes_on - rollout.values[step]
        following = delta + gamma * gae_lambda * goes_on * following
        estimates[step] = following
    return estimates


def gradients(
    network: ActorCritic,
    inputs: FloatArray,
    actions: NDArray[np.int64],
    old_log_probs: FloatArray,
    advantage: FloatArray,
    returns: FloatArray,
    config: PPOConfig,
) -> tuple[Parameters, Losses]:
    """Return the gradient of the PPO loss on one minibatch, and its parts; all arrays are (rows, ...).

    The loss is `policy_loss + vf_coef * value_loss - ent_coef * entropy`.
    """
    rows = len(inputs)
    every = np.arange(rows)
    hidden, logits, values = network.forward(inputs)
    log_probs = log_softmax(logits)
    probs = np.exp(log_probs)
    log_ratio = log_probs[every, actions] - old_log_probs
    ratio = np.exp(log_ratio)
    clipped = np.clip(ratio, 1 - config.clip_coef, 1 + config.clip_coef)
    surrogate = np.minimum(ratio * advantage, clipped * advantage)
    entropy = -(probs * log_probs).sum(axis=1)
    error = values - returns

    # d(ratio)/d(logits) = ratio * (one_hot(action) - probs), and nothing where the clipped branch is the smaller one.
    weight = np.where(ratio * advantage <= clipped * advantage, ratio * advantage, 0)[:, None]
    logits_gradient = weight * probs
    logits_gradient[every, actions] -= weight[:, 0]
    logits_gradient += config.ent_coef * probs * (log_probs + entropy[:, None])
    logits_gradient /= rows
    values_gradient = config.vf_coef / rows * error

    losses = Losses(
        policy_loss=-float(surrogate.mean()),
        value_loss=float(0.5 * (error * error).mean()),
        entropy=float(entropy.mean()),
        approx_kl=float((ratio - 1 - log_ratio).mean()),
        clip_fraction=float((np.abs(ratio - 1) > config.clip_coef).mean()),
    )
    return network.backward(inputs, hidden, logits_gradient, values_gradient), losses


def update(
    network: ActorCritic,
    adam: Adam,
    rollout: Rollout,
    config: PPOConfig,
    *,
    learning_rate: float,
    epochs: int,
    minibatches: int,
    rng: np.random.Generator,
) -> tuple[Losses, float]:
    """Improve `network` on `rollout` and return the mean losses and the explained variance of the old values."""
    advantage = advantages(rollout, gamma=config.gamma, gae_lambda=config.gae_lambda)
    returns = (advantage + rollout.values[:-1]).ravel()
    explained = explained_variance(rollout.values[:-1].ravel(), returns)
    normalised = ((advantage - advantage.mean()) / (advantage.std() + 1e-6)).ravel()
    inputs = rollout.inputs.reshape(len(returns), -1)
    actions, old_log_probs = rollout.actions.ravel(), rollout.log_probs.ravel()
    seen: list[Losses] = []
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(returns)), minibatches):
            step, losses = gradients(
                network, inputs[part], actions[part], old_log_probs[part], normalised[part], returns[part], config
            )
            adam.update(network.parameters, step, learning_rate)
            seen.append(losses)
    return mean_losses(seen), explained


def mean_losses(losses: list[Losses]) -> Losses:
    """Return the mean of each field."""
    means = np.mean([list(vars(one).values()) for one in losses], axis=0)
    return Losses(*(float(mean) for mean in means))


def explained_variance(values: FloatArray, returns: FloatArray) -> float:
    """Return the part of the variance of `returns` that `values` predict; 0 where the returns do not vary."""
    variance = float(returns.var())
    return 1 - float((returns - values).var()) / variance if variance > 0 else 0.0
