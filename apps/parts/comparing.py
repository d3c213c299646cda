"""Which runs are compared: arms of any experiment, found by search and carried in the address."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from apps.parts.links import experiment_of, has_words, known_jobs, several
from experiments.jobs.journal import BLANK
from experiments.jobs.shelf import archived_runs
from experiments.notebooks.study import Study
from experiments.notebooks.styles import sentence, warning
from experiments.project.errors import LedgerError
from experiments.project.look import counted
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.context import launched_in
from experiments.types import JobRef

MOST_RUNS = 2_000
"""Runs on one page, in whole arms: an arm without some of its seeds would be another arm."""
Arms = Mapping[str, Sequence[JobRef]]


def known_arms(workspace: Workspace) -> dict[str, list[JobRef]]:
    """Return the jobs of every arm that is known, by `experiment/arm`, the newest experiment first.

    An arm is left out once all of its runs are archived; till then all of them count, also those that are.
    """
    own, seen = known_jobs(workspace, launched_in(workspace))
    rank = {name: at for at, name in enumerate(dict.fromkeys(name for name, _ in reversed(own)))}
    found: dict[str, list[JobRef]] = {}
    for name, job in [*sorted(own, key=lambda one: rank[one[0]]), *seen]:
        found.setdefault(f"{name}/{job.arm}", []).append(job)
    put_away = archived_runs(workspace)
    return {arm: jobs for arm, jobs in found.items() if any(job.run not in put_away for job in jobs)}


def matching(known: Arms, words: str) -> list[str]:
    """Return the arms in which every word occurs: in the experiment's name, the arm or the name of one of its runs."""
    return [name for name, jobs in known.items() if has_words(" ".join([name, *(job.run for job in jobs)]), words)]


def arm_picker(
    known: Arms, words: str, asked: str, *, on_change: Callable[[Any], None] | None = None
) -> mo.ui.multiselect:
    """Return the choice of arms: those that match, and those that the address asks for, which are chosen at first.

    Where the address asks for none, the arms of the experiment launched last are.
    """
    wanted = several(asked, list(known))
    offered = list(dict.fromkeys([*wanted, *matching(known, words)]))
    if not wanted and offered:
        newest = offered[0].partition("/")[0]
        wanted = [name for name in offered if name.partition("/")[0] == newest][:8]
    return mo.ui.multiselect(offered, value=wanted, label="Arms", full_width=True, on_change=on_change)


def compared(workspace: Workspace, known: Arms, chosen: Sequence[str]) -> Study:
    """Return what is compared as a study of these jobs and no others.

    Arms of several experiments keep the experiment's name, so that no two are mixed up.
    """
    names = [name for name in chosen if name in known]
    experiments = list(dict.fromkeys(name.partition("/")[0] for name in names))
    jobs: list[JobRef] = []
    for name in names[: _fitting(known, names)]:
        arm = name if len(experiments) > 1 else name.partition("/")[2]
        jobs += [replaced(job, arm=arm) for job in known[name]]
    name = (experiments[0] if len(experiments) == 1 else "") or "comparison"
    return Study(experiment_of(workspace, name), jobs, BLANK, with_launched=False)


def _fitting(known: Arms, names: Sequence[str]) -> int:
    """Return how many of the arms, from the first on, one page shows: the first in any case."""
    total = 0
    for at, name in enumerate(names):
        total += len(known[name])
        if total > MOST_RUNS and at:
            return at
    return len(names)


def compared_note(known: Arms, jobs: Sequence[JobRef], workspace: Workspace, chosen: Sequence[str] = ()) -> Any:  # noqa: ANN401 - a marimo element
    """Return how much is compared, or what to do; first what of the ledger cannot be read."""
    note = _compared_note(known, jobs, [name for name in chosen if name in known])
    problem = launched_in(workspace).problem
    return mo.vstack([warning(LedgerError(problem)), *([note] if known else [])]) if problem else note


def _compared_note(known: Arms, jobs: Sequence[JobRef], chosen: Sequence[str]) -> Any:  # noqa: ANN401
    if not known:
        return sentence("No job yet. Launch a recipe, and its runs can be compared here.")
    if not jobs:
        return sentence("Choose at least one arm above.")
    arms = list(dict.fromkeys(job.arm for job in jobs))
    left = chosen[_fitting(known, chosen) :]
    more = f"{counted(len(left), 'arm')} with {counted(sum(len(known[arm]) for arm in left), 'run')}"
    most = (
        f" Not shown: {more}, from {left[0]} on, since a page shows {MOST_RUNS:,} runs. Take arms away." if left else ""
    )
    said = f"{counted(len(jobs), 'run')} of {counted(len(arms), 'arm')}; the first is the baseline: {arms[0]}.{most}"
    return mo.Html(f"<p>{html.escape(said)}</p>")
