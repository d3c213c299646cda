"""Reading what a command answered under `--json`."""

from __future__ import annotations

import functools
import json
from typing import Any

from jsonschema import Draft202012Validator

from experiments.cli.__main__ import command_words
from experiments.cli.schema import RECIPE, schema_of


def envelope_in(text: str) -> dict[str, Any]:
    """Return the one envelope that a command printed.

    Whatever else it printed beside it fails the test, and so does an answer that is not of the command's schema.
    """
    found: dict[str, Any] = json.loads(text)
    validator(found["command"]).validate(found)
    return found


def data_in(text: str) -> Any:
    """Return its data."""
    return envelope_in(text)["data"]


@functools.cache
def validator(command: str | None) -> Draft202012Validator:
    """Return what holds an envelope to the schema of its command; of none that was understood, to any of them."""
    return Draft202012Validator(schema_of(command or "status"))


@functools.cache
def all_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every command, and of recipes."""
    return {word: schema_of(word) for word in (*command_words(), RECIPE)}
