"""Arms: named configurations that are compared. An ablation changes a baseline; a grid takes every combination."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from experiments.errors import UsageError
from experiments.types import Plan, PlannedJob, check_name, suggest_name

ConfigT = TypeVar("ConfigT", bound=BaseModel)
BASELINE = "baseline"


@dataclass(frozen=True)
class Ablation(Generic[ConfigT]):
    """A baseline and what each other arm changes of it.

    Attributes:
        baseline: Config of the first arm, which is called `baseline`.
        changes: `{arm: {field: value}}`; a field of a nested model is written with dots.
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
            name = _name_of(change)
            if name in found:
                raise UsageError(
                    f"two combinations would be called {name!r}: {change!r} and another. Give fewer values."
                )
            found[name] = changed(self.base, change)
        return found


def parse_vary(texts: Sequence[str], config: ConfigT) -> Grid[ConfigT]:
    """Return the grid that `field=value,value` texts describe.

    Raises:
        UsageError: A text is not of that form, or names no field of the config.
    """
    values: dict[str, list[Any]] = {}
    for text in texts:
        field, equals, listed = text.partition("=")
        if not equals or not field or not listed:
            raise UsageError(f"--vary {text!r} is not 'field=value,value'. Try --vary learning_rate=0.001,0.003")
        if field in values:
            raise UsageError(f"--vary names {field!r} twice. Give all of its values at once: {field}=A,B,C")
        values[field] = [part.strip() for part in listed.split(",")]
        changed(config, {field: values[field][0]})
    return Grid(config, values)


def changed(config: ConfigT, change: Mapping[str, Any]) -> ConfigT:
    """Return a copy of `config` with some fields changed, checked by pydantic; `config` itself stays as it is.

    Raises:
        UsageError: A field does not exist (names the nearest), or a value is not allowed.
    """
    for field, value in change.items():
        config = _with(config, field.split("."), value, field)
    return config


def differences(plan: Plan) -> dict[str, str]:
    """Return what each arm changes of the first one, in words; arms with the same job as another say so."""
    first = plan.jobs[0]
    before = _facts(first)
    found: dict[str, str] = {}
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for job in plan.jobs:
        if job.arm in found:
            continue
        facts = _facts(job)
        twin = seen.setdefault(tuple(sorted(facts.items())), job.arm)
        words = [
            f"{key} {facts.get(key, 'not set')}" for key in {**before, **facts} if before.get(key) != facts.get(key)
        ]
        if job.arm == first.arm:
            words = ["the baseline"]
        found[job.arm] = "; ".join(words) if twin == job.arm else f"the same job as {twin}"
    return found


def _facts(job: PlannedJob) -> dict[str, str]:
    arguments = (argument.partition("=") for argument in job.config.additional_args)
    config = job.config.model_dump(exclude={"additional_args", "wandb_tags", "skip_git_check"})
    return {name: str(value) for name, value in config.items()} | {key: value for key, _, value in arguments}


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
        return config.model_copy(update={name: _with(inner, path[1:], value, whole)})
    try:
        checked = type(config).__pydantic_validator__.validate_assignment(config.model_copy(), name, value)
    except ValidationError as error:
        reasons = "; ".join(item["msg"] for item in error.errors())
        raise UsageError(f"{whole} {value!r}: {reasons}. Choose another value.") from None
    return checked if isinstance(checked, type(config)) else config.model_copy(update={name: checked})


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {', '.join(map(repr, near))}?" if near else f"Its fields: {', '.join(known)}."


def _name_of(change: Mapping[str, Any]) -> str:
    """Return a name made of the values: `learning_rate-0_003`; the last part of a dotted field is enough."""
    parts = (f"{field.rsplit('.', 1)[-1]}-{_slug(value)}" for field, value in change.items())
    return suggest_name("-".join(parts))


def _slug(value: Any) -> str:  # noqa: ANN401 - any field's value
    text = str(value).rsplit("/", 1)[-1] if isinstance(value, str) else repr(value)
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text.replace("+", ""))
