"""The outbox: jobs that a person launched and that are still to be handed over, whoever was killed since.

They are put into it in one transaction, which is all that a launch waits for; a process of its own hands them over (see
`experiments.jobs.outbox`). A job is waiting in it as long as its own row says that no launcher has answered, so nothing
can be forgotten between the two; those that are done stay until the last one of their plan is: so far has it come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.jobs.ledger.schema import Execute

_WAITS = "state IN ('planned', 'submitting')"


@dataclass(frozen=True)
class Handing:
    """How far the hand-over of a plan is.

    Attributes:
        done: Jobs that a launcher took or refused, or that were cancelled meanwhile.
        total: All that were put into the outbox together.
        why: What keeps the others waiting, as far as is known; empty where nothing does.
    """

    plan_key: str
    experiment: str
    done: int
    total: int
    why: str = ""

    @property
    def words(self) -> str:
        """How far it is, in words."""
        so_far = f"handing over {self.done} of {self.total} jobs"
        return f"{so_far}; the others wait: {self.why}" if self.why else so_far


def put(execute: Execute, specs: Mapping[str, Mapping[str, Any]], target: str) -> None:
    """Put jobs that no launcher has into the outbox, with what theirs will be told; one in doubt is left as it is."""
    sweep(execute)
    for name, spec in specs.items():
        execute(
            "UPDATE jobs SET state = 'planned', target = ?, spec = ?, error = NULL "
            "WHERE run_name = ? AND state IN ('planned', 'refused')",
            [target, json.dumps(spec), name],
        )
        row = f"SELECT run_name, plan_key, experiment FROM jobs WHERE run_name = ? AND {_WAITS}"  # noqa: S608 - our own words
        execute(f"INSERT OR REPLACE INTO outbox {row}", [name])


def remove(execute: Execute, run_names: Iterable[str]) -> None:
    """Take jobs out that shall not be handed over any more."""
    for name in run_names:
        execute("DELETE FROM outbox WHERE run_name = ?", [name])


def forget_why(execute: Execute) -> None:
    """Forget what kept jobs waiting."""
    waiting = "state = 'planned' AND run_name IN (SELECT run_name FROM outbox)"
    execute(f"UPDATE jobs SET error = NULL WHERE error IS NOT NULL AND {waiting}", [])  # noqa: S608 - our own words


def sweep(execute: Execute) -> None:
    """Forget the plans of which nothing waits any more."""
    still = f"SELECT outbox.plan_key FROM outbox JOIN jobs USING (run_name) WHERE {_WAITS}"  # noqa: S608 - our own words
    execute(f"DELETE FROM outbox WHERE plan_key NOT IN ({still})", [])  # noqa: S608


def waiting(execute: Execute) -> dict[tuple[str, str], list[str]]:
    """Return the run names that are still to be handed over, oldest first, by launcher and target."""
    query = f"SELECT launcher, target, run_name FROM outbox JOIN jobs USING (run_name) WHERE {_WAITS} ORDER BY jobs.id"  # noqa: S608 - our own words
    found: dict[tuple[str, str], list[str]] = {}
    for row in execute(query, []).fetchall():
        found.setdefault((row["launcher"], row["target"]), []).append(row["run_name"])
    return found


def progress(execute: Execute) -> list[Handing]:
    """Return how far each plan is of which something is still to be handed over."""
    query = (
        f"SELECT outbox.plan_key, outbox.experiment, sum({_WAITS}) AS left, count(*) AS total, "  # noqa: S608 - our own words
        f"max(CASE WHEN {_WAITS} THEN error END) AS why "
        "FROM outbox JOIN jobs USING (run_name) GROUP BY outbox.plan_key HAVING left > 0 ORDER BY min(outbox.rowid)"
    )
    return [
        Handing(row["plan_key"], row["experiment"], row["total"] - row["left"], row["total"], row["why"] or "")
        for row in execute(query, []).fetchall()
    ]
