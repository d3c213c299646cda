"""Notebooks of experiments that follow from a search: their jobs come from its record, so no recipe is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.jobs.journal import BLANK, Journal
from experiments.notebooks.generation import Prepared, WriteResult, prepare, write
from experiments.notebooks.template import NotebookSpec
from experiments.project.workspace import Workspace
from experiments.types import BaseExperimentConfig, TrainingJob, job_refs

DESIGN = ("log", "analysis", "monitor", "replays", "export", "scratch")
"""Sections of a design that was frozen: its jobs are those that were registered, so none is launched from its page."""
SEARCH = ("search", *DESIGN)
"""Sections of a search whose later trials are made without a recipe."""


def prepare_derived(
    workspace: Workspace,
    name: str,
    sections: Sequence[str],
    *,
    description: str,
    journal: Journal = BLANK,
    folder: Path | None = None,
) -> Prepared:
    """Return the notebook of an experiment that follows from a search; nothing is written.

    Args:
        description: What it is, for its head.
        folder: Where it lies; None for where recipes write theirs.

    Raises:
        NotebookError: The file that is there is another notebook, or cannot be written.
    """
    folder = folder or workspace.root / "experiments" / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    spec = NotebookSpec(
        name=name,
        config=BaseExperimentConfig(description=description),
        sections=sections,
        root=workspace.root,
        journal=journal,
    )
    return prepare(folder / f"{name}_nb.py", spec, launching=True)


def write_derived(prepared: Prepared, jobs: Sequence[TrainingJob]) -> WriteResult:
    """Write it with references to its jobs; what people changed in it stays."""
    return write(prepared, job_refs(jobs))
