"""From the runs of an experiment to one score a seed: what tables, verdicts, comparisons and papers all start from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.clock import clock_words
from experiments.errors import ExperimentsError
from experiments.journal import Rule
from experiments.look import counted
from experiments.runs.store import AGENT_STEP
from experiments.statistics.curves import Curve, outcome_of
from experiments.statistics.scores import Scores
from experiments.statistics.summaries import Summary, summarise
from experiments.statistics.values import Outcome
from experiments.types import TERMINAL_VERDICTS, JobRef, JobStatus

if TYPE_CHECKING:
    from experiments.runs.store import RunStore

FINAL = Summary()


@dataclass(frozen=True)
class ScoredRuns:
    """The scores of an experiment's arms in one metric, with where they come from.

    Attributes:
        metric: Key that was read.
        scores: By arm, in the order of the jobs; every planned run is in it, with a score or the reason why not.
        summary: What one run's score is.
        waiting: How many runs have not ended yet, by arm.
        origin: Rows, runs, completeness and time of reading, in words.
        notes: What could not be read, one sentence each.
    """

    metric: str
    scores: Mapping[str, Scores]
    summary: Summary
    waiting: Mapping[str, int]
    origin: str
    notes: tuple[str, ...] = ()


def summary_of(rule: Rule) -> Summary:
    """Return what a rule takes as one run's score."""
    return Summary(rule.score, higher_is_better=rule.direction == "higher")


def scored_runs(
    jobs: Sequence[JobRef],
    metric: str,
    store: RunStore,
    *,
    statuses: Mapping[str, JobStatus] | None = None,
    summary: Summary = FINAL,
) -> ScoredRuns:
    """Return one score a run; a run that cannot be read has none, and says why.

    Args:
        statuses: What is known of each job, by run name; without it the tracker's word counts.
    """
    curves: list[Curve] = []
    notes: list[str] = []
    rows, incomplete = 0, 0
    words = dict(statuses or {})
    outcomes = {job.run: _outcome(words.get(job.run)) for job in jobs}
    unknown = [run for run, outcome in outcomes.items() if outcome is None]
    outcomes |= _by_tracker(unknown, store)
    for job in jobs:
        steps, values = np.empty(0), np.empty(0)
        try:
            history, origin = store.history(job.run, [AGENT_STEP, metric])
        except ExperimentsError as error:
            if (outcomes[job.run] or "unfinished") not in ("failed", "unfinished"):
                notes.append(f"{job.run}: {error}")
        else:
            if metric in history:
                logged = history[history[metric].notna()]
                counts = AGENT_STEP in logged and logged[AGENT_STEP].notna().any()
                at = logged[AGENT_STEP if counts else "_step"]
                steps, values = at.to_numpy(), logged[metric].to_numpy()
            rows += len(steps)
            incomplete += not origin.complete
            notes += [f"{job.run}: {origin.damage}"] if origin.damage else []
        curves.append(
            Curve(
                steps,
                values,
                arm=job.arm,
                seed=job.seed,
                outcome=outcomes[job.run] or "unfinished",
                run=job.run,
            )
        )
    whole = "complete" if not incomplete else f"sampled in {counted(incomplete, 'run')}"
    return ScoredRuns(
        metric,
        summarise(curves, summary),
        summary,
        {arm: _waiting(jobs, arm, words, outcomes) for arm in dict.fromkeys(job.arm for job in jobs)},
        f"{rows:,} rows of {counted(len(jobs), 'run')}, {whole}, read at {clock_words(time.time())}",
        tuple(notes),
    )


def known_statuses(state_dir: Path) -> dict[str, JobStatus]:
    """Return what was published last of each job, by run name; nothing where no Monitor ever ran."""
    from experiments.monitoring import snapshot

    return {status.run_name: status for status in snapshot(state_dir).jobs}


def _outcome(status: JobStatus | None) -> Outcome | None:
    return None if status is None or status.verdict == "unknown" else outcome_of(status.verdict)


def _by_tracker(runs: Sequence[str], store: RunStore) -> dict[str, Outcome | None]:
    """Return the outcome of runs by the tracker's own word; None where it knows nothing of one."""
    from experiments.runs.store import RunQuery

    if not runs:
        return {}
    meanings: dict[str, Outcome] = {"finished": "finished", "failed": "failed", "crashed": "failed"}
    try:
        found = {info.name: info.state for info in store.find(RunQuery(names=list(runs), limit=None))}
    except ExperimentsError:
        found = {}
    return {run: meanings.get(found[run], "unfinished") if run in found else None for run in runs}


def _waiting(
    jobs: Sequence[JobRef], arm: str, statuses: Mapping[str, JobStatus], outcomes: Mapping[str, Outcome | None]
) -> int:
    """Return how many runs of an arm may still go on."""
    ours = [job.run for job in jobs if job.arm == arm]
    known = [statuses[run].verdict in TERMINAL_VERDICTS if run in statuses else None for run in ours]
    return sum(
        not ended if ended is not None else outcomes[run] == "unfinished"
        for run, ended in zip(ours, known, strict=True)
    )
