"""From a field's annotation to the kind of input that edits it: what no other kind fits is JSON text."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import enum
import math
import types
import typing
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

import annotated_types
import pydantic_core
from pydantic import ConfigDict, PydanticUserError, SecretBytes, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from experiments.notebooks.forms import kinds
from experiments.notebooks.forms.kinds import Kind, Raw, Value
from experiments.types import Control

Annotation = Any
NOT_SET = "not set"

_STEPPER_RANGE = 10_000
_SLIDER_STEPS = 200
_DECADES = 6
_WRITTEN = (Path, PurePath, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID)


def unwrap(annotation: Annotation) -> tuple[Annotation, bool, list[Any]]:
    """Return the type below `Annotated`, aliases and `| None`; whether None is allowed; the metadata on the way."""
    optional = False
    metadata: list[Any] = []
    while True:
        origin, arguments = _origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            annotation, metadata = arguments[0], [*metadata, *arguments[1:]]
        elif origin in {typing.Union, types.UnionType} and len(arguments) == 2 and types.NoneType in arguments:
            annotation, optional = next(part for part in arguments if part is not types.NoneType), True
        elif (alias := _alias(annotation)) is not None:
            annotation = alias
        else:
            return annotation, optional, metadata


def kind_of(annotation: Annotation, metadata: Sequence[object], *, optional: bool) -> tuple[Kind, bool]:
    """Return how values of a type are edited, and whether a switch beside the input must say if there is a value.

    Args:
        annotation: Type as `unwrap` returns it.
        metadata: What `Annotated` and `Field` add to the type: bounds, and a `Control` where there is a hint.
        optional: None is a value too; a choice lists it as one more, any other input needs the switch.
    """
    hint = control(metadata)
    values = _choices(annotation, optional=optional)
    if values is not None:
        return kinds.choice(values), False
    if annotation is bool:
        kind = kinds.switch()
    elif annotation in {int, float}:
        kind = _number_kind(annotation, Bounds.of(metadata), hint)
    elif annotation is str:
        kind = kinds.text(tall=hint == "text_area")
    elif annotation in {SecretStr, SecretBytes}:
        kind = kinds.secret()
    elif annotation in _WRITTEN:
        kind = kinds.written(TypeAdapter(annotation))
    elif (container := _container_of_texts(annotation)) is not None:
        kind = kinds.tags(container)
    else:
        kind = json_kind(annotation)
    return kind, optional


def json_kind(annotation: Annotation) -> Kind:
    """Return the kind that edits a type as JSON, or the one that leaves it alone where pydantic has no JSON for it."""
    lenient = ConfigDict(
        arbitrary_types_allowed=True, ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64"
    )
    # A model, dataclass or TypedDict brings its own config and refuses another.
    for config in (lenient, None):
        try:
            return kinds.json_text(TypeAdapter(annotation, config=config))
        except (PydanticUserError, pydantic_core.SchemaError):
            continue
    return kinds.fixed()


def held(kind: Kind, annotation: Annotation, value: Value) -> tuple[Kind, Raw]:
    """Return the kind that can hold `value`, and what it holds: `kind`, else JSON, else one that leaves it alone."""
    if value is None:
        with contextlib.suppress(Exception):
            return kind, kind.show(None)
        return kind, kind.blank  # the default of a field whose type has no None
    for number in range(2):
        try:
            candidate = kind if number == 0 else json_kind(annotation)
            raw = candidate.show(value)
            str(raw).encode()
        except Exception:  # noqa: BLE001, S112 - a type's own serialiser may raise anything: try the next kind
            continue
        return candidate, raw
    return kinds.fixed(), kinds.fixed().show(value)


def control(metadata: Sequence[object]) -> str | None:
    """Return the hint for the input in a field's metadata."""
    return next((item.kind for item in _flat(metadata) if isinstance(item, Control)), None)


@dataclass(frozen=True)
class Bounds:
    """The range that a number's metadata allows; None where it is open."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None

    @classmethod
    def of(cls, metadata: Sequence[object]) -> Bounds:
        """Return the bounds in `metadata`, which may nest (`annotated_types.Interval`, `Field`)."""
        found = {
            name: value
            for item in _flat(metadata)
            for name in cls.__dataclass_fields__
            if isinstance(value := getattr(item, name, None), (int, float))
        }
        return cls(**found)

    def __str__(self) -> str:
        signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "multiple_of": "a multiple of"}
        values = {name: getattr(self, name) for name in signs}
        return ", ".join(f"{signs[name]} {_figure(value)}" for name, value in values.items() if value is not None)

    @property
    def ends(self) -> tuple[float, float] | None:
        """The two ends, whether or not they are allowed themselves; None where one is open."""
        low = self.gt if self.ge is None else self.ge
        high = self.lt if self.le is None else self.le
        return None if low is None or high is None else (low, high)

    def allow(self, value: float) -> bool:
        """Say whether `value` lies in the range."""
        above = (self.ge is None or value >= self.ge) and (self.gt is None or value > self.gt)
        return above and (self.le is None or value <= self.le) and (self.lt is None or value < self.lt)


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _number_kind(kind: type[Any], bounds: Bounds, hint: str | None) -> Kind:
    whole, ends = kind is int, bounds.ends
    if ends is not None and hint in {"slider", "log_slider"}:
        values = _geometric(*ends) if hint == "log_slider" and ends[1] > 0 else _even(*ends, bounds.multiple_of, kind)
        steps = sorted({kind(value) for value in values if bounds.allow(kind(value))})
        if len(steps) > 1:
            return kinds.slider(tuple(steps))
    if hint == "number" or (whole and ends is not None and ends[1] - ends[0] <= _STEPPER_RANGE):
        return kinds.stepper(bounds.multiple_of or (1 if whole else None), whole=whole)
    return kinds.number(whole=whole)


def _even(low: float, high: float, multiple_of: float | None, kind: type[Any]) -> list[float]:
    step = multiple_of or (1 if kind is int else (high - low) / 100)
    first = math.ceil(low / step) * step if multiple_of else low
    count = math.floor((high - first) / step + 1e-9)
    stride = max(1, math.ceil(count / _SLIDER_STEPS))
    return [float(f"{first + index * step:.10g}") for index in range(0, count + 1, stride)]


def _geometric(low: float, high: float) -> list[float]:
    bottom = low if low > 0 else high / 10**_DECADES
    exponents = range(math.floor(math.log10(bottom)), math.ceil(math.log10(high)) + 1)
    steps = [float(f"{digit}e{exponent}") for exponent in exponents for digit in range(1, 10)]
    return [bottom, *(step for step in steps if bottom <= step <= high), high]


def _choices(annotation: Annotation, *, optional: bool) -> dict[str, Any] | None:
    """Return the values of a type that has only a few, under labels of their own; None for any other type."""
    values: list[Any]
    if _origin(annotation) is Literal:
        values = list(typing.get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        values = list(annotation)
    elif annotation is bool and optional:
        values = [True, False]
    else:
        return None
    if optional and None not in values:
        values.insert(0, None)
    labels: dict[str, Any] = {}
    for value in values:
        label = _label(value)
        while label in labels:
            label = f"{label} ({type(value).__name__})"
        labels[label] = value
    return labels


def _label(value: Value) -> str:
    if value is None:
        return NOT_SET
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value.value, str) and value.value.strip() else value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) and value.strip() else repr(value)


def _container_of_texts(annotation: Annotation) -> type[Any] | None:
    """Return the container of a list, tuple or set of texts; None for any other type."""
    container, arguments = _origin(annotation), typing.get_args(annotation)
    if container not in {list, tuple, set, frozenset}:
        return None
    items = [unwrap(argument)[:2] for argument in arguments if argument is not Ellipsis]
    return container if items and all(_is_text(item) and not optional for item, optional in items) else None


def _is_text(annotation: Annotation) -> bool:
    literals = typing.get_args(annotation) if _origin(annotation) is Literal else None
    return annotation is str or (literals is not None and all(type(value) is str for value in literals))


def _alias(annotation: Annotation) -> Annotation | None:
    """Return what a `type` statement or a `NewType` stands for; None for anything else."""
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__
    return getattr(annotation, "__value__", None) if type(annotation).__name__ == "TypeAliasType" else None


def _origin(annotation: Annotation) -> Annotation:
    return typing.get_origin(annotation)


def _flat(metadata: Sequence[object]) -> list[object]:
    flat: list[object] = []
    for item in metadata:
        if isinstance(item, FieldInfo):
            flat += _flat(item.metadata)
        elif isinstance(item, annotated_types.GroupedMetadata):
            flat += _flat(list(item))
        else:
            flat.append(item)
    return flat
