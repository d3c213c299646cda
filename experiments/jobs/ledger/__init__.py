"""The durable record of plans and jobs: one SQLite file a project, which any number of processes use at once.

`ledger` is what others ask, on top of `reading`, `writing`, `upkeep` and `handing`; `schema` is its file, `folding`
keeps that small, `mending` helps where it is damaged, `outbox` is what is still to be handed over.
"""

from __future__ import annotations

from experiments.jobs.ledger.answers import MEND, Annotation, Event, OpenJob, UnreadableJob
from experiments.jobs.ledger.budgets import Budget, Limits
from experiments.jobs.ledger.granted import Granted
from experiments.jobs.ledger.ledger import Ledger, bring_up_to_date, open_ledger

__all__ = [
    "MEND",
    "Annotation",
    "Budget",
    "Event",
    "Granted",
    "Ledger",
    "Limits",
    "OpenJob",
    "UnreadableJob",
    "bring_up_to_date",
    "open_ledger",
]
