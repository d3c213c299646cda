"""Arms: named configurations that are compared. An ablation changes a baseline; a grid takes every combination."""

from __future__ import annotations

import difflib
import enum
import functools
import hashlib
import itertools
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from experiments.jobs.plan import RecordedJob
from experiments.project.errors import UsageError, message, shown
from experiments.project.values import replaced
from experiments.types import BaseExperimentConfig, Control, Plan, Trainer, TrainingJobConfig, check_name, suggest_name

ConfigT = TypeVar("ConfigT", bound=BaseModel)
BASELINE = "baseline"
_NO_FACTS = frozenset({"additional_args", "wandb_tags", "skip_git_check", "trainer"})
_OF_NO_ARM = frozenset(BaseExperimentConfig.model_fields) - {"additional_args"}


@dataclass(frozen=True)
class Ablation(Generic[ConfigT]):
    """A baseline and what each other arm changes of it.

    Attributes:
        baseline: Config of the first arm, which is called `baseline`.
        changes: `{arm: {field: value}}`; a field of a nested model is written with dots.

    Example:
        >>> from experiments import Ablation, BaseExperimentConfig
        >>> arms = Ablation(BaseExperimentConfig(), {"tagged": {"wandb_tags": ("night",)}}).arms()
        >>> {name: config.wandb_tags for name, config in arms.items()}
        {'baseline': (), 'tagged': ('night',)}
    """

    baseline: ConfigT
    changes: Mapping[str, Mapping[str, Any]]

    def arms(self) -> dict[str, ConfigT]:
        """Return the config of each arm by name, the baseline first.

        Raises:
            UsageError: An arm has no name or changes nothing, or a field or value is wrong.
        """
        found = {BASELINE: self.baseline}
        for name, change in self.changes.items():
            check_name("arm", name)
            if name in found:
                raise UsageError(f"arm {name!r} stands twice. Give each arm its own name.")
            if not change:
                raise UsageError(f"arm {name!r} changes nothing. Name a field and its value, or leave the arm out.")
            found[name] = changed(self.baseline, change)
        return found


@dataclass(frozen=True)
class Grid(Generic[ConfigT]):
    """Every combination of some values of some fields.

    Attributes:
        base: Config that the other fields come from.
        values: `{field: [values]}`; a field of a nested model is written with dots.

    Example:
        >>> from experiments import BaseExperimentConfig, Grid
        >>> class Config(BaseExperimentConfig):
        ...     learning_rate: float = 0.003
        >>> list(Grid(Config(), {"learning_rate": [0.001, 0.01]}).arms())
        ['learning_rate-0_001', 'learning_rate-0_01']
    """

    base: ConfigT
    values: Mapping[str, Sequence[Any]]

    def arms(self) -> dict[str, ConfigT]:
        """Return the config of each combination, named after its values, in the order of the fields and values.

        Raises:
            UsageError: A field or value is wrong, a field has no value, or a value stands twice.
        """
        for field, values in self.values.items():
            if not values:
                raise UsageError(f"field {field!r} has no value to take. Give at least one.")
        found: dict[str, ConfigT] = {}
        for combination in itertools.product(*self.values.values()):
            change = dict(zip(self.values, combination, strict=True))
            name = name_of(change)
            if name in found:
                raise UsageError(
                    f"two combinations would be called {name!r}: {change!r} and another. Give fewer values."
                )
            found[name] = changed(self.base, change)
        return found


def beside_all(arms: Mapping[str, ConfigT], change: Mapping[str, Any]) -> dict[str, ConfigT]:
    """Return arms with the name of what all of them change, besides that in which they differ."""
    common = {
        field: value
        for field, value in change.items()
        if all(functools.reduce(getattr, field.split("."), config) == value for config in arms.values())
    }
    return {name_of(common, and_then=name): config for name, config in arms.items()} if common else dict(arms)


def parse_vary(texts: Sequence[str], config: ConfigT) -> Grid[ConfigT]:
    """Return the grid that `field=value,value` texts describe.

    Raises:
        UsageError: A text is not of that form, or names no field of the config.
    """
    values: dict[str, list[Any]] = {}
    for text in texts:
        field, equals, listed = text.partition("=")
        if not equals or not field or not listed:
            raise UsageError(f"--vary {text!r} is not 'field=value,value'. Try --vary {vary_example(config)}")
        if field in values:
            raise UsageError(f"--vary names {field!r} twice. Give all of its values at once: {field}=A,B,C")
        several = _holds_several(config, field)
        values[field] = _lists(field, listed) if several else [part.strip() for part in listed.split(",")]
        for value in values[field]:
            changed(config, {field: value})
    return Grid(config, values)


def vary_example(config: BaseModel, fields: int = 1) -> str:
    """Return what may be varied of a config: `learning_rate=0.001,0.003`, of its own fields, with values they take.

    Args:
        fields: How many fields at most; several are separated by semicolons.
    """
    found = [example for example, _ in sorted(_examples(config, config), key=lambda example: example[1])]
    own = (name for name in type(config).model_fields if name not in BaseExperimentConfig.model_fields)
    return "; ".join(found[:fields]) or f"{next(own, 'field')}=A,B"


def _examples(config: BaseModel, model: BaseModel, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield `field=value,other` of each number and choice, and whether it is a mere switch."""
    for name, field in type(model).model_fields.items():
        value, path = getattr(model, name), f"{prefix}{name}"
        if Control("hidden") in field.metadata or path in BaseExperimentConfig.model_fields:
            continue
        if isinstance(value, BaseModel):
            yield from _examples(config, value, f"{path}.")
        else:
            other = next((text for text in _others(field.annotation, value) if _is_taken(config, path, text)), None)
            if other is not None:
                yield f"{path}={_typed(value)},{other}", isinstance(value, bool)


def _others(annotation: Any, value: object) -> list[str]:  # noqa: ANN401 - any type of a field
    """Return other values that a field may have, the most telling first."""
    if isinstance(value, bool):
        return [_typed(not value)]
    if typing.get_origin(annotation) is typing.Literal:
        return [_typed(other) for other in typing.get_args(annotation) if other != value]
    if isinstance(value, enum.Enum):
        return [_typed(other) for other in type(value) if other is not value]
    if isinstance(value, int):
        return [str(other) for other in (value * 2, value + 1, value - 1, value // 2) if other != value]
    if isinstance(value, float):
        return [f"{other:.3g}" for other in (value * 3, value / 3, value + 0.1, value - 0.1) if other != value]
    return []


def _typed(value: object) -> str:
    """Return a value as people type it."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_taken(config: BaseModel, field: str, text: str) -> bool:
    try:
        changed(config, {field: text})
    except Exception:  # noqa: BLE001 - a config's own validator may raise anything; it is one example fewer
        return False
    return "," not in text


def _holds_several(config: BaseModel, field: str) -> bool:
    """Say whether a field holds several values; a field that does not exist is refused elsewhere."""
    value: object = config
    for name in field.split("."):
        value = getattr(value, name, None)
    return isinstance(value, (tuple, list, set, frozenset))


def _lists(field: str, listed: str) -> list[Any]:
    """Return the values of a field that holds several, each written in brackets.

    Raises:
        UsageError: One is not; says how both readings of it are written.
    """
    parts: list[str] = []
    for piece in listed.split(","):
        if parts and parts[-1].startswith("[") and not parts[-1].endswith("]"):
            parts[-1] += f",{piece.strip()}"
        else:
            parts.append(piece.strip())
    if all(part.startswith("[") and part.endswith("]") for part in parts):
        return [[item.strip().strip("'\"") for item in part[1:-1].split(",") if item.strip()] for part in parts]
    plain = [part.strip("[]") for part in parts]
    one, each = f"{field}=[{','.join(plain)}]", f"{field}={','.join(f'[{part}]' for part in plain)}"
    raise UsageError(
        f"{field!r} holds several values, so each arm's are written in brackets. One arm with all of these: "
        f"--vary '{one}'. One arm for each: --vary '{each}'"
    )


def changed(config: ConfigT, change: Mapping[str, Any]) -> ConfigT:
    """Return a copy of `config` with some fields changed, checked by pydantic; `config` itself stays as it is.

    Raises:
        UsageError: A field does not exist (names the nearest), or a value is not allowed.
    """
    for field, value in change.items():
        config = _with(config, field.split("."), value, field)
    return config


def changes(before: BaseModel, after: BaseModel) -> dict[str, Any]:
    """Return the fields in which two configs of one class differ, with the later value; nested fields have dots.

    What every experiment has and no arm is named after is left out: its description, tags, sections and the like.
    """
    found: dict[str, Any] = {}
    for name in type(after).model_fields:
        old, new = getattr(before, name, None), getattr(after, name)
        if old == new or name in _OF_NO_ARM:
            continue
        if isinstance(old, BaseModel) and isinstance(new, BaseModel) and type(old) is type(new):
            found |= {f"{name}.{inner}": value for inner, value in changes(old, new).items()}
        else:
            found[name] = new
    return found


def name_of(change: Mapping[str, Any], *, and_then: str = "") -> str:
    """Return a name made of the values: `learning_rate-0_003`; the last part of a dotted field is enough.

    Of a name that is longer than names may be, the end is a digest of all of it.

    Args:
        and_then: A name that follows.
    """
    parts = (f"{field.rsplit('.', 1)[-1]}-{_slug(value)}" for field, value in change.items())
    return _short("-".join([*parts, *([and_then] if and_then else [])]))


def apart(recorded: Sequence[RecordedJob], there: Sequence[RecordedJob], change: str) -> list[RecordedJob]:
    """Return recorded jobs, with another arm for each whose label stands for another job already.

    Args:
        there: What the same recipe records with the config that its arms are known by.
        change: What tells the other arm from it.
    """
    known: dict[str, dict[str, Any]] = {}
    for job in there:
        known.setdefault(job.arm, _facts(job.config))
    several = len({job.arm for job in recorded}) > 1
    return [
        job
        if known.get(job.arm, _facts(job.config)) == _facts(job.config)
        else replace(job, arm=_short(f"{change}-{job.arm}") if several else change)
        for job in recorded
    ]


def differences(plan: Plan, baseline: TrainingJobConfig | None = None) -> dict[str, str]:
    """Return what each arm changes of the baseline, in words; arms with the same job as another say so.

    Args:
        baseline: What a job of it is; that of the plan's control or first arm where None.
    """
    first = plan.control or plan.jobs[0]
    before = baseline or first.config
    known = _facts(before)
    found: dict[str, str] = {}
    seen: dict[frozenset[tuple[str, str]], str] = {}
    for job in plan.jobs:
        if job.arm in found:
            continue
        after = job.config
        if after.trainer == before.trainer and after.additional_args == before.additional_args:
            other = {name: value for name, value in _apart(vars(before), vars(after)).items() if name not in _NO_FACTS}
        else:
            other = _apart(known, _facts(after))
        others = {key: _said(value) for key, value in other.items()}
        twin = seen.setdefault(frozenset(others.items()), job.arm)
        words = "; ".join(f"{key} {value}" for key, value in others.items()) or "the baseline"
        found[job.arm] = words if twin == job.arm else f"the same job as {twin}"
    return found


def _apart(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return each fact that is another one than before, in their order, with what it is now."""
    if after.keys() == before.keys():
        # Arms of one recipe share most values, and to ask whether two are the same object takes no time.
        return {key: value for key, value in after.items() if value is not before[key] and value != before[key]}
    both = {**before, **after}
    return {key: after.get(key, "not set") for key in both if before.get(key) != after.get(key)}


def _facts(config: TrainingJobConfig) -> dict[str, Any]:
    """Return what a job is asked to compute, by field, by placeholder of the recipe's own, and by argument."""
    found = {name: value for name, value in vars(config).items() if name not in _NO_FACTS}
    if isinstance(config.trainer, Trainer):
        found |= config.trainer.values
    if not config.additional_args:
        return found
    alone = {word: "" for each in config.arguments if not each.key for word in each.words}
    return found | config.set_arguments() | alone


def _said(fact: object) -> str:
    return fact if isinstance(fact, str) else str(fact.model_dump() if isinstance(fact, BaseModel) else fact)


def _with(config: ConfigT, path: Sequence[str], value: Any, whole: str) -> ConfigT:  # noqa: ANN401 - any field's value
    name = path[0]
    fields = type(config).model_fields
    if name not in fields:
        raise UsageError(f"{type(config).__name__} has no field {whole!r}. {_nearest(name, list(fields))}")
    if len(path) > 1:
        inner = getattr(config, name)
        if not isinstance(inner, BaseModel):
            raise UsageError(
                f"field {name!r} of {type(config).__name__} has no fields of its own, so {whole!r} is none."
            )
        value = _with(inner, path[1:], value, whole)
    try:
        return _assigned(config, name, value)
    except ValidationError as error:
        said = "; ".join(message(item["msg"]) for item in error.errors())
        raise UsageError(f"{shown(whole, value)}: {said}. Choose another value.") from None


def _assigned(config: ConfigT, name: str, value: Any) -> ConfigT:  # noqa: ANN401 - any field's value
    """Return a copy with one field changed and checked, and the model as a whole with it."""
    if config.model_config.get("frozen"):
        return replaced(config, **{name: value})
    # The other fields were checked before, and a recipe's validator need not take what it returned.
    copy = config.model_copy()
    type(config).__pydantic_validator__.validate_assignment(copy, name, value)
    return copy


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {', '.join(map(repr, near))}?" if near else f"Its fields: {', '.join(known)}."


def _short(text: str) -> str:
    name = suggest_name(text)
    if len(text) <= len(name):
        return name
    return f"{name[:31].rstrip('-_')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _slug(value: Any) -> str:  # noqa: ANN401 - any field's value
    if type(value) is int:  # most values of a grid of hundreds
        return str(value)
    if isinstance(value, (tuple, list, set, frozenset)):
        return "-".join(map(_slug, value)) or "none"
    text = str(value).rsplit("/", 1)[-1] if isinstance(value, str) else repr(value)
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text.replace("+", ""))
