"""The starts of one run laid behind each other: what a later start logged again, it logged in the place of the earlier.

A run that goes on from a checkpoint trains the steps behind it once more. The rows that an earlier start logged there
belong to a policy that was thrown away, so from the first step of a later start on, only the later one counts.

W&B's own counter of steps says nothing of this: offline it begins at 0 with each start. Where every start counts 0, 1,
2, ..., the agent-steps that the rows carry decide instead, and where they carry none, nothing was logged again as far
as anyone can tell, and the starts are shown one behind the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.runs.history_table import STEP
from experiments.runs.store import AGENT_STEP
from experiments.runs.wandb_log import RunLog


@dataclass(frozen=True)
class Piece:
    """What counts of one start.

    Attributes:
        log: Its file.
        kept: Its rows from the first on that no later start logged again.
        shift: What is added to W&B's step to stand behind the start before it.
    """

    log: RunLog
    kept: int
    shift: int

    @property
    def replaced(self) -> int:
        """Rows that a later start logged again."""
        return self.log.rows - self.kept

    @property
    def last_step(self) -> int:
        """W&B's step of the last row that counts, as the file has it; -1 where none counts."""
        return self.log.step_at(self.kept - 1) if self.kept else -1


@dataclass(frozen=True)
class Start:
    """One start of a run, as its file tells it.

    Attributes:
        at: Unix seconds; None where the file does not say.
        step: Agent-steps of its first row, else W&B's step; None before the first row.
        kept: Its rows that count.
        replaced: Its rows that a later start logged again.
    """

    at: float | None
    step: int | None
    kept: int
    replaced: int

    @classmethod
    def of(cls, piece: Piece) -> Start:
        """Return what a piece is made of, apart from its file."""
        log = piece.log
        step = log.first_number(AGENT_STEP) if log.rows else None
        first = log.first_step + piece.shift if log.rows and step is None else step
        return cls(log.facts.started_at, None if first is None else int(first), piece.kept, piece.replaced)


def arrange(starts: Sequence[RunLog]) -> list[Piece]:
    """Return what counts of each start, oldest first; the files must have been read with their history."""
    told = [log for log in starts if log.rows]
    counts_anew = len(told) > 1 and all(log.first_step == 0 and log.last_step == log.rows - 1 for log in told)
    key = AGENT_STEP if counts_anew else STEP
    kept: list[int] = []
    limit = math.inf
    for log in reversed(starts):
        first = log.first_number(key)
        # A start without the key can neither replace rows nor have any replaced.
        kept.insert(0, log.rows if first is None else log.rows_before(key, limit))
        limit = limit if first is None else min(limit, first)
    pieces: list[Piece] = []
    last = -1
    for log, count in zip(starts, kept, strict=True):
        shift = max(0, last + 1 - log.first_step) if count else 0
        pieces.append(Piece(log, count, shift))
        last = pieces[-1].last_step + shift if count else last
    return pieces
