"""PPO in one file, in numpy, with CleanRL's conventions: typed flags, `charts/episodic_return` over `global_step`.

Schulman et al. 2017, https://arxiv.org/abs/1707.06347; the details are those of Huang et al. 2022, "The 37
Implementation Details of Proximal Policy Optimization". Policy and value are two small networks with one hidden layer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import tyro
import wandb

Array = npt.NDArray[np.float64]


@dataclass
class Args:
    """Flags."""

    exp_name: str = "ppo"
    seed: int = 1
    track: bool = False
    wandb_project_name: str = "cleanRL"
    env_id: str = "CartPole-v1"
    total_timesteps: int = 25_000
    learning_rate: float = 2.5e-3
    num_envs: int = 4
    num_steps: int = 128
    anneal_lr: bool = True
    gamma: float = 0.99
    gae_lambda: float = 0.95
    num_minibatches: int = 4
    update_epochs: int = 4
    clip_coef: float = 0.2
    ent_coef: float = 0.01


class Net:
    """One hidden layer of tanh, trained by Adam."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int, scale: float) -> None:
        hidden = 64
        self.params = {
            "w": rng.normal(0.0, 1.0 / np.sqrt(inputs), (inputs, hidden)),
            "b": np.zeros(hidden),
            "v": rng.normal(0.0, scale / np.sqrt(hidden), (hidden, outputs)),
            "c": np.zeros(outputs),
        }
        self.first = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.second = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.updates = 0

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return the hidden layer and the outputs."""
        hidden = np.tanh(x @ self.params["w"] + self.params["b"])
        return hidden, hidden @ self.params["v"] + self.params["c"]

    def learn(self, x: Array, hidden: Array, slope: Array, rate: float) -> None:
        """Step against the slope of a loss by the outputs."""
        inner = (slope @ self.params["v"].T) * (1 - hidden**2)
        slopes = {"w": x.T @ inner, "b": inner.sum(0), "v": hidden.T @ slope, "c": slope.sum(0)}
        norm = np.sqrt(sum(float(np.sum(each**2)) for each in slopes.values()))
        self.updates += 1
        for name, whole in slopes.items():
            each = whole * min(1.0, 0.5 / (norm + 1e-8))
            self.first[name] = 0.9 * self.first[name] + 0.1 * each
            self.second[name] = 0.999 * self.second[name] + 0.001 * each**2
            first = self.first[name] / (1 - 0.9**self.updates)
            second = self.second[name] / (1 - 0.999**self.updates)
            self.params[name] -= rate * first / (np.sqrt(second) + 1e-5)


def probabilities(logits: Array) -> Array:
    """Return the softmax."""
    exps = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exps / exps.sum(1, keepdims=True))


def update(args: Args, rng: np.random.Generator, actor: Net, critic: Net, batch: dict[str, Any], rate: float) -> float:
    """Learn from one batch; return the last policy loss."""
    size, loss = len(batch["obs"]), 0.0
    for _ in range(args.update_epochs):
        for part in np.array_split(rng.permutation(size), args.num_minibatches):
            obs, actions, gain = batch["obs"][part], batch["actions"][part], batch["advantages"][part]
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            hidden, logits = actor(obs)
            chances = probabilities(logits)
            taken = np.arange(len(part))
            ratio = chances[taken, actions] / batch["chances"][part]
            is_clipped = ((gain > 0) & (ratio > 1 + args.clip_coef)) | ((gain < 0) & (ratio < 1 - args.clip_coef))
            one_hot = np.zeros_like(chances)
            one_hot[taken, actions] = 1.0
            weight = np.where(is_clipped, 0.0, ratio * gain)[:, None]
            logs = np.log(chances + 1e-12)
            entropy = -(chances * logs).sum(1, keepdims=True)
            slope = -weight * (one_hot - chances) + args.ent_coef * chances * (logs + entropy)
            loss = float(-np.mean(np.minimum(ratio, np.clip(ratio, 1 - args.clip_coef, 1 + args.clip_coef)) * gain))
            actor.learn(obs, hidden, slope / len(part), rate)
            value_hidden, values = critic(obs)
            critic.learn(obs, value_hidden, (values - batch["returns"][part][:, None]) / len(part), rate)
    return loss


def advantages_of(args: Args, rewards: Array, values: Array, ends: Array, ahead: Array) -> Array:
    """Return the generalised advantage of every step; `ahead` is the value of what follows the last one."""
    advantages, last = np.zeros_like(values), np.zeros(args.num_envs)
    for t in reversed(range(args.num_steps)):
        delta = rewards[t] + args.gamma * ahead * (1 - ends[t]) - values[t]
        last = delta + args.gamma * args.gae_lambda * (1 - ends[t]) * last
        advantages[t], ahead = last, values[t]
    return advantages


def main() -> None:
    """Train, and log every episode that ends."""
    args = tyro.cli(Args)
    run_name = f"{args.env_id}__{args.exp_name}__{args.seed}__{int(time.time())}"
    if args.track:
        wandb.init(project=args.wandb_project_name, name=run_name, config=vars(args), save_code=True)
    rng = np.random.default_rng(args.seed)
    envs = [gym.make(args.env_id) for _ in range(args.num_envs)]
    obs = np.array([env.reset(seed=args.seed + at)[0] for at, env in enumerate(envs)], np.float64)
    actor = Net(rng, obs.shape[1], int(envs[0].action_space.n), 0.01)  # type: ignore[attr-defined]
    critic = Net(rng, obs.shape[1], 1, 1.0)
    returns, began, global_step = np.zeros(args.num_envs), time.time(), 0
    updates = args.total_timesteps // (args.num_envs * args.num_steps)
    for number in range(updates):
        rate = args.learning_rate * (1 - number / updates if args.anneal_lr else 1.0)
        rows: list[tuple[Any, ...]] = []
        for _ in range(args.num_steps):
            chances = probabilities(actor(obs)[1])
            actions = (chances.cumsum(1) > rng.random((args.num_envs, 1))).argmax(1)
            values = critic(obs)[1][:, 0]
            after, rewards, done = obs.copy(), np.zeros(args.num_envs), np.zeros(args.num_envs)
            for at, env in enumerate(envs):
                seen, reward, ended, cut, _ = env.step(actions[at])
                rewards[at], done[at] = float(reward), float(ended or cut)
                returns[at] += float(reward)
                global_step += 1
                if ended or cut:
                    if args.track:
                        wandb.log({"charts/episodic_return": returns[at], "global_step": global_step})
                    returns[at], seen = 0.0, env.reset()[0]
                after[at] = seen
            rows.append((obs, actions, chances[np.arange(args.num_envs), actions], values, rewards, done))
            obs = after
        seen_all, acted, chance, value, reward_all, ends = (np.array(part) for part in zip(*rows, strict=True))
        advantages = advantages_of(args, reward_all, value, ends, critic(obs)[1][:, 0])
        batch = {"obs": seen_all, "actions": acted, "chances": chance, "advantages": advantages}
        flat = {name: part.reshape(-1, *part.shape[2:]) for name, part in batch.items()}
        flat["returns"] = (advantages + value).reshape(-1)
        loss = update(args, rng, actor, critic, flat, rate)
        if args.track:
            speed = int(global_step / (time.time() - began))
            wandb.log({"losses/policy_loss": loss, "charts/SPS": speed, "global_step": global_step})
    if args.track:
        wandb.finish()


if __name__ == "__main__":
    main()
