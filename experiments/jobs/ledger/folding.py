"""The steps of jobs that ended long ago, folded into one row a job: a year of jobs has half as many rows.

Nothing is lost by it. Who reads events sees no difference: each step comes back where it was, with its own data.
"""

from __future__ import annotations

import itertools
import json
from typing import NamedTuple

from experiments.jobs.ledger.schema import Execute
from experiments.project.files import parse_json

STEPS = frozenset({"intent", "accepted", "returned", "claimed"})
"""Kinds of events that are folded: how a job got to its launcher, which its own row says again."""
AT_ONCE = 2_000
"""Jobs that are folded in one transaction: nobody else can write meanwhile."""
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(STEPS))
_DAMAGED = (
    "SELECT run_name FROM folded WHERE steps IS NOT NULL "
    "AND CASE WHEN json_valid(steps) THEN json_type(steps, '$.steps') END IS NOT 'array'"
)
_OF_ENDED = (
    f"kind IN ({_KINDS}) AND run_name IN (SELECT run_name FROM events WHERE kind = 'ended' AND at < ?1) "  # noqa: S608 - our own words
    f"AND run_name NOT IN ({_DAMAGED})"
)
_RUNS = f"SELECT DISTINCT run_name FROM events WHERE {_OF_ENDED} LIMIT {AT_ONCE}"  # noqa: S608 - our own words
_OF_RUNS = f"FROM events WHERE kind IN ({_KINDS}) AND run_name IN (SELECT value FROM json_each(?1))"  # noqa: S608 - our own words


class Row(NamedTuple):
    """An event as the ledger's table has it; `data` is JSON."""

    id: int
    at: float
    kind: str
    run_name: str | None
    plan_key: str | None
    data: str


def fold(execute: Execute, before: float) -> int:
    """Fold the steps of some jobs whose end was noted before some time, in one transaction; return how many there were.

    None are left where it returns 0, but those of jobs whose folded steps cannot be read: `damaged_texts` names these.
    """
    names = json.dumps([run for (run,) in execute(_RUNS, [before]).fetchall()])
    steps = [Row(*row) for row in execute(f"SELECT id, at, kind, run_name, plan_key, data {_OF_RUNS}", [names])]
    steps += folded(execute, names)  # of a job that was folded before, and was mended since, say
    steps.sort(key=lambda step: (str(step.run_name), step.id))
    for run, of_run in itertools.groupby(steps, key=lambda step: step.run_name):
        content = {"steps": [[step.id, step.at, step.kind, step.plan_key, step.data] for step in of_run]}
        execute("INSERT OR REPLACE INTO folded VALUES (?, ?)", [run, json.dumps(content)])
    return execute(f"DELETE {_OF_RUNS}", [names]).rowcount


def folded(execute: Execute, names: str | None = None) -> list[Row]:
    """Return the steps that were folded; what cannot be read of them is named by `damaged_texts`.

    Args:
        names: JSON list of the runs that are asked for; None for all.
    """
    rows = (
        execute("SELECT run_name, steps FROM folded WHERE steps IS NOT NULL")
        if names is None
        else execute(
            "SELECT run_name, steps FROM folded WHERE steps IS NOT NULL "
            "AND run_name IN (SELECT value FROM json_each(?))",
            [names],
        )
    )
    return [step for run, text in rows for step in _steps_of(run, text)]


def _steps_of(run: str, text: str) -> list[Row]:
    try:
        return [Row(number, at, kind, run, plan, data) for number, at, kind, plan, data in parse_json(text)["steps"]]
    except (ValueError, TypeError, KeyError):
        return []
