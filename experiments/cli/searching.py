"""A recipe's `--search`: it is recorded with all that its trials need, and the first of them are launched."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.cli.budget import read_limits
from experiments.cli.editor import start_editor
from experiments.cli.envelope import Answer
from experiments.cli.following import follow_on
from experiments.cli.launched import Launched
from experiments.cli.options import Request
from experiments.cli.preview import confirm, print_preview
from experiments.cli.session import (
    Session,
    check_folder,
    notebook_spec,
    open_session,
    prepare_notebook,
    report,
    wants_follow,
    where_wandb,
    write_notebook,
)
from experiments.experiment import Experiment
from experiments.jobs.arms import changed
from experiments.jobs.covering import recipe_word
from experiments.jobs.criteria import stated_by
from experiments.jobs.funding import fund, unused_name
from experiments.jobs.launchers.local.capacity import at_once
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.budgets import check_room, cost_of_job
from experiments.jobs.permits import command_permit
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import check_plan, with_trainer
from experiments.jobs.rule import Rule
from experiments.jobs.submission import code_now
from experiments.jobs.sweeps.pruning import parse_pruning
from experiments.jobs.sweeps.ranges import Space, Value, own_values, parse_search, words
from experiments.jobs.sweeps.search import Course, Search, choosing_seeds, course_of, courses, open_search
from experiments.jobs.sweeps.suggesting import suggested
from experiments.jobs.sweeps.template import IdleSettingError, Template, make_template
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.provenance import Provenance, capture
from experiments.project.redaction import mask_command
from experiments.project.trainers.known import trainer_of
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.searching import as_opened, plan_of
from experiments.results.steps import take_step
from experiments.types import PlannedJob, TrainingJob, TrainingJobConfig

_AT_ONCE_ELSEWHERE = 8
_CONTRADICTIONS = {
    "vary": "--vary makes an arm of every combination at once",
    "seeds": "the seeds of trials are none that designs use: say how many with --trial-seeds",
    "resume": "--resume extends one run",
    "job_ids": "--job-ids loads what runs already",
    "runs": "--runs loads what runs already",
}


def run_search(experiment_class: type[Experiment], request: Request, *, default_name: str) -> Answer[Launched]:
    """Open the search that a command line asks for, or go on with it.

    Raises:
        ExperimentsError: It was refused; nothing was launched and nothing was written.
    """
    _check(request)
    session = open_session(experiment_class, request, default_name=default_name)
    code = _code(session)
    searches = [_at_work(session, search) for search in _searches(session, code)]
    new = [search for search, course in searches if course is None]
    asked = _limits(session, [search for search, _ in searches])
    _preview(session, new, code, asked)
    if session.launcher == "dry-run" or request.options.dry_run:
        for search, course in searches:
            if course is not None:
                ended = f"{len(course.trials) - len(course.out)} of {counted(course.search.trials, 'trial')} ended"
                session.say(f"The search of {search.experiment} is there already ({ended}); this goes on with it.")
        session.say("Dry run: nothing was launched and nothing was written.")
        return Answer(Launched(experiment=session.experiment.name, wandb=session.workspace.wandb_mode()))
    check_folder(session.notebook)
    prepared = prepare_notebook(session, notebook_spec(session, [], further=("search",)), launching=True)
    problems = _open(session, searches, code, asked)
    is_whole = not problems
    launched = jobs_of([search for search, _ in searches], session.workspace)
    result = write_notebook(session, prepared, launched)
    editor = start_editor(session.notebook, session.workspace) if request.options.open else None
    found = report(session, launched, result, editor)
    session.say(f"Trials:   uv run experiments sweep {session.experiment.name}")
    if wants_follow(session):
        is_whole = _follow(session, [search.id for search, _ in searches])
    return Answer(found, code=0 if is_whole and not result.conflicts else 1, errors=problems)


def jobs_of(searches: Sequence[Search], workspace: Workspace) -> list[TrainingJob]:
    """Return the jobs of all trials of some searches."""
    ids = {search.id for search in searches}
    with open_ledger(workspace, read_only=True) as ledger:
        keys = [trial.plan_key for course in courses(ledger) if course.search.id in ids for trial in course.trials]
        return [job for key in keys if key for job in ledger.jobs(plan_key=key)]


def _check(request: Request) -> None:
    """Refuse a command line that contradicts itself.

    Raises:
        UsageError: Says in what.
    """
    options = request.options
    if options.search is None or options.trials is None:
        raise UsageError(
            "a search has settings and a number of trials: --search learning_rate=log:1e-4..1e-1 --trials 40"
        )
    for name, why in _CONTRADICTIONS.items():
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --search: {why}. Leave one of the two out.")
    if options.same_seed != 1 or options.again or not options.launch:
        raise UsageError(
            "--same-seed, --again and --no-launch do not go with --search: the same command goes on with the same "
            "search, and another search has another name. Leave them out."
        )
    numbers = {"trials": options.trials, "trial-seeds": options.trial_seeds, "trials-at-once": options.trials_at_once}
    for flag, number in numbers.items():
        if number is not None and not 1 <= number <= 10_000:
            raise UsageError(
                f"--{flag} {number} is no number from 1 to 10,000. Try --{flag} {40 if flag == 'trials' else 3}"
            )


def _limits(session: Session, searches: Sequence[Search]) -> Limits | None:
    words = session.request.options.budget
    jobs = sum(search.trials * len(search.seeds) for search in searches)
    return read_limits(words, jobs) if words is not None else None


def _code(session: Session) -> Provenance:
    command = [session.recipe.name, *session.request.command]
    code = capture(session.workspace.root, command=command, config=session.request.config)
    return replaced(code, recipe=recipe_word(session.recipe, session.workspace.root))


def _searches(session: Session, code: Provenance) -> list[Search]:
    """Return a search for each arm that the recipe records: the same settings, and as many trials for each.

    Raises:
        UsageError: Nothing can be searched so.
    """
    options, experiment, config = session.request.options, session.experiment, session.request.config
    workspace = experiment.workspace
    if workspace.settings.in_place:
        raise UsageError("a search runs one snapshot from its first trial to its last, so it goes nowhere in place.")
    space = parse_search(options.search or (), config)
    recorded = experiment.jobs_with(config)
    if any(job.seed is not None for job in recorded):
        raise UsageError("the recipe sets seeds itself, and a search has its own. Leave seed= out of its jobs.")
    seeds = choosing_seeds(options.trial_seeds or 1)
    jobs = len(recorded) * (options.trials or 0) * len(seeds)
    if workspace.settings.max_jobs is not None and jobs > workspace.settings.max_jobs:
        raise UsageError(
            f"the search has up to {jobs:,} jobs; at most {workspace.settings.max_jobs:,} are allowed. Take fewer "
            "trials, or raise the limit: --max-jobs N (or max_jobs in [tool.experiments])."
        )
    accept = stated_by(type(experiment), workspace.root)
    found = []
    for at, job in enumerate(recorded):
        make = _Recipe(experiment, workspace, config, at, len(recorded))
        own = make({})
        found.append(
            Search(
                experiment=experiment.name,
                arm=job.arm if len(recorded) > 1 else "",
                space=space,
                own=own_values(config, space),
                rule=_rule(experiment, own, workspace),
                seeds=seeds,
                sampler=options.sampler or "tpe",
                prune=parse_pruning(options.prune) if options.prune is not None else None,
                trials=options.trials or 0,
                at_once=options.trials_at_once or _at_once(session, own, seeds),
                # A dry run shows the very trial that the launch begins with: where jobs run is part of a search.
                launcher=options.launcher or workspace.settings.launcher,
                train_command=workspace.settings.train_command,
                template=_template(space, make, job.arm, len(recorded)),
                own_config=own.model_dump(mode="json"),
                provenance=code,
                places=_places(workspace),
                wandb_mode=workspace.wandb_mode(),
                accept=accept,
            )
        )
    return found


def _template(space: Mapping[str, Space], make: _Recipe, arm: str, arms: int) -> Template:
    """Return what a recipe makes of what is searched in one of its arms.

    Raises:
        UsageError: Nobody could make it later without the recipe, or the arm is told nothing of it.
    """
    try:
        return make_template(space, make)
    except IdleSettingError as error:
        if arms == 1:
            raise
        raise UsageError(
            f"--search {error.setting!r}: the recipe has {arms} arms, each is searched, and {arm!r} is not told of "
            f"{error.setting}, so all of its trials would be one. Tell every arm of it, or leave {arm!r} out of the "
            "recipe: what the winner is frozen against are the recipe's own values."
        ) from None


@dataclass(frozen=True)
class _Recipe:
    """What a recipe makes of the values of a trial: the config of its `at`-th job."""

    experiment: Experiment
    workspace: Workspace
    config: Any
    at: int
    jobs: int

    def __call__(self, values: Mapping[str, Value]) -> TrainingJobConfig:
        recorded = self.experiment.jobs_with(changed(self.config, values))
        if len(recorded) != self.jobs:
            raise UsageError(
                f"the recipe records {counted(self.jobs, 'job')} as it stands and {len(recorded)} with other values of "
                "what is searched. Search over what changes no arms."
            )
        job: RecordedJob = with_trainer(recorded[self.at], self.workspace, self.workspace.settings.trainer)
        return job.config


def _rule(experiment: Experiment, config: TrainingJobConfig, workspace: Workspace) -> Rule:
    if experiment.rule is not None:
        return experiment.rule
    trainer = trainer_of(config.trainer, workspace.settings.train_command)
    if trainer is not None and trainer.metrics.primary is not None and trainer.metrics.direction is not None:
        return Rule(metric=trainer.metrics.primary, direction=trainer.metrics.direction, effect=0.0)
    raise UsageError(
        "a search needs to know what is better, and neither the recipe nor its trainer says: rule = "
        "Rule(metric='...', direction='higher', effect=0.0) in the recipe, or Trainer(metrics=Metrics(primary='...', "
        "direction='higher'))."
    )


def _at_once(session: Session, config: TrainingJobConfig, seeds: Sequence[int]) -> int:
    """Return how many trials keep busy what runs at once."""
    if session.launcher == "skypilot":
        return _AT_ONCE_ELSEWHERE
    command = session.workspace.settings.train_command
    one = PlannedJob(arm="", seed=0, config=config, command=command, run_name="")
    fits = at_once([one] * (session.request.options.trials or 1) * len(seeds), session.workspace.settings)
    return max(1, -(-fits // len(seeds)))


def _places(workspace: Workspace) -> dict[str, str]:
    names = ("wandb_entity", "wandb_project", "wandb_group")
    return {name: value for name in names if (value := getattr(workspace.settings, name)) is not None}


def _at_work(session: Session, search: Search) -> tuple[Search, Course | None]:
    """Return a search with what became of it so far, where it was opened before."""
    with open_ledger(session.workspace, read_only=True) as ledger:
        return search, course_of(ledger, search)


def _preview(session: Session, searches: Sequence[Search], code: Provenance, asked: Limits | None) -> None:
    """Print what is searched and the first trial of each arm, and refuse what could not be launched.

    Args:
        asked: What a person lets it use.

    Raises:
        ExperimentsError: It cannot be.
    """
    first = [(search, suggested(search, [])) for search in searches]
    for search, values in first:
        place = as_opened(search, session.workspace)
        plan = plan_of(search, place, 0, values)
        if asked is not None:
            costs = {job.run_name: cost_of_job(job, plan.launcher) for job in plan.jobs}
            check_room(search.experiment, asked, costs)
        notes: tuple[str, ...] = ()
        if plan.launcher != "dry-run":
            notes = check_plan(plan, place, code).notes
        trials = f"{counted(search.trials, 'trial')} of {counted(len(search.seeds), 'seed')}"
        session.say(
            f"Search over {search.words}: {trials}, up to {search.trials * len(search.seeds):,} jobs, "
            f"{counted(search.at_once, 'trial')} at once, by {search.rule.metric} ({search.rule.direction} is better), "
            f"sampler {search.sampler}. Its first trial:"
        )
        if search.prune is not None:
            session.say(f"Pruned: {search.prune.words}.")
        print_preview(session.out, plan, place, difference={search.arm_of(0): words(values)})
        for note in notes:
            session.say(f"note: {note}")
        if plan.launcher == "skypilot" and not session.request.options.yes and not session.request.options.dry_run:
            session.say(f"It goes on by itself, up to {search.trials * len(search.seeds):,} jobs like these.")
            confirm(plan)


def _open(
    session: Session, searches: Sequence[tuple[Search, Course | None]], code: Provenance, asked: Limits | None
) -> list[str]:
    """Grant the searches a budget, record them and take the first step; return what could not be done."""
    command = shlex.join(mask_command([session.recipe.name, *session.request.command]))
    permit = command_permit(command, recipe=session.recipe)
    session.say(where_wandb(session))
    own = code_now(session.workspace)
    # Of a search that was opened before there were budgets, and is asked for once more as it is, nothing draws on one.
    known = [course for _, course in searches if course is not None]
    is_funded = not known or any(course.search.budget for course in known) or _more(searches) > 0
    with open_ledger(session.workspace) as ledger:
        named = (course.search.budget for course in known if course.search.budget)
        name = next(named, None) or unused_name(ledger, session.experiment.name, permit)
        to_come = sum(
            (max(search.trials, course.search.trials if course else 0) - (len(course.trials) if course else 0))
            * len(search.seeds)
            for search, course in searches
        )
        if is_funded and (to_come > 0 or asked is not None):
            session.say(fund(ledger, name, asked, jobs=to_come, more=_more(searches), permit=permit))
        for search, _ in searches:
            open_search(ledger, replaced(search, provenance=code.running(own), budget=name), permit)
    stepped = take_step(session.workspace, permit, session.experiment.name, retry=True)
    for line in stepped.done:
        session.say(line)
    return stepped.problems


def _more(searches: Sequence[tuple[Search, Course | None]]) -> int:
    """Return how many jobs are asked for beyond what an earlier command asked for."""
    return sum(
        max(0, search.trials - (course.search.trials if course else 0)) * len(search.seeds)
        for search, course in searches
    )


def _follow(session: Session, ids: Sequence[str]) -> bool:
    """Follow the trials until none follows; say whether every search has found something."""

    def now() -> list[Course]:
        with open_ledger(session.workspace, read_only=True) as ledger:
            return [course for course in courses(ledger) if course.search.id in ids]

    def look() -> tuple[list[str], bool]:
        found = now()
        keys = {trial.plan_key for course in found for trial in course.out}
        jobs = jobs_of([course.search for course in found], session.workspace)
        return [job.run_name for job in jobs if job.plan_key in keys], any(course.is_open for course in found)

    try:
        is_whole = follow_on(session.workspace, session.experiment.name, look, session.out)
    except KeyboardInterrupt:
        session.say("Detached; the search goes on. See it again: uv run experiments sweep")
        return True
    return is_whole and all(course.best is not None for course in now())
