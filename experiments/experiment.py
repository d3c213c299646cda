"""An experiment: from a config to a plan, from a plan to jobs, from jobs to a notebook.

A recipe subclasses `Experiment`, records its jobs in `launch_training_runs` and ends with `main`:

    class MyExperiment(Experiment):
        def launch_training_runs(self):
            config = TrainingJobConfig(curriculum=self.config.curriculum)
            return [self.launch_training_run_from_config("baseline", config)]

    if __name__ == "__main__":
        MyExperiment.main(MyExperimentConfig, name="my_experiment")
"""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from experiments.errors import UsageError
from experiments.journal import BLANK, Journal, Rule
from experiments.planning import RecordedJob
from experiments.types import BaseExperimentConfig, LauncherName, Plan, TrainingJob, TrainingJobConfig, check_name
from experiments.workspace import Workspace

if TYPE_CHECKING:
    from experiments.launch import Permit
    from experiments.notebooks.export.exporting import Exported
    from experiments.provenance import Provenance


class Experiment(ABC):
    """One named use of a recipe; owns a plan, jobs and a notebook.

    Attributes:
        name: First part of the notebook's file name and second part of every run name.
        config: The recipe's settings.
        tags: W&B tags of every run of this recipe; `--wandb-tags` adds to them.
        seeds: Seeds of every arm where neither `--seeds` nor the recipe's jobs name any.
        hypothesis: What is expected, and why; the first text of a notebook's journal.
        rule: What decides the hypothesis; the first rule of a notebook's journal.
        extra_sections: Notebook sections of the recipe itself, beside the known ones.
    """

    tags: ClassVar[tuple[str, ...]] = ()
    seeds: ClassVar[tuple[int, ...]] = (0,)
    hypothesis: ClassVar[str] = ""
    rule: ClassVar[Rule | None] = None
    extra_sections: ClassVar[tuple[Any, ...]] = ()
    config: BaseExperimentConfig

    def __init__(self, name: str, config: BaseExperimentConfig | None = None) -> None:
        self.name = check_name("experiment", name)
        self.config = config if config is not None else BaseExperimentConfig()
        self._recorded: list[RecordedJob] | None = None
        self._workspace: Workspace | None = None

    @abstractmethod
    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the jobs of the experiment by calling `launch_training_run_from_config` for each arm."""

    @classmethod
    def journal(cls) -> Journal:
        """Return what the recipe expects, as a fresh notebook holds it."""
        return Journal(hypothesis=cls.hypothesis, rule=cls.rule or BLANK.rule)

    @property
    def workspace(self) -> Workspace:
        """The project that the recipe's file belongs to, with the W&B places that the config names."""
        if self._workspace is None:
            self._workspace = Workspace.find(recipe_file(type(self)))
        places = ("wandb_entity", "wandb_project", "wandb_group")
        named = {place: value for place in places if (value := getattr(self.config, place)) is not None}
        return replace(self._workspace, settings=self._workspace.settings.model_copy(update=named))

    @workspace.setter
    def workspace(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def launch_training_run_from_config(
        self, label: str, config: TrainingJobConfig, *, seed: int | None = None
    ) -> TrainingJob:
        """Record one job of the plan; outside `plan()`, launch it at once.

        Args:
            label: Name of the arm.
            config: What to run and on what.
            seed: Random seed; without one, `--seeds` or 0.

        Raises:
            UsageError: The label is not a name.
            LaunchRefused: Called directly from a notebook or a thread, where nobody asked for a launch.
        """
        check_name("label", label)
        job = RecordedJob(label, self._with_common(config), seed)
        if self._recorded is not None:
            self._recorded.append(job)
            return TrainingJob(
                run_name="", experiment=self.name, arm=label, seed=seed or 0, config=job.config, launcher="dry-run"
            )
        from experiments.launch import implicit_permit
        from experiments.preparation import prepare_plan

        permit = implicit_permit()
        return self.launch(prepare_plan(self.workspace, self.name, [job]), permit)[0]

    def plan(
        self,
        *,
        seeds: Sequence[int] | None = None,
        launcher: LauncherName | None = None,
        repeat: int | None = None,
        again: bool = False,
        arms: Mapping[str, BaseExperimentConfig] | None = None,
        resume: TrainingJob | None = None,
    ) -> Plan:
        """Return what a launch would start, without starting anything.

        Args:
            arms: Configs to compare, by arm: from an `Ablation` or a `Grid`. The recipe is recorded once for each.
            seeds: Seeds for every arm; None for the recipe's own.
            launcher: Where; None for the setting.
            repeat: Which repetition of the same jobs; None for the latest one that has unfinished jobs, else the next.
            again: Take the next repeat also where jobs of the latest are unfinished.
            resume: A job to extend: the plan is its arm and seed alone, going on from its newest checkpoint.

        Raises:
            UsageError: The recipe recorded no job, or a name, label or seed is wrong.
        """
        if arms is None:
            recorded = self._record(self.config)
        else:
            recorded = [job for arm, config in arms.items() for job in self._record(config, arm)]
        if resume is not None:
            recorded = _extending(recorded, resume)
        if seeds is None and all(job.seed is None for job in recorded):
            seeds = self.seeds
        from experiments.preparation import prepare_plan

        return prepare_plan(
            self.workspace, self.name, recorded, seeds=seeds, launcher=launcher, repeat=repeat, again=again
        )

    def launch(self, plan: Plan, permit: Permit, *, code: Provenance | None = None) -> list[TrainingJob]:
        """Launch what is not launched yet of `plan`; the same plan again gives the same jobs.

        Args:
            code: Where the code comes from, as recorded with the jobs; None to find out now.

        Raises:
            LaunchError: A launcher refused; the other jobs are launched all the same.
            LedgerError: Nothing could be recorded, so nothing was launched.
        """
        from experiments.preparation import launch_plan

        return launch_plan(plan, permit, self.workspace, code=code)

    def export(
        self, notebook: Path | None = None, *, output: Path | None = None, include_code: bool = False
    ) -> Exported:
        """Run the experiment's notebook and write what it shows as one HTML file.

        Args:
            notebook: The notebook's file; that of this name in experiments/scratch where None.
            output: File to write; that of this name in experiments/log where None.
            include_code: Show each cell's code.

        Raises:
            NotebookError: There is no such notebook, or the log cannot be written.
        """
        from experiments.notebooks.export.exporting import export_notebook

        path = notebook or self.workspace.root / "experiments" / "scratch" / f"{self.name}_nb.py"
        return export_notebook(path, output=output, include_code=include_code)

    @classmethod
    def main(cls, config_class: type[BaseExperimentConfig], *, name: str) -> None:
        """Run the recipe's command line and end the process.

        Args:
            config_class: Its fields become flags, their descriptions the help.
            name: Name of the experiment where the command line gives none.
        """
        try:
            from experiments.commandline import run_recipe

            sys.exit(run_recipe(cls, config_class, default_name=name))
        except KeyboardInterrupt:
            sys.exit(130)

    def _record(self, config: BaseExperimentConfig, arm: str | None = None) -> list[RecordedJob]:
        """Return the jobs that the recipe records with this config; several jobs of one arm keep their labels in it."""
        recorded: list[RecordedJob] = []
        own, self.config, self._recorded = self.config, config, recorded
        try:
            self.launch_training_runs()
        finally:
            self.config, self._recorded = own, None
        if arm is None:
            return recorded
        names = [arm if len(recorded) == 1 else f"{arm}-{job.arm}" for job in recorded]
        return [replace(job, arm=name) for job, name in zip(recorded, names, strict=True)]

    def _with_common(self, config: TrainingJobConfig) -> TrainingJobConfig:
        """Add to one job's config what the experiment's own says about every job; the config given stays as it is."""
        tags = [*self.tags, "experiment", self.name, *config.wandb_tags, *self.config.wandb_tags]
        return config.model_copy(
            update={
                "wandb_tags": tuple(dict.fromkeys(tags)),
                "additional_args": _overridden(config.additional_args, self.config.additional_args),
                "skip_git_check": config.skip_git_check or self.config.skip_git_check,
            }
        )


def _extending(recorded: Sequence[RecordedJob], earlier: TrainingJob) -> list[RecordedJob]:
    found = [job for job in recorded if job.arm == earlier.arm]
    if not found:
        arms = ", ".join(repr(job.arm) for job in recorded)
        raise UsageError(
            f"run {earlier.run_name!r} is of arm {earlier.arm!r}; this recipe has {arms}. Resume one of these."
        )
    by = [f"trainer.resume_from={earlier.run_name}"]
    arguments = _overridden(found[0].config.additional_args, by)
    config = found[0].config.model_copy(update={"additional_args": arguments})
    return [replace(found[0], config=config, seed=earlier.seed)]


def _overridden(arguments: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
    """Return `arguments` with each key that `by` also sets taken from `by`: the trainer refuses a key given twice."""
    keys = {argument.partition("=")[0] for argument in by}
    return (*(argument for argument in arguments if argument.partition("=")[0] not in keys), *by)


def recipe_file(experiment_class: type[Experiment]) -> Path:
    """Return the file that defines a recipe's class.

    Raises:
        UsageError: The class was typed at a prompt or in a notebook, so it has no file of its own.
    """
    try:
        return Path(inspect.getfile(experiment_class)).resolve()
    except (OSError, TypeError):
        raise UsageError(
            f"{experiment_class.__name__!r} is not defined in a file, so nobody can find its project. Put the recipe "
            "into a file of its own, such as experiments/recipes/my_experiment.py."
        ) from None
