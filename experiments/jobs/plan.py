"""From what a recipe recorded to a plan: seeds, commands, the plan's key and the run names.

The same request gives the same plan in every tab and every process, which is what makes launching twice harmless.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from experiments.jobs.commands import Command, command_of
from experiments.jobs.launchers.local.devices import wanted
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.redaction import mask_command
from experiments.project.standing import MAX_REPLICATE, Role, standing
from experiments.types import (
    MAX_RUN_NAME,
    LauncherName,
    Plan,
    PlannedJob,
    Trainer,
    TrainingJob,
    TrainingJobConfig,
    check_name,
)

# What labels a run but does not change what it computes: a new tag must not launch anything again.
_NOT_IN_KEY: Mapping[str, Any] = {
    **dict.fromkeys(("wandb_tags", "skip_git_check"), True),
    # The command line is in the key as it is; what else is known of a trainer is how to read its runs.
    "trainer": set(Trainer.model_fields) - {"env"},
}
# What a run name spells out; a replicate has its number.
_SPELLED_OUT: tuple[Role, ...] = ("reproduction", "fork", "evaluation")


@dataclass(frozen=True)
class RecordedJob:
    """One call of `launch_training_run_from_config`: an arm, its config, and a seed where the recipe gave one.

    What is planned from another run says what it is to that one: see `Standing`.
    """

    arm: str
    config: TrainingJobConfig
    seed: int | None = None
    replicate: int = 0
    role: Role = "seed"
    parent: str | None = None


@dataclass(frozen=True)
class Placement:
    """Who launches, from which ledger, to where, and how the trainer is started there.

    Attributes:
        target: The launcher's own word for the place, such as a host; part of the plan's key.
        train_command: Command line of jobs that name no trainer, with `{python}`, `{run}`, `{curriculum}` and `{seed}`
            to fill in.
        run_folder: Returns a run's folder, by its name, where its trainer sees it; None where nobody knows one.
    """

    user: str
    ledger_id: str
    launcher: LauncherName
    target: str
    train_command: tuple[str, ...]
    wandb_mode: Literal["offline", "online"] = "offline"
    tags: tuple[str, ...] = ()
    run_folder: Callable[[str], str | None] = field(default=lambda _run: None, compare=False)


def make_plan(
    experiment: str,
    recorded: Sequence[RecordedJob],
    placement: Placement,
    *,
    seeds: Sequence[int] | None = None,
    same_seed: int = 1,
    repeat: int = 1,
    max_jobs: int | None = None,
) -> Plan:
    """Return the plan of `recorded` times `seeds`, each of these `same_seed` times.

    Raises:
        UsageError: A name is not allowed, a label or a seed stands twice, or there are more than `max_jobs` jobs.
    """
    check_name("experiment", experiment)
    check_name("user", placement.user)
    jobs = _jobs(recorded, seeds, same_seed)
    if max_jobs is not None and len(jobs) > max_jobs:
        raise UsageError(
            f"the plan has {counted(len(jobs), 'job')}; at most {max_jobs:,} are allowed. Launch fewer, or raise the "
            "limit: --max-jobs N (or max_jobs in [tool.experiments])."
        )
    # What the seeds of an arm share is worked out once: a preview follows every key press.
    commands = {id(job): command_of(placement.train_command, job.config) for job in recorded}
    family = _digest(_content(experiment, placement, jobs, commands))
    key = _digest({"family": family, "repeat": repeat})
    first = f"{placement.user}.{experiment}"
    names = _run_names(first, [(job.name, 1) for job in jobs], placement.ledger_id, key)
    planned = [
        {
            "arm": name.arm,
            "seed": name.seed,
            "replicate": name.replicate,
            "role": name.role,
            "parent": job.parent,
            "config": job.config,
            "command": commands[id(job)].filled(run, name.seed, placement.run_folder),
            "run_name": run,
        }
        for (job, name), run in zip(jobs, names, strict=True)
    ]
    # One validation of the whole costs half of what one of each job would.
    return Plan.model_validate(
        {
            "experiment": experiment,
            "user": placement.user,
            "launcher": placement.launcher,
            "target": placement.target,
            "repeat": repeat,
            "key": key,
            "family": family,
            "jobs": planned,
            "wandb_mode": placement.wandb_mode,
            "tags": placement.tags,
        }
    )


def refuse_secrets(plan: Plan) -> None:
    """Refuse a plan whose command lines hold a secret, before they are recorded or shown.

    Not part of `make_plan`, since a preview follows every key press.

    Raises:
        UsageError: Says which argument, without the secret.
    """
    words = list(plan.jobs[0].command) if plan.jobs else []
    words += dict.fromkeys(argument for job in plan.jobs for argument in job.config.additional_args)
    for word, shown in zip(words, mask_command(words), strict=True):
        if shown != word:
            raise UsageError(
                f"the trainer's argument {shown!r} holds a secret. A command line is recorded, and everybody on its "
                "machine can read it. Leave it out: the trainer inherits your environment, so let it read a variable."
            )


class Name(NamedTuple):
    """What a run name says of its run besides whose it is; the rest of what makes it unique is its hash."""

    arm: str
    seed: int = 0
    replicate: int = 0
    role: Role = "seed"

    @property
    def seed_part(self) -> str:
        """The part of a run name that tells an arm's runs apart: `s3`, `s3r2`, `s3-fork`."""
        if self.role == "seed" and not self.replicate:
            return f"s{self.seed}"
        replicate = f"r{self.replicate}" if self.replicate else ""
        return f"s{self.seed}{replicate}" + (f"-{self.role}" if self.role in _SPELLED_OUT else "")


def run_name(user: str, experiment: str, name: Name, *, ledger_id: str, plan_key: str, attempt: int = 1) -> str:
    """Return the unique name of a run: safe as a file name, a W&B run id and a SkyPilot job name.

    Raises:
        UsageError: It would be longer than 120 characters.
    """
    return _run_names(f"{user}.{experiment}", [(name, attempt)], ledger_id, plan_key)[0]


def read_name(text: str) -> Name | None:
    """Return what is said in a run name that `run_name` made; None for any other name."""
    match = re.fullmatch(
        rf"[^.]+\.[^.]+\.([^.]+)\.s(\d+)(?:r([1-9]\d*))?(?:-({'|'.join(_SPELLED_OUT)}))?\.[a-z2-7]{{8}}", text
    )
    if match is None:
        return None
    replicate = int(match[3] or 0)
    role = next((role for role in _SPELLED_OUT if role == match[4]), "replicate" if replicate else "seed")
    return Name(match[1], int(match[2]), replicate, role)


def config_text(config: TrainingJobConfig) -> str:
    """Return what a job is asked to compute, as JSON: equal for jobs of which nobody expects different numbers."""
    return config.model_dump_json(exclude=_NOT_IN_KEY)


class _Job(NamedTuple):
    """One job to be: what was recorded of it, and what it is called."""

    recorded: RecordedJob
    name: Name


def _jobs(recorded: Sequence[RecordedJob], seeds: Sequence[int] | None, same_seed: int) -> list[_Job]:
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
    if not 1 <= same_seed <= MAX_REPLICATE:
        raise UsageError(f"--same-seed {same_seed} is no number from 1 to {MAX_REPLICATE:,}. Try --same-seed 3.")
    jobs = [
        _Job(job, name)
        for job in recorded
        for seed in ([job.seed] if job.seed is not None else seeds if seeds is not None else [0])
        for name in _names(job, seed, same_seed)
    ]
    named = [job.name[:3] for job in jobs]
    if len(set(named)) < len(named):
        arm, seed, replicate = next(name for name, count in Counter(named).items() if count > 1)
        which = f"seed {seed}" + (f", replicate {replicate}" if replicate else "")
        raise UsageError(f"two jobs have the label {arm!r} and {which}. Give each arm its own label.")
    return jobs


def _names(job: RecordedJob, seed: int, same_seed: int) -> list[Name]:
    """Return what the runs of one seed are called: the seed's own, and its replicates."""
    own = Name(job.arm, seed, job.replicate, job.role)
    if same_seed == 1 or job.role != "seed":
        return [own]
    return [own, *(own._replace(replicate=number, role="replicate") for number in range(1, same_seed))]


def _run_names(first: str, jobs: Sequence[tuple[Name, int]], ledger_id: str, plan_key: str) -> list[str]:
    """Return the run name of each (name, attempt); `first` is what all of them begin with."""
    before = json.dumps([ledger_id, plan_key])[:-1]
    digests = []
    for (arm, seed, replicate, role), attempt in jobs:
        # JSON by hand: an arm's name holds nothing that would be escaped.
        identity = f'{before}, "{arm}", {seed}'
        if role != "seed":
            identity += f', {attempt}, {replicate}, "{role}"'
        elif attempt > 1:
            identity += f", {attempt}"
        digests.append(hashlib.sha256(f"{identity}]".encode()).digest()[:5])
    # Five bytes are eight characters of base32, so all of them are encoded at once.
    suffixes = base64.b32encode(b"".join(digests)).decode().lower()
    names = [
        f"{first}.{name.arm}.{name.seed_part}.{suffixes[8 * at : 8 * at + 8]}" for at, (name, _) in enumerate(jobs)
    ]
    longest = max(names, key=len)
    if len(longest) > MAX_RUN_NAME:
        _, experiment, arm, *_ = longest.split(".")
        raise UsageError(
            f"run name {longest!r} has {len(longest)} characters; at most {MAX_RUN_NAME} are allowed. Shorten the "
            f"experiment's name ({experiment!r}) or the arm's ({arm!r})."
        )
    return names


def _content(
    experiment: str,
    placement: Placement,
    jobs: Sequence[_Job],
    commands: Mapping[int, Command],
) -> dict[str, Any]:
    """Return what makes a plan what it is: each arm with its config, its command line and its runs.

    A run is its seed alone where it is one; so plans without replicates have the keys that they always had.
    """
    arms: dict[tuple[str, str, tuple[str, ...]], list[Any]] = {}
    configs: dict[int, str] = {}
    for job, (arm, seed, replicate, role) in jobs:
        config = configs.get(id(job)) or config_text(job.config)
        configs[id(job)] = config
        run = seed if role == "seed" else [seed, replicate, role, job.parent]
        arms.setdefault((arm, config, commands[id(job)].words), []).append(run)
    return {
        "experiment": experiment,
        "launcher": placement.launcher,
        "target": placement.target,
        "arms": [[*arm, runs] for arm, runs in arms.items()],
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
    is_used = plan.launcher != "local" or not config.gpus or wanted(job, 1.0)
    return words if is_used else f"{words} (its trainer uses none)"


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
            **standing(job),
        )
        for job in plan.jobs
    ]
