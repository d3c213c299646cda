"""What all values are made of: they cannot change, hold no field that does not exist, and are checked when copied."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Base of all values: immutable, and a field that does not exist is an error.

    Example:
        >>> from experiments.types import Frozen
        >>> class Point(Frozen):
        ...     x: int
        >>> Point(x=1) == Point(x=1), {Point(x=1): "a value is a key"}[Point(x=1)]
        (True, 'a value is a key')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def __hash__(self) -> int:
        """Hash what it holds, tables too, which pydantic's own hash refuses: a cache may know a value by itself."""
        return hash(_hashable(self.__dict__))


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _hashable(value: object) -> Hashable:
    if type(value) in _PLAIN:  # most are, and to ask whether one is a mapping takes longer than to hash it
        return value
    if isinstance(value, Mapping):
        return frozenset((name, _hashable(inner)) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return frozenset(value) if isinstance(value, set) else value


ModelT = TypeVar("ModelT", bound=BaseModel)


def replaced(model: ModelT, **fields: Any) -> ModelT:  # noqa: ANN401 - any field's value
    """Return a copy of `model` with some fields changed, checked as if it were made anew.

    pydantic's own `model_copy` checks nothing, so what it changes could be recorded and never be read again.

    Raises:
        ValidationError: A field does not exist, or a value is not allowed.

    Example:
        >>> from experiments.types import TrainingJobConfig, replaced
        >>> replaced(TrainingJobConfig(curriculum="arena/basic"), gpus=4).gpus
        4
    """
    held = model.__dict__
    for name in model.model_fields_set:
        if name not in fields:
            fields[name] = held[name]
    return type(model).model_validate(fields)


def is_none(value: object) -> bool:
    """Tell whether a field is left out of JSON that is so where it is None, as those are that came later."""
    return value is None
