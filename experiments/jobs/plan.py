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

from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.redaction import mask_command
from experiments.types import MAX_RUN_NAME, LauncherName, Plan, PlannedJob, TrainingJob, TrainingJobConfig, check_name

# What labels a run but does not change what it computes: a new tag must not launch anything again.
_NOT_IN_KEY = {"wandb_tags", "skip_git_check"}
TRAINER = "experiments.trainer"
"""The reference trainer, as a command line names it."""

RESUME_KEY = "trainer.resume_from"
"""The reference trainer's argument that names the run to go on from."""

_SEED_KEYS = ("seed", "trainer.seed")
# No command line can hold a NUL, so no value looks like these.
_RUN, _SEED = "\0run\0", "\0seed\0"


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
            f"the plan has {counted(len(jobs), 'job')}; at most {max_jobs:,} are allowed. Launch fewer, or raise the "
            "limit: --max-jobs N (or max_jobs in [tool.experiments])."
        )
    # What the seeds of an arm share is worked out once: a preview follows every key press.
    commands = {id(job): _command(placement.train_command, job.config) for job in recorded}
    family = _digest(_content(experiment, placement, jobs, commands))
    key = _digest({"family": family, "repeat": repeat})
    first = f"{placement.user}.{experiment}"
    names = _run_names(first, [(job.arm, seed, 1) for job, seed in jobs], placement.ledger_id, key)
    planned = [
        {
            "arm": job.arm,
            "seed": seed,
            "config": job.config,
            "command": commands[id(job)].filled(name, seed),
            "run_name": name,
        }
        for (job, seed), name in zip(jobs, names, strict=True)
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


def run_name(
    user: str, experiment: str, arm: str, seed: int, *, ledger_id: str, plan_key: str, attempt: int = 1
) -> str:
    """Return the unique name of a run: safe as a file name, a W&B run id and a SkyPilot job name.

    Raises:
        UsageError: It would be longer than 120 characters.
    """
    return _run_names(f"{user}.{experiment}", [(arm, seed, attempt)], ledger_id, plan_key)[0]


def arm_and_seed(name: str) -> tuple[str, int] | None:
    """Return the arm and seed in a run name that `run_name` made; None for any other name."""
    match = re.fullmatch(r"[^.]+\.[^.]+\.([^.]+)\.s(\d+)\.[a-z2-7]{8}", name)
    return (match[1], int(match[2])) if match else None


def with_interpreter(command: Sequence[str], python: str) -> tuple[str, ...]:
    """Return a planned command with `python` in the place of `{python}`: each launcher has its own interpreter."""
    return tuple(python if part == "{python}" else part for part in command)


def with_arguments(arguments: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
    """Return `arguments` with each key that `by` also sets taken from `by`: the trainer refuses a key given twice."""
    last = {argument.partition("=")[0]: argument for argument in by}
    return (*(argument for argument in arguments if argument.partition("=")[0] not in last), *last.values())


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


@dataclass(frozen=True)
class _Command:
    """A command line as far as the seeds of an arm share it.

    Attributes:
        words: Its words, with `_RUN` and `_SEED` where jobs differ.
        open_words: Which of them hold one of the two.
    """

    words: tuple[str, ...]
    open_words: tuple[int, ...]

    def filled(self, run: str, seed: int) -> tuple[str, ...]:
        """Return the command line of one job."""
        words = list(self.words)
        for at in self.open_words:
            words[at] = words[at].replace(_RUN, run).replace(_SEED, str(seed))
        return tuple(words)


def _command(template: Sequence[str], config: TrainingJobConfig) -> _Command:
    for key in _SEED_KEYS:
        if (value := config.get_arg_value(key)) is not None:
            raise UsageError(
                f"additional argument '{key}={value}' sets the seed, which is part of the run's name. "
                "Use --seeds instead."
            )
    # The template's own words are marked before a value comes in, so braces in a value stay what they are.
    marked = [word.replace("{run}", _RUN).replace("{seed}", _SEED) for word in template]
    open_words = tuple(at for at, (word, given) in enumerate(zip(marked, template, strict=True)) if word != given)
    words = [word.replace("{curriculum}", config.curriculum) for word in marked]
    return _Command((*words, *config.additional_args), open_words)


def _run_names(first: str, jobs: Sequence[tuple[str, int, int]], ledger_id: str, plan_key: str) -> list[str]:
    """Return the run name of each (arm, seed, attempt); `first` is what all of them begin with."""
    before = json.dumps([ledger_id, plan_key])[:-1]
    digests = []
    for arm, seed, attempt in jobs:
        # JSON by hand: an arm's name holds nothing that would be escaped.
        identity = f'{before}, "{arm}", {seed}]' if attempt == 1 else f'{before}, "{arm}", {seed}, {attempt}]'
        digests.append(hashlib.sha256(identity.encode()).digest()[:5])
    # Five bytes are eight characters of base32, so all of them are encoded at once.
    suffixes = base64.b32encode(b"".join(digests)).decode().lower()
    names = [f"{first}.{arm}.s{seed}.{suffixes[8 * at : 8 * at + 8]}" for at, (arm, seed, _) in enumerate(jobs)]
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
    jobs: Sequence[tuple[RecordedJob, int]],
    commands: Mapping[int, _Command],
) -> dict[str, Any]:
    """Return what makes a plan what it is: each arm with its config, its command line and its seeds."""
    arms: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    configs: dict[int, str] = {}
    for job, seed in jobs:
        config = configs.get(id(job)) or job.config.model_dump_json(exclude=_NOT_IN_KEY)
        configs[id(job)] = config
        arms.setdefault((job.arm, config, commands[id(job)].words), []).append(seed)
    return {
        "experiment": experiment,
        "launcher": placement.launcher,
        "target": placement.target,
        "arms": [[*arm, seeds] for arm, seeds in arms.items()],
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
