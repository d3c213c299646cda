"""Launching from a page: inputs, an exact preview, one button that carries its repeat, and what a click did."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import marimo as mo

from experiments.errors import ExperimentsError, LaunchError, LaunchRefused, UsageError
from experiments.forms import ConfigForm, form_problems, form_view, read_form
from experiments.launch import implicit_permit, notebook_permit
from experiments.notebooks.context import NotebookContext, recipe_class
from experiments.permits import Permit
from experiments.planning import RecordedJob, with_interpreter
from experiments.preparation import launch_plan, prepare_plan
from experiments.types import LauncherName, Plan, PlannedJob, TrainingJob, TrainingJobConfig, parse_seeds
from experiments.workspace import Workspace

_SHOWN_ROWS = 500


@dataclass(frozen=True)
class PlanPreview:
    """What a launch would start, or why there is nothing to launch.

    Attributes:
        plan: None where the inputs make none; `problem` then says why.
        launched: How many of its jobs a launcher has already.
        notes: What else one should know before launching.
    """

    plan: Plan | None
    problem: str = ""
    launched: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def waiting(self) -> int:
        """How many of its jobs no launcher has yet."""
        return len(self.plan.jobs) - self.launched if self.plan else 0

    def view(self) -> mo.Html:
        """Return the preview as a table of jobs under one sentence."""
        if self.plan is None:
            return mo.callout(mo.plain_text(self.problem), kind="warn")
        rows = [
            {"run": job.run_name, "arm": job.arm, "seed": job.seed, "command": _shown_command(job)}
            for job in self.plan.jobs[:_SHOWN_ROWS]
        ]
        table = mo.ui.table(rows, selection=None, pagination=len(rows) > 10, show_download=False, show_data_types=False)
        return mo.vstack([mo.md(self.sentence()), *map(mo.plain_text, self.notes), table])

    def sentence(self) -> str:
        """Return what this launch is, in words."""
        assert self.plan is not None
        what = _count(len(self.plan.jobs))
        where = f"{what} on {self.plan.launcher}, repeat {self.plan.repeat}"
        if not self.launched:
            return f"{where}. Nothing is launched yet."
        if self.waiting:
            return f"{where}: {self.launched} launched, {self.waiting} not."
        return f"{where}: already launched. To run the same again, set *repeat* to {self.plan.repeat + 1}."


def run_inputs(experiment: NotebookContext) -> Any:
    """Return the inputs that say how often, where and as which repeat to launch."""
    launcher = experiment.workspace.settings.launcher
    return mo.ui.dictionary(
        {
            "seeds": mo.ui.text(value="1", label="Seeds (5, 0..4 or 3,7)"),
            "launcher": mo.ui.dropdown(["local", "skypilot", "dry-run"], value=launcher, label="Launcher"),
            "repeat": mo.ui.number(start=1, value=1, step=1, label="Repeat"),
        }
    )


def launch_form(experiment: NotebookContext, config_inputs: ConfigForm[Any], how_inputs: Any) -> mo.Html:
    """Return the inputs of a plan; where nobody may launch, a sentence that says how to."""
    heading = mo.md("## Launch")
    if page_permit() is None:
        edit = shlex.join(["uv", "run", "marimo", "edit", experiment.workspace.shown(experiment.path)])
        return mo.vstack(
            [heading, mo.md("This page only shows. To launch from it, open it in the editor:"), mo.plain_text(edit)]
        )
    return mo.vstack([heading, form_view(config_inputs), how_inputs.hstack(justify="start", gap=1.5)])


def plan_preview(experiment: NotebookContext, config_inputs: ConfigForm[Any], how_inputs: Any) -> PlanPreview:
    """Return what the inputs would launch; a wrong input is a sentence, never an exception."""
    how = how_inputs.value
    if problems := form_problems(config_inputs, experiment.config):
        return PlanPreview(None, problem="; ".join(f"{name}: {text}" for name, text in problems.items()))
    try:
        config = read_form(config_inputs, experiment.config)
        recipe = recipe_class(config)(experiment.name, config)
        recipe.workspace = experiment.workspace
        plan = recipe.plan(
            seeds=parse_seeds(str(how["seeds"])), launcher=how["launcher"], repeat=int(how["repeat"] or 1)
        )
        return _against_ledger(plan, experiment.workspace)
    except ExperimentsError as error:
        return PlanPreview(None, problem=str(error))


def launch_control(preview: PlanPreview) -> Any:
    """Return the launch button of a preview; None where nobody may launch or nothing is left to launch."""
    if preview.plan is None or not preview.waiting or page_permit() is None:
        return None
    repeat = f"repeat {preview.plan.repeat}: " if preview.plan.repeat > 1 else ""
    verb = "Launch" if not preview.launched else "Launch the other"
    return mo.ui.run_button(label=f"{verb} {repeat}{_count(preview.waiting)}", kind="success")


def launch_clicked(
    preview: PlanPreview,
    button: Any,
    experiment: NotebookContext,
    set_launches: Callable[[Any], None],
) -> mo.Html | None:
    """Launch the preview's plan if its button was pressed, and return what happened; None where it was not."""
    permit = page_permit()
    if button is None or not button.value or preview.plan is None or permit is None:
        return None
    try:
        jobs = launch_plan(preview.plan, permit, experiment.workspace)
    except LaunchRefused as error:
        return mo.callout(mo.plain_text(str(error)), kind="warn")
    except LaunchError as error:
        set_launches(lambda count: count + 1)
        return mo.callout(mo.plain_text(str(error)), kind="danger")
    except ExperimentsError as error:
        return mo.callout(mo.plain_text(str(error)), kind="danger")
    set_launches(lambda count: count + 1)
    return mo.md(f"{_count(len(jobs))} launched. The table below follows them.")


def page_permit() -> Permit | None:
    """Return the permit of a person who works in `marimo edit`; None in any other place."""
    meta = mo.app_meta()
    try:
        return notebook_permit(mode=meta.mode, has_request=meta.request is not None)
    except LaunchRefused:
        return None


def launch_training(
    name: str,
    curriculum: str,
    *,
    gpus: int = 1,
    nodes: int = 1,
    spot: bool = False,
    skip_git_check: bool = False,
    additional_args: Sequence[str] = (),
    wandb_tags: Sequence[str] = (),
    seed: int = 0,
    launcher: LauncherName | None = None,
    workspace: Workspace | None = None,
    **trainer: str | float,
) -> TrainingJob:
    """Launch one training run without a recipe.

    Args:
        name: Name of the experiment; its one arm is called `run`.
        trainer: Further arguments of the trainer: `total_timesteps=200_000` is `trainer.total_timesteps=200000`.
        workspace: Which project; None for the one of the working folder.

    Raises:
        LaunchRefused: Called in a notebook or a thread. Use the launch section, or `with allow_launch():` in a script.
        UsageError: A name or value is wrong; nothing was launched.
    """
    config = _job_config(
        curriculum, gpus, nodes, trainer, spot=spot, skip_git_check=skip_git_check,
        additional_args=additional_args, wandb_tags=wandb_tags,
    )  # fmt: skip
    return _launch_now(name, [RecordedJob("run", config, seed)], launcher, workspace)[0]


def launch_multiple_training_runs(
    name: str,
    curriculum: str,
    *,
    num_runs: int = 1,
    vary_seeds: bool = True,
    gpus: int = 1,
    nodes: int = 1,
    spot: bool = False,
    skip_git_check: bool = False,
    additional_args: Sequence[str] = (),
    wandb_tags: Sequence[str] = (),
    launcher: LauncherName | None = None,
    workspace: Workspace | None = None,
    **trainer: str | float,
) -> list[TrainingJob]:
    """Launch several runs of one configuration; run i gets seed i, or all get seed 0 with `vary_seeds=False`.

    The other arguments and errors are those of `launch_training`.
    """
    if num_runs < 1:
        raise UsageError(f"num_runs {num_runs!r} is less than 1. Give the number of runs to launch.")
    config = _job_config(
        curriculum, gpus, nodes, trainer, spot=spot, skip_git_check=skip_git_check,
        additional_args=additional_args, wandb_tags=wandb_tags,
    )  # fmt: skip
    jobs = [
        RecordedJob("run", config, index) if vary_seeds else RecordedJob(f"run-{index + 1}", config, 0)
        for index in range(num_runs)
    ]
    return _launch_now(name, jobs, launcher, workspace)


def _job_config(
    curriculum: str,
    gpus: int,
    nodes: int,
    trainer: dict[str, str | float],
    *,
    spot: bool,
    skip_git_check: bool,
    additional_args: Sequence[str],
    wandb_tags: Sequence[str],
) -> TrainingJobConfig:
    arguments = (*additional_args, *(f"trainer.{key}={value}" for key, value in trainer.items()))
    return TrainingJobConfig(
        curriculum=curriculum,
        gpus=gpus,
        nodes=nodes,
        spot=spot,
        skip_git_check=skip_git_check,
        additional_args=arguments,
        wandb_tags=tuple(wandb_tags),
    )


def _launch_now(
    name: str, jobs: Sequence[RecordedJob], launcher: LauncherName | None, workspace: Workspace | None
) -> list[TrainingJob]:
    from pathlib import Path

    permit = implicit_permit()
    home = workspace or Workspace.find(Path.cwd())
    return launch_plan(prepare_plan(home, name, jobs, launcher=launcher), permit, home)


def _against_ledger(plan: Plan, workspace: Workspace) -> PlanPreview:
    with workspace.ledger(read_only=True) as ledger:
        latest = ledger.latest_repeat(plan.family)
        states = [job.state for job in ledger.jobs(plan_key=plan.key)]
    newest = latest.repeat if latest else 0
    if plan.repeat > newest + 1:
        return PlanPreview(
            None, problem=f"Repeat {plan.repeat} needs repeat {newest + 1} first. Set it to {newest + 1}."
        )
    launched = sum(state in {"submitted", "submitting", "cancelled"} for state in states)
    return PlanPreview(plan, launched=launched)


def _shown_command(job: PlannedJob) -> str:
    return shlex.join(with_interpreter(job.command, "python"))


def _count(number: int) -> str:
    return "1 job" if number == 1 else f"{number:,} jobs"
