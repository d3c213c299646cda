"""What a search may try of each setting, a range of numbers or some values: as people type it and as it is recorded."""

from __future__ import annotations

import enum
import math
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, Field, model_validator
from pydantic.fields import FieldInfo

from experiments.jobs.arms import changed
from experiments.project.errors import UsageError
from experiments.project.values import Frozen, replaced
from experiments.types import BaseExperimentConfig, Control

Value: TypeAlias = bool | int | float | str
"""One value of a setting, as JSON has it."""

SpaceT = TypeVar("SpaceT", bound="Range | Choices")
_EDGE = 0.1
_FACTOR = 10.0
_EXAMPLES = "learning_rate=log:1e-4..1e-1, batch=256,512"


class Range(Frozen):
    """Numbers between two ends, which belong to it.

    Attributes:
        log: Whether a factor counts, not a difference.
        whole: Whether only whole numbers are meant.
        at_least: The least that the field itself allows; None where it says nothing.
        at_most: The most.
    """

    kind: Literal["range"] = "range"
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False
    whole: bool = False
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"{self.low:g}..{self.high:g} is no range: its first end has to be the lower one")
        if self.log and self.low <= 0:
            raise ValueError(f"a range by factors begins above 0, not at {self.low:g}")
        return self

    @property
    def text(self) -> str:
        """As people type it."""
        return f"{'log:' if self.log else ''}{self.low:g}..{self.high:g}"

    def value(self, number: float) -> Value:
        """Return a number as a trial has it: whole, or of four digits, and within the range."""
        if self.whole:
            return min(max(round(number), int(self.low)), int(self.high))
        return min(max(float(f"{number:.4g}"), self.low), self.high)

    def at(self, share: float) -> Value:
        """Return the value at a share of the way from the low end to the high one."""
        if self.log:
            return self.value(self.low * (self.high / self.low) ** share)
        return self.value(self.low + (self.high - self.low) * share)

    def share(self, number: float) -> float:
        """Return how far from the low end to the high one a number lies; `at` turned round."""
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def edge(self, value: Value) -> Literal["low", "high"] | None:
        """Return at which end a value lies, within a tenth of the range; None in between."""
        share = self.share(float(value))
        return "low" if share <= _EDGE else "high" if share >= 1 - _EDGE else None

    def wider(self, edge: Literal["low", "high"]) -> Range | None:
        """Return a range that goes further at one end, by a factor of ten or half its width.

        None where the field allows no more there.
        """
        width = (self.high - self.low) / 2
        if edge == "low":
            low = self.low / _FACTOR if self.log else self.low - width
            low = low if self.at_least is None else max(low, self.at_least)
            low = max(1.0 if self.log else -math.inf, float(math.floor(low))) if self.whole else float(f"{low:.4g}")
            return replaced(self, low=low) if low < self.low else None
        high = self.high * _FACTOR if self.log else self.high + width
        high = high if self.at_most is None else min(high, self.at_most)
        high = float(math.ceil(high)) if self.whole else float(f"{high:.4g}")
        return replaced(self, high=high) if high > self.high else None


class Choices(Frozen):
    """Some values, one of which a trial has."""

    kind: Literal["choices"] = "choices"
    values: tuple[Value, ...] = Field(min_length=2)

    @property
    def text(self) -> str:
        """As people type it."""
        return ",".join(map(said, self.values))

    def edge(self, value: Value) -> Literal["low", "high"] | None:
        """Return at which end of three or more numbers a value lies; None for what has no order."""
        if len(self.values) < 3 or any(isinstance(each, bool | str) for each in self.values):
            return None
        numbers = sorted(float(each) for each in self.values)
        return {numbers[0]: "low", numbers[-1]: "high"}.get(float(value))  # type: ignore[return-value]

    def wider(self, edge: Literal["low", "high"]) -> Choices | None:
        """Return the values with one more beyond an end, as far from it as its neighbour in proportion."""
        numbers = sorted(self.values, key=float)
        last, before = (numbers[0], numbers[1]) if edge == "low" else (numbers[-1], numbers[-2])
        if not (isinstance(last, int | float) and isinstance(before, int | float)) or last <= 0 or before <= 0:
            return None
        further = last * last / before
        beyond: Value = round(further) if isinstance(last, int) else float(f"{further:.4g}")
        if beyond in self.values:
            return None
        values = (beyond, *self.values) if edge == "low" else (*self.values, beyond)
        return replaced(self, values=values)


Space: TypeAlias = Annotated[Range | Choices, Field(discriminator="kind")]
"""What may be tried of one setting."""


def said(value: Value) -> str:
    """Return a value as people type it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def words(values: Mapping[str, Value]) -> str:
    """Return the settings of a trial in words: `learning_rate 0.003, batch 256`."""
    return ", ".join(f"{name} {said(value)}" for name, value in values.items())


def parse_search(texts: Sequence[str], config: BaseModel) -> dict[str, Range | Choices]:
    """Return what may be tried of each setting: `field=log:LOW..HIGH`, `field=LOW..HIGH`, `field=A,B` or `field`.

    A field alone has the range that its own bounds say, by factors where its control is a `log_slider`.

    Raises:
        UsageError: A text is none of these, or names no field that the config has.
    """
    found: dict[str, Range | Choices] = {}
    for text in texts:
        field, equals, listed = (part.strip() for part in text.partition("="))
        if not field or (equals and not listed):
            raise UsageError(f"--search {text!r} is not 'field=low..high' or 'field=A,B'. Try --search {_EXAMPLES}")
        if field in found:
            raise UsageError(f"--search names {field!r} twice. Give all of it at once.")
        if field.partition(".")[0] in BaseExperimentConfig.model_fields:
            raise UsageError(f"--search {field!r}: no trainer is told that. Name a field of the recipe's own config.")
        info, value = _field(config, field)
        found[field] = _space(config, field, listed, info) if equals else _declared(config, field, info, value)
    if not found:
        raise UsageError(f"--search names nothing to search over. Try --search {_EXAMPLES}")
    return found


def own_values(config: BaseModel, fields: Iterable[str]) -> dict[str, Value]:
    """Return what a config has of some fields."""
    return {field: _plain(field, _value(config, field)) for field in fields}


def _space(config: BaseModel, field: str, listed: str, info: FieldInfo) -> Range | Choices:
    if ".." not in listed:
        values = [_plain(field, _taken(config, field, part.strip())) for part in listed.split(",")]
        return _checked(field, lambda: _choices(field, values))
    log = listed.startswith("log:")
    ends = [_number(field, listed, end) for end in listed.removeprefix("log:").split("..", 1)]
    return _range(config, field, ends, info, log=log)


def _range(config: BaseModel, field: str, ends: Sequence[float], info: FieldInfo, *, log: bool) -> Range:
    low, high = ends
    bounds = _bounds(info)
    if isinstance(_value(config, field), bool | str):
        raise _no_number(field)
    # Looked at before the config is asked: that a range is none is no matter of its field.
    _checked(field, lambda: Range(low=low, high=high, log=log))
    taken = [_taken(config, field, int(end) if end == int(end) else end) for end in ends]
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in taken):
        raise _no_number(field)
    whole = all(isinstance(end, int) for end in taken)
    return _checked(
        field, lambda: Range(low=low, high=high, log=log, whole=whole, at_least=bounds[0], at_most=bounds[1])
    )


def _declared(config: BaseModel, field: str, info: FieldInfo, value: object) -> Range | Choices:
    """Return what a field's own annotation says may be tried of it."""
    if isinstance(value, bool):
        return Choices(values=(False, True))
    if typing.get_origin(info.annotation) is Literal:
        values = [_plain(field, each) for each in typing.get_args(info.annotation)]
        return _checked(field, lambda: _choices(field, values))
    low, high = _bounds(info)
    if low is None or high is None:
        raise UsageError(
            f"field {field!r} does not say its own range (Field(..., ge=LOW, le=HIGH)). Say it here: "
            f"--search {field}=log:LOW..HIGH"
        )
    return _range(config, field, [low, high], info, log=Control("log_slider") in info.metadata)


def _field(config: BaseModel, field: str) -> tuple[FieldInfo, object]:
    changed(config, {field: _value(config, field)})  # names the nearest where there is none
    *outer, name = field.split(".")
    for part in outer:
        config = getattr(config, part)
    return type(config).model_fields[name], getattr(config, name)


def _value(config: BaseModel, field: str) -> object:
    found: object = config
    for part in field.split("."):
        found = getattr(found, part, None)
    return found


def _taken(config: BaseModel, field: str, value: object) -> object:
    return _value(changed(config, {field: value}), field)


def _plain(field: str, value: object) -> Value:
    value = value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, bool | int | float | str):
        return value
    raise UsageError(
        f"field {field!r} holds {value!r}; a search is over numbers, words and truth values. Leave it out."
    )


def _choices(field: str, values: Sequence[Value]) -> Choices:
    if len(set(values)) < len(values) or len(values) < 2:
        raise ValueError(f"{field} has {', '.join(map(said, values))}: give two or more values, each once")
    return Choices(values=tuple(values))


def _no_number(field: str) -> UsageError:
    return UsageError(f"field {field!r} holds no number, so it has no range. Give its values: {field}=A,B")


def _number(field: str, listed: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"--search {field}={listed} is no range: {text.strip()!r} is no number. Write {field}=LOW..HIGH, or "
            f"{field}=log:LOW..HIGH where a factor counts."
        )
    return number


def _checked(field: str, make: Callable[[], SpaceT]) -> SpaceT:
    """Return what is made; what pydantic refuses of it is said as one sentence."""
    try:
        return make()
    except ValueError as error:
        from pydantic import ValidationError

        from experiments.project.errors import message

        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise UsageError(f"--search {field}: {message(what)}. Try --search {_EXAMPLES}") from None


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    """Return the least and the most that a field allows, as far as its annotation says."""
    low = [float(each.ge) for each in info.metadata if hasattr(each, "ge")]
    high = [float(each.le) for each in info.metadata if hasattr(each, "le")]
    low += [math.nextafter(float(each.gt), math.inf) for each in info.metadata if hasattr(each, "gt")]
    high += [math.nextafter(float(each.lt), -math.inf) for each in info.metadata if hasattr(each, "lt")]
    return max(low, default=None), min(high, default=None)
