"""The scores of a notebook's runs, worked out once for all cells and viewers of the same data."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from experiments.jobs.watch.snapshots import read_versions
from experiments.notebooks.context import NotebookContext
from experiments.results.endings import outcome_of_job
from experiments.results.scores import FINAL, ScoredRuns, known_statuses, scored_runs
from experiments.statistics import Summary
from experiments.types import JobRef

_KEPT = 32
_scored: OrderedDict[tuple[object, ...], ScoredRuns] = OrderedDict()
_guard = threading.Lock()  # the sessions of one server are threads of one process


def scored_once(
    experiment: NotebookContext, jobs: Sequence[JobRef], metric: str, summary: Summary = FINAL
) -> ScoredRuns:
    """Return one score a run that was planned; read again only when a run has new data or another state.

    The Monitor gives every run a data version; where it has none for a run (a script, an export), or where a
    run could not be read, nothing is kept.

    Raises:
        ExperimentsError: The runs cannot be read at all.
    """
    state, jobs = experiment.workspace.state, experiment.with_unlaunched(jobs)
    statuses, versions = known_statuses(state), read_versions(state / "live")
    code = tuple(experiment.code_words(jobs))
    known = (statuses.get(job.run) for job in jobs)
    verdicts = tuple((one.verdict, outcome_of_job(one)) if one else None for one in known)
    key = (str(state), tuple(jobs), metric, summary, verdicts, code, tuple(versions.get(job.run) for job in jobs))
    with _guard:
        if key in _scored:
            _scored.move_to_end(key)
            return _scored[key]
    found = scored_runs(jobs, metric, experiment.store, statuses=statuses, summary=summary)
    found = replace(found, notes=(*found.notes, *code))
    if found.is_read and all(job.run in versions for job in jobs):
        with _guard:
            _scored[key] = found
            while len(_scored) > _KEPT:
                _scored.popitem(last=False)
    return found
