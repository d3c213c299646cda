"""A config as a tree of inputs, and the way back from what they hold to a config.

The inputs of a form are one flat dictionary: `optimizer.lr` is a field's input, `optimizer.lr?` the switch that says
whether an optional field has a value.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined as Undefined

from experiments.notebooks.forms import fitting, kinds
from experiments.notebooks.forms.kinds import Kind, Raw, Value
from experiments.project.redaction import is_telling
from experiments.types import BaseExperimentConfig

Problems = dict[str, str]
"""Dotted path of a field or group -> pydantic's words on what it holds; the config as a whole is the empty path."""


@dataclass(frozen=True)
class Leaf:
    """One field and its input.

    Attributes:
        key: Dotted path.
        kind: How it is edited; None for a field that the form leaves out.
        value: The config's own value, or `Undefined`.
        raw: What the input holds for it.
        switched: A switch beside the input says whether there is a value at all.
        help: What the field is for.
        rule: The range of a number, in words.
        default: The field's own default where it has one that is not made anew each time.
    """

    key: str
    kind: Kind | None
    value: Value
    raw: Raw
    switched: bool
    help: str
    rule: str
    default: Value

    @property
    def name(self) -> str:
        """Name of the field in its model."""
        return self.key.rpartition(".")[2]

    def leaves(self) -> Iterator[Leaf]:
        """Yield the field itself, as a group yields its fields."""
        yield self

    @property
    def is_set(self) -> bool:
        """Whether the config has a value for this field."""
        return self.value is not None and self.value is not Undefined


@dataclass(frozen=True)
class Group:
    """A nested model and its fields; the config itself is the group without a key.

    Attributes:
        value: The config's own model; None (or `Undefined`) where it has none, and the fields hold the defaults.
        model: Class that the fields become; a subclass of the annotation where the config holds one.
    """

    key: str
    model: type[BaseModel]
    value: Any
    items: tuple[Leaf | Group, ...]
    switched: bool = False
    help: str = ""
    default: Value = Undefined

    @property
    def name(self) -> str:
        """Name of the field in its model."""
        return self.key.rpartition(".")[2]

    @property
    def is_set(self) -> bool:
        """Whether the config has a value for this group."""
        return isinstance(self.value, BaseModel)

    def leaves(self) -> Iterator[Leaf]:
        """Yield every field below, in order."""
        for item in self.items:
            yield from item.leaves()

    def raws(self) -> Iterator[tuple[str, Kind, Raw]]:
        """Yield the key, the kind and the content of every input, in order."""
        for item in self.items:
            if item.switched:
                yield switch_key(item.key), _SWITCH, item.is_set
            if isinstance(item, Group):
                yield from item.raws()
            elif item.kind is not None:
                yield item.key, item.kind, item.raw


_SWITCH = kinds.switch()


def switch_key(key: str) -> str:
    """Return the key of the switch beside the input of an optional field."""
    return f"{key}?"


def tree_of(config: BaseModel) -> Group:
    """Return the inputs that edit `config`."""
    return Group("", type(config), config, _items(type(config), config, "", (type(config),)))


def is_of_every_experiment(tree: Group, item: Leaf | Group) -> bool:
    """Tell whether a field of a config is one that every experiment has, also where the recipe gives it a default."""
    return issubclass(tree.model, BaseExperimentConfig) and item.key in BaseExperimentConfig.model_fields


def judge(tree: Group, raws: Mapping[str, Raw]) -> tuple[Any, Problems]:
    """Return the config that the inputs describe, and what is wrong with them, in the order of the fields.

    The config is the tree's own object where nothing was changed, and where there is a problem.

    Args:
        tree: What `tree_of` returned.
        raws: What the inputs hold; an input that is missing holds the config's value.
    """
    problems: Problems = {}
    config = _build(tree, raws, problems)
    order = {key: number for number, key in enumerate(_keys(tree))}
    ordered = dict(sorted(problems.items(), key=lambda problem: order[problem[0]]))
    return (tree.value if problems else config), ordered


def _keys(group: Group) -> Iterator[str]:
    yield group.key
    for item in group.items:
        yield from _keys(item) if isinstance(item, Group) else (item.key,)


def _build(group: Group, raws: Mapping[str, Raw], problems: Problems) -> Any:
    # Each nested model is judged by itself, so that every field with a problem is named at once; one with a problem
    # stays as the config has it.
    if group.switched and not raws.get(switch_key(group.key), group.is_set):
        return None
    before, changed = len(problems), not group.is_set
    data: dict[str, Any] = dict(group.value.model_extra or {}) if group.is_set else {}
    for item in group.items:
        value = _build(item, raws, problems) if isinstance(item, Group) else _read(item, raws, problems)
        changed |= value is not item.value
        # A default goes unmentioned: the model need not have checked it, and does not list it as set.
        if value is not Undefined and not (value is item.value and value is item.default):
            data[item.name] = value
    return _validated(group, data, problems, nested_are_sound=len(problems) == before) if changed else group.value


def _validated(group: Group, data: dict[str, Any], problems: Problems, *, nested_are_sound: bool) -> Any:
    whole: Any = data.get("root", getattr(group.value, "root", None)) if issubclass(group.model, RootModel) else data
    try:
        return group.model.model_validate(whole, by_name=True)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            if problem["loc"] or nested_are_sound:
                _note(problems, *_place(group, problem["loc"]), problem["msg"].removeprefix("Value error, "))
    except Exception as error:  # noqa: BLE001 - a config's own validator may raise anything; the page must stay
        _note(problems, group.key, "", f"{type(error).__name__}: {error}")
    return group.value


def _read(leaf: Leaf, raws: Mapping[str, Raw], problems: Problems) -> Value:
    raw = raws.get(leaf.key, leaf.raw)
    if leaf.kind is None:
        return leaf.value
    if leaf.switched and not raws.get(switch_key(leaf.key), leaf.is_set):
        return None
    if raw == leaf.raw and type(raw) is type(leaf.raw) and (leaf.is_set or not leaf.switched):
        if leaf.value is not Undefined:
            return leaf.value
        if raw is None or raw == "":
            return Undefined
    try:
        return leaf.kind.read(raw)
    except ValueError as error:
        _note(problems, leaf.key, "", str(error))
        return leaf.value


def _place(group: Group, loc: tuple[int | str, ...]) -> tuple[str, str]:
    """Return the key that a problem belongs to, and where in the field's value it lies."""
    if loc and loc[0] in {item.name for item in group.items}:
        key = f"{group.key}.{loc[0]}" if group.key else str(loc[0])
        return key, "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc[1:])
    return group.key, ".".join(str(part) for part in loc)


def _note(problems: Problems, key: str, inside: str, message: str) -> None:
    text = f"{inside.lstrip('.')}: {message}" if inside else message
    problems[key] = f"{problems[key]}; {text}" if key in problems else text


def _items(
    model: type[BaseModel], value: BaseModel | None, key: str, above: tuple[type[BaseModel], ...]
) -> tuple[Leaf | Group, ...]:
    prefix = f"{key}." if key else ""
    return tuple(
        _item(
            spec, getattr(value, spec.name, Undefined) if value is not None else spec.default, prefix + spec.name, above
        )
        for spec in _specs(model)
    )


def _item(spec: _Spec, value: Value, key: str, above: tuple[type[BaseModel], ...]) -> Leaf | Group:
    model = type(value) if isinstance(value, BaseModel) else spec.annotation
    absent = value is None or value is Undefined
    # A model that holds itself ends where the values end.
    if spec.nested and issubclass(model, spec.annotation) and not (absent and model in above):
        items = _items(model, None if absent else value, key, (*above, model))
        return Group(
            key, model, value, items, switched=spec.optional or value is None, help=spec.help, default=spec.default
        )
    kind = fitting.json_kind(spec.annotation) if spec.nested else spec.kind
    switched = (spec.switched or (spec.nested and spec.optional)) and kind is not None
    raw = None
    if kind is not None and (value is Undefined or (value is None and switched)):
        raw = kind.blank
    elif kind is not None:
        kind, raw = fitting.held(kind, spec.annotation, value)
    return Leaf(key, kind, value, raw, switched=switched, help=spec.help, rule=spec.rule, default=spec.default)


@dataclass(frozen=True)
class _Spec:
    """What is the same for a field of every instance of its model."""

    name: str
    annotation: Any
    kind: Kind | None
    optional: bool
    switched: bool
    nested: bool
    help: str
    rule: str
    default: Value


@cache
def _specs(model: type[BaseModel]) -> tuple[_Spec, ...]:
    return tuple(_spec(name, field) for name, field in model.model_fields.items())


def _spec(name: str, field: FieldInfo) -> _Spec:
    annotation, optional, inner = fitting.unwrap(field.annotation)
    metadata = [*inner, *field.metadata]
    nested = (
        isinstance(annotation, type) and issubclass(annotation, BaseModel) and not issubclass(annotation, RootModel)
    )
    hidden = fitting.control(metadata) == "hidden"
    kind, switched = (None, False) if hidden or nested else fitting.kind_of(annotation, metadata, optional=optional)
    if kind is not None and annotation is str and is_telling(name):
        kind = kinds.secret()
    numeric = annotation in {int, float}
    return _Spec(
        name=name,
        annotation=annotation,
        kind=kind,
        optional=optional,
        switched=switched,
        nested=nested and not hidden,
        help=field.description or (_doc(annotation) if nested else ""),
        rule=str(fitting.Bounds.of(metadata)) if numeric else "",
        default=field.default,
    )


def _doc(model: type[BaseModel]) -> str:
    """Return the first sentence of a class's own docstring."""
    own = vars(model).get("__doc__")
    return inspect.cleandoc(own).partition("\n\n")[0].replace("\n", " ") if own else ""
