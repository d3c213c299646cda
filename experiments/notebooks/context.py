"""A notebook's own experiment: which recipe made the file, where its state is, and which jobs it has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.errors import LedgerError, NotebookError
from experiments.notebooks.header import Header, read_header
from experiments.types import BaseExperimentConfig, JobRef, TrainingJob, check_name
from experiments.workspace import Workspace

if TYPE_CHECKING:
    from experiments.provenance import Provenance
    from experiments.runs.store import RunStore


@dataclass(frozen=True)
class NotebookContext:
    """What the cells of a generated notebook ask for.

    Attributes:
        name: Name of the experiment.
        path: The notebook's file.
        workspace: The project that the file lies in.
        config: The recipe's config as the file has it.
        recipe: The recipe's file, from the project root; empty in a notebook that no recipe made.
    """

    name: str
    path: Path
    workspace: Workspace
    config: BaseExperimentConfig
    recipe: str = ""

    @functools.cached_property
    def store(self) -> RunStore:
        """Where this notebook's runs are read: their files here, else the W&B server where somebody is logged in.

        One for all cells, so that each reads only what is new since another did.
        """
        from experiments.wandb_utils import default_store

        return default_store(self.workspace.root)

    def launched(self) -> list[TrainingJob]:
        """Return the jobs of this experiment that the ledger holds, oldest first; none where there is no ledger."""
        try:
            with self.workspace.ledger(read_only=True) as ledger:
                return [job for job in ledger.jobs(experiment=self.name) if job.state != "planned"]
        except LedgerError:
            return []

    def joined(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return the file's references, then the ledger's jobs that the file does not have yet."""
        known = {job.run for job in jobs}
        return [*jobs, *(job.ref() for job in self.launched() if job.run_name not in known)]

    def provenance(self, jobs: Sequence[JobRef]) -> Provenance | None:
        """Return where the code of the newest of `jobs` comes from; None where the ledger does not know it."""
        from experiments.provenance import Provenance

        try:
            with self.workspace.ledger(read_only=True) as ledger:
                known = ledger.jobs(run_names=[job.run for job in jobs])
                record = ledger.provenance(known[-1].plan_key) if known else {}
        except LedgerError:
            return None
        return Provenance.model_validate(record) if record else None

    def unrecorded(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return the ledger's jobs that the file does not have yet."""
        return self.joined(jobs)[len(jobs) :]


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
        recipe=header.recipe if header else "",
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
