"""A notebook's own experiment: which recipe made the file, where its state is, and which jobs it has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.jobs.controls.pooled import control_runs, controls_of, without_runs_of
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.schema import FILE
from experiments.notebooks.header import Header, read_header
from experiments.project.errors import ExperimentsError, LedgerError, NotebookError
from experiments.project.workspace import Workspace
from experiments.runs.store import RunQuery
from experiments.runs.wandb_file.table import is_media_part
from experiments.types import BaseExperimentConfig, JobRef, KeptControl, TrainingJob, check_name

if TYPE_CHECKING:
    from experiments.jobs.controls.marks import Marked
    from experiments.jobs.ran import Mark
    from experiments.project.provenance import Provenance
    from experiments.runs.store import RunInfo, RunStore


@dataclass(frozen=True)
class Launched:
    """What the ledger holds of jobs that were launched.

    Attributes:
        jobs: Oldest first.
        problem: What of the ledger cannot be read, so that there may be more; empty where all of it can.
        controls: That they were launched beside.
    """

    jobs: tuple[TrainingJob | UnreadableJob, ...] = ()
    problem: str = ""
    controls: tuple[KeptControl, ...] = ()


def launched_in(workspace: Workspace, experiment: str | None = None) -> Launched:
    """Return the jobs of an experiment, or of all, that the ledger holds, and what of it cannot be read."""
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            jobs = tuple(job for job in ledger.rows(experiment=experiment) if job.state != "planned")
            controls = tuple(controls_of(ledger, [job.plan_key for job in jobs]))
    except LedgerError as error:
        return Launched(problem=f"There may be more jobs than are shown here: {error}")
    return Launched(jobs, " ".join(job.sentence() for job in jobs if isinstance(job, UnreadableJob)), controls)


@dataclass(frozen=True)
class NotebookContext:
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

    @functools.cached_property
    def store(self) -> RunStore:
        """Where this notebook's runs are read: their files here, else the W&B server where somebody is logged in.

        One for all cells, so that each reads only what is new since another did.
        """
        from experiments.runs.opening import default_store

        return default_store(self.workspace.root)

    def launched(self) -> Launched:
        """Return the jobs of this experiment that the ledger holds, and what of it cannot be read."""
        return launched_in(self.workspace, self.name)

    def joined(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return the runs of kept controls, then the file's references and the ledger's jobs that it does not have."""
        launched = self.launched()
        found = [*control_runs(launched.controls), *jobs]
        known = {job.run for job in found}
        found += [job.ref() for job in launched.jobs if job.run_name not in known]
        return list({job.run: job for job in found}.values()) if launched.controls else found

    def with_unlaunched(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return jobs with those that were planned beside them and never handed over: no claim may leave them out.

        Raises:
            LedgerError: The ledger cannot be read, so that nobody knows what was planned.
        """
        if not jobs or not (self.workspace.state / FILE).exists():
            return list(jobs)
        known, arms = {job.run for job in jobs}, {job.arm for job in jobs}
        with open_ledger(self.workspace, read_only=True) as ledger:
            rows = ledger.rows(run_names=known)
            controls = controls_of(ledger, [job.plan_key for job in rows])
            keys = {job.plan_key for job in without_runs_of(rows, controls) if job.plan_key}
            planned = [job for key in sorted(keys) for job in ledger.rows(plan_key=key, state="planned")]
        return [*jobs, *(job.ref() for job in planned if job.arm in arms and job.run_name not in known)]

    def run_infos(self, jobs: Sequence[JobRef]) -> list[RunInfo]:
        """Return what the store knows of the jobs' runs; nothing where it cannot be asked, as the charts then say."""
        if not jobs:
            return []
        try:
            return self.store.find(RunQuery(names=[job.run for job in jobs], limit=None))
        except ExperimentsError:
            return []

    def code_marks(self, jobs: Sequence[JobRef]) -> Mapping[str, Mark]:
        """Return which code each run that has started ran; nothing is known of any where the ledger cannot be read."""
        return self._marked(jobs).marks

    def _marked(self, jobs: Sequence[JobRef]) -> Marked:
        from experiments.jobs.controls.marks import Marked, marks_beside
        from experiments.jobs.ran import Mark

        try:
            return marks_beside(self.workspace, [job.run for job in jobs], self.controls(jobs))
        except LedgerError:
            return Marked({job.run: Mark("", run=job.run) for job in jobs})

    def controls(self, jobs: Sequence[JobRef]) -> list[KeptControl]:
        """Return the kept controls of which runs are among some jobs, beside which the others were launched."""
        shown = {job.run for job in jobs}
        return [one for one in self.launched().controls if shown & {run.run for run in one.runs}]

    def code_words(self, jobs: Sequence[JobRef]) -> list[str]:
        """Return what must be said of the code beside results of `jobs`; empty where all ran what their plans say.

        Runs that are no seeds are in no result.
        """
        from experiments.jobs.ran import code_words

        marks = self.code_marks(jobs)
        marked = ((job.arm, marks[job.run]) for job in jobs if job.counts and job.run in marks)
        return code_words(marked)

    def control_words(self, jobs: Sequence[JobRef]) -> Sequence[str]:
        """Return what must be said of kept controls beside results of `jobs`: which they are, and what differs."""
        return self._marked(jobs).words

    def provenance(self, jobs: Sequence[JobRef]) -> Provenance | None:
        """Return where the code that the newest of `jobs` ran comes from; None where nobody knows.

        Raises:
            LedgerError: The ledger, or its record of the code, cannot be read.
        """
        from experiments.jobs.ran import codes_of

        codes = codes_of(self.workspace, [job.run for job in jobs]).values()
        if problem := next((code.problem for code in codes if code.problem), ""):
            raise LedgerError(problem)
        known = [found for code in codes if (found := code.provenance()) is not None]
        return known[-1] if known else None

    def unrecorded(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return the ledger's jobs, and runs of controls, that the file does not have yet."""
        known = {job.run for job in jobs}
        return [job for job in self.joined(jobs) if job.run not in known]


def logged_metrics(infos: Sequence[RunInfo]) -> list[str]:
    """Return the names of the numbers that runs have logged, sorted; W&B's own keys are left out."""
    found = {
        key
        for info in infos
        for key, value in info.summary.items()
        if _is_number(value) and not key.startswith("_") and not is_media_part(key, info.summary)
    }
    return sorted(found)


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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


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
