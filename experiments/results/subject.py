"""An experiment with all that its verdict and its advice rest on, asked about once, without its notebook."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from experiments.jobs.designs import Registration, registration_of
from experiments.jobs.finding import of_experiments
from experiments.jobs.journal import BLANK, Journal, recorded_journals
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import read_only
from experiments.jobs.rule import LEVEL
from experiments.monitoring import Sources, job_statuses, sources_of
from experiments.project.errors import ExperimentsError
from experiments.project.standing import chooses, trains
from experiments.project.workspace import Workspace
from experiments.results.claims import Claimed
from experiments.results.context import ExperimentContext, ExperimentRuns, Row
from experiments.results.logged import found_metric
from experiments.results.scores import FINAL, ScoredRuns, summary_of
from experiments.results.verdict import judge
from experiments.runs.opening import RoutedStore
from experiments.statistics import Summary
from experiments.types import JobRef, JobStatus


@dataclass(frozen=True)
class Subject:
    """One experiment as it is now.

    Attributes:
        jobs: Its runs with those of kept controls and those that were planned and never handed over; no evaluations.
        statuses: How each job is, by run name, from one poll.
        journal: Hypothesis and rule that stand now.
        problem: What of ledger or notebook cannot be read, so that there may be more to it; empty where all of it can.
    """

    context: ExperimentContext
    jobs: tuple[JobRef, ...]
    statuses: dict[str, JobStatus] = field(repr=False)
    journal: Journal = BLANK
    problem: str = ""

    @property
    def is_search(self) -> bool:
        """Whether all jobs that count are trials of a search, so that there is no verdict."""
        return bool(self.jobs) and is_search(self.jobs)

    @property
    def metric(self) -> str:
        """What it is about where nobody says: the rule's metric, else the trainer's, else what was found for it."""
        rule = self.journal.rule
        if self.journal.is_written and rule is not None:
            return rule.metric
        return found_metric(self.jobs, self.context.run_infos)

    def summary(self, metric: str) -> Summary:
        """Return what one run's score is in a metric: the rule's where it is about that metric."""
        rule = self.journal.rule
        about = self.journal.is_written and rule is not None and rule.metric == metric
        return summary_of(rule) if about and rule is not None else FINAL

    def scored(self, metric: str) -> ScoredRuns:
        """Return one score a run.

        Raises:
            ExperimentsError: The runs cannot be read at all.
        """
        return self.context.scored(self.jobs, metric, self.summary(metric), self.statuses)

    @functools.cached_property
    def claimed(self) -> tuple[ScoredRuns, Claimed] | None:
        """The scores that the rule is about, with the verdict by it; None where there is no rule, and of a search.

        Raises:
            ExperimentsError: The runs cannot be read.
        """
        if self.is_search or not self.journal.is_written or self.journal.rule is None:
            return None
        runs = self.scored(self.journal.rule.metric)
        return runs, claim_by_rule(self.context, self.jobs, self.journal, runs)


def subject_of(workspace: Workspace, experiment: str, journal: Journal | None = None) -> Subject:
    """Return an experiment as it is now.

    Args:
        journal: Hypothesis and rule that stand now; None for those that were recorded at its last launch.

    Raises:
        UsageError: There is no such experiment.
        LedgerError: The ledger cannot be read.
    """
    context = ExperimentContext(experiment, workspace)
    known: Sequence[Row] = context.rows
    if not known:
        with open_ledger(workspace, read_only=True) as ledger:
            known = of_experiments(ledger.rows(), [experiment])
    jobs = context.with_unlaunched([job for job in context.joined([]) if trains(job.role)])
    if journal is None:
        recorded = recorded_journals(workspace, list(dict.fromkeys(job.plan_key for job in known)))
        journal = next((one.journal for one in reversed(recorded) if one.journal is not None), BLANK)
    runs = [job.run for job in jobs]
    statuses = job_statuses(workspace.state, runs, sources=_sources(context), keep_ends=not read_only())
    found = {status.run_name: status for status in statuses}
    return Subject(context, tuple(jobs), found, journal, context.launched().problem)


def _sources(context: ExperimentContext) -> Sources:
    """Return where an experiment's jobs are asked: where its jobs and scores are read, so that each is read once."""
    sources = sources_of(context.workspace.state)
    store = context.store
    here = store.offline if isinstance(store, RoutedStore) else store
    return replace(
        sources, store=lambda tracker: here if tracker == "offline" else sources.store(tracker), named=context.rows_of
    )


def claim_by_rule(context: ExperimentRuns, jobs: Sequence[JobRef], journal: Journal, runs: ScoredRuns) -> Claimed:
    """Return the verdict by a journal's rule over scored runs, and how far the rule was fixed before them."""
    registration = registration_now(context, jobs, journal)
    return Claimed(judge(journal, runs, registration), registration)


def registration_now(context: ExperimentRuns, jobs: Sequence[JobRef], journal: Journal) -> Registration:
    """Return how far a rule was fixed; where that cannot be read, nothing is registered, and it is said."""
    try:
        return registration_of(context.workspace, jobs, journal)
    except ExperimentsError as error:
        unread = f"What was recorded at the launch of these runs cannot be read: {error}"
        return Registration(unread, unread, level=journal.rule.level if journal.rule else LEVEL)


def is_search(jobs: Sequence[JobRef]) -> bool:
    """Tell whether all jobs that count are trials of a search."""
    return all(chooses(job.seed) for job in jobs if job.counts)
