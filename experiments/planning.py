"""From what a recipe recorded to a plan: seeds, commands, the plan's key and the run names.

The same request gives the same plan in every tab and every process, which is what makes launching twice harmless.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from experiments.errors import UsageError
from experiments.types import MAX_RUN_NAME, LauncherName, Plan, PlannedJob, TrainingJob, TrainingJobConfig, check_name

# What labels a run but does not change what it computes (DESIGN 5): a new tag must not launch anything again.
_NOT_IN_KEY = {"wandb_tags", "skip_git_check"}
_SEED_KEYS = ("seed", "trainer.seed")


@dataclass(frozen=True)
class RecordedJob:
    """One call of `launch_training_run_from_config`: an arm, its config, and a seed where the recipe gave one."""

    arm: str
    config: TrainingJobConfig
    seed: int | None = None


@dataclass(frozen=True)
class Placement:
    """Who launches, from which ledger, to where, and how the trainer is started there.

    Attributes:
        target: The launcher's own word for the place, such as a host; part of the plan's key.
        train_command: Command line with `{python}`, `{run}`, `{curriculum}` and `{seed}` to fill in.
    """

    user: str
    ledger_id: str
    launcher: LauncherName
    target: str
    train_command: tuple[str, ...]
    wandb_mode: Literal["offline", "online"] = "offline"
    tags: tuple[str, ...] = ()


def make_plan(
    experiment: str,
    recorded: Sequence[RecordedJob],
    placement: Placement,
    *,
    seeds: Sequence[int] | None = None,
    repeat: int = 1,
    max_jobs: int | None = None,
) -> Plan:
    """Return the plan of `recorded` times `seeds`.

    Raises:
        UsageError: A name is not allowed, a label or a seed stands twice, or there are more than `max_jobs` jobs.
    """
    check_name("experiment", experiment)
    check_name("user", placement.user)
    jobs = _with_seeds(recorded, seeds)
    if max_jobs is not None and len(jobs) > max_jobs:
        raise UsageError(
            f"the plan has {len(jobs):,} jobs; at most {max_jobs:,} are allowed. Launch fewer, or raise the limit: "
            "--max-jobs N (or max_jobs in [tool.experiments])."
        )
    commands = [_command(placement.train_command, job.config, seed) for job, seed in jobs]
    family = _digest(_content(experiment, placement, jobs, commands))
    key = _digest({"family": family, "repeat": repeat})
    planned = []
    for job, seed in jobs:
        name = run_name(placement.user, experiment, job.arm, seed, ledger_id=placement.ledger_id, plan_key=key)
        command = _command(placement.train_command, job.config, seed, run=name)
        planned.append(PlannedJob(arm=job.arm, seed=seed, config=job.config, command=command, run_name=name))
    return Plan(
        experiment=experiment,
        user=placement.user,
        launcher=placement.launcher,
        target=placement.target,
        repeat=repeat,
        key=key,
        family=family,
        jobs=tuple(planned),
        wandb_mode=placement.wandb_mode,
        tags=placement.tags,
    )


def run_name(
    user: str, experiment: str, arm: str, seed: int, *, ledger_id: str, plan_key: str, attempt: int = 1
) -> str:
    """Return the unique name of a run: safe as a file name, a W&B run id and a SkyPilot job name.

    Raises:
        UsageError: It would be longer than 120 characters.
    """
    identity = [ledger_id, plan_key, arm, seed] + ([attempt] if attempt > 1 else [])
    digest = hashlib.sha256(json.dumps(identity).encode()).digest()
    suffix = base64.b32encode(digest)[:8].decode().lower()
    name = f"{user}.{experiment}.{arm}.s{seed}.{suffix}"
    if len(name) > MAX_RUN_NAME:
        raise UsageError(
            f"run name {name!r} has {len(name)} characters; at most {MAX_RUN_NAME} are allowed. Shorten the "
            f"experiment's name ({experiment!r}) or the arm's ({arm!r})."
        )
    return name


def arm_and_seed(name: str) -> tuple[str, int] | None:
    """Return the arm and seed in a run name that `run_name` made; None for any other name."""
    match = re.fullmatch(r"[^.]+\.[^.]+\.([^.]+)\.s(\d+)\.[a-z2-7]{8}", name)
    return (match[1], int(match[2])) if match else None


def with_interpreter(command: Sequence[str], python: str) -> tuple[str, ...]:
    """Return a planned command with `python` in the place of `{python}`: each launcher has its own interpreter."""
    return tuple(python if part == "{python}" else part for part in command)


def _with_seeds(recorded: Sequence[RecordedJob], seeds: Sequence[int] | None) -> list[tuple[RecordedJob, int]]:
    if not recorded:
        raise UsageError("the recipe recorded no job. Call launch_training_run_from_config(label, config) in it.")
    for job in recorded:
        check_name("label", job.arm)
    fixed = [job for job in recorded if job.seed is not None]
    if seeds is not None and fixed:
        raise UsageError(
            f"--seeds was given, but the recipe sets seed {fixed[0].seed} for {fixed[0].arm!r} itself. "
            "Give one of the two."
        )
    jobs = [
        (job, seed)
        for job in recorded
        for seed in ([job.seed] if job.seed is not None else seeds if seeds is not None else [0])
    ]
    twice = [pair for pair, count in Counter((job.arm, seed) for job, seed in jobs).items() if count > 1]
    if twice:
        arm, seed = twice[0]
        raise UsageError(f"two jobs have the label {arm!r} and seed {seed}. Give each arm its own label.")
    return jobs


def _command(template: Sequence[str], config: TrainingJobConfig, seed: int, *, run: str = "{run}") -> tuple[str, ...]:
    for key in _SEED_KEYS:
        if (value := config.get_arg_value(key)) is not None:
            raise UsageError(
                f"additional argument '{key}={value}' sets the seed, which is part of the run's name. "
                "Use --seeds instead."
            )
    values = {"curriculum": config.curriculum, "seed": str(seed), "run": run}
    return (*(_fill(part, values) for part in template), *config.additional_args)


def _fill(part: str, values: Mapping[str, str]) -> str:
    if "{" not in part:
        return part
    # One pass over known words only: a value that holds braces is never filled in again.
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), part)


def _content(
    experiment: str,
    placement: Placement,
    jobs: Sequence[tuple[RecordedJob, int]],
    commands: Sequence[tuple[str, ...]],
) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "launcher": placement.launcher,
        "target": placement.target,
        "jobs": [
            {
                "arm": job.arm,
                "seed": seed,
                "config": job.config.model_dump(mode="json", exclude=_NOT_IN_KEY),
                "command": list(command),
            }
            for (job, seed), command in zip(jobs, commands, strict=True)
        ],
    }


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def resources(plan: Plan, job: PlannedJob) -> str:
    """Return what a job asks for, in words."""
    config = job.config
    words = f"{config.gpus} GPU" if config.gpus == 1 else f"{config.gpus} GPUs"
    words += f" on {config.nodes} nodes" if config.nodes > 1 else ""
    words += ", spot" if config.spot else ""
    return f"{words} (not used by local)" if plan.launcher == "local" else words


def estimate(plan: Plan) -> str:
    """Return what a launch costs and how long it takes as far as that is known, never a guess."""
    return "no cost, time unknown" if plan.launcher in {"local", "dry-run"} else "unknown"


def training_jobs(plan: Plan, *, tracker: str = "offline") -> list[TrainingJob]:
    """Return the jobs of `plan` as they are before anybody launched them."""
    return [
        TrainingJob(
            run_name=job.run_name,
            experiment=plan.experiment,
            arm=job.arm,
            seed=job.seed,
            config=job.config,
            launcher=plan.launcher,
            target=plan.target,
            plan_key=plan.key,
            repeat=plan.repeat,
            tracker=tracker,
            command=job.command,
        )
        for job in plan.jobs
    ]
