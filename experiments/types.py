"""The values that the parts of Experiments hand to each other.

Everything here is frozen, checked by pydantic and cheap to import, so that recipes and command lines start fast.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Field  # noqa: PLC0414 - recipes take it from here, so that all they load is loaded by us

from experiments.project.errors import UsageError

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,39}"
MAX_RUN_NAME = 120
_AMOUNT = r"^\d+(\.\d+)?\+?$"
_KEY = r"[A-Za-z_][\w.]*"

LauncherName = Literal["local", "skypilot", "dry-run"]
Verdict = Literal["pending", "running", "recovering", "succeeded", "failed", "cancelled", "unknown"]
TERMINAL_VERDICTS: frozenset[Verdict] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Control:
    """Hint for the input that edits a field: `Annotated[float, Control("log_slider")]`.

    Attributes:
        kind: `slider` and `log_slider` need bounds on the field; `text_area` is a text of several lines; `hidden`
            keeps the field's value out of the form.
    """

    kind: Literal["slider", "log_slider", "number", "text_area", "hidden"]


class Frozen(BaseModel):
    """Base of all values: immutable, and a field that does not exist is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ModelT = TypeVar("ModelT", bound=BaseModel)


def replaced(model: ModelT, **fields: Any) -> ModelT:  # noqa: ANN401 - any field's value
    """Return a copy of `model` with some fields changed, checked as if it were made anew.

    pydantic's own `model_copy` checks nothing, so what it changes could be recorded and never be read again.

    Raises:
        ValidationError: A field does not exist, or a value is not allowed.
    """
    given = {name: getattr(model, name) for name in model.model_fields_set}
    return type(model).model_validate(given | fields)


def suggest_name(text: str) -> str:
    """Return the nearest allowed name to `text`, or `experiment` where nothing of it is left."""
    near = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:40].rstrip("-_")
    return near or "experiment"


def check_name(kind: str, value: str) -> str:
    """Return `value` where it may be part of a run name.

    Raises:
        UsageError: It does not match `NAME_PATTERN`; the message suggests a name.
    """
    if re.fullmatch(NAME_PATTERN, value):
        return value
    raise UsageError(
        f"{kind} {value!r} cannot be part of a run name. Allowed: 1 to 40 of a-z, 0-9, '_' and '-', starting with a "
        f"letter or digit. Try {suggest_name(value)!r}."
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that `text` names: `5` is 0 to 4, `0..4` a range with both ends, `3,7` a list.

    Raises:
        UsageError: Not a list of seeds, no seed at all, or a seed twice.
    """
    rule = "Write a count (5), a range with both ends (0..4) or a list (3,7)."
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,6}", text):
        seeds = list(range(int(text)))
    else:
        seeds = []
        for part in text.split(","):
            bounds = re.fullmatch(r"\s*([0-9]{1,9})(?:\.\.([0-9]{1,9}))?\s*", part)
            if bounds is None:
                raise UsageError(f"--seeds {text!r} is not a list of seeds. {rule}")
            first, last = int(bounds[1]), int(bounds[2] or bounds[1])
            if last < first or last - first >= 100_000:
                raise UsageError(
                    f"--seeds {text!r} holds {part.strip()!r}, which is not a range from low to high. {rule}"
                )
            seeds.extend(range(first, last + 1))
    if not seeds:
        raise UsageError(f"--seeds {text!r} names no seed. {rule}")
    [(often, count)] = Counter(seeds).most_common(1)
    if count > 1:
        raise UsageError(f"--seeds {text!r} names seed {often} twice; each seed is one run. {rule}")
    return tuple(seeds)


def _is_none(value: object) -> bool:
    return value is None


def _are_assignments(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        key, equals, given = value.partition("=")
        if not equals or not re.fullmatch(_KEY, key) or "\x00" in value:
            near = re.sub(r"[^\w.]+", "_", key.strip("+~- "))
            example = f"{near}={given}" if equals and re.fullmatch(_KEY, near) else "trainer.total_timesteps=200000"
            raise ValueError(f"{value!r} is not a 'key=value' argument, such as {example}")
    return values


Assignments = Annotated[tuple[str, ...], AfterValidator(_are_assignments)]
"""Arguments for a trainer, each `key=value`."""


class TrainingJobConfig(Frozen):
    """What one training job runs and on what.

    What is None by default (most of it for SkyPilot only) is left out of JSON then, so that it changes no key of
    another plan.
    """

    curriculum: str = Field(min_length=1, description="Curriculum that the trainer runs.")
    gpus: int = Field(1, ge=0, le=4096, description="GPUs per node.")
    nodes: int = Field(1, ge=1, le=4096, description="Nodes.")
    spot: bool = Field(False, description="Use spot (preemptible) machines.")
    skip_git_check: bool = Field(False, description="Launch also from a tree with uncommitted or unpushed changes.")
    wandb_tags: tuple[str, ...] = Field((), description="W&B tags of the run.")
    additional_args: Assignments = Field((), description="Arguments for the trainer, each 'key=value'.")
    accelerator: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+(:\d{1,4})?$",
        exclude_if=_is_none,
        description="SkyPilot: kind of GPU, such as H100; H100:4 also says how many, in the place of gpus.",
    )
    cpus: str | None = Field(
        None, pattern=_AMOUNT, exclude_if=_is_none, description="SkyPilot: CPUs per node, 8 or 8+ for at least 8."
    )
    memory: str | None = Field(
        None, pattern=_AMOUNT, exclude_if=_is_none, description="SkyPilot: GB of memory per node, 32 or 32+."
    )
    disk_gb: int | None = Field(None, ge=1, exclude_if=_is_none, description="SkyPilot: GB of disk per node.")
    infra: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9*][\w.*:@/-]*$",
        exclude_if=_is_none,
        description="SkyPilot: where, such as aws/us-east-1, k8s/context or slurm/cluster/partition.",
    )
    max_hourly_cost: float | None = Field(
        None, gt=0, exclude_if=_is_none, description="SkyPilot: refuse machines that cost more USD per hour."
    )
    max_runtime_hours: float | None = Field(
        None,
        gt=0,
        le=10_000,
        exclude_if=_is_none,
        description="End the trainer after this time on a machine; locally, time asleep does not count.",
    )
    recovery: Literal["FAILOVER", "EAGER_NEXT_REGION"] | None = Field(
        None, exclude_if=_is_none, description="SkyPilot: where a preempted job is started again."
    )
    max_restarts_on_errors: int | None = Field(
        None, ge=0, le=1000, exclude_if=_is_none, description="SkyPilot: how often to start again after an error."
    )

    def get_arg_value(self, key: str) -> str | None:
        """Return the value that `additional_args` give to `key`, the last where there are several."""
        for argument in reversed(self.additional_args):
            name, _, value = argument.partition("=")
            if name == key:
                return value
        return None


class JobRef(Frozen):
    """What a notebook file keeps of a job: enough to read its run without the ledger.

    Attributes:
        run: Run name, which is also the W&B run id.
        arm: Named configuration that the job belongs to.
        seed: Random seed of the run.
        launcher: Where the job ran.
        id: The launcher's id of the job; None where it has none.
        tracker: Where the metrics are: `offline`, or `entity/project` on the W&B server in use.
    """

    run: str
    arm: str = ""
    seed: int = 0
    launcher: str = "local"
    id: str | None = None
    tracker: str = "offline"


class PlannedJob(Frozen):
    """One job of a plan.

    Attributes:
        arm: Label that the recipe gave the job.
        seed: Random seed; arms that share seeds are compared in pairs.
        config: What runs and on what.
        command: The trainer's command line; `{python}` stands for the launcher's interpreter.
        run_name: `<user>.<experiment>.<arm>.s<seed>.<8 characters of a hash>`; see `Plan`.
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
        jobs: One for each arm and seed.
        wandb_mode: `offline` or `online`.
        tags: W&B tags of every run, beside each job's own; not part of the key.
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


class TrainingJob(Frozen):
    """One launched (or planned) training process, as the ledger knows it.

    Attributes:
        state: `planned` (nobody started it), `submitting` (intent recorded, launcher's answer not), `submitted` (the
            launcher has it; what became of it is the launcher's to say), `refused` (the launcher said no; may be
            retried), `cancelled` (ended before a launcher had it).
        plan_key: The plan that it belongs to; empty for a job that was only looked up.
        attempt: 1, or more for a retry of the same arm and seed.
        retry_of: Run name of the job that this one retries.
        error: Why the launcher refused, or the reason of an incident.
        created_at: Unix seconds of the ledger row.
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
        )


class JobStatus(Frozen):
    """What is known of a job now: the scheduler's word, the tracker's word, and one verdict from both.

    Attributes:
        scheduler: The launcher's own word, verbatim (`RUNNING`); None where it knows nothing of the job.
        tracker: The run store's own word, verbatim (`finished`); None where there is no run yet.
        verdict: Derived from both by `experiments.jobs.watch.verdicts.verdict`.
        reason: Why, in words, where the verdict needs one.
        step: Agent steps so far; None before the first row.
        total_steps: Agent steps that the run was asked for.
        reward: Latest mean return per agent.
        sps: Latest agent steps per second.
        started_at: Unix seconds at which the trainer started.
        ended_at: Unix seconds at which it ended.
        exit_code: Of the trainer; negative for the signal that killed it.
        resources: What it runs on, in the scheduler's words.
        recoveries: How often it was started again on other machines.
        events: What happened as (scheduler's word, reason, Unix seconds), oldest first; see `jobs.events`.
        cost_usd: Estimated US dollars so far; None where nobody knows.
        cost: The same in words.
        as_of: Unix seconds at which the sources were read.
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
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, validate_default=True)

    description: str = Field("", description="What the experiment is for; shown at the top of the notebook.")
    sections: Annotated[tuple[SectionName, ...], Control("hidden")] = Field(
        DEFAULT_SECTIONS, description="Notebook sections, separated by commas; those that a notebook lacks are added."
    )
    wandb_tags: tuple[str, ...] = Field((), description="W&B tags, added to the recipe's own.")
    wandb_entity: str | None = Field(None, description="W&B entity of new runs; by default the setting.")
    wandb_project: str | None = Field(None, description="W&B project of new runs; by default the setting.")
    wandb_group: str | None = Field(None, description="W&B group of new runs; by default the experiment's name.")
    additional_args: Assignments = Field((), description="Arguments for the trainer, each key=value.")
    skip_git_check: bool = Field(False, description="Launch also from a tree with uncommitted or unpushed changes.")

    def changed(self) -> dict[str, Any]:
        """Return the fields whose value differs from the class's default."""
        defaults = type(self)()
        return {name: value for name, value in self if value != getattr(defaults, name)}


def number_or_none(value: object) -> float | None:
    """Return what a tracker or a scheduler told as a number; None for a text, a truth value, NaN and infinities."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None  # an integer that no float can hold


def job_refs(jobs: Sequence[TrainingJob]) -> list[JobRef]:
    """Return what a notebook keeps of `jobs`, in the same order."""
    return [job.ref() for job in jobs]
