"""The values that the parts of Experiments hand to each other.

Everything here is frozen, checked by pydantic and cheap to import, so that recipes and command lines start fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Field  # noqa: PLC0414 - recipes take it from here, so that all they load is loaded by us

from experiments.project.job_config import Arguments as Arguments  # noqa: PLC0414
from experiments.project.job_config import StopWhen as StopWhen  # noqa: PLC0414
from experiments.project.job_config import TrainingJobConfig as TrainingJobConfig  # noqa: PLC0414
from experiments.project.names import NAME_PATTERN as NAME_PATTERN  # noqa: PLC0414 - 0.1 had it here, as the next
from experiments.project.names import check_name as check_name  # noqa: PLC0414
from experiments.project.names import parse_seeds as parse_seeds  # noqa: PLC0414
from experiments.project.names import suggest_name as suggest_name  # noqa: PLC0414
from experiments.project.references import JobRef as JobRef  # noqa: PLC0414
from experiments.project.standing import Standing as Standing  # noqa: PLC0414
from experiments.project.standing import standing
from experiments.project.trainers.value import Checkpoints as Checkpoints  # noqa: PLC0414
from experiments.project.trainers.value import Metrics as Metrics  # noqa: PLC0414
from experiments.project.trainers.value import Trainer as Trainer  # noqa: PLC0414
from experiments.project.values import Frozen as Frozen  # noqa: PLC0414
from experiments.project.values import is_none
from experiments.project.values import replaced as replaced  # noqa: PLC0414

# A notebook imports a class from where the class says that it is, and these two are here since 0.1.
StopWhen.__module__ = TrainingJobConfig.__module__ = __name__

MAX_RUN_NAME = 120

LauncherName = Literal["local", "skypilot", "dry-run"]
Verdict = Literal["pending", "running", "recovering", "succeeded", "failed", "cancelled", "unknown"]
Differing = Literal["code", "packages", "machine"]
CodeOf = Literal["own", "now"]
"""Which code a run gets that is launched once more: what it ran, or the project as it is now."""

TERMINAL_VERDICTS: frozenset[Verdict] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Control:
    """Hint for the input that edits a field: `Annotated[float, Control("log_slider")]`.

    Attributes:
        kind: `slider` and `log_slider` need bounds on the field; `text_area` is a text of several lines; `hidden`
            keeps the field's value out of the form.

    Example:
        >>> from typing import Annotated
        >>> from experiments.types import BaseExperimentConfig, Control, Field
        >>> class Config(BaseExperimentConfig):
        ...     rate: Annotated[float, Control("log_slider")] = Field(0.01, ge=1e-4, le=1)
        >>> Config().rate
        0.01
    """

    kind: Literal["slider", "log_slider", "number", "text_area", "hidden"]


def _is_nothing(value: object) -> bool:
    return not value


class KeptControl(Frozen):
    """An arm that was kept for reuse, as a plan has it in the place of a baseline of its own; see `jobs.controls`.

    Attributes:
        runs: Of its seeds, all attempts, oldest first.
        may_differ: What of it may be other than in the plan's own runs, as the recipe said before the launch.
        chosen_from: How many arms of the same settings there were to choose from when the plan was made.
        recipe: The file that the plan was made of, by its path in the project, which no run reads.

    Example:
        >>> from experiments.types import JobRef, KeptControl, TrainingJobConfig
        >>> runs = tuple(JobRef(run=f"ada.arena.baseline.s{seed}.abcdefgh", seed=seed) for seed in (1, 0))
        >>> config = TrainingJobConfig(curriculum="arena/basic")
        >>> KeptControl(name="arena-2026-11", version="1", arm="baseline", config=config, runs=runs).seeds
        (0, 1)
    """

    name: str
    version: str
    arm: str
    config: TrainingJobConfig
    runs: tuple[JobRef, ...]
    may_differ: tuple[Differing, ...] = ()
    chosen_from: int = Field(1, ge=1)
    recipe: str = ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, sorted."""
        return tuple(sorted({run.seed for run in self.runs}))


class PlannedJob(Standing):
    """One job of a plan.

    Attributes:
        arm: Label that the recipe gave the job.
        seed: Random seed; arms that share seeds are compared in pairs.
        config: What runs and on what.
        command: The trainer's command line; `{python}` stands for the launcher's interpreter.
        run_name: `<user>.<experiment>.<arm>.s<seed>.<8 characters of a hash>`; see `Plan`. What is no seed says so
            behind it: `s3r2` is replicate 2, and there are `s3-reproduction`, `s3-fork` and `s3-evaluation`.

    Example:
        >>> from experiments import Experiment, TrainingJobConfig, Workspace
        >>> class Arena(Experiment):
        ...     def launch_training_runs(self):
        ...         config = TrainingJobConfig(curriculum="arena/basic")
        ...         return [self.launch_training_run_from_config("baseline", config)]
        >>> arena = Arena("arena")
        >>> arena.workspace = Workspace.find(".")
        >>> job = arena.plan(launcher="dry-run").jobs[0]
        >>> job.arm, job.seed, job.run_name.split(".")[1:4]
        ('baseline', 0, ['arena', 'baseline', 's0'])
    """

    arm: str
    seed: int = Field(ge=0)
    config: TrainingJobConfig
    command: tuple[str, ...]
    run_name: str


class Plan(Frozen):
    """The exact list of jobs about to be launched; made by `experiments.jobs.plan.make_plan`.

    Attributes:
        experiment: Name of the experiment.
        user: First part of every run name.
        launcher: Where the jobs run.
        target: The place that the launcher uses, such as a host or a SkyPilot infra.
        repeat: 1 for the first launch of these jobs, 2 for the same again on purpose.
        key: sha256 of everything that makes the plan what it is; the ledger keeps it unique.
        family: The same without the repeat: what all repeats of these jobs share.
        jobs: One for each arm and seed, and for each replicate of these.
        wandb_mode: `offline` or `online`.
        tags: W&B tags of every run, beside each job's own; not part of the key.
        control: The kept arm that its runs are compared with; not part of the key.

    Example:
        >>> from experiments import Experiment, TrainingJobConfig, Workspace
        >>> class Arena(Experiment):
        ...     def launch_training_runs(self):
        ...         config = TrainingJobConfig(curriculum="arena/basic")
        ...         return [self.launch_training_run_from_config("baseline", config)]
        >>> arena = Arena("arena")
        >>> arena.workspace = Workspace.find(".")
        >>> plan = arena.plan(seeds=range(3), launcher="dry-run")
        >>> len(plan.jobs), plan.repeat, plan.key == arena.plan(seeds=range(3), launcher="dry-run").key
        (3, 1, True)
    """

    experiment: str
    user: str
    launcher: LauncherName
    target: str
    repeat: int = Field(ge=1)
    key: str
    family: str
    jobs: tuple[PlannedJob, ...]
    wandb_mode: Literal["offline", "online"] = "offline"
    tags: tuple[str, ...] = ()
    control: KeptControl | None = Field(None, exclude_if=is_none)


class TrainingJob(Standing):
    """One launched (or planned) training process, as the ledger knows it.

    Attributes:
        state: `planned` (nobody started it), `submitting` (intent recorded, launcher's answer not), `submitted` (the
            launcher has it; what became of it is the launcher's to say), `refused` (the launcher said no; may be
            retried), `cancelled` (ended before a launcher had it).
        plan_key: The plan that it belongs to; empty for a job that was only looked up.
        attempt: 1, or more for a retry of the same arm, seed and replicate.
        retry_of: Run name of the job that this one retries.
        error: Why the launcher refused, or the reason of an incident.
        created_at: Unix seconds of the ledger row.

    Example:
        >>> from experiments import TrainingJob, TrainingJobConfig
        >>> config = TrainingJobConfig(curriculum="arena/basic")
        >>> run = "ada.arena.fast.s3.abcdefgh"
        >>> job = TrainingJob(run_name=run, experiment="arena", arm="fast", seed=3, config=config, launcher="local")
        >>> job.ref().seed
        3
    """

    run_name: str
    experiment: str
    arm: str
    seed: int
    config: TrainingJobConfig
    launcher: str
    target: str = ""
    launcher_id: str | None = None
    state: Literal["planned", "submitting", "submitted", "refused", "cancelled"] = "planned"
    plan_key: str = ""
    repeat: int = 1
    attempt: int = 1
    retry_of: str | None = None
    tracker: str = "offline"
    command: tuple[str, ...] = ()
    error: str | None = None
    created_at: float = 0.0

    def ref(self) -> JobRef:
        """Return what a notebook keeps of this job."""
        return JobRef(
            run=self.run_name,
            arm=self.arm,
            seed=self.seed,
            launcher=self.launcher,
            id=self.launcher_id if self.launcher_id != self.run_name else None,
            tracker=self.tracker,
            metrics=self.metrics,
            **standing(self),
        )

    @property
    def metrics(self) -> Metrics | None:
        """What its trainer says of what it logs; None where it names nothing."""
        trainer = self.config.trainer
        return trainer.metrics if isinstance(trainer, Trainer) and trainer.metrics != Metrics() else None


class JobStatus(Standing):
    """What is known of a job now: the scheduler's word, the tracker's word, and one verdict from both.

    Attributes:
        scheduler: The launcher's own word, verbatim (`RUNNING`); None where it knows nothing of the job.
        tracker: The run store's own word, verbatim (`finished`); None where there is no run yet.
        verdict: Derived from both by `experiments.jobs.watch.verdicts.verdict`.
        reason: Why, in words, where the verdict needs one.
        step: Steps so far, agent steps where the reference trainer counts them; None before the first row.
        total_steps: Steps that the run was asked for.
        reward: Latest value of what its trainer is about: the mean return per agent, where it is the reference trainer.
        sps: Latest steps per second.
        keys: Which keys are its step, reward and speed; empty where they are those of the reference trainer.
        found: Which of these were found among what the run has logged, not named by its trainer.
        lower_is_better: Whether less of the reward is better, as its trainer says.
        spared: Whether it was cancelled since a look of its design had decided without it.
        started_at: Unix seconds at which the trainer started.
        ended_at: Unix seconds at which it ended.
        exit_code: Of the trainer; negative for the signal that killed it.
        resources: What it runs on, in the scheduler's words.
        recoveries: How often it was started again on other machines.
        events: What happened as (scheduler's word, reason, Unix seconds), oldest first; see `jobs.events`.
        cost_usd: Estimated US dollars so far; None where nobody knows.
        cost: The same in words.
        as_of: Unix seconds at which the sources were read.

    Example:
        >>> from experiments.monitoring import job_statuses
        >>> from experiments import JobStatus, Workspace
        >>> job_statuses(Workspace.find(".").state, ["nobody's"])[0].verdict
        'unknown'
        >>> JobStatus(run_name="ada.arena.baseline.s0.abcdefgh", verdict="running", step=500, total_steps=1_000).step
        500
    """

    run_name: str
    experiment: str = ""
    arm: str = ""
    seed: int = 0
    launcher: str = "local"
    scheduler: str | None = None
    tracker: str | None = None
    verdict: Verdict = "unknown"
    reason: str = ""
    step: int | None = None
    total_steps: int | None = None
    reward: float | None = None
    sps: float | None = None
    keys: dict[str, str] = Field({}, exclude_if=_is_nothing)
    found: tuple[str, ...] = Field((), exclude_if=_is_nothing)
    spared: bool = Field(False, exclude_if=_is_nothing)
    lower_is_better: bool = Field(False, exclude_if=_is_nothing)
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    resources: str = ""
    recoveries: int = 0
    events: tuple[tuple[str, str, float], ...] = ()
    cost_usd: float | None = None
    cost: str = ""
    as_of: float = 0.0


SectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
DEFAULT_SECTIONS: tuple[str, ...] = ("log", "analysis", "monitor", "replays", "launch", "export", "scratch")


class BaseExperimentConfig(BaseModel):
    """Settings that every experiment has; a recipe's config adds its own fields to these.

    A field's description is its help on the command line and its label in the notebook.

    Example:
        >>> from experiments.types import BaseExperimentConfig, Field
        >>> class Config(BaseExperimentConfig):
        ...     learning_rate: float = Field(0.003, gt=0, description="Adam step size.")
        >>> Config(learning_rate=0.01).changed()
        {'learning_rate': 0.01}
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=True, defer_build=True)

    description: str = Field("", description="What the experiment is for; shown at the top of the notebook.")
    sections: Annotated[tuple[SectionName, ...], Control("hidden")] = Field(
        DEFAULT_SECTIONS, description="Notebook sections, separated by commas; those that a notebook lacks are added."
    )
    wandb_tags: tuple[str, ...] = Field((), description="W&B tags, added to the recipe's own.")
    wandb_entity: str | None = Field(None, description="W&B entity of new runs; by default the setting.")
    wandb_project: str | None = Field(
        None, min_length=1, description="W&B project of new runs; by default the setting."
    )
    wandb_group: str | None = Field(None, description="W&B group of new runs; by default the experiment's name.")
    additional_args: Arguments = Field(
        (), description="Arguments for the trainer, as its command line has them; behind `--` also such as --lr 0.1."
    )
    skip_git_check: bool = Field(False, description="Launch also from a tree with uncommitted or unpushed changes.")

    def changed(self) -> dict[str, Any]:
        """Return the fields whose value differs from the class's default."""
        defaults = type(self)()
        return {name: value for name, value in self if value != getattr(defaults, name)}


def job_refs(jobs: Sequence[TrainingJob]) -> list[JobRef]:
    """Return what a notebook keeps of `jobs`, in the same order.

    Example:
        >>> from experiments.types import TrainingJob, TrainingJobConfig, job_refs
        >>> config = TrainingJobConfig(curriculum="arena/basic")
        >>> job = TrainingJob(run_name="mine", experiment="arena", arm="fast", seed=1, config=config, launcher="local")
        >>> [(ref.run, ref.arm, ref.seed) for ref in job_refs([job])]
        [('mine', 'fast', 1)]
    """
    return [job.ref() for job in jobs]
