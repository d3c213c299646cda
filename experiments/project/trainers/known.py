"""Trainers that are known by a name: those of this package, and a project's `[tool.experiments.trainers]`."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence

from experiments.project.errors import UsageError
from experiments.project.trainers.value import Checkpoints, Metrics, Trainer

MODULE = "experiments.trainer"
"""The reference trainer, as a command line names it."""

EVALUATION_MODULE = "experiments.trainer.evaluate_checkpoint"
"""What plays its checkpoints."""

REFERENCE_COMMAND = ("{python}", "-P", "-m", MODULE, "run={run}", "trainer.curriculum={curriculum}", "seed={seed}")


@functools.cache
def reference() -> Trainer:
    """Return the trainer of this package; made when it is asked for, as no command's start needs it."""
    return Trainer(
        name="reference",
        command=REFERENCE_COMMAND,
        seed="seed",
        steps="trainer.total_timesteps",
        resume="trainer.resume_from",
        resume_step="trainer.resume_step",
        checkpoints=Checkpoints(pattern="step_{step}.npz"),
        evaluate=("{python}", "-P", "-m", EVALUATION_MODULE, "checkpoint={checkpoint}", "maps={maps}", "out={out}"),
        uses_gpus=False,
        metrics=Metrics(
            step="metric/agent_step",
            primary="overview/reward",
            direction="higher",
            unit="return per agent",
            speed=("overview/sps",),
            total="trainer.total_timesteps",
            evaluation=("eval/reward",),
        ),
    )


@functools.cache
def metta() -> Trainer:
    """Return Metta's own trainer."""
    return Trainer(
        name="metta",
        command=("uv", "run", "./tools/run.py", "{curriculum}", "run={run}", "system.seed={seed}", "{args}"),
        seed="system.seed",
        steps="trainer.total_timesteps",
        resume="initial_policy_uri",
        resume_value="{checkpoint}",
        checkpoints=Checkpoints(folder="{run_dir}/{run}/checkpoints", pattern="*"),
        metrics=Metrics(
            step="metric/agent_step",
            primary="overview/reward",
            direction="higher",
            unit="return per agent",
            speed=("overview/sps", "overview/steps_per_second"),
            total="trainer.total_timesteps",
            replays=("replays/all", "replays/link"),
        ),
        note="Metta's trainer logs nothing where it cannot reach W&B's public host, in offline mode neither",
        # Without the first its tracker is off, whatever W&B's own variables say; the folders survive a lost machine.
        env={"WANDB_ENABLED": "true", "DATA_DIR": "{run_dir}", "REPLAY_DIR": "{run_dir}/replays"},
    )


def known_trainers() -> dict[str, Trainer]:
    """Return those of this package by name, where a project has none of that name."""
    return {trainer.name: trainer for trainer in (reference(), metta())}


def trainer_named(name: str, own: Mapping[str, Trainer]) -> Trainer:
    """Return the trainer of a name.

    Args:
        own: Those of the project.

    Raises:
        UsageError: There is none; names those that there are.
    """
    found = {**known_trainers(), **own}
    if name in found:
        return found[name]
    near = difflib.get_close_matches(name, found, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(
        f"trainer {name!r} is not known. {hint}There are: {', '.join(sorted(found))}. Add one: "
        f"[tool.experiments.trainers.{name}] in pyproject.toml, with command = [...]"
    )


def trainer_of(trainer: Trainer | str | None, command: Sequence[str] = ()) -> Trainer | None:
    """Return what is known of a job's trainer: its own record, the reference trainer by its command line, else None."""
    if isinstance(trainer, Trainer):
        return trainer
    return reference() if MODULE in command else None
