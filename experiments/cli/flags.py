"""Flags as types, those that several commands have; those of every recipe: `options`."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

import tyro

Flag: TypeAlias = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
"""A switch, whose help does not say that it is off by default."""

JSON_HELP = "Print one JSON envelope instead of text; its shape: experiments schema."

JsonFlag: TypeAlias = Annotated[bool, tyro.conf.arg(name="json", help=JSON_HELP, help_behavior_hint="")]
"""`--json`, which every command has without naming it."""

Limit: TypeAlias = Annotated[
    int | None,
    tyro.conf.arg(help="At most so many; the answer's cursor is for the rest.", metavar="N", help_behavior_hint=""),
]
Cursor: TypeAlias = Annotated[
    str | None,
    tyro.conf.arg(help="Go on behind what an answer with this cursor had.", metavar="TOKEN", help_behavior_hint=""),
]
"""Of every command whose answer may be long."""

RunName: TypeAlias = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="RUN")]]
"""The run that a command is about."""

RunNames: TypeAlias = tyro.conf.Positional[
    Annotated[tuple[str, ...], tyro.conf.arg(metavar="[RUN ...]", help_behavior_hint="")]
]
"""The runs that a command is about."""

Texts = None | tuple[str, ...]
"""Words after a flag, which may be left out."""


def spelled_out(hint: Any) -> Any:  # noqa: ANN401 - any type of a flag
    """Return a type with `Union[str, None]` for `str | None`: of the other tyro finds out by importing `typeguard`."""
    if get_origin(hint) is Annotated:
        return Annotated[(spelled_out(get_args(hint)[0]), *hint.__metadata__)]
    return Union[get_args(hint)] if isinstance(hint, UnionType) else hint  # noqa: UP007 - the very point
