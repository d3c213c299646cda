"""One use of a recipe's command line: plan, preview, launch, write the notebook, follow.

Everything that can be refused is refused before anything is launched or written.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli.editor import Editor, start_editor
from experiments.cli.envelope import Answer
from experiments.cli.handing import handed_later, handed_over
from experiments.cli.launched import Launched
from experiments.cli.options import Request
from experiments.cli.preview import confirm, print_control, print_preview
from experiments.cli.terminal import console
from experiments.cli.until import (
    asked_limits,
    check_until,
    first_seeds,
    follow_until_decided,
    go_on,
    goes_on,
)
from experiments.experiment import Experiment, recipe_file
from experiments.jobs.arms import parse_vary
from experiments.jobs.batches import UNTIL_DECIDED
from experiments.jobs.called import find_jobs
from experiments.jobs.controls.pooled import with_controls
from experiments.jobs.criteria import check_arms, stated_by
from experiments.jobs.finding import find_refs, find_runs
from experiments.jobs.funding import check_decidable
from experiments.jobs.journal import Journal
from experiments.jobs.plan import refuse_secrets
from experiments.project.errors import UsageError
from experiments.project.settings import runs_when_opened
from experiments.project.workspace import Workspace
from experiments.types import JobRef, LauncherName, Plan, TrainingJob, check_name, parse_seeds

if TYPE_CHECKING:
    from rich.console import Console

    from experiments.notebooks.generation import Prepared, WriteResult
    from experiments.notebooks.template import NotebookSpec


@dataclass(frozen=True)
class Session:
    """A recipe, what was asked of it, and where it works."""

    experiment: Experiment
    request: Request
    workspace: Workspace
    recipe: Path
    out: Console

    @property
    def launcher(self) -> LauncherName:
        """Where the jobs of this session run; a dry run for SkyPilot is planned as the launch would be."""
        options = self.request.options
        asked = options.launcher or self.workspace.settings.launcher
        return "dry-run" if options.dry_run and asked != "skypilot" else asked

    @property
    def notebook(self) -> Path:
        """The file that this session writes."""
        folder = self.request.options.output_dir or self.workspace.root / "experiments" / "scratch"
        return folder.absolute() / f"{self.experiment.name}_nb.py"

    def say(self, text: str = "") -> None:
        """Print one line for a person."""
        self.out.print(text)


def run_request(experiment_class: type[Experiment], request: Request, *, default_name: str) -> Answer[Launched]:
    """Do what a command line asks; the exit code is 1 where a job or a cell needs attention.

    Raises:
        ExperimentsError: It was refused; nothing was launched and nothing was written.
    """
    session = open_session(experiment_class, request, default_name=default_name)
    options = request.options
    asked = options.job_ids or ()
    referenced = find_refs(session.workspace, asked, launcher=options.launcher) if asked else []
    referenced += find_runs(session.workspace, options.runs) if options.runs is not None else []
    plan = _plan(session) if options.launch and not referenced else None
    spec = notebook_spec(session, referenced)
    if plan is not None and (session.launcher == "dry-run" or options.dry_run):
        return _dry_run(session, plan)
    check_folder(session.notebook)
    prepared = prepare_notebook(session, spec, launching=plan is not None)
    launched = _launch(session, plan, _journal(session, prepared)) if plan is not None else []
    if plan is not None and launched and (options.wait or wants_follow(session)):
        launched = handed_over(session.workspace, plan, launched, session.out)
    result = write_notebook(session, prepared, launched)
    editor = start_editor(session.notebook, session.workspace) if options.open else None
    found = report(session, launched, result, editor, plan=plan)
    succeeded = _follow(session, launched) if launched and wants_follow(session) else True
    return Answer(found, code=0 if succeeded and not result.conflicts else 1)


def open_session(experiment_class: type[Experiment], request: Request, *, default_name: str) -> Session:
    """Return the session of a parsed command line.

    Raises:
        UsageError: The name or a setting is wrong, or the state folder cannot be used.
    """
    options = request.options
    name = check_name("experiment", default_name if options.name is None else options.name)
    recipe = recipe_file(experiment_class)
    flags: dict[str, object] = {"wandb_mode": options.wandb_mode, "sky_pool": options.pool}
    flags |= {"max_jobs": options.max_jobs, "max_cost": options.max_cost, "in_place": options.in_place or None}
    workspace = Workspace.find(recipe, flags)
    if options.pool is not None and (options.launcher or workspace.settings.launcher) != "skypilot":
        raise UsageError(f"--pool {options.pool!r} is a pool of SkyPilot's. Add: --launcher skypilot")
    # A recipe's own __init__ takes (name, config), as the base class does.
    experiment = experiment_class(name, request.config)
    experiment.workspace = workspace
    return Session(experiment, request, workspace, recipe, console())


def notebook_spec(session: Session, refs: Sequence[JobRef], *, further: tuple[str, ...] = ()) -> NotebookSpec:
    """Return what the session's notebook is generated from; `further` are sections that what is asked for needs.

    Raises:
        UsageError: A section does not exist.
    """
    from experiments.notebooks.template import NotebookSpec, own_names, select_sections

    request, own = session.request, session.experiment.extra_sections
    sections = select_sections(request.config.sections, own)
    asked = sections if "sections" in request.given else ()
    return NotebookSpec(
        name=session.experiment.name,
        config=request.config,
        sections=(*further, *(asked or dict.fromkeys((*sections, *own_names(own))))),
        own=own,
        jobs=list(refs),
        root=session.workspace.root,
        journal=session.experiment.journal(),
        given=request.given - {"sections"},
        asked=(*further, *asked),
    )


def _plan(session: Session) -> Plan:
    options = session.request.options
    if check_until(options, session.workspace):
        seeds: tuple[int, ...] | None = first_seeds(options, session.experiment, _journal_now(session))
    else:
        seeds = parse_seeds(options.seeds) if options.seeds is not None else None
    arms = parse_vary(options.vary, session.request.config).arms() if options.vary else None
    resume = find_jobs(session.workspace, [options.resume])[0] if options.resume is not None else None
    if resume is not None and (seeds is not None or arms is not None or options.same_seed != 1):
        raise UsageError(
            "--resume extends one run, so --seeds, --same-seed and --vary do not go with it. Leave them out."
        )
    plan = session.experiment.plan(
        seeds=seeds,
        same_seed=options.same_seed,
        launcher=session.launcher,
        again=options.again,
        arms=arms,
        resume=resume,
    )
    refuse_secrets(plan)
    stated = stated_by(type(session.experiment), session.workspace.root)
    check_arms(stated.criteria, plan, session.workspace)
    return plan


def _dry_run(session: Session, plan: Plan) -> Answer[Launched]:
    print_preview(session.out, plan, session.workspace)
    print_control(session.out, plan, session.workspace)
    if plan.launcher == "skypilot":
        from experiments.jobs.preview import check_with_skypilot
        from experiments.project.workspace import storage_notes

        for note in storage_notes(plan, session.workspace.settings):
            session.say(f"note: {note}")
        number = check_with_skypilot(plan, session.workspace)
        session.say(f"SkyPilot accepts {'it' if number == 1 else f'all {number} kinds of jobs'}.")
    session.say("Dry run: nothing was launched and nothing was written.")
    return Answer(Launched(experiment=plan.experiment, plan=plan, wandb=plan.wandb_mode))


def check_folder(notebook: Path) -> None:
    """Refuse a folder that no notebook can be written into."""
    folder = notebook.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--output-dir {str(folder)!r} cannot be made ({error.strerror}). Name a folder that you can write."
        ) from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--output-dir {str(folder)!r} cannot be written. Name a folder that you can write.")


def prepare_notebook(session: Session, spec: NotebookSpec, *, launching: bool) -> Prepared:
    """Return what the session's notebook becomes; nothing is written."""
    from experiments.notebooks.generation import prepare

    options = session.request.options
    return prepare(session.notebook, spec, launching=launching, force=options.force, theirs=options.theirs or ())


def write_notebook(session: Session, prepared: Prepared, launched: Sequence[TrainingJob]) -> WriteResult:
    """Write the session's notebook, keeping what people edited in it, and print what was kept."""
    from experiments.notebooks.generation import write

    result = write(prepared, with_controls(launched, session.workspace))
    if not result.created and (report := result.report()):
        session.say(report)
    return result


def _journal(session: Session, prepared: Prepared) -> Journal:
    """Return the hypothesis and rule that a launch records: the notebook's where one stays, else the recipe's."""
    if prepared.keeps_data and "journal" not in prepared.theirs:
        return _journal_now(session)
    return session.experiment.journal()


def _journal_now(session: Session) -> Journal:
    """Return the same before the notebook is made again."""
    from experiments.notebooks.data_cells import read_journal

    stays = session.notebook.exists() and "journal" not in (session.request.options.theirs or ())
    return (read_journal(session.notebook) if stays else None) or session.experiment.journal()


def _launch(session: Session, plan: Plan, journal: Journal) -> list[TrainingJob]:
    from experiments.jobs.designs import design_words, record_journal
    from experiments.jobs.ledger import open_ledger
    from experiments.jobs.once_more import code_to_resume
    from experiments.jobs.permits import command_permit
    from experiments.jobs.preparation import check_plan
    from experiments.project.provenance import capture
    from experiments.project.redaction import mask_command

    options = session.request.options
    command = [session.recipe.name, *session.request.command]
    code = capture(session.workspace.root, command=command, config=session.request.config)
    own = None
    if options.resume is not None:
        own = code_to_resume(session.workspace, find_jobs(session.workspace, [options.resume])[0])
    checked = check_plan(plan, session.workspace, code, own)
    session.say(where_wandb(session))
    print_preview(session.out, plan, session.workspace)
    with open_ledger(session.workspace, read_only=True) as ledger:
        design = design_words(plan, journal, ledger)
    for note in filter(None, [design, *checked.notes]):
        session.say(f"note: {note}")
    if session.launcher == "skypilot" and not options.yes:
        confirm(plan)
    if options.seeds == UNTIL_DECIDED and journal.rule is not None:
        check_decidable(plan, journal.rule)
    permit = command_permit(shlex.join(mask_command(command)), recipe=session.recipe)
    asked = asked_limits(options, plan, journal)
    record_journal(plan, journal, permit, session.workspace)
    budget = None
    if options.seeds == UNTIL_DECIDED:
        budget = go_on(session.experiment.workspace, plan, journal, options, permit, session.say, asked)
    return session.experiment.launch(checked, permit, budget=budget, in_background=True)


def where_wandb(session: Session) -> str:
    """Return where the runs of a session are logged, in words."""
    from experiments.project.workspace import files_of

    files = files_of(session.launcher, session.workspace, within="/wandb")
    if session.workspace.wandb_mode() == "offline":
        why = "as asked" if session.workspace.settings.wandb_mode == "offline" else "nobody is logged in"
        return f"W&B: offline ({why}). Files: {files}. Upload them later: uv run experiments sync"
    from experiments.project.credentials import find_credentials

    return f"W&B: online at {find_credentials().host}. Files: {files}"


def report(
    session: Session,
    launched: Sequence[TrainingJob],
    result: WriteResult,
    editor: Editor | None,
    *,
    plan: Plan | None = None,
) -> Launched:
    """Print what was launched and written, and return it."""
    shown = session.workspace.shown(session.notebook)
    edit = f"uv run marimo edit {shlex.quote(shown)}"
    for line in handed_later(launched):
        session.say(line)
    session.say(f"Notebook: {shown}")
    if editor is None:
        session.say(f"Open it:  {edit}")
        if runs_when_opened(session.workspace.root) is None:
            session.say(
                "          and run its cells (▶ below on the right); they run by themselves with --open, or with "
                "auto_instantiate = true below [tool.marimo.runtime] in pyproject.toml"
            )
    else:
        session.say(f"Open at:  {editor.address}")
        session.say(f"The editor goes on in the background; end it with: kill {editor.pid}")
    return Launched(
        experiment=session.experiment.name,
        plan=plan,
        launched=tuple(launched),
        notebook=shown,
        wandb=session.workspace.wandb_mode(),
        conflicts=tuple(conflict.cell for conflict in result.conflicts),
        address=editor.address if editor else None,
        editor_pid=editor.pid if editor else None,
    )


def wants_follow(session: Session) -> bool:
    """Tell whether the jobs are to be followed: as asked, else on a terminal."""
    options = session.request.options
    if options.follow and options.no_follow:
        raise UsageError("--follow and --no-follow exclude each other. Give one of the two.")
    return options.follow or (session.out.is_terminal and not options.no_follow and not options.json)


def _follow(session: Session, launched: Sequence[TrainingJob]) -> bool:
    from experiments.cli.status import follow
    from experiments.monitoring import following

    if session.request.options.seeds == UNTIL_DECIDED and goes_on(session.workspace, session.experiment.name):
        return follow_until_decided(session.workspace, session.experiment.name, session.out)
    try:
        with following(session.workspace.state, [job.run_name for job in launched]) as statuses:
            return follow(statuses, session.out)
    except KeyboardInterrupt:
        session.say("Detached; training goes on. See it again: uv run experiments status")
        return True
