"""Which of the metrics that a run has logged are its steps, its reward and its speed: named by its trainer, or found.

A role that the trainer names is that key and no other, also while the run has not logged it. One that is not named is
looked for among the names that trainers have; whoever shows it says that it was found, and no claim rests on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.project.files import number_or_none
from experiments.project.trainers.value import Metrics
from experiments.runs.axes import COUNTERS, ROW_STEP
from experiments.runs.evaluations import is_of_evaluations
from experiments.runs.store import AGENT_STEP, REWARD_KEY, SPS_KEYS
from experiments.types import JobRef

REWARDS = (
    REWARD_KEY,
    "charts/episodic_return",
    "rollout/ep_rew_mean",
    "env_runners/episode_return_mean",
    "episode_reward_mean",
    "episodic_return",
    "episode_return",
    "train/episode_reward",
    "train/return",
    "train/reward",
    "reward",
    "return",
    "score",
)
"""Names that trainers have for what they are about, the first of which a run has logged is taken."""

TOTALS = (
    "trainer.total_timesteps",
    "total_timesteps",
    "total_steps",
    "total_env_steps",
    "num_timesteps",
    "max_steps",
    "num_steps_total",
)
"""Names that trainers have in their config for the steps of a whole run."""

NO_ROLES = Metrics()


@dataclass(frozen=True)
class Roles:
    """Keys of one run; None for a role that nothing plays.

    Attributes:
        found: Which of these were found, not named.
    """

    step: str | None
    reward: str | None
    speed: str | None
    found: frozenset[str] = frozenset()

    @property
    def is_usual(self) -> bool:
        """Whether they are what the reference trainer logs, of which nothing has to be said."""
        usual = {AGENT_STEP, REWARD_KEY, SPS_KEYS[0], None}
        return {self.step, self.reward, self.speed} <= usual

    def keys(self) -> dict[str, str]:
        """Return the key of each role that something plays."""
        known = {"step": self.step, "reward": self.reward, "speed": self.speed}
        return {role: key for role, key in known.items() if key is not None}

    @property
    def sentence(self) -> str:
        """Which key is which, and why: `steps global_step (found), reward return (named by the trainer)`."""
        return roles_sentence(self.keys(), self.found)


def roles_sentence(keys: Mapping[str, str], found: Collection[str]) -> str:
    """Return which key plays which role, and why."""
    words = {"step": "steps"}
    why = {role: "found among what was logged" if role in found else "named by the trainer" for role in keys}
    return ", ".join(f"{words.get(role, role)} {key} ({why[role]})" for role, key in keys.items())


def metrics_of(job: JobRef) -> Metrics:
    """Return what the trainer of a job names; nothing where nobody kept it."""
    return job.metrics or NO_ROLES


def roles_of(summary: Mapping[str, Any], metrics: Metrics = NO_ROLES) -> Roles:
    """Return which key of a run plays which role.

    Args:
        summary: Latest value of each key that it has logged.
        metrics: What its trainer names.
    """
    named = {"step": metrics.step, "reward": metrics.primary, "speed": _first(metrics.speed, summary)}
    looked_for = {
        "step": _first(COUNTERS, summary) or (ROW_STEP if ROW_STEP in summary else None),
        "reward": _first(REWARDS, summary) or _likely(summary),
        "speed": _first(SPS_KEYS, summary),
    }
    chosen = {role: key or looked_for[role] for role, key in named.items()}
    found = frozenset(role for role, key in chosen.items() if key is not None and named[role] is None)
    return Roles(chosen["step"], chosen["reward"], chosen["speed"], found)


def speed_keys(jobs: Iterable[JobRef]) -> tuple[str, ...]:
    """Return the names that jobs may have for their speed, those that their trainers say first."""
    named = (key for job in jobs for key in metrics_of(job).speed)
    return tuple(dict.fromkeys([*named, *SPS_KEYS]))


def likely_rewards(logged: Iterable[str]) -> list[str]:
    """Return the keys that look like a reward by their names.

    What a random policy gets is logged beside it for comparison, and says nothing of what was learnt. Evaluations are
    asked for by whoever likes, and no run logs them.
    """
    returns = [name for name in logged if "reward" in name.lower() or "return" in name.lower()]
    return [name for name in returns if "random" not in name.lower() and not is_of_evaluations(name)]


def steps_in_all(config: Mapping[str, Any], metrics: Metrics = NO_ROLES) -> float | None:
    """Return the steps that a run was asked for, by its trainer's record or its own config; None where neither says."""
    if isinstance(metrics.total, int):
        return float(metrics.total)
    keys = (metrics.total,) if metrics.total is not None else TOTALS
    return next((value for key in keys if (value := number_or_none(setting(config, key))) is not None), None)


def setting(config: Mapping[str, Any], dotted: str) -> object:
    """Return a config's value by its dotted name, nested or flat; None where it is missing.

    Some trainers put their whole config under one name, that of the tool: it is looked for there as well.
    """
    found = _nested(config, dotted)
    if found is not None:
        return found
    inside = [_unwrapped(value) for value in config.values() if isinstance(value, dict)]
    values = [_nested(value, dotted) for value in inside if isinstance(value, dict)]
    known = [value for value in values if value is not None]
    return known[0] if len(known) == 1 else None


def _nested(values: Mapping[str, Any], dotted: str) -> object:
    if dotted in values:
        return _unwrapped(values[dotted])
    head, _, rest = dotted.partition(".")
    inner = _unwrapped(values.get(head))
    return _nested(inner, rest) if rest and isinstance(inner, dict) else None


def _unwrapped(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a top-level value as it was given: the server wraps each."""
    # A config is JSON, so a plain dictionary: to ask for any mapping took half of what a poll of ended jobs did.
    return value["value"] if isinstance(value, dict) and len(value) == 1 and "value" in value else value


def _first(keys: Iterable[str], summary: Mapping[str, Any]) -> str | None:
    return next((key for key in keys if key in summary), None)


def _likely(summary: Mapping[str, Any]) -> str | None:
    return next((key for key in likely_rewards(summary) if number_or_none(summary[key]) is not None), None)
