"""What one training job runs and on what, and when it is hopeless."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from experiments.project.trainers.value import Trainer
from experiments.project.trainers.words import Argument, Style, checked_words, read_arguments, same_key
from experiments.project.values import Frozen, is_none

_AMOUNT = r"^\d+(\.\d+)?\+?$"

Arguments = Annotated[tuple[str, ...], AfterValidator(checked_words)]
"""Arguments for a trainer: any words that a process can be given, in the style of the trainer."""


def _is_empty(value: object) -> bool:
    return value == ""


class StopWhen(Frozen):
    """When a job is hopeless and ended; off where nothing is set. Its seed is lost, and counts as lost.

    A local job's supervisor looks every minute; for jobs of a cluster whoever polls them does. What nobody can tell
    ends no job: a run that no tracker has is not known to stand still.

    Example:
        >>> from experiments.types import StopWhen
        >>> StopWhen(not_finite=True, idle_minutes=30).idle_minutes
        30.0
    """

    not_finite: bool = Field(False, description="Its newest loss or reward is no finite number.")
    idle_minutes: float | None = Field(None, gt=0, exclude_if=is_none, description="It made no step for so long.")
    below_baseline: int | None = Field(
        None,
        ge=1,
        le=1000,
        exclude_if=is_none,
        description="So many evaluations in a row lie below the band of the first arm.",
    )
    hours: float | None = Field(
        None, gt=0, exclude_if=is_none, description="The runs of its experiment took so many hours together."
    )
    gpu_hours: float | None = Field(
        None, gt=0, exclude_if=is_none, description="The same, each hour as many times as the run has GPUs."
    )


class TrainingJobConfig(Frozen):
    """What one training job runs and on what.

    What is None by default (most of it for SkyPilot only) is left out of JSON then, so that it changes no key of
    another plan.

    Example:
        >>> from experiments import TrainingJobConfig
        >>> config = TrainingJobConfig(curriculum="arena/basic", additional_args=["trainer.gamma=0.9"])
        >>> config.get_arg_value("trainer.gamma")
        '0.9'
    """

    curriculum: str = Field("", exclude_if=_is_empty, description="Curriculum that the trainer runs, if it has any.")
    gpus: int = Field(1, ge=0, le=4096, description="GPUs per node.")
    nodes: int = Field(1, ge=1, le=4096, description="Nodes.")
    spot: bool = Field(False, description="Use spot (preemptible) machines.")
    skip_git_check: bool = Field(False, description="Launch also from a tree with uncommitted or unpushed changes.")
    wandb_tags: tuple[str, ...] = Field((), description="W&B tags of the run.")
    additional_args: Arguments = Field((), description="Arguments for the trainer, as its command line has them.")
    trainer: Trainer | str | None = Field(
        None, exclude_if=is_none, description="Trainer, or the name of one; the recipe's or the setting where None."
    )
    accelerator: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+(:\d{1,4})?$",
        exclude_if=is_none,
        description="SkyPilot: kind of GPU, such as H100; H100:4 also says how many, in the place of gpus.",
    )
    cpus: str | None = Field(
        None, pattern=_AMOUNT, exclude_if=is_none, description="SkyPilot: CPUs per node, 8 or 8+ for at least 8."
    )
    memory: str | None = Field(
        None,
        pattern=_AMOUNT,
        exclude_if=is_none,
        description="GB of memory per node, 32 or 32+ for at least 32; locally a job that holds more than 32 is ended.",
    )
    disk_gb: int | None = Field(None, ge=1, exclude_if=is_none, description="SkyPilot: GB of disk per node.")
    infra: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9*][\w.*:@/-]*$",
        exclude_if=is_none,
        description="SkyPilot: where, such as aws/us-east-1, k8s/context or slurm/cluster/partition.",
    )
    max_hourly_cost: float | None = Field(
        None, gt=0, exclude_if=is_none, description="SkyPilot: refuse machines that cost more USD per hour."
    )
    max_runtime_hours: float | None = Field(
        None,
        gt=0,
        le=10_000,
        exclude_if=is_none,
        description="End the trainer after this time on a machine; locally, time asleep does not count.",
    )
    stop_when: StopWhen | None = Field(None, exclude_if=is_none, description="When the job is hopeless and ended.")
    recovery: Literal["FAILOVER", "EAGER_NEXT_REGION"] | None = Field(
        None, exclude_if=is_none, description="SkyPilot: where a preempted job is started again."
    )
    max_restarts_on_errors: int | None = Field(
        None, ge=0, le=1000, exclude_if=is_none, description="SkyPilot: how often to start again after an error."
    )

    @model_validator(mode="after")
    def _runs_something(self) -> Self:
        if not self.curriculum and self.trainer is None:
            raise ValueError(
                f"curriculum {self.curriculum!r}: a job has one, or a trainer that needs none. Name it: "
                "TrainingJobConfig(curriculum='NAME'), or trainer = Trainer(command='...') in the recipe and "
                "self.job() in its launch_training_runs"
            )
        return self

    @property
    def arguments(self) -> list[Argument]:
        """What `additional_args` set, in the trainer's style."""
        return read_arguments(self.additional_args, self.style) if self.additional_args else []

    @property
    def style(self) -> Style:
        """How the trainer takes arguments; a name's is only known once it has been looked up."""
        return self.trainer.style if isinstance(self.trainer, Trainer) else "key=value"

    def set_arguments(self) -> dict[str, str]:
        """Return what `additional_args` set by key, the last where there are several; an option alone is `true`."""
        return {each.key: "true" if each.value is None else each.value for each in self.arguments if each.key}

    def get_arg_value(self, key: str) -> str | None:
        """Return the value that `additional_args` give to `key`, the last where there are several."""
        return next((each.value for each in reversed(self.arguments) if each.key == same_key(key)), None)
