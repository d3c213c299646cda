"""What there is to say of a notebook that was just run: from its own cells, the ledger, and one poll of the sources.

What cannot be read is left out and named; a log never fails because its head could not be complete.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.jobs.journal import Journal
from experiments.jobs.watch.snapshots import Snapshot, reason_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.export.record import LoggedMetric
from experiments.notebooks.marks import hash_of
from experiments.notebooks.study import Study
from experiments.project.errors import ExperimentsError
from experiments.project.look import quantity
from experiments.project.provenance import Provenance, capture
from experiments.project.standing import standing
from experiments.project.workspace import Workspace
from experiments.results.scores import outcome_of_job
from experiments.results.subject import is_search
from experiments.runs.store import AGENT_STEP, REWARD_KEY, RunStore, RunUpdate
from experiments.statistics import Curve, standing_curves
from experiments.types import BaseExperimentConfig, JobRef, JobStatus

if TYPE_CHECKING:
    from experiments.notebooks.export.run.running import CellRecord

_POLL_S = 10.0
_METRIC_WORDS = {REWARD_KEY: "return per agent"}


@dataclass
class Facts:
    """What is known of a notebook's experiment.

    Attributes:
        context: What the notebook's own cells opened; None in a notebook that no recipe made.
        updates: What is known of each run without its history.
        texts: Title, hypothesis and verdict.
        problems: What could not be read, in sentences.
        store: Where the runs are read; None without any.
    """

    workspace: Workspace
    experiment: str
    context: NotebookContext | None = None
    config: BaseExperimentConfig | None = None
    jobs: Sequence[JobRef] = ()
    snapshot: Snapshot = field(default_factory=Snapshot)
    updates: dict[str, RunUpdate] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    metric: LoggedMetric | None = None
    problems: list[str] = field(default_factory=list)
    store: RunStore | None = None

    def statuses(self) -> list[JobStatus]:
        """Return how each job is, in their order; one that nobody knows is `unknown`."""
        known = {status.run_name: status for status in self.snapshot.jobs}
        unknown = {
            job.run: JobStatus(run_name=job.run, arm=job.arm, seed=job.seed, **standing(job)) for job in self.jobs
        }
        return [known.get(job.run, unknown[job.run]) for job in self.jobs]

    def code(self) -> Provenance:
        """Return where the code that the newest job ran comes from; without jobs, what lies here now."""
        launched = None
        try:
            launched = self.context.provenance(self.jobs) if self.context and self.jobs else None
        except ExperimentsError as error:
            self.problems.append(reason_of(error))
        if launched is not None:
            return launched
        here = capture(self.workspace.root, command=())
        # The code of today says nothing of jobs whose own is not known.
        return Provenance(state="unknown", reason="not known which code ran") if self.jobs else here

    def code_words(self) -> list[str]:
        """Return what must be said of the code that the jobs ran; empty where all ran what their plans say."""
        return self.context.code_words(self.jobs) if self.context and self.jobs else []

    def digest(self) -> str:
        """Return a hash of each run's latest values and its whole curve of the return; empty without runs."""
        if not self.updates or self.store is None:
            return ""
        found = hashlib.sha256()
        for run, update in sorted(self.updates.items()):
            summary = json.dumps(dict(update.info.summary), sort_keys=True, separators=(",", ":"), default=str)
            found.update(f"{run}\n{summary}\n".encode("utf-8", "surrogatepass"))
            try:
                history, _ = self.store.history(run, [AGENT_STEP, REWARD_KEY])
            except ExperimentsError as error:
                self.problems.append(f"{run}: {reason_of(error)}")
                continue
            for column in (REWARD_KEY, "_step", AGENT_STEP):
                if column in history:
                    values = history[column].to_numpy()
                    found.update(f"{column} {len(values)}\n".encode())
                    found.update(values.tobytes() if values.dtype != object else repr(values.tolist()).encode())
        return found.hexdigest()


def find_facts(values: Mapping[str, Any], cells: Sequence[CellRecord], notebook: Path, experiment: str) -> Facts:
    """Return what there is to say of a notebook.

    Args:
        values: What its cells defined.
        experiment: Name of the experiment, or of the file where no recipe made it.
    """
    study, config = values.get("study"), values.get("config")
    ours: NotebookContext | None
    if isinstance(study, Study):
        ours, jobs = study.experiment, study.jobs
    else:  # as notebooks of 0.1 call them
        context, jobs = values.get("experiment"), values.get("tracked_jobs", values.get("jobs"))
        ours = context if isinstance(context, NotebookContext) else None
    facts = Facts(
        workspace=ours.workspace if ours else Workspace.find(notebook),
        experiment=experiment,
        context=ours,
        config=config if isinstance(config, BaseExperimentConfig) else None,
        jobs=[job for job in jobs if isinstance(job, JobRef)] if isinstance(jobs, (list, tuple)) else [],
        texts=texts_of(cells),
    )
    if ours and (problem := ours.launched().problem):
        facts.problems.append(problem)
    if facts.jobs:
        _poll(facts)
    facts.metric = _mean_of(facts)
    journal = values.get("journal")
    if isinstance(journal, Journal) and journal.is_written:
        _judge(facts, journal)
    return facts


def hashes_of(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Return a hash of each cell's tokens, by its name; by its place where it has none."""
    codes = (hash_of(textwrap.indent(cell.code, "    ")) for cell in cells)
    return dict(zip(labels_of(cells), codes, strict=True))


def labels_of(cells: Sequence[CellRecord]) -> list[str]:
    """Return what each cell is called: its name, or `cell 3` where it has none of its own."""
    names = [cell.name for cell in cells]
    return [
        name if name not in {"", "_"} and names.index(name) == index else f"cell {index + 1}"
        for index, name in enumerate(names)
    ]


def _poll(facts: Facts) -> None:
    from experiments.monitoring import poll_once

    try:
        facts.snapshot = poll_once(facts.workspace.state, refs=facts.jobs, deadline_s=_POLL_S)
        facts.store = _store(facts)
        facts.updates = facts.store.poll([job.run for job in facts.jobs], [])
    except (ExperimentsError, OSError) as error:
        facts.problems.append(reason_of(error))


def _store(facts: Facts) -> RunStore:
    from experiments.runs.opening import default_store

    return facts.context.store if facts.context else default_store(facts.workspace.root)


def _judge(facts: Facts, journal: Journal) -> None:
    """Take hypothesis and verdict from the journal, and the number that its rule is about."""
    from experiments.jobs.designs import registration_of
    from experiments.results.claims import Claimed
    from experiments.results.controls import with_kept_scores
    from experiments.results.scores import scored_runs, summary_of
    from experiments.results.verdict import judge
    from experiments.statistics import shown

    facts.texts["hypothesis"] = journal.hypothesis
    if journal.rule is None or facts.store is None or (facts.jobs and is_search(facts.jobs)):
        return
    statuses = {status.run_name: status for status in facts.statuses()}
    summary = summary_of(journal.rule)
    try:
        jobs = facts.context.with_unlaunched(facts.jobs) if facts.context else facts.jobs
        codes = facts.context.code_marks(jobs) if facts.context else None
        registration = registration_of(facts.workspace, jobs, journal)
        scores = scored_runs(jobs, journal.rule.metric, facts.store, statuses=statuses, summary=summary, codes=codes)
        if facts.context:
            scores = with_kept_scores(scores, facts.context.controls(jobs), facts.workspace)
    except ExperimentsError as error:
        facts.problems.append(reason_of(error))
        return
    found = judge(journal, scores, registration)
    facts.texts["verdict"] = Claimed(found, registration).words
    difference = found.comparison.difference if found.comparison else None
    if found.comparison and difference and difference.value is not None:
        bounds = difference.interval.bounds
        spread = f" [{shown(bounds[0])}, {shown(bounds[1])}]" if bounds else ""
        standing = _STANDINGS[found.comparison.claim.standing]
        standing = standing or ("" if registration.is_registered else " (exploratory)")
        name = _METRIC_WORDS.get(journal.rule.metric, journal.rule.metric)
        facts.metric = LoggedMetric(
            name=f"{name}, {found.comparison.arm} minus {found.comparison.baseline}{standing}",
            value=difference.value,
            text=f"{shown(difference.value)}{spread}",
        )


_STANDINGS = {
    "final": "",
    "interim": " (interim)",
    "chosen": " (of a search)",
    "codes": " (of different code)",
    "lost": " (of the seeds with a score)",
}


def _mean_of(facts: Facts) -> LoggedMetric | None:
    """Return the mean reward over the seeds, of the run that stands for each, and whether their codes differ."""
    if facts.jobs and is_search(facts.jobs):
        return None  # a mean over all that was tried is a number of nothing
    statuses = facts.statuses()
    # What a trainer of one's own is about has its own key, and a mean over two metrics is one of nothing.
    key = next((one.keys.get("reward", REWARD_KEY) for one in statuses if one.reward is not None), REWARD_KEY)
    same = [one for one in statuses if one.reward is None or one.keys.get("reward", REWARD_KEY) == key]
    standing = [one.curve for one in standing_curves([_reached(one) for one in same])]
    counting = [curve for curve in standing if len(curve.values)]
    known = sorted(float(curve.values[-1]) for curve in counting)
    if not known:
        return None
    names = {curve.run for curve in counting}
    marks = facts.context.code_marks([job for job in facts.jobs if job.run in names]) if facts.context else {}
    codes = len({mark.identity for mark in marks.values()})
    mean = sum(known) / len(known)
    spread = f", {quantity(known[0])} to {quantity(known[-1])}" if len(known) > 1 else ""
    of = f" of {codes} codes" if codes > 1 else ""
    runs = "1 run" if len(known) == 1 else f"mean of {len(known)} runs"
    return LoggedMetric(name=_METRIC_WORDS.get(key, key), value=mean, text=f"{quantity(mean)} ({runs}{of}{spread})")


def _reached(status: JobStatus) -> Curve:
    """Return how far a run came, as a curve of one value; of none where it has no reward."""
    known = status.reward is not None
    steps, values = ([status.step or 0.0], [status.reward]) if known else ([], [])
    return Curve(
        np.array(steps, dtype=float),
        np.array(values, dtype=float),
        arm=status.arm,
        seed=status.seed,
        outcome=outcome_of_job(status),
        run=status.run_name,
        role=status.role,
        replicate=status.replicate,
    )


_PARAGRAPH = re.compile(r"\*\*(?P<word>Hypothesis|Verdict)\.\*\*(?P<text>.*?)(?=\n\s*\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^#\s+(?P<text>\S.*)$", re.MULTILINE)


def texts_of(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Return title, hypothesis and verdict where a cell's Markdown has them.

    That is a line `# Title`, and paragraphs that begin with `**Hypothesis.**` and `**Verdict.**`; a question there is
    one that a template asked.
    """
    found: dict[str, str] = {}
    for cell in cells:
        for text in _markdown(cell.code):
            if (title := _TITLE.search(text)) is not None:
                found.setdefault("title", title["text"].strip())
            for match in _PARAGRAPH.finditer(text):
                words = " ".join(match["text"].split())
                if words and not words.endswith("?"):
                    found.setdefault(match["word"].lower(), words)
    return found


def _markdown(code: str) -> Iterable[str]:
    """Yield the texts that a cell hands to `mo.md` as they stand."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "md":
                yield from (
                    textwrap.dedent(argument.value)
                    for argument in node.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                )
