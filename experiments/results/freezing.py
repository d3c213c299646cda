"""What a search is frozen as: its winner against the baseline, on seeds that chose nothing.

The best of several trials is better than it is, for its score has chosen it. So it is frozen: its settings and those of
the baseline are one registered design, by the search's own rule, on fresh seeds. Jobs are made from the configs that
the search recorded and run its snapshot; no recipe is asked again.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from experiments.jobs.arms import BASELINE
from experiments.jobs.batches import first_batch
from experiments.jobs.covering import cover_launch
from experiments.jobs.criteria import Criterion, Stated, record_criteria, renamed
from experiments.jobs.designs import design_words, record_journal
from experiments.jobs.funding import begin_batches
from experiments.jobs.journal import Journal, recorded_in
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.ledger.schema import FILE
from experiments.jobs.permits import Permit, require
from experiments.jobs.plan import RecordedJob, refuse_secrets
from experiments.jobs.preparation import check_plan, prepare_plan
from experiments.jobs.rule import FEWEST, MOST, Rule
from experiments.jobs.selection import task_of
from experiments.jobs.specs import tracker_of
from experiments.jobs.submission import submit
from experiments.jobs.sweeps.freezing import Pick, Sides
from experiments.jobs.sweeps.ranges import words
from experiments.jobs.sweeps.search import Course, courses
from experiments.project.errors import LedgerError, UsageError
from experiments.project.look import counted, quantity
from experiments.project.names import check_name
from experiments.project.provenance import Provenance
from experiments.project.standing import CHOOSING
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.searching import as_opened
from experiments.types import Plan, TrainingJob, TrainingJobConfig

USUAL_SEEDS = 5
EXPLORATORY = (
    "A search is exploratory: the scores of its trials have chosen among them, so the best one looks better than it is "
    "and nothing about its trials is decided here."
)
"""What is to be said wherever trials are shown."""


@dataclass(frozen=True)
class Design:
    """What a search is frozen as.

    Attributes:
        name: Of the experiment that it is.
        plan: Its jobs.
        journal: Hypothesis and rule, as they are recorded.
        code: Where the code comes from, and the snapshot that the jobs run.
        workspace: With the places of the search.
        accept: What it has to reach, as it is recorded: what the recipe stated when the search was opened.
        notes: What one should know before the launch, in sentences.
        is_frozen: Whether it was recorded before; then a launch completes it, and starts nothing twice.
        goes_on: Whether the plan is a first batch, which further ones follow until the rule decides.
    """

    name: str
    plan: Plan
    journal: Journal
    code: Provenance
    workspace: Workspace
    sides: Sides
    accept: Stated = field(default=Stated())
    notes: tuple[str, ...] = ()
    is_frozen: bool = False
    goes_on: bool = False

    @property
    def sentence(self) -> str:
        """What is compared with what, on which seeds."""
        seeds = sorted({job.seed for job in self.plan.jobs})
        arms = list(dict.fromkeys(job.arm for job in self.plan.jobs))
        span = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
        jobs = counted(len(self.plan.jobs), "job")
        first = ", its first batch" if self.goes_on else ""
        return f"{self.name}: {arms[1]} against {arms[0]}, {span} of each, which chose nothing: {jobs}{first}"


def courses_of(workspace: Workspace, experiment: str) -> list[Course]:
    """Return the searches of an experiment; none where it has none, or where there is no ledger.

    Raises:
        LedgerError: A record cannot be read.
    """
    if not (workspace.state / FILE).exists():
        return []
    with open_ledger(workspace, read_only=True) as ledger:
        return courses(ledger, experiment)


def effort_words(found: Sequence[Course]) -> str:
    """Return how many trials the baseline got beside the winner, in a sentence."""
    if len(found) == 1:
        own, trials = words(found[0].search.own), len(found[0].trials)
        return (
            f"The baseline has the recipe's own settings ({own}), which nobody searched: no trial went into it and "
            f"{trials} into the winner, so a difference may be that of the tuning."
        )
    parts = ", ".join(f"{course.search.arm} {_trials_of(course)}" for course in found)
    if len({len(course.trials) for course in found}) == 1:
        return f"Both arms got as many trials: {parts}."
    return f"The arms did not get as many trials: {parts}. A difference may be that of the tuning."


def _trials_of(course: Course) -> str:
    scored = sum(trial.score is not None for trial in course.trials)
    trials = counted(len(course.trials), "trial")
    return trials if scored == len(course.trials) else f"{trials} ({scored} with a score)"


def _looks_worse(sides: Sides, rule: Rule) -> str:
    """Return that the baseline's best trial scored better than the winner's in the search; empty where it did not."""
    if sides.baseline is None:
        return ""
    ours, theirs = sides.winner.trial.score or 0.0, sides.baseline.trial.score or 0.0
    if (ours > theirs) is (rule.direction == "higher") and ours != theirs:
        return ""
    return (
        f"In the search the baseline did no worse: {quantity(theirs)} in its best trial, {quantity(ours)} in that of "
        f"{sides.winner.course.search.arm}."
    )


def sides_of(found: Sequence[Course], arm: str | None = None) -> Sides:
    """Return what an experiment's searches have led to.

    Args:
        found: Of one experiment, one for each of its arms.
        arm: Which arm is the candidate; None where the rule or the number of arms says it.

    Raises:
        UsageError: They go on, have nothing to show, or do not say which arm is meant.
    """
    for course in found:
        _refuse_unready(course)
    if len(found) == 1:
        if arm not in {None, "", found[0].search.arm}:
            raise UsageError(f"the search is over one arm, so --arm {arm!r} is none of its. Leave it out.")
        return Sides(_pick(found[0]))
    by_arm = {course.search.arm: course for course in found}
    rule = found[0].search.rule
    baseline = rule.baseline if rule.baseline in by_arm else found[0].search.arm
    others = [name for name in by_arm if name != baseline]
    name = arm or (rule.arm if rule.arm in others else others[0] if len(others) == 1 else "")
    if name not in others:
        raise UsageError(
            f"which arm is to be confirmed against {baseline!r}? Name it: --arm {others[0]} (there are "
            f"{', '.join(others)})."
        )
    if by_arm[name].search.provenance.own != by_arm[baseline].search.provenance.own:
        raise UsageError(f"the searches of {name!r} and {baseline!r} ran different code, so no design compares them.")
    return Sides(_pick(by_arm[name]), _pick(by_arm[baseline]))


def design_of(
    workspace: Workspace,
    experiment: str,
    *,
    arm: str | None = None,
    seeds: int | None = None,
    name: str | None = None,
    until_decided: bool = False,
) -> Design:
    """Return the design that an experiment's searches are frozen as; nothing is recorded.

    Args:
        arm: See `sides_of`.
        seeds: How many of each arm; None for those that the rule plans, else 5.
        name: Of the experiment that it is; None for one that is free.
        until_decided: Whether its seeds are launched in batches, from look to look, until the rule decides.

    Raises:
        ExperimentsError: It cannot be made; says why in one sentence.
    """
    found = courses_of(workspace, experiment)
    if not found:
        raise UsageError(
            f"experiment {experiment!r} has no search, so there is nothing to freeze. See what there is: experiments "
            "status; or begin one: RECIPE --search FIELD=LOW..HIGH --trials 40"
        )
    sides = sides_of(found, arm)
    search = sides.winner.course.search
    place = as_opened(search, workspace)
    effort = effort_words(sides.courses)
    with open_ledger(workspace, read_only=True) as ledger:
        if (key := sides.plan_key(ledger)) is not None:
            return _as_recorded(ledger, key, sides, place, seeds, effort)
        configs = _configs(sides)
        first = _first_fresh(ledger, list(configs.values()))
        name = _free_name(ledger, experiment, name)
    winner, baseline = configs
    rule = _rule(search.rule, winner, baseline, seeds)
    assert rule.planned is not None
    number = first_batch(rule, None, None) if until_decided else rule.planned
    plan = prepare_plan(
        place,
        name,
        [RecordedJob(*item) for item in reversed(configs.items())],
        seeds=range(first, first + number),
        launcher=search.launcher,
        repeat=1,
        train_command=search.train_command,
        has_own_code=True,
    )
    refuse_secrets(plan)
    journal = Journal(hypothesis=_hypothesis(sides, rule), rule=rule)
    notes = check_plan(plan, place, search.provenance, search.provenance.own).notes
    with open_ledger(workspace, read_only=True) as ledger:
        design = design_words(plan, journal, ledger)
    accept, left = renamed(search.accept, _arms_of_recipe(sides))
    said = (*filter(None, [design, _looks_worse(sides, rule), *_accept_words(accept, left)]), *notes)
    return Design(name, plan, journal, search.provenance, place, sides, accept, said, goes_on=until_decided)


def _arms_of_recipe(sides: Sides) -> dict[str, str]:
    """Return which arms of a design are those that a recipe's criteria name; the only arm of one is the winner."""
    search, winner = sides.winner.course.search, sides.winner.arm
    if sides.baseline is not None:
        return {search.arm: winner, sides.baseline.course.search.arm: sides.baseline.arm}
    return {one.arm: BASELINE if one.arm == BASELINE else winner for one in search.accept.criteria if one.arm}


def _accept_words(accept: Stated, left: Sequence[Criterion]) -> list[str]:
    held = f"Has to reach: {'; '.join(one.words for one in accept.criteria)}." if accept.criteria else ""
    about = f"About no arm of it, so not held to: {'; '.join(one.words for one in left)}." if left else ""
    return [held, about]


def launch_design(design: Design, permit: Permit | None) -> list[TrainingJob]:
    """Register a design and launch its jobs; the same once more completes what was not launched.

    Hypothesis and rule are recorded first, then the plan with what it comes from, then the jobs are handed over: killed
    in between, the next call makes the same plan.

    Raises:
        LaunchRefused: Nobody asked for it.
        LaunchError: Some jobs could not be launched.
    """
    plan, place = design.plan, design.workspace
    permit = require(permit, f"launch {counted(len(plan.jobs), 'job')}")
    if not design.is_frozen:
        record_journal(plan, design.journal, permit, place)
        record_criteria(plan, design.accept, permit, place)
        budget = _begun(design, permit) if design.goes_on else None
        with open_ledger(place) as ledger:
            recipe = design.code.recipe
            budget = budget or cover_launch(permit, plan, ledger, place.root, recipe=recipe)
            tracker, provenance = tracker_of(plan, place.settings), design.code.model_dump(mode="json")
            why = design.sides.event(design.name)
            ledger.record_plan(plan, tracker=tracker, provenance=provenance, budget=budget, why=why)
    return submit(plan, permit, place, own=design.code.own)


def _begun(design: Design, permit: Permit) -> str | None:
    """Record that a design goes on until it is decided; return the budget that its first batch draws on."""
    assert design.journal.rule is not None
    command = design.sides.winner.course.search.train_command
    begun = begin_batches(design.workspace, design.plan, design.journal.rule, train_command=command, permit=permit)
    return None if begun is None else begun[0]


def _refuse_unready(course: Course) -> None:
    search = course.search
    named = f"{search.experiment} {search.arm}".strip()
    if course.is_open:
        out = f"{len(course.trials) - len(course.out)} of {counted(search.trials, 'trial')} ended"
        raise UsageError(
            f"the search of {named!r} goes on ({out}), and its winner may still change. Wait for it, or ask for no "
            f"more trials: experiments sweep {search.experiment} --end"
        )
    if course.best is not None:
        return
    if any(trial.score is not None for trial in course.trials):
        raise UsageError(
            f"every trial of {named!r} with a score lost seeds, and the rule states no floor that stands for these, so "
            "none can be told to be the best. Search again with floor and ceiling in the rule."
        )
    raise UsageError(f"no trial of {named!r} has a score, so there is nothing to freeze: experiments sweep shows why.")


def _pick(course: Course) -> Pick:
    assert course.best is not None
    return Pick(course, course.best)


def _configs(sides: Sides) -> dict[str, TrainingJobConfig]:
    """Return the config of the winner and of the baseline by their arms, as the search recorded them."""
    winner, search = sides.winner, sides.winner.course.search
    ours = search.template.config(winner.trial.values)
    if sides.baseline is not None:
        theirs = sides.baseline.course.search.template.config(sides.baseline.trial.values)
        return {winner.arm: ours, sides.baseline.arm: theirs}
    theirs = TrainingJobConfig.model_validate(search.own_config)
    if task_of(ours) == task_of(theirs):
        raise UsageError(
            f"the best trial has the recipe's own settings ({words(winner.trial.values)}), so there is nothing to "
            "confirm: both arms would be the same job."
        )
    return {winner.arm: ours, BASELINE: theirs}


def _first_fresh(ledger: LedgerReader, configs: Sequence[TrainingJobConfig]) -> int:
    """Return the first seed from which on neither arm was ever run: whoever saw a seed may have chosen by it."""
    highest = -1
    for config in configs:
        told = {run: seed for run, _, seed in ledger.seeds_told(config.additional_args) if seed < CHOOSING}
        for row in ledger.rows(run_names=list(told)) if told else ():
            if isinstance(row, TrainingJob) and task_of(row.config) == task_of(config):
                highest = max(highest, row.seed)
    return highest + 1


def _rule(rule: Rule, arm: str, baseline: str, seeds: int | None) -> Rule:
    planned = rule.planned
    if seeds is not None and planned is not None and seeds != planned:
        raise UsageError(f"--seeds {seeds} is not what the search's rule plans: {planned} of each arm. Leave it out.")
    if not FEWEST <= (number := seeds or planned or USUAL_SEEDS) <= MOST or seeds == 0:
        raise UsageError(f"--seeds {seeds} is no number from {FEWEST} to {MOST:,}. Try --seeds {USUAL_SEEDS}")
    return replaced(rule, arm=arm, baseline=baseline, seeds=number)


def _hypothesis(sides: Sides, rule: Rule) -> str:
    winner, search = sides.winner, sides.winner.course.search
    own = sides.baseline.trial.values if sides.baseline is not None else search.own
    more = "more" if rule.direction == "higher" else "less"
    trials = counted(len(sides.winner.course.trials), "trial")
    return (
        f"{winner.arm} ({words(winner.trial.values)}) has {more} {rule.metric} than {rule.baseline} ({words(own)}): it "
        f"was the best of {trials} in the search of {search.experiment}. {effort_words(sides.courses)}"
    )


def _as_recorded(
    ledger: LedgerReader, key: str, sides: Sides, place: Workspace, seeds: int | None, effort: str
) -> Design:
    plan, recorded = ledger.plan(key), recorded_in(ledger, [key])
    journal = recorded[0].journal if recorded else None
    if plan is None or journal is None:
        raise LedgerError("a design that was frozen cannot be read in the ledger. Rebuild it: experiments doctor")
    number = len({job.seed for job in plan.jobs})
    if seeds not in {None, number}:
        raise UsageError(
            f"{sides.winner.arm} was frozen before as {plan.experiment!r}, with {number} seeds of each arm. A design "
            "stays as it was registered: leave --seeds out."
        )
    code = Provenance.recorded(ledger.provenance(key))
    note = f"It was frozen before: nothing is launched twice. The design is {plan.experiment!r}."
    return Design(plan.experiment, plan, journal, code, place, sides, notes=(note, effort), is_frozen=True)


def _free_name(ledger: LedgerReader, experiment: str, asked: str | None) -> str:
    if asked is not None:
        if ledger.rows(experiment=check_name("experiment", asked)):
            raise UsageError(f"experiment {asked!r} has jobs already. Give the design a name of its own: --name NAME")
        return asked
    return numbered(ledger, f"{experiment[:31]}-confirm", 1)


def numbered(ledger: LedgerReader, stem: str, first: int) -> str:
    """Return the first name of a row, `study-2`, `study-3`, that no jobs and no search have."""
    taken = {course.search.experiment for course in courses(ledger)}
    names = (stem[:36] if number == 1 else f"{stem[:36]}-{number}" for number in itertools.count(first))
    return next(name for name in names if name not in taken and not ledger.rows(experiment=name))


def found_words(course: Course) -> str:
    """Return the best trial of a search so far, in words; empty where there is none."""
    if course.best is None:
        return ""
    best = course.best
    return f"{course.search.arm_of(best.number)} ({words(best.values)}): {quantity(best.score)}"
