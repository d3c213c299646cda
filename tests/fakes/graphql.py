"""Just enough GraphQL to answer real clients: a parser of documents and an executor over plain Python objects.

A document's fields are looked up as `field_<name>(**arguments)` methods of a node, else as keys of a mapping; what is
in neither is null and noted. Fragments, aliases, variables and the `@include`/`@skip` directives are understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'[\s,]+|#[^\n]*|(?P<token>\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|"(?:\\.|[^"\\])*"|[{}()\[\]:$!=@|])')


@dataclass
class Selection:
    """One field, or a fragment's fields where `name` is None."""

    name: str | None
    alias: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    selections: list[Selection] | None = None
    fragment: str | None = None
    conditions: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass
class Document:
    kind: str
    name: str
    defaults: dict[str, Any]
    selections: list[Selection]
    fragments: dict[str, list[Selection]]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = [match["token"] for match in _TOKEN.finditer(text) if match["token"]]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token != expected):
            raise ValueError(f"Syntax Error: expected {expected!r}, found {token!r}")
        self.at += 1
        return token

    def taken(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def document(self) -> Document:
        document = Document("query", "", {}, [], {})
        while self.peek():
            if self.taken("fragment"):
                name = self.take()
                self.take("on")
                self.take()
                document.fragments[name] = self.selections()
                continue
            if self.peek() != "{":
                document.kind = self.take()
                document.name = self.take() if self.peek() not in "({" else ""
                document.defaults = self.variables()
            document.selections = self.selections()
        return document

    def variables(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        if self.taken("("):
            while not self.taken(")"):
                self.take("$")
                name = self.take()
                self.take(":")
                while self.peek() not in ("$", ")", "="):
                    self.take()
                if self.taken("="):
                    defaults[name] = self.value()
        return defaults

    def selections(self) -> list[Selection]:
        found = []
        self.take("{")
        while not self.taken("}"):
            found.append(self.selection())
        return found

    def selection(self) -> Selection:
        if self.taken("..."):
            one = Selection(None)
            if self.taken("on"):
                self.take()
            elif self.peek() not in ("{", "@"):
                one.fragment = self.take()
        else:
            one = Selection(self.take())
            one.alias = one.name or ""
            if self.taken(":"):
                one.name = self.take()
            one.arguments = self.arguments()
        while self.taken("@"):
            one.conditions.append((self.take(), self.arguments().get("if")))
        if self.peek() == "{":
            one.selections = self.selections()
        return one

    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.taken("("):
            while not self.taken(")"):
                name = self.take()
                self.take(":")
                found[name] = self.value()
        return found

    def value(self) -> Any:
        token = self.take()
        if token == "$":
            return Variable(self.take())
        if token == "[":
            items = []
            while not self.taken("]"):
                items.append(self.value())
            return items
        if token == "{":
            found = {}
            while not self.taken("}"):
                name = self.take()
                self.take(":")
                found[name] = self.value()
            return found
        if token in ("true", "false", "null") or token[0] in '-"0123456789':
            return json.loads(token)
        return token


def parse(text: str) -> Document:
    """Return the document; the last operation of it counts.

    Raises:
        ValueError: It does not parse.
    """
    return _Parser(text).document()


def execute(
    document: Document, variables: Mapping[str, Any], roots: Mapping[str, Any], unknown: Callable[[str], None]
) -> dict[str, Any]:
    """Return the data that a document asks for, `roots` holding the node of queries and that of mutations."""
    values = {**document.defaults, **variables}

    def filled(value: Any) -> Any:
        if isinstance(value, Variable):
            return values.get(value.name)
        if isinstance(value, list):
            return [filled(one) for one in value]
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        return value

    def wanted(one: Selection) -> bool:
        return all(bool(filled(condition)) is (name == "include") for name, condition in one.conditions)

    def fields(node: Any, selections: list[Selection], data: dict[str, Any]) -> dict[str, Any]:
        for one in filter(wanted, selections):
            if one.name is None:
                inner = document.fragments.get(one.fragment or "", []) if one.fragment else one.selections or []
                fields(node, inner, data)
            else:
                data[one.alias] = resolved(value_of(node, one), one)
        return data

    def value_of(node: Any, one: Selection) -> Any:
        method = getattr(node, f"field_{one.name}", None)
        if method is not None:
            return method(**{name: filled(value) for name, value in one.arguments.items()})
        if isinstance(node, Mapping) and one.name in node:
            return node[one.name]
        if one.name != "__typename":
            unknown(f"{type(node).__name__}.{one.name}")
        return None

    def resolved(value: Any, one: Selection) -> Any:
        if one.selections is None or value is None:
            return value
        if isinstance(value, list):
            return [resolved(item, one) for item in value]
        return fields(value, one.selections, {})

    return fields(roots[document.kind], document.selections, {})
