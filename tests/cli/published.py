"""The shapes of answers that were published: `python -m tests.cli.published` writes those of new commands.

A shape is a command's JSON Schema without titles and descriptions. One that stands in the file under a number is what
programs were written for: where it changes, `SCHEMA` in `experiments/cli/envelope.py` becomes the next number, and the
shapes are written under that. Until version 0.2.0 is released, `--again` writes those of its number anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from experiments.cli.envelope import SCHEMA
from tests.fakes.answers import all_schemas

FILE = Path(__file__).with_suffix(".json")
_WORDS = {"title", "description"}


def shapes() -> dict[str, str]:
    """Return the hash of every command's shape as it is now."""
    return {word: _hash(schema) for word, schema in sorted(all_schemas().items())}


def published() -> dict[str, dict[str, str]]:
    """Return the hashes that were published, by number and command."""
    found: dict[str, dict[str, str]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def _hash(schema: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(_bare(schema), sort_keys=True).encode()).hexdigest()[:16]


def _bare(value: Any, *, names: bool = False) -> Any:
    """Return a schema without what is for people; what is called so among properties stays."""
    if isinstance(value, dict):
        return {
            key: _bare(inner, names=key in {"properties", "$defs"} and not names)
            for key, inner in value.items()
            if names or key not in _WORDS
        }
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


def main(words: list[str]) -> None:
    known, now = published(), shapes()
    before = {} if "--again" in words else known.get(SCHEMA, {})
    written = {**known, SCHEMA: {**now, **{word: shape for word, shape in before.items() if word in now}}}
    FILE.write_text(f"{json.dumps(written, indent=1, sort_keys=True)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
