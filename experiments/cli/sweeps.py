"""Commands on searches: their trials, the step that carries them on, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.launched import Followed
from experiments.cli.terminal import FittedColumn, FittedTable, console, say
from experiments.cli.until import went_on
from experiments.jobs.ledger import open_ledger
from experiments.jobs.sweeps.edges import edges_of
from experiments.jobs.sweeps.pruning import Pruned
from experiments.jobs.sweeps.ranges import Value, said
from experiments.jobs.sweeps.ranges import words as words_of
from experiments.jobs.sweeps.search import Course, Trial, courses, end_search
from experiments.project.errors import UsageError
from experiments.project.look import counted, quantity
from experiments.project.workspace import Workspace

_ACTIONS = ("freeze", "expand")
_OWN = ("trial", "score", "seeds", "best")


class Step(Shown):
    """What a step did.

    Attributes:
        done: Each thing that was told or launched, in words.
        goes_on: How many things go on by themselves after it; null where another process was at it all the time.
    """

    done: tuple[str, ...]
    goes_on: int | None


class TrialOf(Shown):
    """One configuration of a search.

    Attributes:
        told: Whether its result is recorded.
        score: Mean over its seeds; null before it is told, and of one that failed.
        seeds: Score of each seed; null of one that was lost.
        reason: Why it has no score, or how many seeds were lost.
        pruned: Where it was found worse than the earlier ones.
    """

    experiment: str
    number: int
    arm: str
    values: dict[str, Value]
    told: bool
    score: float | None
    seeds: dict[str, float | None]
    reason: str
    pruned: Pruned | None


class SearchOf(Shown):
    """A search over settings of one arm.

    Attributes:
        space: What is searched, by setting.
        best: Number of the best trial so far; its score has chosen it.
        expand: Sentences on settings whose best value lies at an end of what was tried.
    """

    experiment: str
    arm: str
    search: str
    space: dict[str, str]
    metric: str
    direction: str
    seeds: tuple[int, ...]
    sampler: str
    trials_asked_for: int
    at_once: int
    state: str
    best: int | None
    expand: tuple[str, ...]


class Searches(Long):
    """The searches of an experiment, and all of their trials in one list."""

    ITEMS: ClassVar[str] = "trials"

    searches: tuple[SearchOf, ...]
    trials: tuple[TrialOf, ...]


def step(
    experiment: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[EXPERIMENT]", help_behavior_hint="")]
    ] = None,
) -> Answer[Step]:
    """Carry on what goes on by itself: tell the trials that ended, and launch the next.

    Jobs end with such a step where they run on this machine, and `--follow` takes one after each; whoever takes one
    more does nothing twice.

    Args:
        experiment: Only what goes on of this experiment.
    """
    from experiments.jobs.permits import ongoing_permit
    from experiments.results.steps import take_step

    workspace = Workspace.find(Path.cwd())
    permit = ongoing_permit("experiments step")
    if experiment is not None and not went_on(workspace, experiment):
        _courses(workspace, experiment)
    stepped = take_step(workspace, permit, experiment, retry=True)
    found, problems = Step(done=tuple(stepped.done), goes_on=stepped.goes_on), stepped.problems
    none = [] if problems else ["Nothing to do now." if stepped.goes_on else "Nothing goes on by itself."]

    def words(found: Step) -> None:
        for line in found.done or none:
            say(line)

    return Answer(found, words, code=1 if problems else 0, errors=problems)


def sweep(
    words: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="[freeze|expand] EXPERIMENT", help_behavior_hint=""),
    ],
    *,
    end: Flag = False,
    arm: Annotated[str | None, tyro.conf.arg(metavar="ARM", help_behavior_hint="")] = None,
    seeds: Annotated[str | None, tyro.conf.arg(metavar="N|until-decided", help_behavior_hint="")] = None,
    name: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None,
    dry_run: Flag = False,
    yes: Flag = False,
) -> Answer[Searches] | Answer[Followed]:
    """Show the trials of a search and the best so far; freeze its winner as a design, or search wider ranges.

    Args:
        words: Name of the experiment. Behind freeze, its best trial meets the baseline in a registered design on seeds
            that chose nothing, from what the search recorded. Behind expand, it is searched over wider ranges where
            the best trial lay at an edge.
        end: Ask for no more trials; those that are out go on to their end (experiments cancel ends jobs).
        arm: With freeze, where several arms were searched: the one that meets the baseline.
        seeds: With freeze: seeds of each arm, by default what the rule plans, else 5; or until-decided, in batches
            from look to look.
        name: With freeze or expand: name of the new experiment.
        dry_run: With freeze or expand: show what would be launched and stop.
        yes: Do not ask before a launch that costs money.
    """
    action, experiment = _asked(words)
    if action:
        from experiments.cli.freezing import expand, freeze

        if end or (action == "expand" and (arm is not None or seeds is not None)):
            raise UsageError(f"--end does not go with {action}, nor --arm and --seeds with expand.")
        if action == "expand":
            return expand(experiment, name=name, dry_run=dry_run, yes=yes)
        return freeze(experiment, arm=arm, seeds=seeds, name=name, dry_run=dry_run, yes=yes)
    if dry_run or yes or any(given is not None for given in (arm, seeds, name)):
        raise UsageError(f"--arm, --seeds, --name, --dry-run and --yes go with: experiments sweep freeze {experiment}")
    workspace = Workspace.find(Path.cwd())
    found = _courses(workspace, experiment)
    if end:
        from experiments.jobs.permits import command_permit

        permit = command_permit(f"experiments sweep {experiment} --end")
        with open_ledger(workspace) as ledger:
            for course in found:
                if course.is_open:
                    end_search(ledger, course.search, permit)
        found = _courses(workspace, experiment)

    def show(_: Searches) -> None:
        for number, course in enumerate(found):
            say() if number else None
            _print(course)

    return Answer(searches_of(found), show)


def searches_of(found: Sequence[Course]) -> Searches:
    """Return searches and their trials as commands answer them."""
    return Searches(
        searches=tuple(map(_search_of, found)),
        trials=tuple(_trial_of(course, trial) for course in found for trial in course.trials),
    )


def _search_of(course: Course) -> SearchOf:
    search, best = course.search, course.best
    return SearchOf(
        experiment=search.experiment,
        arm=search.arm,
        search=search.id,
        space={name: each.text for name, each in search.space.items()},
        metric=search.rule.metric,
        direction=search.rule.direction,
        seeds=tuple(search.seeds),
        sampler=search.sampler,
        trials_asked_for=search.trials,
        at_once=search.at_once,
        state=_state(course),
        best=best.number if best is not None else None,
        expand=tuple(edge.words for edge in edges_of(course)),
    )


def _trial_of(course: Course, trial: Trial) -> TrialOf:
    search = course.search
    return TrialOf(
        experiment=search.experiment,
        number=trial.number,
        arm=search.arm_of(trial.number),
        values=dict(trial.values),
        told=trial.is_told,
        score=trial.score,
        seeds=dict(trial.seeds),
        reason=trial.reason,
        pruned=trial.pruned,
    )


def _asked(words: Sequence[str]) -> tuple[str, str]:
    """Return what is to be done with an experiment's search, empty for showing it, and the experiment."""
    if len(words) == 1:
        return "", words[0]
    if len(words) == 2 and words[0] in _ACTIONS:
        return words[0], words[1]
    raise UsageError(
        f"experiments sweep takes one experiment, alone or behind freeze or expand, not {' '.join(words)!r}. Try: "
        f"experiments sweep {words[-1] if words else 'EXPERIMENT'}"
    )


def _courses(workspace: Workspace, experiment: str) -> list[Course]:
    with open_ledger(workspace, read_only=True) as ledger:
        found = courses(ledger, experiment)
        others = list(dict.fromkeys(course.search.experiment for course in courses(ledger)))
    if not found:
        known = (
            f"There are: {', '.join(others)}." if others else "Begin one: RECIPE --search FIELD=LOW..HIGH --trials 40"
        )
        raise UsageError(f"experiment {experiment!r} has no search. {known}")
    return found


def _state(course: Course) -> str:
    if course.is_ended:
        return f"{'ending' if course.is_open else 'ended early'}{f' ({course.why})' if course.why else ''}"
    return "goes on" if course.is_open else "done"


def _print(course: Course) -> None:
    search = course.search
    say(f"{search.experiment}: search over {search.words}")
    ended = sum(trial.is_told for trial in course.trials)
    asked = f"{ended} of {counted(search.trials, 'trial')} ended, {counted(len(search.seeds), 'seed')} each"
    better = "more" if search.rule.direction == "higher" else "less"
    say(f"{_state(course)}: {asked}, {len(course.out)} out; score: {search.rule.metric}, {better} is better")
    if course.trials:
        _print_table(course)
    if course.best is not None:
        arm = search.arm_of(course.best.number)
        say(f"best so far: {arm} ({words_of(course.best.values)}): {quantity(course.best.score)}")
        say("The best of several is better than it is: its score has chosen it. Seeds that chose nothing decide.")
        for edge in edges_of(course):
            say(edge.words)
        if not course.is_open:
            say(f"Freeze it: experiments sweep freeze {search.experiment}")


def _print_table(course: Course) -> None:
    search, best = course.search, course.best
    # A setting may have the name of another column.
    names = {name: f"--{name}" if name in _OWN else name for name in search.space}
    right = {*names.values(), "trial", "score", "seeds"}
    headings = ("trial", *names.values(), "score", "seeds", "best")
    columns = [FittedColumn(heading, is_right=heading in right) for heading in headings]
    table = FittedTable(columns, ("trial", "score", *names.values(), "seeds", "best"))
    for trial in course.trials:
        mark = "best" if best is not None and trial.number == best.number else ""
        row = [str(trial.number), *(said(trial.values[name]) for name in names), _score(trial), _seeds(trial, course)]
        table.add(*row, mark, note=trial.reason)
    console().print(table)


def _score(trial: Trial) -> str:
    if trial.pruned is not None:
        return "pruned"
    return quantity(trial.score) if trial.is_told else "out"


def _seeds(trial: Trial, course: Course) -> str:
    values = [trial.seeds.get(str(seed)) for seed in course.search.seeds]
    return " ".join(map(quantity, values)) if trial.seeds else ""
