"""What a careful person would do now about an experiment: from what its verdict, its failures and its searches say."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.jobs.ledger import open_ledger
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.edges import edges_of
from experiments.jobs.sweeps.search import Course, courses
from experiments.jobs.watch.logs import Failures, failures_of
from experiments.jobs.watch.snapshots import time_left_s
from experiments.project.look import counted, duration
from experiments.results.claims import Claimed
from experiments.results.scores import ScoredRuns
from experiments.results.sparing import spare_of
from experiments.results.subject import Subject
from experiments.results.verdict import ended_early, go_on_words, resume_command
from experiments.statistics import Options, power_analysis
from experiments.types import TERMINAL_VERDICTS, JobStatus

MOST_NAMED = 100
"""How many runs a command is given; of more the same advice comes again."""

Kind = Literal["cancel", "retry", "mend", "wait", "seeds", "settle", "freeze", "expand", "write", "launch", "nothing"]


@dataclass(frozen=True)
class Advice:
    """One thing to do.

    Attributes:
        kind: `cancel` what a verdict made needless; `retry` what its machine ended; `mend` what ended trainings; `wait`
            for what goes on; `seeds`, more of them in a new design; `settle` for what is noise; `freeze` or `expand` a
            search; `write` down what was found; `launch` something; `nothing`.
        sentence: Why.
        command: What does it; empty where it takes thought.
        runs: Which runs it is about.
        seconds: How long to wait, as far as anybody can tell.
    """

    kind: Kind
    sentence: str
    command: str = ""
    runs: tuple[str, ...] = ()
    seconds: float | None = None


def advice_on(subject: Subject) -> list[Advice]:
    """Return what to do about an experiment, the most pressing first; never nothing.

    Raises:
        ExperimentsError: The runs or the ledger cannot be read.
    """
    claimed = subject.claimed
    found = [
        *(_spared(subject, claimed[1]) if claimed else ()),
        *_failed(subject),
        *_waiting(subject),
        *(_after(subject, *claimed) if claimed else ()),
        *_search(subject),
    ]
    if not found and not subject.is_search and claimed is None:
        found.append(
            Advice(
                "write",
                "No hypothesis and rule were recorded, so nothing can be decided. Write both into the recipe before "
                "the next launch: what is seen first decides nothing.",
            )
        )
    if not found and claimed is not None and claimed[1].judgement.decision == "undecided":
        reason = claimed[1].judgement.reason
        found.append(Advice("mend", f"The hypothesis is undecided, and more seeds do not mend that: {reason}"))
    return found or [Advice("nothing", "All has ended, and nothing follows from it.")]


def failures_in(subject: Subject) -> list[Failures]:
    """Return the failed runs of an experiment in groups, without those that were tried again."""
    retried = {job.retry_of for job in subject.context.rows if job.retry_of}
    return failures_of(subject.jobs, subject.statuses, subject.context.store, retried=retried)


def _spared(subject: Subject, claimed: Claimed) -> Iterable[Advice]:
    found = spare_of(claimed, subject.jobs, subject.statuses)
    if found is not None:
        yield Advice("cancel", found.sentence, _command("cancel", found.runs), found.runs)


def _failed(subject: Subject) -> Iterable[Advice]:
    from experiments.results.scores import outcome_of_job

    for group in failures_in(subject):
        by_machine = tuple(run for run in group.runs if outcome_of_job(subject.statuses.get(run)) == "machine failed")
        others = tuple(run for run in group.runs if run not in by_machine)
        if by_machine:
            yield Advice(
                "retry",
                f"{counted(len(by_machine), 'run')} failed with the machine, and a new attempt takes the place of "
                f"each: {group.example}",
                _command("retry", by_machine),
                by_machine,
            )
        if others:
            yield Advice(
                "mend",
                f"{counted(len(others), 'training')} failed: {group.example} A seed that is trained again because it "
                "failed is chosen by its result, so it stays lost here; mend the cause, and launch all seeds under "
                "another name.",
                shlex.join(["experiments", "logs", others[0]]),
                others,
            )


def _waiting(subject: Subject) -> Iterable[Advice]:
    out = [
        status
        for job in subject.jobs
        if (status := subject.statuses.get(job.run)) is not None and status.verdict not in TERMINAL_VERDICTS
    ]
    if not out:
        return
    seconds = _longest(out)
    runs = counted(len(out), "job")
    told = f"about {duration(seconds)}" if seconds is not None else "nobody can tell yet how long"
    yield Advice(
        "wait",
        f"{runs} of {len(subject.jobs)} {'has' if len(out) == 1 else 'have'} not ended: {told}.",
        shlex.join(["experiments", "wait", subject.context.name]),
        tuple(status.run_name for status in out),
        seconds,
    )


def _longest(out: Sequence[JobStatus]) -> float | None:
    """Return the longest time that a running job still needs; None where none can tell."""
    known = [left for status in out if (left := time_left_s(status)) is not None]
    return max(known, default=None)


def _after(subject: Subject, runs: ScoredRuns, claimed: Claimed) -> Iterable[Advice]:
    """Return what follows from a verdict that waits for nothing."""
    found, rule = claimed.judgement, claimed.judgement.rule
    if found.decision == "interim" or rule is None:
        return
    if found.decision in {"confirmed", "rejected"}:
        kind = "registered" if claimed.registration.is_registered else "exploratory"
        yield Advice(
            "write",
            f"The hypothesis is {found.decision} ({kind}). Write down what follows from it, and keep it as one file.",
            shlex.join(["experiments", "bundle", subject.context.name]),
        )
        return
    comparison = found.comparison
    short = ended_early([runs.scores[name] for name in (comparison.arm, comparison.baseline)]) if comparison else []
    if short:
        names = tuple(run.run for run in short)
        yield Advice("mend", f"The hypothesis is undecided: {go_on_words(short)}", resume_command(short[0]), names)
    if comparison is None or not comparison.claim.is_final:
        return  # what is missing is said by the verdict itself, and more seeds repair none of it
    difference = comparison.difference.value
    floor = runs.noise
    if floor is not None and floor.covers(difference):
        yield Advice("settle", f"{floor.sentence(difference)}. More seeds would not make it matter.")
        return
    level = comparison.difference.interval.level
    yield _more_seeds(subject, runs, rule, comparison.arm, comparison.baseline, level)


def _more_seeds(subject: Subject, runs: ScoredRuns, rule: Rule, arm: str, baseline: str, level: float) -> Advice:
    """Return how many seeds the verdict would take, by the comparison and at the level that it decides with."""
    power = power_analysis(
        runs.scores[arm],
        runs.scores[baseline],
        difference=rule.effect or None,
        statistic=rule.statistic,
        options=Options(level=level),
    )
    return Advice(
        "seeds",
        f"The rule leaves it undecided. {power.sentence} Seeds that are added after a look decide nothing: launch all "
        f"of them as a new design, under another name than {subject.context.name}.",
    )


def _search(subject: Subject) -> Iterable[Advice]:
    with open_ledger(subject.context.workspace, read_only=True) as ledger:
        found: list[Course] = courses(ledger, subject.context.name)
    name = subject.context.name
    for course in found:
        edges = edges_of(course)
        for edge in edges:
            yield Advice("expand", edge.words, shlex.join(["experiments", "sweep", "expand", name]))
        if course.best is not None and not course.is_open and not edges:
            yield Advice(
                "freeze",
                "The best of several is better than it is: its score has chosen it. Let seeds that chose nothing "
                "decide.",
                shlex.join(["experiments", "sweep", "freeze", name]),
            )


def _command(word: str, runs: Sequence[str]) -> str:
    return shlex.join(["experiments", word, *runs[:MOST_NAMED]])
