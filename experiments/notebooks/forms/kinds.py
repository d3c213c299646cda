"""The ways of editing a value: what the input holds for it, the input itself, and what is read back.

A `Kind` knows nothing of models and checks nothing that pydantic can check: it hands on what was typed.
"""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import marimo as mo
import pydantic_core
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from marimo._plugins.ui._core.ui_element import UIElement


def join_tags(items: Iterable[str]) -> str:
    """Return texts as one line that `split_tags` reads back, whatever they hold."""
    return ", ".join(item if _is_plain(item) else json.dumps(item) for item in items)


def split_tags(text: str) -> list[str]:
    """Return the texts in a line: separated by commas, spaces around them dropped, JSON strings taken as they are."""
    items: list[str] = []
    while text := text.strip():
        quoted = _leading_string(text)
        if quoted is None:
            item, _, text = text.partition(",")
            items += [item.strip()] if item.strip() else []
        else:
            item, text = quoted
            items.append(item)
    return items


def _leading_string(text: str) -> tuple[str, str] | None:
    """Return the JSON string that `text` starts with and what follows its comma; None where there is no such string."""
    if not text.startswith('"'):
        return None
    try:
        item, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None  # a stray quote is text like any other
    rest = text[end:].lstrip()
    return (item, rest[1:]) if not rest or rest.startswith(",") else None


def _is_plain(item: str) -> bool:
    return bool(item) and item == item.strip() and item.isprintable() and "," not in item and not item.startswith('"')


Value = Any
Raw = Any
"""What an input holds: a text, a number, a bool, the label of a choice, or None where it is empty."""

MAX_SHOWN = 20_000
"""Characters of JSON above which a value is not edited in a page."""

_TYPING_PAUSE_MS = 250


@dataclass(frozen=True)
class Kind:
    """One way of editing a value.

    Attributes:
        show: Value -> what the input holds for it; raises where the input cannot hold it.
        element: What it holds -> a new input.
        read: What it holds -> what pydantic judges; raises ValueError, with a message for the reader, where the text
            has not even the form that pydantic could judge.
        blank: What an input without a value holds.
    """

    show: Callable[[Value], Raw]
    element: Callable[[Raw], UIElement[Any, Any]]
    read: Callable[[Raw], Value]
    blank: Raw = ""


def switch() -> Kind:
    """Return the kind for True and False."""
    return Kind(
        show=lambda value: _must(value, isinstance(value, bool)),
        element=lambda raw: mo.ui.switch(bool(raw)),
        read=lambda raw: raw,
        blank=False,
    )


def choice(values: Mapping[str, Value]) -> Kind:
    """Return the kind for one of a few values, each under its label."""

    def show(value: Value) -> Raw:
        return next(label for label, known in values.items() if type(known) is type(value) and known == value)

    def element(raw: Raw) -> UIElement[Any, Any]:
        held = raw if raw in values else None
        return mo.ui.dropdown(
            list(values), held, allow_select_none=held is None, searchable=len(values) > 12, full_width=True
        )

    return Kind(show, element, values.get, blank=None)


def stepper(step: float | None, *, whole: bool) -> Kind:
    """Return the kind for a number with arrows; it gets no bounds, because marimo would clip what was typed."""

    def show(value: Value) -> Raw:
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        return _must(value, fits and abs(value) < 2**53)

    return Kind(
        show,
        element=lambda raw: mo.ui.number(value=raw, step=step, full_width=True),
        read=lambda raw: int(raw) if whole and isinstance(raw, float) and raw.is_integer() else raw,
        blank=None,
    )


def slider(steps: tuple[float, ...]) -> Kind:
    """Return the kind for a number on given steps, and on its present value where that lies between them."""

    def show(value: Value) -> Raw:
        return _must(value, type(value) is type(steps[0]) and steps[0] <= value <= steps[-1])

    def element(raw: Raw) -> UIElement[Any, Any]:
        ticks = sorted({*steps, raw} - {None})
        return mo.ui.slider(steps=ticks, value=raw, show_value=True, full_width=True, debounce=True)

    return Kind(show, element, read=lambda raw: raw, blank=None)


def text(*, tall: bool = False) -> Kind:
    """Return the kind for a text."""
    return Kind(
        show=lambda value: _must(value, isinstance(value, str)),
        element=lambda raw: _text_input(raw, tall=tall or "\n" in raw or "\r" in raw),
        read=lambda raw: raw,
    )


def number(*, whole: bool) -> Kind:
    """Return the kind for a number written as text (`3e-4`, `2e6`), because marimo's number input reads 3e-5 as 35."""

    def show(value: Value) -> Raw:
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        return str(_must(value, fits)) if whole else repr(float(_must(value, fits)))

    return Kind(show, _text_input, read=lambda raw: _number(raw, whole=whole))


def written(adapter: TypeAdapter[Any]) -> Kind:
    """Return the kind for what is written as a text: a path, a date, a UUID."""

    def show(value: Value) -> Raw:
        shown = json.loads(adapter.dump_json(value, warnings="error"))
        return _must(shown, isinstance(shown, str))

    def read(raw: Raw) -> Value:
        try:
            return adapter.validate_json(json.dumps(raw))
        except ValidationError:
            return raw  # the model says what is wrong with it

    return Kind(show, _text_input, read)


def tags(container: type[Any]) -> Kind:
    """Return the kind for a list, tuple or set of texts, edited as one line with commas."""

    def show(value: Value) -> Raw:
        items = [_must(item, isinstance(item, str)) for item in _must(value, isinstance(value, container))]
        return join_tags(sorted(items) if isinstance(value, (set, frozenset)) else items)

    return Kind(
        show,
        element=lambda raw: _text_input(raw, placeholder="separated by commas"),
        read=lambda raw: container(split_tags(raw)),
    )


def secret() -> Kind:
    """Return the kind for a secret: what is kept never reaches the page, what is typed replaces it."""
    return Kind(
        show=lambda _: "",
        element=lambda raw: mo.ui.text(raw, kind="password", placeholder="unchanged", full_width=True),
        read=lambda raw: raw,
    )


def json_text(adapter: TypeAdapter[Any]) -> Kind:
    """Return the kind for anything that JSON can carry there and back."""

    def show(value: Value) -> Raw:
        shown = adapter.dump_json(value, warnings="error").decode()
        back = adapter.validate_json(shown)
        return _must(shown, len(shown) <= MAX_SHOWN and type(back) is type(value) and back == value)

    def read(raw: Raw) -> Value:
        try:
            return adapter.validate_json(raw)
        except ValidationError:
            pass
        try:
            # Without the type, so that the model itself says what is wrong with the value.
            return pydantic_core.from_json(raw)
        except ValueError as error:
            raise ValueError(f"Input should be JSON: {error}") from None

    return Kind(show, lambda raw: _text_input(raw, tall=len(raw) > 40, placeholder="JSON"), read)


def fixed() -> Kind:
    """Return the kind for a value that no input can hold: shown, and kept as the code set it."""

    def show(value: Value) -> Raw:
        shown = repr(value).encode("utf-8", "backslashreplace").decode()
        return shown if len(shown) <= 200 else shown[:199] + "…"

    def read(raw: Raw) -> Value:
        raise ValueError(f"{raw!r} can only be set in code")

    return Kind(show, lambda raw: mo.ui.text(raw, disabled=True, full_width=True), read)


def _number(raw: str, *, whole: bool) -> Value:
    """Return the number that a text writes, as an int where it is one and should be; any other text as it is."""
    try:
        return int(raw) if whole else float(raw)
    except ValueError:
        pass
    try:
        value = float(raw)
    except ValueError:
        return raw
    return int(decimal.Decimal(raw.strip())) if math.isfinite(value) and value.is_integer() else value


def _must(value: Value, fits: object) -> Value:
    if not fits:
        raise ValueError(f"{value!r} does not fit this input")
    return value


def _text_input(raw: str, *, tall: bool = False, placeholder: str = "") -> UIElement[Any, Any]:
    if tall:
        rows = min(12, max(2, raw.count("\n") + 1))
        return mo.ui.text_area(raw, placeholder, rows=rows, debounce=_TYPING_PAUSE_MS, full_width=True)
    return mo.ui.text(raw, placeholder, debounce=_TYPING_PAUSE_MS, full_width=True)
