"""A search over settings, its trials and their scores, as the ledger has them: nothing of it lies anywhere else.

Everything that later trials need is recorded as a search is opened: ranges, rule, seeds, configs, code and place. A
suggestion is recorded in one transaction with the plan that it leads to, a score before anything is asked again. These
are events that are also told to the file beside the ledger, so a ledger that is made again goes on where it was.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field, ValidationError

from experiments.jobs.covering import cover_search
from experiments.jobs.criteria import Stated
from experiments.jobs.ledger import Event, Ledger
from experiments.jobs.ledger.budgets import KIND as BUDGET
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.pruning import Evaluations, Pruned, Pruning
from experiments.jobs.sweeps.ranges import Space, Value
from experiments.jobs.sweeps.template import Template
from experiments.project.errors import LedgerError, UsageError, reasons
from experiments.project.provenance import Provenance
from experiments.project.standing import CHOOSING
from experiments.project.values import Frozen, is_none, replaced
from experiments.types import LauncherName

OPENED, TRIAL, PRUNED, TOLD, ENDED = "search", "trial", "trial_pruned", "trial_told", "search_ended"
"""Kinds of the ledger's events."""

Sampler = Literal["tpe", "random"]
_NOT_IN_ID = ("wandb_tags", "skip_git_check")


class Search(Frozen):
    """What is searched over, by what, and how its trials are made.

    Attributes:
        experiment: Whose arms its trials are.
        arm: The recipe's arm that is searched; empty where it has one only.
        space: What may be tried of each setting.
        own: What the recipe's config has of these settings: what its arm is without a search.
        rule: What scores a run, and which way is better.
        seeds: Of every trial; no design uses these.
        trials: How many there shall be.
        at_once: How many may be out at once; trial n knows the scores of trials up to n - at_once.
        template: Makes a trial's config from its values.
        own_config: The config of the arm without a search, as JSON.
        prune: When a trial is stopped that is worse than the earlier ones; None where none is.
        budget: Name of the budget that its trials draw on; empty of one that was opened before there were any.
        provenance: Where the code comes from, and the snapshot that every trial runs.
        places: W&B places of the jobs, as settings.
        accept: What the recipe asks of the experiment; its frozen design is held to it, for a search accepts nothing.
    """

    experiment: str
    arm: str = ""
    space: dict[str, Space]
    own: dict[str, Value]
    rule: Rule
    seeds: tuple[int, ...] = Field(min_length=1)
    sampler: Sampler = "tpe"
    trials: int = Field(ge=1, le=10_000)
    at_once: int = Field(ge=1)
    launcher: LauncherName
    train_command: tuple[str, ...]
    template: Template
    own_config: dict[str, Any]
    provenance: Provenance
    places: dict[str, str] = Field(default_factory=dict)
    wandb_mode: Literal["offline", "online"] = "offline"
    prune: Pruning | None = Field(None, exclude_if=is_none)
    budget: str = ""
    accept: Stated = Field(Stated(), exclude_if=lambda stated: not stated.criteria)

    @functools.cached_property
    def id(self) -> str:
        """What makes it the search that it is: not how long it goes on, nor who labels its runs."""
        content = self.model_dump(
            mode="json", include={"experiment", "arm", "space", "seeds", "sampler", "launcher", "train_command"}
        )
        content["rule"] = self.rule.model_dump(mode="json", include={"metric", "direction", "score", "window", "floor"})
        content |= {"prune": self.prune.model_dump(mode="json")} if self.prune is not None else {}
        content["cases"] = [
            [case.values, {name: value for name, value in case.config.items() if name not in _NOT_IN_ID}]
            for case in self.template.cases
        ]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def words(self) -> str:
        """What is searched, in words."""
        space = ", ".join(f"{name} {each.text}" for name, each in self.space.items())
        return f"{f'{self.arm}: ' if self.arm else ''}{space}"

    def arm_of(self, trial: int) -> str:
        """Return the arm that a trial is."""
        return f"{f'{self.arm}-' if self.arm else ''}trial-{trial}"


@dataclass(frozen=True)
class Trial:
    """One configuration of a search.

    Attributes:
        plan_key: The plan of its jobs; empty where its values were refused and nothing was launched.
        is_told: Whether its result is recorded.
        score: Mean over its seeds; None before it is told, and of one that failed.
        seeds: Score of each seed; None of one that was lost.
        reason: Why it has no score, or how many seeds were lost; empty otherwise.
        pruned: Where it was found worse than the earlier ones: it is stopped, and has no score.
        evaluations: What it had on its way, where later trials are held to that.
    """

    number: int
    values: Mapping[str, Value]
    plan_key: str = ""
    is_told: bool = False
    score: float | None = None
    seeds: Mapping[str, float | None] = field(default_factory=dict)
    reason: str = ""
    pruned: Pruned | None = None
    evaluations: Evaluations = ()

    @property
    def lost(self) -> int:
        """How many of its seeds have no score."""
        return sum(score is None for score in self.seeds.values())


@dataclass(frozen=True)
class Course:
    """A search and what became of it so far.

    Attributes:
        trials: In the order of their numbers, without a gap.
        is_ended: Whether it was ended before its last trial.
        why: Why it was; empty where it was not, or somebody just asked for it.
    """

    search: Search
    trials: tuple[Trial, ...] = ()
    is_ended: bool = False
    why: str = ""

    @property
    def out(self) -> list[Trial]:
        """Trials whose result is not recorded yet."""
        return [trial for trial in self.trials if not trial.is_told]

    @property
    def may_go_on(self) -> bool:
        """Whether there are trials that nobody asked for yet, and nobody ended it."""
        return not self.is_ended and len(self.trials) < self.search.trials

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be told or asked."""
        return bool(self.out) or self.may_go_on

    @property
    def may_ask(self) -> bool:
        """Whether the next trial may be asked: fewer than `at_once` are out, and what it is to know is recorded."""
        if not self.may_go_on:
            return False
        known = self.trials[: max(0, len(self.trials) - self.search.at_once + 1)]
        return all(trial.is_told for trial in known)

    @property
    def ranking(self) -> list[Trial]:
        """Trials with a score that all of their seeds stand behind, the best first; of equals the earlier.

        A trial that lost seeds is better than it looks where nothing stands for these.
        """
        floor, _ = self.search.rule.least_favourable
        scored = [trial for trial in self.trials if trial.score is not None and (floor is not None or not trial.lost)]
        sign = -1.0 if self.search.rule.direction == "higher" else 1.0
        return sorted(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number))

    @property
    def best(self) -> Trial | None:
        """The best trial so far."""
        return next(iter(self.ranking), None)


def choosing_seeds(number: int) -> tuple[int, ...]:
    """Return the seeds that trials are compared on: the same for all, and none of those that designs use."""
    return tuple(range(CHOOSING, CHOOSING + number))


def courses(ledger: LedgerReader, experiment: str | None = None) -> list[Course]:
    """Return every search, or those of an experiment, in the order in which they were opened.

    Raises:
        LedgerError: A record cannot be read; to leave it out would be to ask for its trials again.
    """
    opened: dict[str, Search] = {}
    trials: dict[str, dict[int, Trial]] = {}
    ended: dict[str, str] = {}
    for event in ledger.events(kind={OPENED, TRIAL, PRUNED, TOLD, ENDED}):
        _refuse_unreadable(event)
        if event.kind == OPENED:
            search = _search(event)
            opened[search.id] = search
            ended.pop(search.id, None)
        elif event.kind == ENDED:
            ended[str(event.data["search"])] = str(event.data.get("why", ""))
        else:
            of_search = trials.setdefault(str(event.data["search"]), {})
            number = int(event.data["number"])
            of_search[number] = _trial(event, of_search.get(number))
    return [
        Course(search, tuple(_in_order(trials.get(name, {}))), name in ended, ended.get(name, ""))
        for name, search in opened.items()
        if experiment in {None, search.experiment}
    ]


def outlived(ledger: Ledger) -> list[Search]:
    """Return searches that are done while their budget is as open as before: whoever was to end it was killed.

    A budget that a person granted again since is for something else; a permit is for more than a search, and stays.

    Raises:
        LedgerError: A record cannot be read.
    """
    stays = {permit.name for permit in ledger.permits()}
    still_open = {budget.name for budget in ledger.budgets() if budget.is_open} - stays
    done = {
        course.search.id: course.search
        for course in courses(ledger)
        if not course.is_open and course.search.budget in still_open
    }
    latest: dict[str, set[str]] = {}
    for event in ledger.events(kind={OPENED, TRIAL, PRUNED, TOLD, ENDED, BUDGET}) if done else ():
        if event.kind == BUDGET:
            latest.pop(str(event.data.get("name")), None)
            continue
        of = _search(event).id if event.kind == OPENED else str(event.data["search"])
        if search := done.get(of):
            latest.setdefault(search.budget, set()).add(search.id)
    return [done[name] for names in latest.values() for name in names]


def course_of(ledger: LedgerReader, search: Search) -> Course | None:
    """Return what became so far of a search that is asked for; None of one that was never opened.

    Raises:
        UsageError: The experiment has another search of the arm: its trials would have the names of this one's.
    """
    there = [course for course in courses(ledger, search.experiment) if course.search.arm == search.arm]
    if (other := next((course.search for course in there if course.search.id != search.id), None)) is not None:
        raise UsageError(
            f"experiment {search.experiment!r} has another search already ({other.words}; "
            f"{len(other.seeds)} seeds a trial), or its recipe, rule or trainer changed since. Give this one a name "
            f"of its own, as the first word: {search.experiment}-2"
        )
    return there[0] if there else None


def open_search(ledger: Ledger, search: Search, permit: Permit) -> Search:
    """Record a search that a person asked for, or that one which is there shall have more trials; return it.

    Raises:
        UsageError: The experiment has another search.
        LaunchRefused: A granted permit does not cover it, or the search draws on another budget.
    """
    cover_search(permit, search.budget, search.provenance.recipe, ledger)
    if (course := course_of(ledger, search)) is not None:
        if not course.is_ended and course.search.trials >= search.trials:
            return course.search
        # What decides which values come next, and what they run, stays as it was.
        more = {"trials": max(search.trials, course.search.trials), "budget": course.search.budget or search.budget}
        search = replaced(course.search, **more)
        cover_search(permit, search.budget, search.provenance.recipe, ledger)
    ledger.add_event(OPENED, by=permit.how, search=search.model_dump(mode="json"))
    return search


def suggestion(search: Search, trial: int, values: Mapping[str, Value]) -> tuple[str, dict[str, Any]]:
    """Return the event of a suggestion, for the transaction that records its plan."""
    return TRIAL, {"search": search.id, "number": trial, "values": dict(values)}


def tell(
    ledger: Ledger,
    search: Search,
    trial: int,
    score: float | None,
    seeds: Mapping[str, float | None],
    reason: str,
    evaluations: Evaluations = (),
) -> None:
    """Record the result of a trial, which nothing changes afterwards."""
    data: dict[str, Any] = {
        "search": search.id,
        "number": trial,
        "score": score,
        "seeds": dict(seeds),
        "reason": reason,
    }
    data |= {"evaluations": [list(each) for each in evaluations]} if evaluations else {}
    ledger.add_event(TOLD, **data)


def prune(ledger: Ledger, search: Search, trial: int, pruned: Pruned) -> None:
    """Record that a trial is to be stopped, before any of its jobs is asked to end."""
    ledger.add_event(PRUNED, search=search.id, number=trial, **pruned.model_dump(mode="json"))


def end_search(ledger: Ledger, search: Search, permit: Permit, why: str = "") -> None:
    """Record that no more trials shall be asked for; those that are out go on.

    Raises:
        LaunchRefused: A granted permit does not cover it, or the search draws on another budget.
    """
    cover_search(permit, search.budget, search.provenance.recipe, ledger)
    ledger.add_event(ENDED, search=search.id, by=permit.how, why=why)


def _search(event: Event) -> Search:
    try:
        return Search.model_validate(event.data["search"])
    except (ValidationError, KeyError) as error:
        said = reasons(error) if isinstance(error, ValidationError) else "it holds none"
        raise LedgerError(f"the record of a search cannot be read in the ledger ({said}).") from error


def _trial(event: Event, known: Trial | None) -> Trial:
    number, data = int(event.data["number"]), event.data
    if event.kind == TRIAL:
        return Trial(number, data["values"], event.plan_key or "")
    before = known or Trial(number, {})
    if event.kind == PRUNED:
        found = Pruned(step=data["step"], value=data["value"], median=data["median"])
        return replace(before, pruned=before.pruned or found)
    evaluations = tuple((float(step), float(value)) for step, value in data.get("evaluations", ()))
    result = {"score": data["score"], "seeds": data["seeds"], "reason": data["reason"], "evaluations": evaluations}
    return replace(before, is_told=True, **result)


def _in_order(trials: Mapping[int, Trial]) -> Iterable[Trial]:
    numbers: Sequence[int] = sorted(trials)
    if numbers != list(range(len(numbers))):
        raise LedgerError(f"trials of a search are missing in the ledger: it has {', '.join(map(str, numbers))}.")
    return [trials[number] for number in numbers]


def _refuse_unreadable(event: Event) -> None:
    if "unreadable" in event.data:
        raise LedgerError(
            f"an event of a search ({event.kind}) cannot be read in the ledger ({event.data['unreadable']}). "
            "Rebuild it from what was told beside it: experiments doctor --rebuild"
        )
