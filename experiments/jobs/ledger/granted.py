"""Permits: what a person allows somebody else, a program or an agent, to do; each draws on the budget of its name.

A permit ends as its budget does: when a person ends it, or its time is over. Of its token only a hash is here, so a
ledger that others read gives nobody leave; one that is made again has no permits, as it has no open budgets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from experiments.jobs.ledger.schema import Execute
from experiments.project.files import parse_json

KIND = "permit"
"""Of the events that tell what was granted."""
Act = Literal["launch", "cancel", "retry"]
ACTS: tuple[Act, ...] = get_args(Act)


@dataclass(frozen=True)
class Granted:
    """A permit as the ledger has it.

    Attributes:
        name: Also that of its budget.
        digest: SHA-256 of its token, in hex.
        may: What it covers.
        recipes: Files of the recipes that it covers, relative to the project where they are in it; empty for any.
        granted_at: Unix seconds.
        granted_by: By which command.
    """

    name: str
    digest: str
    may: tuple[Act, ...]
    recipes: tuple[str, ...]
    granted_at: float
    granted_by: str

    @property
    def sentence(self) -> str:
        """What it covers, in words: `launch, retry; of study.py`."""
        of = f"; of {', '.join(self.recipes)}" if self.recipes else ""
        return f"{', '.join(self.may)}{of}"


def write(execute: Execute, granted: Granted) -> None:
    """Record a permit beside its budget, in the same transaction."""
    execute(
        "INSERT INTO permits (name, digest, may, recipes, granted_at, granted_by) VALUES (?, ?, ?, ?, ?, ?)",
        [
            granted.name,
            granted.digest,
            json.dumps(granted.may),
            json.dumps(granted.recipes),
            granted.granted_at,
            granted.granted_by,
        ],
    )


def new(name: str, digest: str, may: Collection[Act], recipes: Collection[str], by: str) -> Granted:
    """Return a permit that is granted now."""
    return Granted(name, digest, tuple(act for act in ACTS if act in may), tuple(recipes), time.time(), by)


def read(execute: Execute, name: str | None = None) -> list[Granted]:
    """Return a permit, or all, the oldest first."""
    rows = execute("SELECT * FROM permits WHERE ?1 IS NULL OR name = ?1 ORDER BY granted_at", [name]).fetchall()
    return [
        Granted(
            row["name"],
            row["digest"],
            tuple(parse_json(row["may"])),
            tuple(parse_json(row["recipes"])),
            row["granted_at"],
            row["granted_by"],
        )
        for row in rows
    ]
