"""Proximal policy optimisation: advantages, losses and their gradients, in the notation of the papers.

Source: Schulman et al. 2017 (PPO), Schulman et al. 2016 (GAE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.config import PPOConfig, TrainerConfig
from experiments.trainer.features import FloatArray, Inputs, stacked
from experiments.trainer.network import ActorCritic, Adam, Parameters, log_softmax
from experiments.trainer.rollout import Rollout


@dataclass(frozen=True)
class Losses:
    """What one minibatch, or the mean of several, says about the update.

    Attributes:
        policy_loss: Clipped surrogate loss.
        value_loss: Half the mean squared error of the values.
        entropy: Mean entropy of the policy, in nats.
        approx_kl: Estimate of the divergence between the old and the present policy.
        clip_fraction: Part of the steps whose ratio is outside the clipping range.
        explained_variance: Part of the variance of the returns that the values predicted before the update.
    """

    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float
    clip_fraction: float
    explained_variance: float = 0.0


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
    inputs: Inputs | FloatArray,
    actions: NDArray[np.int64],
    old_log_probs: FloatArray,
    advantage: FloatArray,
    returns: FloatArray,
    config: PPOConfig,
) -> tuple[Parameters, Losses]:
    """Return the gradient of the PPO loss on one minibatch, and its parts; all arrays are (rows, ...).

    The loss is `policy_loss + vf_coef * value_loss - ent_coef * entropy`.
    """
    rows = len(actions)
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
    network: ActorCritic, adam: Adam, rollout: Rollout, config: TrainerConfig, rng: np.random.Generator
) -> Losses:
    """Improve `network` on `rollout` and return the mean losses over its minibatches."""
    ppo = config.ppo
    advantage = advantages(rollout, gamma=ppo.gamma, gae_lambda=ppo.gae_lambda)
    returns = (advantage + rollout.values[:-1]).ravel()
    explained = explained_variance(rollout.values[:-1].ravel(), returns)
    normalised = ((advantage - advantage.mean()) / (advantage.std() + 1e-6)).ravel()
    inputs = stacked(rollout.inputs)
    actions, old_log_probs = rollout.actions.ravel(), rollout.log_probs.ravel()
    seen: list[Losses] = []
    for _ in range(config.update_epochs):
        for part in np.array_split(rng.permutation(len(returns)), config.minibatches):
            step, losses = gradients(
                network, inputs[part], actions[part], old_log_probs[part], normalised[part], returns[part], ppo
            )
            adam.update(network.parameters, step, config.optimizer.learning_rate)
            seen.append(losses)
    return replace(mean_losses(seen), explained_variance=explained)


def mean_losses(losses: Sequence[Losses]) -> Losses:
    """Return the mean of each field."""
    return Losses(*(float(mean) for mean in np.mean([list(vars(one).values()) for one in losses], axis=0)))


def explained_variance(values: FloatArray, returns: FloatArray) -> float:
    """Return the part of the variance of `returns` that `values` predict; 0 where the returns do not vary."""
    variance = float(returns.var())
    return 1 - float((returns - values).var()) / variance if variance > 0 else 0.0
