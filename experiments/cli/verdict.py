"""`experiments verdict`, `next` and `failures`: what an experiment came to, and what a careful person would do now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.estimates import Compared, Noise, compared, noise
from experiments.cli.terminal import console, say
from experiments.jobs.rule import Rule
from experiments.project.look import DECISIONS, counted
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.results.subject import Subject

Decision = Literal["confirmed", "rejected", "undecided", "interim"]
AdviceKind = Literal[
    "cancel", "retry", "mend", "wait", "seeds", "settle", "freeze", "expand", "write", "launch", "nothing"
]
_KIND_WIDTH = 8
CODES = {"confirmed": 0, "rejected": 0, "undecided": 3, "interim": 3}
_Experiment = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="EXPERIMENT")]]
_MayBe = tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="[EXPERIMENT]", help_behavior_hint="")]]


class Registered(Shown):
    """How far a rule was fixed before the runs that it decides on.

    Attributes:
        number: Which design of its family it is, from 1; null where nobody recorded its family.
        level: Error rate that its claims may use.
        seeds: The seeds that were planned, by arm.
        is_changed: Whether what stands now is other than what was recorded.
        recorded: What was recorded, and when, in a sentence.
        said: Which kind of claim it makes, in a sentence.
    """

    is_registered: bool
    number: int | None
    level: float
    seeds: dict[str, tuple[int, ...]]
    is_changed: bool
    recorded: str
    said: str


class VerdictOn(Shown):
    """The verdict on an experiment's hypothesis, by the rule that was written before its launch.

    Attributes:
        kind: `registered` where the design foresaw the claim, else `exploratory`.
        reason: Why, in one sentence that names interval, method and counts.
        metric: What was scored; `score` says what one run's score is.
        comparison: The numbers behind it; null where there are none.
        spared: Seeds of each arm that a look made needless.
        notes: What must be said beside it.
    """

    experiment: str
    hypothesis: str
    rule: Rule | None
    decision: Decision
    kind: Literal["registered", "exploratory"]
    reason: str
    registration: Registered
    metric: str
    score: str
    comparison: Compared | None
    noise: Noise | None
    spared: tuple[int, ...]
    origin: str
    notes: tuple[str, ...]


class NoVerdict(Shown):
    """Why there can be no verdict: nothing was expected, or all of it is a search."""

    experiment: str
    decision: Literal["none"] = "none"
    reason: str


def verdict(experiment: _Experiment) -> Answer[VerdictOn] | Answer[NoVerdict]:
    """Say whether an experiment's hypothesis is confirmed, by the rule that was recorded before its launch.

    It ends with 0 where it is confirmed or rejected, and with 3 where it is undecided, interim, or there is none.

    Args:
        experiment: Name of the experiment.
    """
    from experiments.cli.asked import asked_subject

    return verdict_answer(asked_subject(Workspace.find(Path.cwd()), experiment))


def verdict_answer(subject: Subject) -> Answer[VerdictOn] | Answer[NoVerdict]:
    """Return the verdict on an experiment.

    Raises:
        ExperimentsError: The runs cannot be read.
    """
    found = verdict_of(subject)
    notes = [subject.problem] if subject.problem else []
    if isinstance(found, NoVerdict):
        return Answer(found, lambda one: say(one.reason), code=CODES["undecided"], notes=notes)
    return Answer(found, _print_verdict, code=CODES[found.decision], notes=notes)


def verdict_of(subject: Subject) -> VerdictOn | NoVerdict:
    """Return the verdict on an experiment as commands answer it."""
    from experiments.results.verdict import NO_HYPOTHESIS, NO_RULE, SEARCH

    journal = subject.journal
    claimed = subject.claimed
    if claimed is None:
        why = SEARCH if subject.is_search else NO_RULE if journal.is_written else NO_HYPOTHESIS
        return NoVerdict(experiment=subject.context.name, reason=why)
    runs, made = claimed
    judgement, registration = made.judgement, made.registration
    difference = judgement.comparison.difference.value if judgement.comparison else None
    return VerdictOn(
        experiment=subject.context.name,
        hypothesis=journal.hypothesis,
        rule=judgement.rule,
        decision=judgement.decision,
        kind="registered" if registration.is_registered else "exploratory",
        reason=judgement.reason,
        registration=Registered(
            is_registered=registration.is_registered,
            number=registration.number,
            level=registration.level,
            seeds={arm: tuple(seeds) for arm, seeds in registration.seeds.items()},
            is_changed=registration.is_changed,
            recorded=registration.sentence,
            said=registration.words,
        ),
        metric=runs.metric,
        score=runs.summary.words,
        comparison=compared(judgement.comparison) if judgement.comparison else None,
        noise=noise(runs.noise, difference),
        spared=judgement.spared,
        origin=runs.origin,
        notes=tuple(runs.notes),
    )


def _print_verdict(found: VerdictOn) -> None:
    out = console()
    out.print(f"{DECISIONS[found.decision].mark} {found.decision.capitalize()}", style="bold")
    out.print(found.reason, soft_wrap=True)
    if found.noise is not None and found.noise.covers:
        out.print(f"{found.noise.said}.", soft_wrap=True)
    out.print(found.registration.said, soft_wrap=True)
    out.print()
    out.print(f"Hypothesis  {found.hypothesis}", soft_wrap=True)
    if found.rule is not None:
        out.print(f"Rule        {found.rule.sentence}", soft_wrap=True)
    out.print(f"Recorded    {found.registration.recorded}", soft_wrap=True)
    for note in (f"{found.metric}, {found.score}; {found.origin}", *found.notes):
        out.print(note, style="dim", soft_wrap=True)


class ToDo(Shown):
    """One thing to do.

    Attributes:
        experiment: What it is about.
        kind: `cancel` what a verdict made needless; `retry` what its machine ended; `mend` what ended trainings; `wait`
            for what goes on; `seeds`, more of them in a new design; `settle` for what is noise; `freeze` or `expand` a
            search; `write` down what was found; `launch` something; `nothing`.
        why: In a sentence or more.
        command: What does it; empty where it takes thought.
        runs: Which runs it is about; of more than a hundred the first, as in the command.
        number: How many runs it is about.
        seconds: How long to wait, as far as anybody can tell.
    """

    experiment: str
    kind: AdviceKind
    why: str
    command: str
    runs: tuple[str, ...] = ()
    number: int = 0
    seconds: float | None = None


class Next(Shown):
    """What a careful person would do now, the most pressing first of each experiment."""

    todo: tuple[ToDo, ...]


def next_(experiment: _MayBe = None) -> Answer[Next]:
    """Say what a careful person would do now: retry these, wait so long, more seeds, freeze the winner.

    Args:
        experiment: Only about this experiment; by default about each.
    """
    from experiments.cli.asked import asked_subject
    from experiments.jobs.called import first_launch
    from experiments.project.errors import ExperimentsError
    from experiments.results.advice import MOST_NAMED, advice_on

    workspace = Workspace.find(Path.cwd())
    names = [experiment] if experiment is not None else _experiments(workspace)
    found: list[ToDo] = []
    notes = []
    for name in names:
        try:
            advice = advice_on(asked_subject(workspace, name))
        except ExperimentsError as error:
            if experiment is not None:
                raise
            notes.append(f"{name}: {error}")
            continue
        found += [
            ToDo(
                experiment=name,
                kind=one.kind,
                why=one.sentence,
                command=one.command,
                runs=one.runs[:MOST_NAMED],
                number=len(one.runs),
                seconds=one.seconds,
            )
            for one in advice
        ]
    if not names:
        found.append(ToDo(experiment="", kind="launch", why="No job yet.", command=first_launch(workspace.root)))
    return Answer(Next(todo=tuple(found)), _print_next, notes=notes)


def _experiments(workspace: Workspace) -> list[str]:
    from experiments.jobs.ledger import open_ledger

    with open_ledger(workspace, read_only=True) as ledger:
        return list(dict.fromkeys(row.experiment for row in ledger.rows() if row.experiment))


def _print_next(found: Next) -> None:
    from rich.table import Table

    out = console()
    for name in dict.fromkeys(one.experiment for one in found.todo):
        if name:
            out.print(name, style="bold")
        for one in (one for one in found.todo if one.experiment == name):
            row = Table.grid(padding=(0, 2))
            row.add_column(width=_KIND_WIDTH)
            row.add_column(overflow="fold")
            row.add_row(f"  {one.kind}", one.why)
            out.print(row)
            if one.command:  # in one line, to be copied
                out.print(f"{'':{_KIND_WIDTH + 2}}{one.command}", style="dim", soft_wrap=True)


class FailureGroup(Shown):
    """Failed runs that ended in the same way.

    Attributes:
        experiment: Whose they are.
        cause: What they have in common, with what differs taken out.
        example: The line of the first of them, as it was printed, without secrets.
        exit_codes: Different exit codes, where known; negative for a signal.
        runs: The first hundred of them.
        number: How many there are.
        by_machine: Those of `runs` that a failure of their machine ended: a new attempt takes their place.
        retry: What launches exactly these `runs` once more.
    """

    experiment: str
    cause: str
    example: str
    runs: tuple[str, ...]
    number: int
    exit_codes: tuple[int, ...]
    by_machine: tuple[str, ...]
    retry: str


class FailureGroups(Shown):
    """Failed runs by what ended them, without those that were tried again."""

    failures: tuple[FailureGroup, ...]


def failures(experiment: _MayBe = None) -> Answer[FailureGroups]:
    """Show the runs that failed, in groups by what ended them.

    Args:
        experiment: Only those of this experiment; by default of each.
    """
    from experiments.cli.asked import asked_subject
    from experiments.results.advice import MOST_NAMED, failures_in
    from experiments.results.scores import outcome_of_job

    workspace = Workspace.find(Path.cwd())
    found: list[FailureGroup] = []
    for name in [experiment] if experiment is not None else _experiments(workspace):
        subject = asked_subject(workspace, name)
        for group in failures_in(subject):
            runs = group.runs[:MOST_NAMED]
            lost = (run for run in runs if outcome_of_job(subject.statuses.get(run)) == "machine failed")
            found.append(
                FailureGroup(
                    experiment=name,
                    cause=group.line,
                    example=group.example,
                    runs=runs,
                    number=len(group.runs),
                    exit_codes=group.exit_codes,
                    by_machine=tuple(lost),
                    retry=replace(group, runs=runs).retry_command,
                )
            )
    return Answer(FailureGroups(failures=tuple(found)), _print_failures)


def _print_failures(found: FailureGroups) -> None:
    out = console()
    if not found.failures:
        out.print("No run failed.")
    for group in found.failures:
        out.print(f"{group.experiment}: {counted(group.number, 'run')} failed: {group.example}", soft_wrap=True)
        for run in group.runs:
            out.print(f"  {run}{' (its machine)' if run in group.by_machine else ''}")
        if group.number > len(group.runs):
            out.print(f"  and {group.number - len(group.runs)} more")
        out.print(f"  {group.retry}", style="dim", soft_wrap=True)
