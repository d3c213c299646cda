"""Write values as Python source that evaluates to them, and read such source back as data.

Nothing of a value is ever pasted as code: every text is written with its quotes, and what has no literal is refused.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import enum
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretBytes, SecretStr

from experiments.notebooks.cells import INDENT
from experiments.notebooks.imports import MAX_LINE, Import, quoted
from experiments.notebooks.loading import origin_of_module
from experiments.project.errors import NotebookError
from experiments.project.redaction import is_telling, mask_command

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PIECE = 80


@dataclasses.dataclass(frozen=True)
class _Part:
    """A piece of source: a text, or brackets around parts (each after its key, such as `gpus=`).

    Attributes:
        flat: The form on one line, where it is not the brackets with the items between them.
    """

    opening: str
    items: tuple[tuple[str, _Part], ...] = ()
    closing: str = ""
    separator: str = ","
    flat: str = ""

    def on_one_line(self) -> str:
        inside = f"{self.separator} ".join(key + part.on_one_line() for key, part in self.items)
        return self.flat or self.opening + inside + self.closing

    def laid_out(self, level: int, before: int, after: int, *, spread: bool = False) -> list[str]:
        """Return lines, the first without its indentation.

        Args:
            before: Columns taken on the first line, indentation included.
            after: Columns taken behind the last line.
            spread: One item a line, also where all would fit on one.
        """
        one_line = self.on_one_line()
        fits = before + len(one_line) + after <= MAX_LINE - len(INDENT)
        if not self.items or (fits and (self.flat or not spread)):
            return [one_line]
        indent = INDENT * (level + 1)
        lines = [self.opening]
        for key, part in self.items:
            first, *rest = part.laid_out(level + 1, len(indent) + len(key), len(self.separator))
            lines += [indent + key + first, *rest]
            lines[-1] += self.separator
        return [*lines, INDENT * level + self.closing]


def to_source(
    value: object, *, name: str = "value", root: Path | None = None, named: Mapping[str, object] | None = None
) -> tuple[str, frozenset[Import]]:
    """Return an expression for `value`, one item a line, and the imports that it needs.

    Models and dataclasses are written with the fields that differ from their defaults.

    Args:
        name: What the value is called, in errors and for the room it takes on the first line.
        root: Project root, for classes of recipe files that no package holds.
        named: Values that have a name already where the expression stands, which is written for them.

    Raises:
        NotebookError: Something in the value has no literal, is a secret, or would not come back as it is.
    """
    writer = _Writer(root, named or {})
    part = writer.write(value, name)
    writer.refuse_secrets()
    lines = part.laid_out(0, len(name) + 3, 0, spread=True)
    return "\n".join(lines), frozenset(writer.imports)


def from_source(node: ast.expr) -> Any:  # noqa: PLR0911 - any literal; one return for each form
    """Return the data of an expression that `to_source` wrote: calls become dicts of their keyword arguments.

    A call with one positional argument (an enum, a path) becomes that argument. Nothing is executed.

    Raises:
        ValueError: The expression holds something else than literals and calls with literals.
    """
    match node:
        case ast.Call(func=ast.Name("float"), args=[ast.Constant(str(word))], keywords=[]):
            return float(word)
        case ast.Call(func=ast.Name("set" | "frozenset"), args=[], keywords=[]):
            return set()
        case ast.Call(ast.Name() | ast.Attribute(), [], keywords) if all(keyword.arg for keyword in keywords):
            return {str(keyword.arg): from_source(keyword.value) for keyword in keywords}
        case ast.Call(ast.Name() | ast.Attribute(), [argument], []):
            return from_source(argument)
        case ast.List(elts) | ast.Tuple(elts):
            values = [from_source(item) for item in elts]
            return values if isinstance(node, ast.List) else tuple(values)
        case ast.Set(elts):
            return {from_source(item) for item in elts}
        case ast.Dict(keys, values) if None not in keys:
            return {from_source(key): from_source(item) for key, item in zip(keys, values, strict=True) if key}
    return ast.literal_eval(node)


class _Writer:
    """Turns values into parts and gathers the imports that they need."""

    def __init__(self, root: Path | None, named: Mapping[str, object]) -> None:
        self.root, self.named = root, named
        self.imports: set[Import] = set()
        self.texts: list[tuple[str, str]] = []

    def write(self, value: object, where: str) -> _Part:
        for name, known in self.named.items():
            if type(known) is type(value) and known == value:
                return _Part(name)
        if isinstance(value, enum.Enum):
            return self._call(type(value), [("", value.value)], where)
        if value is None or type(value) in {bool, int, bytes}:
            return _Part(repr(value) if type(value) is not bytes else _bytes(value))
        if type(value) is str:
            self.texts.append((where, value))
            return _text(value)
        if type(value) is float:
            return _Part(repr(value) if math.isfinite(value) else f'float("{value}")')
        return self._container(value, where) or self._object(value, where)

    def refuse_secrets(self) -> None:
        """Raise where a text is a secret by its name, or holds one that is known."""
        for (where, text), masked in zip(self.texts, mask_command([text for _, text in self.texts]), strict=True):
            if text and is_telling(where.rstrip("'\"]").replace("['", ".")):
                raise _is_secret(where)
            if masked != text:
                raise NotebookError(f"{where} holds a secret ({masked!r}), and a notebook is a file. Write it without.")

    def _container(self, value: object, where: str) -> _Part | None:
        if type(value) is dict:
            pairs = (
                (f"{self.write(key, where).on_one_line()}: ", item, f"{where}[{key!r}]") for key, item in value.items()
            )
            return _Part("{", tuple((key, self.write(item, place)) for key, item, place in pairs), "}")
        if isinstance(value, list | tuple) and type(value) in {list, tuple}:
            items = tuple(("", self.write(item, f"{where}[{index}]")) for index, item in enumerate(value))
            opening, closing = "[]" if type(value) is list else "()"
            lone = f"({items[0][1].on_one_line()},)" if type(value) is tuple and len(items) == 1 else ""
            return _Part(opening, items, closing, flat=lone)
        if isinstance(value, set | frozenset) and type(value) in {set, frozenset}:
            parts = sorted((self.write(item, where) for item in value), key=_Part.on_one_line)
            braces = _Part("{", tuple(("", part) for part in parts), "}") if parts else _Part("set()")
            return braces if type(value) is set else _Part("frozenset(", (("", braces),) * bool(parts), ")")
        return None

    def _object(self, value: object, where: str) -> _Part:
        if isinstance(value, (SecretStr, SecretBytes)):
            raise _is_secret(where)
        if isinstance(value, BaseModel):
            return self._checked(value, _changed_fields(value, where), where)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._checked(value, _changed_in_dataclass(value), where)
        if isinstance(value, PurePath):
            return self._call(Path if isinstance(value, Path) else PurePath, [("", value.as_posix())], where)
        if isinstance(value, dt.date | dt.time) and type(value) in {dt.datetime, dt.date, dt.time}:
            return self._call(type(value).fromisoformat, [("", value.isoformat())], where)
        if type(value) is dt.timedelta:
            return self._call(
                dt.timedelta,
                [("days", value.days), ("seconds", value.seconds), ("microseconds", value.microseconds)],
                where,
            )
        if inspect.isclass(value) or inspect.isfunction(value):
            return _Part(self._named(value, where))
        raise NotebookError(f"{where} = {value!r} is a {type(value).__name__}, which cannot be written as a literal.")

    def _checked(self, value: BaseModel | DataclassInstance, fields: list[tuple[str, Any]], where: str) -> _Part:
        """Write a model or dataclass that is equal to what its class makes of the fields written."""
        try:
            again = type(value)(**dict(fields))
        except (TypeError, ValueError) as error:
            raise NotebookError(f"{where} cannot be made again from its own fields: {error}") from None
        if _fields_of(again) != _fields_of(value):
            raise NotebookError(f"{where} would come back as another value: {type(value).__name__} changes its fields.")
        return self._call(type(value), fields, where)

    def _call(self, function: Callable[..., Any], arguments: Iterable[tuple[str, Any]], where: str) -> _Part:
        items = tuple(
            (f"{key}=" if key else "", self.write(item, f"{where}.{key}" if key else where)) for key, item in arguments
        )
        return _Part(self._named(function, where) + "(", items, ")")

    def _named(self, thing: Callable[..., object], where: str) -> str:
        """Return the expression for a class or function, importing what it hangs on."""
        name = thing.__qualname__
        if not all(part.isidentifier() for part in name.split(".")):
            raise NotebookError(f"{where} needs {name!r}, which is made inside a function and cannot be imported.")
        top = name.split(".")[0]
        owner = getattr(thing, "__self__", thing)
        if owner.__module__ != "builtins":
            module = "pathlib" if owner in {Path, PurePath} else owner.__module__
            origin = origin_of_module(module, self.root)
            self.imports.add(Import(origin.module, top, is_file=origin.is_file))
        return str(name)


def _fields_of(value: BaseModel | DataclassInstance) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return dict(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _changed_fields(model: BaseModel, where: str) -> list[tuple[str, Any]]:
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    changed: list[tuple[str, Any]] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if not field.is_required() and not field.default_factory_takes_validated_data:
            default = field.get_default(call_default_factory=True)
            if type(value) is type(default) and value == default:
                continue
        key = name if by_name or not field.alias else field.alias
        if not key.isidentifier():
            raise NotebookError(f"{where}.{name} is set as {key!r}, which is no Python name; allow it by its own name.")
        changed.append((key, value))
    return changed + list((model.model_extra or {}).items())


def _changed_in_dataclass(value: DataclassInstance) -> list[tuple[str, Any]]:
    changed: list[tuple[str, Any]] = []
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if field.init and not (type(item) is type(default) and item == default):
            changed.append((field.name, item))
    return changed


def _is_secret(where: str) -> NotebookError:
    return NotebookError(f"{where} is a secret, and a notebook is a file. Read it from the environment instead.")


def _bytes(value: bytes) -> str:
    text = repr(value)
    return text if text[1] == '"' or '"' in text else f'b"{text[2:-1]}"'


def _text(value: str) -> _Part:
    """Write a text; one too long for its line becomes several literals side by side, in parentheses."""
    flat = quoted(value)
    pieces: list[str] = []
    rest = value if len(flat) > _PIECE else ""
    while rest:
        cut = _PIECE
        while len(quoted(rest[:cut])) > _PIECE:
            cut -= 1
        space = rest.rfind(" ", cut // 2, cut) + 1
        cut = space if space and len(rest) > cut else cut
        pieces.append(quoted(rest[:cut]))
        rest = rest[cut:]
    return _Part("(", tuple(("", _Part(piece)) for piece in pieces), ")", separator="", flat=flat)
