"""`experiments sweep freeze` and `expand`: what follows a search, launched from its record and not from its recipe."""

from __future__ import annotations

import shlex
from pathlib import Path

from experiments.cli.envelope import Answer
from experiments.cli.launched import Followed
from experiments.cli.preview import confirm, print_preview
from experiments.cli.terminal import console, say
from experiments.jobs.batches import UNTIL_DECIDED
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.jobs.sweeps.edges import edges_of
from experiments.jobs.sweeps.suggesting import suggested
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.results.expanding import expansion_of, open_expansion
from experiments.results.freezing import courses_of, design_of, launch_design
from experiments.results.searching import as_opened, plan_of
from experiments.types import Plan, TrainingJob


def freeze(
    experiment: str, *, arm: str | None, seeds: str | None, name: str | None, dry_run: bool, yes: bool
) -> Answer[Followed]:
    """Launch the design that a search is frozen as, with its preview first, and write its notebook.

    Args:
        seeds: A number, or `until-decided`.

    Raises:
        ExperimentsError: It was refused; nothing was launched and nothing was written.
    """
    from experiments.notebooks.derived import DESIGN, prepare_derived, write_derived

    workspace = Workspace.find(Path.cwd())
    until_decided = seeds == UNTIL_DECIDED
    number = None if until_decided else _number(seeds)
    design = design_of(workspace, experiment, arm=arm, seeds=number, name=name, until_decided=until_decided)
    say(design.sentence)
    say(f"{design.journal.hypothesis} {design.journal.rule.sentence if design.journal.rule else ''}".strip())
    print_preview(console(), design.plan, design.workspace)
    for note in design.notes:
        say(f"note: {note}")
    if dry_run:
        say("Dry run: nothing was launched and nothing was written.")
        return Answer(Followed(experiment=design.name, said=design.sentence, plan=design.plan))
    _confirmed(design.plan, yes=yes or design.is_frozen)
    permit = command_permit(f"experiments sweep freeze {experiment}")
    prepared = prepare_derived(
        workspace,
        design.name,
        DESIGN,
        description=f"What the search of {experiment} is frozen as: its winner against the baseline.",
        journal=design.journal,
    )
    jobs = launch_design(design, permit)
    write_derived(prepared, jobs)
    _report(workspace, prepared.path, jobs)
    if until_decided:
        say(f"It goes on by itself until decided: uv run experiments status {design.name}")
    return Answer(
        Followed(
            experiment=design.name,
            said=design.sentence,
            plan=design.plan,
            launched=tuple(jobs),
            notebook=workspace.shown(prepared.path),
        )
    )


def _number(seeds: str | None) -> int | None:
    if seeds is None:
        return None
    try:
        return int(seeds)
    except ValueError:
        raise UsageError(f"--seeds {seeds!r} is no number of seeds. Try --seeds 8, or --seeds until-decided") from None


def expand(experiment: str, *, name: str | None, dry_run: bool, yes: bool) -> Answer[Followed]:
    """Open the search over wider ranges that a best trial at an edge asks for, and write its notebook.

    Raises:
        ExperimentsError: It was refused; nothing was launched and nothing was written.
    """
    from experiments.notebooks.derived import SEARCH, prepare_derived, write_derived

    workspace = Workspace.find(Path.cwd())
    found = expansion_of(workspace, experiment, name)
    if found is None:
        edges = [edge.words for course in courses_of(workspace, experiment) for edge in edges_of(course)]
        none = f"no best trial of {experiment!r} lies at an edge, so no range is made wider"
        raise UsageError(f"{'; '.join(edges) or none}. See it: experiments sweep {experiment}")
    say(found.sentence)
    first = found.searches[0]
    place = as_opened(first, workspace)
    plan = plan_of(first, place, 0, suggested(first, []))
    print_preview(console(), plan, place)
    if dry_run:
        say("Dry run: nothing was launched and nothing was written.")
        return Answer(Followed(experiment=found.name, said=found.sentence, plan=plan))
    _confirmed(plan, yes=yes or found.is_open)
    permit = command_permit(f"experiments sweep expand {experiment}")
    prepared = prepare_derived(
        workspace, found.name, SEARCH, description=f"The search of {experiment} over wider ranges: {found.ranges}."
    )
    stepped = open_expansion(found, permit, workspace)
    for line in stepped.done:
        say(line)
    jobs = _jobs_of(workspace, found.name)
    write_derived(prepared, jobs)
    _report(workspace, prepared.path, jobs)
    say(f"Trials:   uv run experiments sweep {found.name}")
    followed = Followed(
        experiment=found.name,
        said=found.sentence,
        plan=plan,
        launched=tuple(jobs),
        notebook=workspace.shown(prepared.path),
    )
    return Answer(followed, code=1 if stepped.problems else 0, errors=stepped.problems)


def _confirmed(plan: Plan, *, yes: bool) -> None:
    if plan.launcher == "skypilot" and not yes:
        confirm(plan)


def _report(workspace: Workspace, notebook: Path, jobs: list[TrainingJob]) -> None:
    shown = workspace.shown(notebook)
    say(f"Launched: {counted(len(jobs), 'job')}")
    say(f"Notebook: {shown}")
    say(f"Open it:  uv run marimo edit {shlex.quote(shown)}")


def _jobs_of(workspace: Workspace, experiment: str) -> list[TrainingJob]:
    with open_ledger(workspace, read_only=True) as ledger:
        return ledger.jobs(experiment=experiment)
