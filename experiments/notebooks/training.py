"""Launching from a page: inputs, an exact preview, one button that carries its repeat, and what a click did.

Before it: which experiment a notebook is, which jobs its file does not name yet, and where their code comes from.
"""

from __future__ import annotations

import functools
import html
import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import marimo as mo

from experiments.jobs.arms import differences, parse_vary, vary_example
from experiments.jobs.batches import UNTIL_DECIDED
from experiments.jobs.commands import with_interpreter
from experiments.jobs.controls.files import read_control
from experiments.jobs.criteria import check_arms, record_criteria, stated_by
from experiments.jobs.designs import design_words, record_journal
from experiments.jobs.funding import check_decidable
from experiments.jobs.journal import Journal
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import page_permit as page_permit  # noqa: PLC0414 - looked for here, too
from experiments.jobs.plan import resources
from experiments.jobs.preparation import launch_notes, launch_plan
from experiments.jobs.preview import environment_words, estimate, trainer_notes
from experiments.launch import launch_multiple_training_runs as launch_multiple_training_runs  # noqa: PLC0414 - looked for here, too
from experiments.launch import launch_training as launch_training  # noqa: PLC0414 - looked for here, too
from experiments.notebooks.context import NotebookContext, recipe_class
from experiments.notebooks.forms import ConfigForm, config_form, form_problems, form_view, read_form
from experiments.notebooks.page import Changing, LaunchOutcome, Subject, stacked
from experiments.notebooks.styles import as_markdown, heading, sentence, styled, typed
from experiments.notebooks.until import begun, first_seeds
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import counted
from experiments.project.provenance import Provenance, capture
from experiments.project.standing import uncounted_words
from experiments.project.workspace import Workspace, files_of
from experiments.types import JobRef, Plan, PlannedJob, TrainingJobConfig, parse_seeds

_SHOWN_ROWS = 500
_NOTES_SHOWN = 3
_CODE_VALID_S = 5.0


def notebook_heading(experiment: NotebookContext) -> mo.Html:
    """Return the notebook's title, what it is for and how it is made again."""
    parts = [heading(experiment.name, 1)]
    if experiment.config.description:
        parts.append(sentence(experiment.config.description))
    return mo.vstack(parts)


def jobs_note(experiment: NotebookContext, jobs: Sequence[JobRef]) -> mo.Html | None:
    """Return a line about jobs that this file does not name yet, or that cannot be read; None where it names all."""
    if problem := experiment.launched().problem:
        return mo.callout(sentence(problem), kind="danger")
    missing = len(experiment.unrecorded(jobs))
    if not missing:
        return None
    what = f"{counted(missing, 'job')} {'is' if missing == 1 else 'are'}"
    notebook = shlex.quote(experiment.workspace.shown(experiment.path))
    command = as_markdown(f"uv run experiments record {notebook}")
    return mo.callout(mo.md(f"{what} not in this file yet: <code>{command}</code>"), kind="neutral")


def code_note(experiment: NotebookContext, jobs: list[JobRef]) -> mo.Html | None:
    """Return, folded, the code that the newest jobs ran, doubts about that of others, and where the files are."""
    try:
        found, doubts = experiment.provenance(jobs), experiment.code_words(jobs)
    except ExperimentsError as error:
        told = experiment.told(error)  # of the ledger it is said above the jobs already
        return mo.callout(sentence(f"Where the code comes from: {told}"), kind="danger") if told == str(error) else None
    if found is None and not doubts:
        return None
    lines = [*(("of all", doubt) for doubt in doubts), *(found.lines() if found is not None else [])]
    launchers = dict.fromkeys(job.launcher for job in jobs)
    lines += [(f"files ({launcher})", files_of(launcher, experiment.workspace)) for launcher in launchers]
    rows = "".join(f"<tr><th>{html.escape(label)}</th><td>{html.escape(text)}</td></tr>" for label, text in lines)
    return mo.accordion({"Where the code comes from, and where the files are": styled(f"<table>{rows}</table>")})


@dataclass(frozen=True)
class PlanPreview:
    """What a launch would start, or why there is nothing to launch.

    Attributes:
        plan: None where the inputs make none; `problem` then says why.
        workspace: The project, with what the config changes of its settings.
        baseline: A job of the first arm with the notebook's own config, which its other arms are told from.
        launched: How many of its jobs a launcher has already.
        notes: What else one should know before launching.
        task: The first job's SkyPilot task as YAML, without secrets; empty for other launchers.
        estimate: What it costs and how long it takes, as far as that is known.
        environment: What is set for the trainer of the first job, a line each.
        goes_on: Whether the plan is a first batch, which further ones follow until the rule decides.
    """

    plan: Plan | None
    workspace: Workspace | None = None
    problem: str = ""
    baseline: TrainingJobConfig | None = None
    launched: int = 0
    notes: tuple[str, ...] = field(default=())
    task: str = ""
    estimate: str = ""
    environment: str = ""
    goes_on: bool = False

    @property
    def waiting(self) -> int:
        """How many of its jobs no launcher has yet."""
        return len(self.plan.jobs) - self.launched if self.plan else 0

    def view(self) -> mo.Html:
        """Return the preview: one sentence, the first of what one should know, and folded the rest and the jobs."""
        if self.plan is None:
            return mo.callout(_paragraph(self.problem), kind="warn")
        rows = self.rows()
        table = mo.ui.table(
            rows,
            selection=None,
            pagination=len(rows) > 10,
            show_download=False,
            show_data_types=False,
            show_column_summaries=False,
        )
        folded: dict[str, object] = {
            f"{counted(len(self.plan.jobs), 'job')}: differences, resources and commands": table
        }
        folded |= {"Environment of the first job": typed(self.environment)} if self.environment else {}
        folded |= {"SkyPilot task of the first job": typed(self.task)} if self.task else {}
        if further := self.notes[_NOTES_SHOWN:]:
            folded = {f"{counted(len(further), 'further note')} on this launch": _paragraphs(further), **folded}
        notes = _paragraphs(self.notes[:_NOTES_SHOWN])
        return stacked([mo.md(self.sentence()), notes, mo.accordion(folded, multiple=True)])

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a job: run name, arm, seed, difference from the baseline, resources and command."""
        assert self.plan is not None
        jobs = self.plan.jobs[:_SHOWN_ROWS]
        difference = differences(self.plan, self.baseline)
        # The seeds of an arm share one config.
        first = {id(job.config): job for job in jobs}
        asked = {config: resources(self.plan, job) for config, job in first.items()}
        uncounted = uncounted_words(self.plan.jobs)
        return [
            {
                "run": job.run_name,
                "arm": job.arm,
                "seed": job.seed,
                **({"role": job.role_words or "seed"} if uncounted else {}),
                "difference": difference[job.arm],
                "resources": asked[id(job.config)],
                "command": _shown_command(job),
            }
            for job in jobs
        ]

    def sentence(self) -> str:
        """Return what this launch is, in words."""
        assert self.plan is not None
        what = counted(len(self.plan.jobs), "job")
        where = f"{what} on {self.plan.launcher}, repeat {self.plan.repeat}"
        where += f"; estimated cost and time: {self.estimate}"
        if uncounted := uncounted_words(self.plan.jobs):
            where += f"; {uncounted}"
        if not self.launched:
            return f"{where}. Nothing is launched yet."
        if self.waiting:
            return f"{where}: {self.launched} launched, {self.waiting} not."
        return f"{where}: already launched. To run the same again, set *repeat* to {self.plan.repeat + 1}."


def run_inputs(experiment: NotebookContext) -> Any:
    """Return the inputs that say how often, where and as which repeat to launch."""
    launcher = experiment.workspace.settings.launcher
    seeds, example = _seeds_of(experiment), vary_example(experiment.config, 2)
    return mo.ui.dictionary(
        {
            "seeds": mo.ui.text(value=seeds, label="Seeds", placeholder="5, 0..4, 3,7 or until-decided"),
            "same_seed": mo.ui.text(value="1", label="Runs of each seed"),
            "launcher": mo.ui.dropdown(["local", "skypilot", "dry-run"], value=launcher, label="Launcher"),
            "vary": mo.ui.text(label="Vary", placeholder=example),
            "repeat": mo.ui.text(value="1", label="Repeat"),
        }
    )


def launch_form(
    experiment: NotebookContext, config_inputs: ConfigForm[Any], how_inputs: Any, *, may_launch: bool
) -> mo.Html:
    """Return the inputs of a plan; where nobody may launch, a sentence that says how to."""
    title = heading("Launch")
    if not may_launch:
        edit = shlex.join(["uv", "run", "marimo", "edit", experiment.workspace.shown(experiment.path)])
        return mo.vstack([title, mo.md("This page only shows. To launch from it, open it in the editor:"), typed(edit)])
    how = [how_inputs[name] for name in ("seeds", "same_seed", "launcher", "repeat", "vary")]
    return mo.vstack([title, form_view(config_inputs), mo.hstack(how, justify="start", gap=1.5, wrap=True)])


def plan_preview(
    experiment: NotebookContext, config_inputs: ConfigForm[Any], how_inputs: Any, journal: Journal | None = None
) -> PlanPreview:
    """Return what the inputs would launch; a wrong input, or a rule that contradicts them, is a sentence."""
    how = how_inputs.value
    if problems := form_problems(config_inputs, experiment.config):
        return PlanPreview(None, problem="; ".join(f"{name}: {text}" for name, text in problems.items()))
    try:
        config = read_form(config_inputs, experiment.config)
        recipe = recipe_class(config)(experiment.name, config)
        recipe.workspace = experiment.workspace
        goes_on = str(how["seeds"]).strip() == UNTIL_DECIDED
        varied = [text for part in str(how["vary"]).split(";") if (text := part.strip())]
        plan = recipe.plan(
            seeds=first_seeds(recipe.workspace, recipe.name, recipe.controls, journal, how)
            if goes_on
            else parse_seeds(str(how["seeds"])),
            same_seed=_number("Runs of each seed", str(how["same_seed"]), "Set it to 1, or to 3 for a noise floor."),
            launcher=how["launcher"],
            repeat=_number("Repeat", str(how["repeat"]), "Set it to 1, or to one more than the latest."),
            arms=parse_vary(varied, config).arms() if varied else None,
            beside=experiment.config,
        )
        check_arms(stated_by(type(recipe), recipe.workspace.root).criteria, plan, recipe.workspace)
        baseline = next((job.config for job in recipe.jobs_with(experiment.config)), None)
        found = _against_ledger(plan, recipe.workspace, journal)
        if goes_on and journal is not None and journal.rule is not None:
            check_decidable(plan, journal.rule)
            most = f"Goes on by itself until decided, up to {journal.rule.planned} seeds of each arm."
            found = replace(found, goes_on=True, notes=(most, *found.notes))
        return replace(found, baseline=baseline)
    except ExperimentsError as error:
        return PlanPreview(None, problem=str(error))


def launch_control(preview: PlanPreview, then: Callable[[], None]) -> Any:
    """Return the launch button of a preview, a click of which asks for leave itself; None where none is to be had."""
    label = launch_label(preview)
    return mo.ui.button(label=label, kind="success", on_change=lambda _: then()) if label else None


def launch_label(preview: PlanPreview) -> str:
    """Return what the launch button of a preview says; empty where nothing is left to launch."""
    if preview.plan is None or not preview.waiting:
        return ""
    repeat = f"repeat {preview.plan.repeat}: " if preview.plan.repeat > 1 else ""
    verb = "Launch" if not preview.launched else "Launch the other"
    return f"{verb} {repeat}{counted(preview.waiting, 'job')}"


def launch_plan_of(preview: PlanPreview, experiment: NotebookContext, journal: Journal | None) -> LaunchOutcome | None:
    """Launch what a preview shows, and return what came of it; None where there is nothing to launch, or no leave.

    Called by the click itself: the leave to launch is that of a person's act.

    Args:
        journal: Hypothesis and rule, recorded beside the plan before its first job is handed over.
    """
    permit = page_permit()
    if preview.plan is None or permit is None:
        return None
    try:
        record_journal(preview.plan, journal, permit, experiment.workspace)
        stated = stated_by(recipe_class(experiment.config), experiment.workspace.root)
        record_criteria(preview.plan, stated, permit, experiment.workspace)
        place = preview.workspace or experiment.workspace
        budget = begun(preview.plan, journal, place, permit) if preview.goes_on else None
        jobs = launch_plan(preview.plan, permit, place, budget=budget, in_background=True)
    except ExperimentsError as error:
        return LaunchOutcome(str(error), succeeded=False)
    return LaunchOutcome(f"{counted(len(jobs), 'job')} launched. The table of jobs follows them.", succeeded=True)


def launch_outcome(launches: tuple[LaunchOutcome, ...]) -> mo.Html | None:
    """Return what came of the latest click; None before the first."""
    if not launches:
        return None
    latest = launches[-1]
    text = _paragraph(latest.text)
    return text if latest.succeeded else mo.callout(text, kind="danger")


def plan_inputs(experiment: NotebookContext) -> Any:
    """Return the inputs of a plan as one element with `config` and `how`; changing one launches nothing."""
    form = config_form(experiment.config, name=experiment.name)
    return mo.ui.dictionary({"config": form, "how": run_inputs(experiment)})


class Launch(Changing):
    """The form of a plan, exactly what it would launch, and the button; a page that may not launch says how to."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.plan: Any = None
        self._button: Any = None  # marimo forgets an element that nobody holds

    def page(self) -> mo.Html:
        """Return the form, the preview with its button, and what came of the latest click."""
        study = self.study
        form, how = self.plan.elements["config"], self.plan.elements["how"]
        shown = [launch_form(study.experiment, form, how, may_launch=study.may_launch)]
        if study.may_launch:
            preview = plan_preview(study.experiment, form, how, study.journal)
            self._button = launch_control(preview, lambda: self._launch(preview))
            shown += [preview.view(), self._button]
        return stacked([*shown, launch_outcome(study.known().launches)])

    def still(self) -> None:
        """Return nothing: in a file nobody launches."""

    def _launch(self, preview: Any) -> None:
        outcome = launch_plan_of(preview, self.study.experiment, self.study.journal)
        if outcome is not None:
            self.study.tell_launch(lambda before: (*before, outcome))


def _against_ledger(plan: Plan, workspace: Workspace, journal: Journal | None) -> PlanPreview:
    with open_ledger(workspace, read_only=True) as ledger:
        latest = ledger.latest_repeat(plan.family)
        newest = latest.number if latest else 0
        if plan.repeat > newest + 1:
            return PlanPreview(
                None, problem=f"Repeat {plan.repeat} needs repeat {newest + 1} first. Set it to {newest + 1}."
            )
        launched = sum(job.state in {"submitted", "submitting", "cancelled"} for job in ledger.rows(plan_key=plan.key))
        code = _code(workspace.root, int(time.time() / _CODE_VALID_S))
        design = design_words(plan, journal, ledger) if launched < len(plan.jobs) else ""
        notes = (*filter(None, [design]), *trainer_notes(plan), *launch_notes(plan, code, workspace, ledger))
        return PlanPreview(
            plan,
            workspace,
            launched=launched,
            notes=notes,
            task=_task(plan, workspace),
            estimate=estimate(plan, workspace),
            environment="\n".join(environment_words(plan, workspace)),
        )


def _task(plan: Plan, workspace: Workspace) -> str:
    if plan.launcher != "skypilot":
        return ""
    from experiments.jobs.preview import task_preview

    return task_preview(plan, workspace)


@functools.lru_cache(maxsize=4)
def _code(root: Path, _moment: int) -> Provenance:
    """Return where the code comes from, found out anew only every few seconds: a preview follows each key press."""
    return capture(root)


def _shown_command(job: PlannedJob) -> str:
    return " ".join(map(_shown_word, job.command))


@functools.lru_cache(maxsize=4096)
def _shown_word(word: str) -> str:
    """Return a word of a command as a shell takes it; most words of a plan's commands are the same."""
    return shlex.quote(*with_interpreter([word], "python"))


def _seeds_of(experiment: NotebookContext) -> str:
    """Return the seeds of the recipe as people type them."""
    try:
        recipe = recipe_class(experiment.config)
        kept = read_control(experiment.workspace.root, recipe.controls) if recipe.controls is not None else None
        seeds: tuple[int, ...] = kept.seeds if kept is not None else recipe.seeds
    except (ExperimentsError, AttributeError):
        return "1"
    return str(len(seeds)) if seeds == tuple(range(len(seeds))) else ",".join(map(str, seeds))


def _number(name: str, text: str, advice: str) -> int:
    if not re.fullmatch(r"\s*[1-9][0-9]{0,5}\s*", text):
        raise UsageError(f"{name} {text!r} is not a number from 1 on. {advice}")
    return int(text)


def _paragraph(text: str) -> mo.Html:
    return styled(f"<p>{html.escape(text)}</p>")


def _paragraphs(texts: Sequence[str]) -> mo.Html | None:
    return styled("".join(f"<p>{html.escape(text)}</p>" for text in texts)) if texts else None
