"""The trainer's settings, and how `key=value` arguments become them."""

from __future__ import annotations

import difflib
import math
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from experiments.project.errors import UsageError, message
from experiments.project.values import Frozen
from experiments.trainer import curricula

MAX_MAPS = 1000
"""Held-out maps that an evaluation has at most: all are played side by side."""
ALIASES = {"trainer.seed": "seed"}
"""Keys that Metta's users pass, and what they are called here."""
_HELP = "All keys: python -P -m experiments.trainer --help"


def _read_count(value: object) -> object:
    """Turn `2e6` into 2000000; anything else is left to pydantic."""
    if not isinstance(value, str) or "e" not in value.lower():
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if math.isfinite(number) and number.is_integer() else value


def _read_tags(value: object) -> object:
    return tuple(tag.strip() for tag in value.split(",") if tag.strip()) if isinstance(value, str) else value


Count = Annotated[int, BeforeValidator(_read_count)]
Curriculum = Annotated[str, AfterValidator(curricula.resolve)]
Tags = Annotated[tuple[str, ...], BeforeValidator(_read_tags)]


class OptimizerConfig(Frozen):
    """Adam."""

    learning_rate: float = Field(3e-3, gt=0, le=1, description="Step size of Adam.")
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of Adam's first moment.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of Adam's second moment.")
    eps: float = Field(1e-8, gt=0, description="Added to the root of Adam's second moment.")
    max_grad_norm: float = Field(0.5, gt=0, description="Gradients are scaled down to this global norm.")


class PPOConfig(Frozen):
    """Proximal policy optimisation; the names are those of the PPO and GAE papers."""

    gamma: float = Field(0.98, ge=0, le=1, description="Discount of future rewards.")
    gae_lambda: float = Field(0.9, ge=0, le=1, description="Decay of generalised advantage estimation.")
    clip_coef: float = Field(
        0.2, gt=0, lt=1, description="Range of the probability ratio outside which gradients stop."
    )
    ent_coef: float = Field(0.01, ge=0, description="Weight of the entropy bonus.")
    vf_coef: float = Field(0.5, ge=0, description="Weight of the value loss.")


class EvaluationConfig(Frozen):
    """Episodes on held-out maps."""

    count: int = Field(10, ge=0, le=1000, description="Evaluations spread over the run, and one at its start; 0: none.")
    maps: int = Field(8, ge=1, le=MAX_MAPS, description="Held-out maps of each evaluation.")


class ReplayConfig(Frozen):
    """Recorded episodes of saved checkpoints."""

    count: int = Field(10, ge=0, le=1000, description="Replays spread over the run, and one of its start; 0: none.")
    url_prefix: str = Field(
        "", description="Public address that the run's replays/ folder is published under; logged links point there."
    )


class CheckpointConfig(Frozen):
    """Saved states of the run."""

    interval: float = Field(60.0, gt=0, description="Seconds of wall time between checkpoints.")
    keep: int = Field(
        2, ge=2, description="Newest checkpoints that are kept: one to go on from, one if that is damaged."
    )
    late: int = Field(
        0, ge=0, le=1000, description="Checkpoints spread over the last part of the run, all kept, to be evaluated."
    )
    late_share: float = Field(0.1, gt=0, le=1, description="How much of the run's steps that last part is.")


class TrainerConfig(Frozen):
    """What is trained, how and for how long."""

    curriculum: Curriculum = Field(curricula.DEFAULT, description="Tasks to train on; see the list below.")
    total_timesteps: Count = Field(1_500_000, ge=1, description="Agent-steps of the whole run; 2e6 may be written.")
    num_envs: int = Field(8, ge=1, le=4096, description="Environments stepped side by side.")
    rollout_length: int = Field(32, ge=1, le=65536, description="Steps of each environment between two updates.")
    update_epochs: int = Field(2, ge=1, le=100, description="Passes over the rollout in one update.")
    minibatches: int = Field(4, ge=1, description="Parts that a pass is cut into.")
    hidden_size: int = Field(64, ge=1, le=4096, description="Units of the hidden layer.")
    log_interval: Count = Field(16_384, ge=1, description="Agent-steps between two logged rows.")
    resume_from: str = Field(
        "", description="Run to go on from: a run's name (its folder lies beside this one's), or a folder."
    )
    resume_step: int | None = Field(
        None, ge=0, description="Agent-step of the checkpoint to go on from; the newest where not given."
    )
    optimizer: OptimizerConfig = OptimizerConfig()
    ppo: PPOConfig = PPOConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    replays: ReplayConfig = ReplayConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()

    @model_validator(mode="after")
    def _minibatches_hold_steps(self) -> TrainerConfig:
        if self.minibatches > self.num_envs * self.rollout_length:
            raise ValueError(
                f"minibatches={self.minibatches} is more than num_envs x rollout_length = "
                f"{self.num_envs * self.rollout_length} steps"
            )
        return self


class WandbConfig(Frozen):
    """Weights & Biases; what is left out is read by the SDK from its WANDB_* environment variables."""

    project: str | None = Field(None, description="W&B project.")
    entity: str | None = Field(None, description="W&B user or team.")
    group: str | None = Field(None, description="W&B group of runs.")
    tags: Tags = Field((), description="W&B tags, separated by commas.")
    mode: Literal["online", "offline", "disabled"] | None = Field(
        None, description="Where metrics go; without it and WANDB_MODE: online with a W&B key, else offline."
    )


class Arguments(Frozen):
    """Everything the trainer's command line sets."""

    run: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", description="Name of the run, which is also its W&B id."
    )
    run_dir: Path | None = Field(
        None,
        description="Folder of checkpoints/, replays/, wandb/; else EXPERIMENTS_RUN_DIR, else .experiments/runs/RUN.",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of network, sampling and training maps; also trainer.seed.")
    trainer: TrainerConfig = TrainerConfig()
    wandb: WandbConfig = WandbConfig()


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the dotted key and the field of every setting below `model`."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def parse(arguments: Sequence[str]) -> Arguments:
    """Return the settings that `key=value` arguments describe.

    Raises:
        UsageError: Not `key=value`, an unknown key, a key twice, or a value that pydantic refuses.
    """
    known = [key for key, _ in fields(Arguments)]
    values: dict[str, str] = {}
    for argument in arguments:
        written, equals, value = argument.partition("=")
        if not equals:
            raise UsageError(f"{argument!r} is not of the form key=value. {_HELP}")
        key = ALIASES.get(written, written)
        if key not in known:
            raise UsageError(f"unknown key {written!r}. Nearest: {', '.join(_nearest(key, known))}. {_HELP}")
        if key in values:
            raise UsageError(f"{key!r} is given twice, {values[key]!r} and {value!r}. Give it once.")
        values[key] = value
    try:
        return Arguments.model_validate(_nest(values))
    except ValidationError as error:
        raise UsageError(f"{'; '.join(_explain(error, values))}. {_HELP}") from None


def _nearest(key: str, known: Sequence[str]) -> list[str]:
    """Return up to three known keys like `key`, by their whole text and by their last part."""
    last_parts = {name: name.rpartition(".")[2] for name in known}
    by_part = difflib.get_close_matches(key.rpartition(".")[2], last_parts.values(), n=3, cutoff=0.5)
    same_part = [name for part in by_part for name in known if last_parts[name] == part]
    whole = difflib.get_close_matches(key, known, n=3, cutoff=0.0)
    return list(dict.fromkeys(same_part + whole))[:3]


def _nest(values: dict[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *groups, name = key.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[name] = value
    return tree


def _explain(error: ValidationError, values: dict[str, str]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        given = f"{key}={values[key]!r}" if key in values else key
        yield f"{given}: {message(problem['msg'])}"


def help_text() -> str:
    """Return the usage: every key with default, type and description, and the curricula."""
    lines = [
        "usage: python -P -m experiments.trainer run=NAME [key=value ...]",
        "",
        "Train agents on MettaGrid with PPO.",
        "",
    ]
    for key, field in fields(Arguments):
        default = "required" if field.default is PydanticUndefined else _text(field.default)
        lines += [f"  {key}={default}  ({_type_name(field.annotation)})", f"      {field.description}"]
    lines += ["", f"Curricula ({curricula.PREFIX!r} may be left out):"]
    for name, description in curricula.CURRICULA.items():
        lines += [f"  {name.removeprefix(curricula.PREFIX)}", f"      {description}"]
    return "\n".join(lines)


def _text(default: object) -> str:
    return "" if default is None else ",".join(default) if isinstance(default, tuple) else str(default)


def _type_name(annotation: object) -> str:
    """Return a reader's name of a type: `int`, `online|offline`, `text`."""
    if typing.get_origin(annotation) in {types.UnionType, typing.Union}:
        return "|".join(_type_name(part) for part in typing.get_args(annotation) if part is not types.NoneType)
    if typing.get_origin(annotation) is Literal:
        return "|".join(str(value) for value in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return "text,text,..."
    if annotation is str:
        return "text"
    return annotation.__name__.lower() if isinstance(annotation, type) else str(annotation)
