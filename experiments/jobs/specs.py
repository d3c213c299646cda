"""What a launcher is told of a job: its command, its environment and its limits, as JSON values that an intent keeps.

The environment that a trainer gets from us is made here alone. Nothing in it is a secret: a key reaches the trainer
because it inherits the environment of whoever launched it, and is never written anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.jobs.commands import with_interpreter
from experiments.jobs.isolation import SNAPSHOT, in_environment, isolated, shared_by, surroundings
from experiments.jobs.journal import SHOWN_HASH, recorded_journals
from experiments.jobs.launchers.base import JobSpec
from experiments.jobs.launchers.local.capacity import threads as threads_of
from experiments.jobs.launchers.local.devices import GPUS, wanted
from experiments.jobs.launchers.local.hopeless import CHECK, CHECK_EVERY_S, STOP_WHEN
from experiments.jobs.launchers.local.launcher import LocalLauncher
from experiments.jobs.launchers.local.memory import RESERVED, asked, limit_of
from experiments.jobs.launchers.local.supervisor import DESIGN, MEMORY
from experiments.project.errors import UsageError
from experiments.project.provenance import OwnCode
from experiments.project.redaction import is_telling, mask_texts
from experiments.project.settings import Settings
from experiments.project.snapshots import Snapshot
from experiments.project.trainers.template import filled
from experiments.project.values import replaced
from experiments.project.workspace import Workspace, node_folder
from experiments.types import Plan, PlannedJob, Trainer, TrainingJob

POOL = "pool"
"""Name of the pool of SkyPilot's that the job goes through; None for machines of its own."""
PREPARED = "prepared"
"""Part of what is recorded of a job with a launcher's own words: what it would ask for, as it was when it was meant."""

GRACE_S = 20.0
"""Seconds between the TERM and the KILL of a cancelled job: time to save a checkpoint."""
CHECKED_EVERY_S = 60.0
"""Seconds between two looks at whether a job is hopeless."""
_KERNELS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")
UNSET = (
    *("WANDB_RUN_ID", "WANDB_NAME", "WANDB_RUN_NAME", "WANDB_NOTES", "WANDB_DESCRIPTION", "WANDB_TAGS"),
    *("WANDB_RUN_GROUP", "WANDB_JOB_TYPE", "WANDB_JOB_NAME", "WANDB_RESUME", "WANDB_RESUME_FROM", "WANDB_FORK_FROM"),
    *("WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_SERVICE", "WANDB_DIR", "WANDB_RUN_DIR"),
    *("EXPERIMENTS_RUN_DIR", "EXPERIMENTS_RUN_NAME", "EXPERIMENTS_READ_ONLY"),
    *_KERNELS,
)
"""What a trainer must not inherit: the names of whatever run its launcher was part of (a job may launch others), a
notebook's own wandb service, which would end with the notebook, and which code of a BLAS library runs, which whoever
starts a waiting job may have chosen for itself. What a job has of these is set for it."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def job_specs(
    plan: Plan, jobs: Sequence[PlannedJob | TrainingJob], workspace: Workspace, own: OwnCode | None = None
) -> dict[str, dict[str, Any]]:
    """Return what a launcher is told of each job, by run name, as JSON values.

    The intent keeps it, so that anyone can start the job.

    Args:
        own: The code that the jobs run; None for the working tree.
    """
    is_local = plan.launcher == LocalLauncher.name
    python = own.python if own is not None and own.python is not None else sys.executable
    snapshot = own.snapshot if own is not None else None
    more = dict(own.env) if own is not None else {}
    # What all jobs of a plan share is worked out once: git and the interpreter are asked for it.
    restored = python if own is not None and own.python is not None else None
    commands = {job.run_name: _command(job.command, python, restored) for job in jobs} if is_local else {}
    programs = {command[0] for command in commands.values()} if snapshot is not None else ()
    around = {program: surroundings(program, snapshot, workspace, restored) for program in programs if snapshot}
    threads = threads_of(jobs, workspace.settings) if is_local else [None] * len(jobs)
    design = _design(plan, workspace)
    of_snapshot = {SNAPSHOT: snapshot.model_dump(mode="json") if snapshot is not None else None}
    apart = shared_by(snapshot, workspace) if is_local and snapshot is not None else {}
    given = dict.fromkeys((*plan.tags, *job.config.wandb_tags) for job in jobs)
    tags = {each: _tags(each) for each in given}
    specs = {}
    for job, each in zip(jobs, threads, strict=True):
        run_dir = workspace.runs / job.run_name
        command = list(commands.get(job.run_name, job.command))
        hours = job.config.max_runtime_hours
        spec = {
            "command": command,
            "env": job_environment(plan, job, workspace.settings, run_dir, threads=each, tags=tags) | more,
            "unset": list(UNSET),
            "cwd": str(workspace.root),
            "grace_s": GRACE_S,
            "max_runtime_s": hours * 3600 if hours is not None else None,
            GPUS: wanted(job, workspace.settings.gpus_per_job) if is_local else 0,
            MEMORY: limit_of(job.config.memory) if is_local else None,
            RESERVED: asked(job.config.memory) if is_local else 0,
            "nice": workspace.settings.nice,
            **(_checks(job, workspace) if is_local else {}),
            **design,
            **of_snapshot,
            **({POOL: workspace.settings.sky_pool} if plan.launcher == "skypilot" else {}),
        }
        if is_local and snapshot is not None:
            spec = isolated(spec, around[command[0]], apart, snapshot, run_dir)
        specs[job.run_name] = spec
    return specs


def _design(plan: Plan, workspace: Workspace) -> dict[str, str]:
    """Return the rule that was recorded for a plan, with its hash, as a run's config in W&B says it; else nothing."""
    recorded = recorded_journals(workspace, [plan.key])
    journal = recorded[-1].journal if recorded else None
    if journal is None or journal.rule is None:
        return {}
    return {DESIGN: f"{recorded[-1].digest[:SHOWN_HASH]}: {journal.rule.sentence}"}


def _checks(job: PlannedJob | TrainingJob, workspace: Workspace) -> dict[str, Any]:
    """Return how a supervisor finds out whether a job is hopeless; nothing for one that goes on to its end."""
    rules = job.config.stop_when
    if rules is None:
        return {}
    told = [str(workspace.state), job.run_name, rules.model_dump_json()]
    return {
        STOP_WHEN: rules.model_dump(mode="json"),
        CHECK: [sys.executable, "-P", "-m", "experiments.cli.stopping", *told],
        CHECK_EVERY_S: CHECKED_EVERY_S,
    }


def _command(template: Sequence[str], python: str, restored: str | None) -> tuple[str, ...]:
    """Return a planned command line of this machine; in a restored environment, with the programs of that."""
    words = with_interpreter(template, python)
    return words if restored is None else in_environment(words, restored)


_PLACES = {
    "wandb_entity": "WANDB_ENTITY",
    "wandb_project": "WANDB_PROJECT",
    "wandb_group": "WANDB_RUN_GROUP",
}


def as_launched(workspace: Workspace, spec: Mapping[str, Any] | None) -> Workspace:
    """Return the workspace with the places that a job was launched with, in W&B and among SkyPilot's pools.

    Its recipe, or the command line that launched it, may have named its own.

    Args:
        spec: What the launcher was told of the job; None where none ever was.
    """
    # A ledger that was made again knows of a job what its folder says, which may be less.
    known = spec or {}
    env = known.get("env") or {}
    places = {place: env[name] for place, name in _PLACES.items() if env.get(name)}
    through = {"sky_pool": known[POOL]} if POOL in known else {}
    return replace(workspace, settings=replaced(workspace.settings, **places, **through))


def told(job: TrainingJob, spec: Mapping[str, Any], ledger_id: str, workspace: Workspace) -> JobSpec:
    """Return what a launcher is told of a job, from the values that `job_specs` returned."""
    return JobSpec(
        run_name=job.run_name,
        command=tuple(spec["command"]),
        run_dir=workspace.runs / job.run_name,
        config=job.config,
        env=spec["env"],
        experiment=job.experiment,
        plan_key=job.plan_key,
        ledger_id=ledger_id,
        snapshot=Snapshot.model_validate(spec[SNAPSHOT]) if spec.get(SNAPSHOT) else None,
        design=spec.get(DESIGN) or "",
        prepared=spec.get(PREPARED) or {},
    )


def job_environment(
    plan: Plan,
    job: PlannedJob | TrainingJob,
    settings: Settings,
    run_dir: Path,
    *,
    threads: int | None = None,
    tags: Mapping[tuple[str, ...], str] | None = None,
) -> dict[str, str]:
    """Return what is set for the trainer of `job` on top of the launcher's own environment; nothing of it is empty.

    W&B takes an empty variable for a value, and refuses most of them: what a job does not have is not set.

    Args:
        plan: Launcher, mode and tags.
        job: The job.
        settings: W&B's names, and where clusters keep runs.
        run_dir: The run's folder on this machine.
        threads: With how many a local job computes; None to work it out.
        tags: What W&B is told of each choice of tags, where that is known: jobs have most of them in common.

    Raises:
        UsageError: A tag holds a comma, which W&B takes for two tags, or a secret.
    """
    given = (*plan.tags, *job.config.wandb_tags)
    folder = node_folder(plan.launcher, settings, job.run_name, run_dir)
    environment = {
        "WANDB_RUN_ID": job.run_name,
        "WANDB_NAME": job.run_name,
        "WANDB_RUN_GROUP": settings.wandb_group or plan.experiment,
        "WANDB_MODE": plan.wandb_mode,
        "WANDB_PROJECT": settings.wandb_project,
        "WANDB_ENTITY": settings.wandb_entity,
        "WANDB_TAGS": tags[given] if tags is not None else _tags(given),
        "WANDB_JOB_TYPE": "" if job.counts else job.role,
        "WANDB_RESUME": "allow",
        "WANDB_DIR": folder,
        "EXPERIMENTS_RUN_DIR": folder,
        # The default of 15 s would make a live page look dead.
        "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if plan.launcher == "local":
        # Several jobs share the machine: each with a pool of one thread per core would only slow the others down.
        [each] = [threads] if threads is not None else threads_of([job], settings)
        chosen = settings.threads_per_job is not None
        environment |= {name: (not chosen and os.environ.get(name)) or str(each) for name in _THREADS}
        environment |= {name: os.environ[name] for name in _KERNELS if name in os.environ}
    # What a trainer says that it needs counts before what it would be given: its threads, say.
    environment |= _trainers_own(job, folder)
    return {name: value for name, value in environment.items() if value}


def _tags(given: Sequence[str]) -> str:
    """Return tags as W&B is told them.

    Raises:
        UsageError: One holds a comma or a secret.
    """
    tags = tuple(dict.fromkeys(given))
    if wrong := [tag for tag in tags if "," in tag or not tag.strip()]:
        raise UsageError(f"W&B tag {wrong[0]!r} is empty or holds a comma. Give two tags instead.")
    if wrong := [shown for tag, shown in zip(tags, mask_texts(tags), strict=True) if shown != tag]:
        raise UsageError(f"W&B tag {wrong[0]!r} holds a secret, and tags are shown. Take another word.")
    return ",".join(tags)


def _trainers_own(job: PlannedJob | TrainingJob, folder: str | None) -> dict[str, str]:
    """Return what a job's trainer needs in its environment, filled as its command line is.

    Raises:
        UsageError: A variable holds a secret, or says a folder that nobody knows.
    """
    trainer = job.config.trainer
    if not isinstance(trainer, Trainer) or not trainer.env:
        return {}
    values = {**trainer.values, "run": job.run_name, "seed": str(job.seed), "curriculum": job.config.curriculum}
    values |= {"run_dir": folder} if folder is not None else {}
    try:
        filled_in = {name: filled(text, values) for name, text in trainer.env.items()}
    except KeyError as error:
        raise UsageError(
            f"variable of trainer {trainer.name!r} says {{{error.args[0]}}}, and nobody knows it for {job.run_name!r}. "
            "Set run_root in [tool.experiments] to a folder that every node sees, or leave the variable out."
        ) from None
    for name, text in filled_in.items():
        if is_telling(name) or mask_texts([text]) != [text]:
            raise UsageError(
                f"variable {name} of trainer {trainer.name!r} holds a secret, and what a trainer is told is recorded. "
                "Leave it out: the trainer inherits your environment."
            )
    return filled_in


def tracker_of(plan: Plan, settings: Settings) -> str:
    """Return where the plan's runs are read: `offline`, or `entity/project`; no entity is the key's own default."""
    if plan.wandb_mode == "offline":
        return "offline"
    return f"{settings.wandb_entity or ''}/{settings.wandb_project}"
