"""A notebook's own experiment: which recipe made the file, where its state is, and which jobs it has."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.notebooks.header import Header, read_header
from experiments.project.errors import NotebookError
from experiments.project.workspace import Workspace
from experiments.results.context import ExperimentRuns
from experiments.types import BaseExperimentConfig, check_name


@dataclass(frozen=True)
class NotebookContext(ExperimentRuns):
    """What the cells of a generated notebook ask for.

    Attributes:
        name: Name of the experiment.
        path: The notebook's file.
        workspace: The project that the file lies in.
        config: The recipe's config as the file has it.
        pool_codes: Whether the study's rule allows claims over runs of different code.
    """

    name: str
    path: Path
    workspace: Workspace
    config: BaseExperimentConfig
    pool_codes: bool = False

    def told(self, problem: object) -> str:
        """Return what a part of the page says of a problem: one of the whole ledger is said once, above the jobs."""
        unread = self.launched().unread
        return (
            "The ledger cannot be read, as is said above the jobs."
            if unread and unread in str(problem)
            else str(problem)
        )


def open_notebook(file: str, config: BaseExperimentConfig) -> NotebookContext:
    """Return the context of the notebook at `file` (`__file__` in a cell).

    Raises:
        NotebookError: The file's header block is damaged.
    """
    path = Path(file)
    header = _header(path)
    name = header.experiment if header else path.stem.removesuffix("_nb")
    return NotebookContext(
        name=check_name("experiment", name),
        path=path,
        workspace=Workspace.find(path),
        config=config,
    )


def recipe_class(config: BaseExperimentConfig) -> Any:
    """Return the `Experiment` subclass that goes with a config: the one in its module that is annotated with it.

    Raises:
        NotebookError: There is none, or several and none names the config's class.
    """
    import sys

    module = sys.modules[type(config).__module__]
    found = [
        item
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and hasattr(item, "launch_training_runs")
    ]
    named = [item for item in found if _names_config(item, type(config).__name__)]
    if len(named or found) == 1:
        return (named or found)[0]
    raise NotebookError(
        f"{module.__name__!r} has {len(found)} experiment classes and {len(named)} of them annotate "
        f"'config: {type(config).__name__}'. Annotate one, so that the notebook can plan with it."
    )


def _names_config(item: type, name: str) -> bool:
    # Annotations are compared as text: `from __future__ import annotations` keeps them as text anyway.
    init = inspect.get_annotations(item.__init__).get("config") if "__init__" in vars(item) else None  # type: ignore[misc]
    return any(
        str(getattr(hint, "__name__", hint)) == name for hint in (inspect.get_annotations(item).get("config"), init)
    )


def _header(path: Path) -> Header | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return None
    comments = []
    for line in lines:
        if not line.startswith("#") and line.strip():
            break
        comments.append(line)
    return read_header("".join(comments))
