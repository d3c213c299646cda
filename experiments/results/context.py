"""What is asked of one experiment, wherever it is asked: which jobs it has, what they ran, where they are scored."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from experiments.jobs.controls.pooled import control_runs, controls_of, without_runs_of
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.schema import FILE
from experiments.project.errors import ExperimentsError, LedgerError
from experiments.project.standing import trains
from experiments.project.workspace import Workspace
from experiments.runs.store import RunQuery
from experiments.types import JobRef, JobStatus, KeptControl, TrainingJob

if TYPE_CHECKING:
    from experiments.jobs.controls.marks import Marked
    from experiments.jobs.ledger.reading import LedgerReader
    from experiments.jobs.ran import Mark
    from experiments.project.provenance import Provenance
    from experiments.results.scores import ScoredRuns
    from experiments.runs.store import RunInfo, RunStore
    from experiments.statistics import Summary

Row: TypeAlias = TrainingJob | UnreadableJob
_MORE = "There may be more jobs than are shown here: "


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

    @property
    def unread(self) -> str:
        """Why nothing of the ledger can be read; empty where something can."""
        return self.problem.partition(_MORE)[2]


def launched_in(workspace: Workspace, experiment: str | None = None) -> Launched:
    """Return the jobs of an experiment, or of all, that the ledger holds, and what of it cannot be read."""
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            return _launched_of(ledger.rows(experiment=experiment), ledger)
    except LedgerError as error:
        return _unread(error)


def _launched_of(rows: Iterable[Row], ledger: LedgerReader) -> Launched:
    jobs = tuple(job for job in rows if job.state != "planned")
    controls = tuple(controls_of(ledger, [job.plan_key for job in jobs]))
    return Launched(jobs, " ".join(job.sentence() for job in jobs if isinstance(job, UnreadableJob)), controls)


def _unread(error: LedgerError) -> Launched:
    return Launched(problem=f"{_MORE}{error}")


class ExperimentRuns:
    """The runs of one experiment, as pages and commands ask for them.

    Attributes:
        name: Name of the experiment.
        workspace: The project that it lies in.
    """

    name: str
    workspace: Workspace

    @functools.cached_property
    def store(self) -> RunStore:
        """Where the runs are read: their files here, else the W&B server where somebody is logged in.

        One for all who ask, so that each reads only what is new since another did.
        """
        from experiments.runs.opening import default_store

        return default_store(self.workspace.root)

    def launched(self) -> Launched:
        """Return the jobs of this experiment that the ledger holds, and what of it cannot be read."""
        return launched_in(self.workspace, self.name)

    def rows_of(self, runs: Iterable[str]) -> list[Row]:
        """Return what the ledger has of some runs, of this experiment or another.

        Raises:
            LedgerError: It cannot be read.
        """
        with open_ledger(self.workspace, read_only=True) as ledger:
            return ledger.rows(run_names=runs)

    def joined(self, jobs: Sequence[JobRef]) -> list[JobRef]:
        """Return the runs of kept controls, then these jobs, and those of the ledger that are not among them."""
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
        rows = self.rows_of(known)
        with open_ledger(self.workspace, read_only=True) as ledger:
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
        return _code_words(jobs, self.code_marks(jobs))

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
        """Return the ledger's jobs, and runs of controls, that are not among `jobs`."""
        known = {job.run for job in jobs}
        return [job for job in self.joined(jobs) if job.run not in known]

    def scored(
        self, jobs: Sequence[JobRef], metric: str, summary: Summary, statuses: Mapping[str, JobStatus]
    ) -> ScoredRuns:
        """Return one score a run, with the scores that kept controls bring, and what must be said beside them.

        Args:
            jobs: With those that were planned and never handed over.
            statuses: What is known of each job, by run name.
        """
        from experiments.results.controls import with_kept_scores
        from experiments.results.scores import scored_runs

        marked = self._marked(jobs)
        found = scored_runs(jobs, metric, self.store, statuses=statuses, summary=summary, codes=marked.marks)
        found = with_kept_scores(found, self.controls(jobs), self.workspace)
        return replace(found, notes=(*found.notes, *marked.words, *_code_words(jobs, marked.marks)))


def _code_words(jobs: Sequence[JobRef], marks: Mapping[str, Mark]) -> list[str]:
    from experiments.jobs.ran import code_words

    return code_words((job.arm, marks[job.run]) for job in jobs if job.counts and job.run in marks)


@dataclass(frozen=True)
class ExperimentContext(ExperimentRuns):
    """An experiment that is asked about without its notebook: as the ledger has it when it is first asked of it."""

    name: str
    workspace: Workspace

    @functools.cached_property
    def rows(self) -> tuple[Row, ...]:
        """All jobs of this experiment, with those that were only planned, read once: of ten thousand it takes a second.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with open_ledger(self.workspace, read_only=True) as ledger:
            return tuple(ledger.rows(experiment=self.name))

    @functools.cached_property
    def _launched(self) -> Launched:
        try:
            rows = self.rows
            with open_ledger(self.workspace, read_only=True) as ledger:
                return _launched_of(rows, ledger)
        except LedgerError as error:
            return _unread(error)

    def launched(self) -> Launched:
        """Return the jobs of this experiment that the ledger holds, and what of it cannot be read."""
        return self._launched

    def rows_of(self, runs: Iterable[str]) -> list[Row]:
        """Return what the ledger has of some runs, of this experiment or another."""
        wanted = set(runs)
        own = [row for row in self.rows if row.run_name in wanted and trains(row.role)]
        others = wanted - {row.run_name for row in own}
        return [*own, *super().rows_of(others)] if others else own
