"""An experiment: from a config to a plan, from a plan to jobs, from jobs to a notebook."""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from experiments.project.errors import UsageError, reasons
from experiments.project.standing import standing
from experiments.project.streams import run_to_end
from experiments.project.trainers.known import known_trainers, trainer_named
from experiments.project.trainers.words import Style, overridden
from experiments.project.values import replaced
from experiments.types import (
    BaseExperimentConfig,
    LauncherName,
    Metrics,
    Plan,
    StopWhen,
    Trainer,
    TrainingJob,
    TrainingJobConfig,
    check_name,
)

if TYPE_CHECKING:
    from experiments.jobs.criteria import Criterion
    from experiments.jobs.journal import Journal, Rule
    from experiments.jobs.permits import Permit
    from experiments.jobs.plan import RecordedJob
    from experiments.jobs.preparation import CheckedPlan
    from experiments.notebooks.export.exporting import Exported
    from experiments.project.workspace import Workspace


class Experiment(ABC):
    """One named use of a recipe; owns a plan, jobs and a notebook.

    Attributes:
        name: First part of the notebook's file name and second part of every run name.
        config: The recipe's settings.
        tags: W&B tags of every run of this recipe; `--wandb-tags` adds to them.
        trainer: What trains, or the name of it; the project's `trainer`, else its `train_command`, where None.
        seeds: Seeds of every arm where neither `--seeds` nor the recipe's jobs name any.
        hypothesis: What is expected, and why; the first text of a notebook's journal.
        rule: What decides the hypothesis; the first rule of a notebook's journal.
        accept: Criteria that `experiments accept` holds its runs to; recorded at the launch.
        stop_when: When its jobs are hopeless and ended; a job's own goes first.
        controls: Name of the kept control that stands for the baseline; only what is beside it is launched.
        controls_may_differ: What of it may be other than now, of `code`, `packages` and `machine`; nothing by default.
        extra_sections: Sections of the recipe itself: functions of the study that return what the notebook shows.

    Example:
        >>> from experiments import Experiment, Workspace
        >>> from experiments.types import Trainer
        >>> class Hills(Experiment):
        ...     trainer = Trainer(command="python train.py --seed {seed}", style="--key value")
        ...     seeds = (0, 1)
        >>> hills = Hills("hills")
        >>> hills.workspace = Workspace.find(".")
        >>> [" ".join(job.command) for job in hills.plan(launcher="dry-run").jobs]
        ['python train.py --seed 0', 'python train.py --seed 1']
    """

    tags: ClassVar[tuple[str, ...]] = ()
    trainer: ClassVar[Trainer | str | None] = None
    seeds: ClassVar[tuple[int, ...]] = (0,)
    hypothesis: ClassVar[str] = ""
    rule: ClassVar[Rule | None] = None
    accept: ClassVar[tuple[Criterion, ...]] = ()
    stop_when: ClassVar[StopWhen | None] = None
    controls: ClassVar[str | None] = None
    controls_may_differ: ClassVar[tuple[str, ...]] = ()
    extra_sections: ClassVar[tuple[Callable[..., Any], ...]] = ()
    config: BaseExperimentConfig

    def __init__(self, name: str, config: BaseExperimentConfig | None = None) -> None:
        self.name = check_name("experiment", name)
        _check_several(self, "tags", str, "('baseline', 'lr')")
        _check_several(self, "seeds", int, "(0, 1, 2)")
        self.config = config if config is not None else BaseExperimentConfig()
        self._recorded: list[tuple[str, TrainingJobConfig, int | None]] | None = None
        self._workspace: Workspace | None = None

    def launch_training_runs(self) -> list[TrainingJob]:
        """Record the jobs of the experiment by calling `launch_training_run_from_config` for each arm.

        Where a recipe does not, its config is the one arm: `--vary` makes more of it.
        """
        return [self.launch_training_run_from_config("baseline", self.job())]

    def job(self, **changes: Any) -> TrainingJobConfig:  # noqa: ANN401 - any field's value
        """Return the job that the recipe's config describes, each of its own fields an argument in the trainer's style.

        Args:
            changes: Values in the place of the config's, or of arguments that it has no field for.

        Raises:
            UsageError: The recipe has no trainer, or a value is not allowed.
        """
        from experiments.jobs.own_jobs import own_job

        trainer = self._own_trainer()
        if trainer is None:
            raise UsageError(
                f"{type(self).__name__} has no trainer, so nobody knows how its fields are told to one. Give it one: "
                "trainer = Trainer(command='python train.py --seed {seed}', style='--key value'), or record its "
                "jobs in launch_training_runs."
            )
        try:
            return own_job(trainer, self.config, changes)
        except ValidationError as error:
            raise _refused(error) from error

    @classmethod
    def journal(cls) -> Journal:
        """Return what the recipe expects, as a fresh notebook holds it.

        Without a rule of its own, it is about the primary metric of its trainer; one that names none has no rule, for
        what is only found decides nothing.
        """
        from experiments.jobs.journal import BLANK, Journal, Rule

        if cls.rule is not None or cls.trainer is None:
            return Journal(hypothesis=cls.hypothesis, rule=cls.rule or BLANK.rule)
        trainer = known_trainers().get(cls.trainer) if isinstance(cls.trainer, str) else cls.trainer
        metrics = trainer.metrics if trainer is not None else Metrics()
        known = metrics.primary is not None and metrics.direction is not None
        rule = Rule(metric=metrics.primary, direction=metrics.direction, effect=0.0) if known else None
        return Journal(hypothesis=cls.hypothesis, rule=rule)

    @property
    def workspace(self) -> Workspace:
        """The project that the recipe's file belongs to, with the W&B places that the config names."""
        places = ("wandb_entity", "wandb_project", "wandb_group")
        named = {place: value for place in places if (value := getattr(self.config, place)) is not None}
        return replace(self._home, settings=replaced(self._home.settings, **named)) if named else self._home

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
            UsageError: The label is not a name, or the experiment's own arguments are none.
            LaunchRefused: Called directly from a notebook or a thread, where nobody asked for a launch.
        """
        check_name("label", label)
        whole = self._with_common(config)
        if self._recorded is not None:
            self._recorded.append((label, whole, seed))
            return TrainingJob(
                run_name="", experiment=self.name, arm=label, seed=seed or 0, config=whole, launcher="dry-run"
            )
        from experiments.jobs.permits import implicit_permit
        from experiments.jobs.plan import RecordedJob
        from experiments.jobs.preparation import prepare_plan

        permit = implicit_permit()
        return self.launch(prepare_plan(self.workspace, self.name, [RecordedJob(label, whole, seed)]), permit)[0]

    def plan(
        self,
        *,
        seeds: Sequence[int] | None = None,
        same_seed: int = 1,
        launcher: LauncherName | None = None,
        repeat: int | None = None,
        again: bool = False,
        arms: Mapping[str, BaseExperimentConfig] | None = None,
        resume: TrainingJob | None = None,
        beside: BaseExperimentConfig | None = None,
    ) -> Plan:
        """Return what a launch would start, without starting anything.

        Args:
            arms: Configs to compare, by arm: from an `Ablation` or a `Grid`. The recipe is recorded once for each.
            seeds: Seeds for every arm; None for the recipe's own.
            same_seed: How often each seed is run; all but the first are replicates, which show the noise floor.
            launcher: Where; None for the setting.
            repeat: Which repetition of the same jobs; None for the latest one that has unfinished jobs, else the next.
            again: Take the next repeat also where jobs of the latest are unfinished.
            resume: A job to extend: the plan is its arm and seed alone, going on from its newest checkpoint.
            beside: The config that the experiment's arms are known by; an arm that is another job than with it is
                named after what differs, as those of a `Grid` are.

        Raises:
            UsageError: The recipe recorded no job, or a name, label or seed is wrong.
        """
        from experiments.jobs.arms import apart, beside_all, changes, name_of
        from experiments.jobs.controls.checking import given_control
        from experiments.jobs.preparation import prepare_plan

        if arms is None:
            recorded = self.jobs_with(self.config)
            if beside is not None:
                recorded = apart(recorded, self.jobs_with(beside), name_of(changes(beside, self.config)))
        else:
            if beside is not None:
                arms = beside_all(arms, changes(beside, self.config))
            recorded = [job for arm, config in arms.items() for job in self.jobs_with(config, arm)]
        if resume is not None:
            from experiments.jobs.once_more import check_resumable

            found = [job for job in recorded if job.arm == resume.arm]
            if not found:
                return self._resumed(resume, launcher, again=again)
            recorded = [_extending(found[0], resume, self.workspace)]
            check_resumable(self.workspace, resume, recorded[0].config)
        control = None
        if self.controls is not None and resume is None:
            control = given_control(self.controls, self.controls_may_differ, recipe_file(type(self)), self.workspace)
        if seeds is None and control is None and all(job.seed is None for job in recorded):
            seeds = self.seeds
        return prepare_plan(
            self.workspace,
            self.name,
            recorded,
            seeds=seeds,
            same_seed=same_seed,
            launcher=launcher,
            repeat=repeat,
            again=again,
            control=control,
        )

    def launch(
        self, plan: Plan | CheckedPlan, permit: Permit, *, budget: str | None = None, in_background: bool = False
    ) -> list[TrainingJob]:
        """Launch what is not launched yet of `plan`; the same plan again gives the same jobs.

        Args:
            plan: From `plan()`, or from `preparation.check_plan`, which has checked it already.
            budget: Name of the budget that its jobs draw on; None where a person asked for them.
            in_background: Whether to return before a cluster's launcher has them; see `submission.submit`.

        Raises:
            LaunchError: A launcher refused; the other jobs are launched all the same.
            LedgerError: Nothing could be recorded, so nothing was launched.
        """
        from experiments.jobs.criteria import record_criteria, stated_by
        from experiments.jobs.preparation import launch_plan, plan_of

        record_criteria(plan_of(plan), stated_by(type(self), self.workspace.root), permit, self.workspace)
        return launch_plan(plan, permit, self.workspace, budget=budget, in_background=in_background)

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

        def run() -> int:
            from experiments.cli.recipe import run_recipe

            return run_recipe(cls, config_class, default_name=name)

        run_to_end(run)

    def jobs_with(self, config: BaseExperimentConfig, arm: str | None = None) -> list[RecordedJob]:
        """Return the jobs that the recipe records with this config; several jobs of one arm keep their labels in it."""
        from experiments.jobs.plan import RecordedJob

        recorded: list[tuple[str, TrainingJobConfig, int | None]] = []
        own, self.config, self._recorded = self.config, config, recorded
        try:
            self.launch_training_runs()
        except ValidationError as error:
            raise _refused(error) from error
        finally:
            self.config, self._recorded = own, None
        if arm is not None:
            several = len(recorded) > 1
            recorded = [(f"{arm}-{label}" if several else arm, job, seed) for label, job, seed in recorded]
        return [RecordedJob(*job) for job in recorded]

    @property
    def _home(self) -> Workspace:
        """The project as it is, whatever the config names."""
        if self._workspace is None:
            from experiments.project.workspace import Workspace

            self._workspace = Workspace.find(recipe_file(type(self)))
        return self._workspace

    def _own_trainer(self) -> Trainer | None:
        """Return the recipe's trainer; None where its jobs run the setting's command line.

        Raises:
            UsageError: There is no trainer of the name.
        """
        if isinstance(self.trainer, Trainer):
            return self.trainer
        settings = self._home.settings
        name = self.trainer or settings.trainer
        return trainer_named(name, settings.trainers) if name is not None else None

    def _trainer_of(self, config: TrainingJobConfig) -> Trainer | None:
        own = config.trainer if config.trainer is not None else self._own_trainer()
        if own is None:
            return None
        from experiments.jobs.own_jobs import filled_trainer, own_fields

        trainer = trainer_named(own, self._home.settings.trainers) if isinstance(own, str) else own
        return filled_trainer(trainer, own_fields(self.config))

    def _resumed(self, earlier: TrainingJob, launcher: LauncherName | None, *, again: bool) -> Plan:
        """Return the plan that goes on from a run whose arm the recipe does not have, from that run's own record.

        Raises:
            UsageError: It cannot go on, or the command line sets what only a recipe's own arm has.
        """
        from experiments.jobs.once_more import place_of, resume_plan

        if own := sorted(set(self.config.changed()) - set(BaseExperimentConfig.model_fields)):
            raise UsageError(
                f"run {earlier.run_name!r} is of arm {earlier.arm!r}, which this recipe does not have as it stands, so "
                f"it goes on with its own settings. Leave --{own[0].replace('_', '-')} out; trainer keys can be "
                "changed with --additional-args."
            )
        arguments = self.config.additional_args
        self.workspace = place_of(self.workspace, earlier)
        return resume_plan(
            self.workspace, earlier, arguments=arguments, experiment=self.name, launcher=launcher, again=again
        )

    def _with_common(self, config: TrainingJobConfig) -> TrainingJobConfig:
        """Add to one job's config what the experiment's own says about every job; the config given stays as it is."""
        trainer = self._trainer_of(config)
        style: Style = trainer.style if trainer is not None else "key=value"
        tags = [*self.tags, "experiment", self.name, *config.wandb_tags, *self.config.wandb_tags]
        try:
            return replaced(
                config,
                wandb_tags=tuple(dict.fromkeys(tags)),
                additional_args=overridden(config.additional_args, self.config.additional_args, style),
                trainer=trainer,
                stop_when=config.stop_when or self.stop_when,
                skip_git_check=config.skip_git_check or self.config.skip_git_check,
            )
        except ValidationError as error:
            raise _refused(error) from error


def _check_several(experiment: Experiment, name: str, kind: type, example: str) -> None:
    """Refuse a class attribute that is not several values: a text would be taken for its letters."""
    value = getattr(experiment, name)
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, kind) for item in value):
        raise UsageError(f"{type(experiment).__name__}.{name} = {value!r} in the recipe. Write several: {example}.")


def _refused(error: ValidationError) -> UsageError:
    return UsageError(f"a job of this config is refused: {reasons(error)} ({error.title}). Choose another value.")


def _extending(job: RecordedJob, earlier: TrainingJob, workspace: Workspace) -> RecordedJob:
    from experiments.jobs.once_more import extended

    config = extended(workspace, earlier, job.config)
    return replace(job, config=config, seed=earlier.seed, **standing(earlier))


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
