"""`experiments schema`: the shapes of what commands answer, made from the types that they answer with."""

from __future__ import annotations

import functools
import json
import operator
from typing import Annotated, Any

import tyro
from pydantic import TypeAdapter

from experiments.cli.envelope import EXIT_CODES, SCHEMA, Answer, Envelope, Shown
from experiments.cli.terminal import say
from experiments.project.errors import UsageError

RECIPE = "recipe"
"""What the command line of a recipe is called in an envelope."""


class Schemas(Shown):
    """JSON Schemas of the envelopes of commands, by the command's word.

    Attributes:
        number: Of all of them; a change of one that was published changes it.
        exit_codes: What commands end with.
    """

    number: str
    exit_codes: dict[str, str]
    schemas: dict[str, dict[str, Any]]


def schema(
    command: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[COMMAND]", help_behavior_hint="")]
    ] = None,
) -> Answer[Schemas]:
    """Print the JSON Schema of what commands answer under --json, of all or of one.

    Args:
        command: Its word, such as status; recipe for the command line of a recipe.
    """
    from experiments.cli.__main__ import command_words

    known = (*command_words(), RECIPE)
    if command is not None and command not in known:
        raise UsageError(
            f"{command!r} is no command, so it has no schema. There are: {', '.join(known)}. "
            "See them all: experiments schema"
        )
    found = {word: schema_of(word) for word in (known if command is None else (command,))}
    codes = {str(code): what for code, what in EXIT_CODES.items()}
    answer = Schemas(number=SCHEMA, exit_codes=codes, schemas=found)
    return Answer(answer, lambda _: say(json.dumps(found[command] if command is not None else found, indent=2)))


def schema_of(word: str) -> dict[str, Any]:
    """Return the JSON Schema of the envelope that a command prints.

    Args:
        word: A command's word, or `recipe`.
    """
    from experiments.cli.__main__ import commands, data_types
    from experiments.cli.launched import Launched

    kinds: tuple[Any, ...] = (Launched,) if word == RECIPE else data_types(commands(word)[word])
    made: Any = Envelope.__class_getitem__(functools.reduce(operator.or_, kinds))
    found: dict[str, Any] = TypeAdapter(made).json_schema(mode="serialization", by_alias=True)
    return found
