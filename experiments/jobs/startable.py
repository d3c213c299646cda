"""What a trainer would fail of as soon as it started, refused before a job waits for it in a queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.trainers.known import MODULE
from experiments.project.trainers.template import PYTHON
from experiments.types import Plan, PlannedJob, Trainer

_STARTERS = frozenset({"uv", "torchrun", "accelerate", "deepspeed"})
"""Programs that start a script, which is the first word among theirs that is one."""


def refuse_what_cannot_start(plan: Plan, root: Path | None) -> None:
    """Refuse a plan whose trainer would not start, or would not be told what it has to know.

    Args:
        root: The project's folder, in whose copy trainers start; None where they start in a copy of before.

    Raises:
        UsageError: Says what is wrong and what to do.
    """
    refuse_what_our_trainer_would(plan)
    seeds = {job.seed for job in plan.jobs}
    for job in {job.arm: job for job in plan.jobs}.values():
        if not isinstance(job.config.trainer, Trainer):
            continue
        if len(seeds) > 1 and not job.config.trainer.passes_seed:
            raise UsageError(
                f"trainer {job.config.trainer.name!r} is not told its seed, so {counted(len(seeds), 'seed')} would be "
                "one run several times. Put {seed} into its command, such as '--seed {seed}', or into a variable of "
                "its env."
            )
        if root is not None:
            _check_program(job, job.config.trainer, root, is_here=plan.launcher != "skypilot")


def _check_program(job: PlannedJob, trainer: Trainer, root: Path, *, is_here: bool) -> None:
    """Refuse a program or a script that is not there; what only a node has is not looked for.

    Raises:
        UsageError: It is not there.
    """
    program = job.command[0]
    if is_here and program != PYTHON and not _is_program(program, root):
        where = "is no program in this folder" if "/" in program else "is no program on the PATH"
        raise UsageError(
            f"trainer {trainer.name!r} cannot start: {program!r} {where}. Check the first word of its command, or "
            "write {python} for the interpreter in use."
        )
    script = _script_of(job.command)
    if script and not (root / script).is_file():
        raise UsageError(
            f"trainer {trainer.name!r} cannot start: there is no script {script!r} in {str(root)!r}. Write its path as "
            "it is from there."
        )


def _script_of(command: Sequence[str]) -> str:
    """Return the script that a command line starts, where it is plain that a word is one; empty where it is not."""
    program = Path(command[0]).name
    if command[0] == PYTHON or program.startswith("python"):
        return command[1] if len(command) > 1 and command[1].endswith(".py") else ""
    if program in _STARTERS:
        return next((word for word in command[1:] if word.endswith(".py") and "=" not in word), "")
    return ""


def _is_program(program: str, root: Path) -> bool:
    if "/" in program:
        return (root / program).is_file() and os.access(root / program, os.X_OK)
    return shutil.which(program) is not None


def refuse_what_our_trainer_would(plan: Plan) -> None:
    """Refuse keys and values that the reference trainer would refuse, before a job waits for them in a queue.

    The arguments of any other trainer are its own.

    Raises:
        UsageError: Says which, and the nearest key there is.
    """
    # An arm's seeds differ in nothing else, and of all seeds only the largest can be too large.
    jobs = {job.arm: job for job in plan.jobs} | {"": max(plan.jobs, key=lambda job: job.seed)}
    for job in jobs.values():
        if MODULE not in job.command:
            return
        from experiments.trainer.config import parse

        words = job.command[job.command.index(MODULE) + 1 :]
        if plan.launcher == "dry-run":  # shows also what a curriculum that is still to be written will run
            words = tuple(word for word in words if not word.startswith("trainer.curriculum="))
        try:
            parse(words)
        except UsageError as error:
            raise UsageError(f"arm {job.arm!r}: the trainer would refuse this: {error}") from None
