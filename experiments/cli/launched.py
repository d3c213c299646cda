"""What is answered where something was launched: by the command line of a recipe, and behind a search."""

from __future__ import annotations

from typing import Literal

from experiments.cli.envelope import Shown
from experiments.types import Plan, TrainingJob


class Launched(Shown):
    """What came of a recipe's command line.

    Attributes:
        plan: What is launched, or after a dry run would be; null where nothing is, and of a search, whose trials are
            planned one by one.
        launched: The jobs that were; those of a search are its trials so far.
        notebook: The file that was written; null after a dry run.
        wandb: Where new runs are logged.
        conflicts: Cells of the notebook that were edited and have changed in the template: left alone.
        address: Of the editor that was started, with its token.
        editor_pid: Process id of it.
    """

    experiment: str
    plan: Plan | None = None
    launched: tuple[TrainingJob, ...] = ()
    notebook: str | None = None
    wandb: Literal["offline", "online"]
    conflicts: tuple[str, ...] = ()
    address: str | None = None
    editor_pid: int | None = None


class Followed(Shown):
    """What follows from a search.

    Attributes:
        experiment: Name of what follows.
        said: What it is, in a sentence.
        plan: Its first jobs.
        launched: Those that were; none after a dry run.
        notebook: The file that was written; null after a dry run.
    """

    experiment: str
    said: str
    plan: Plan
    launched: tuple[TrainingJob, ...] = ()
    notebook: str | None = None
