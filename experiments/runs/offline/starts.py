"""The starts of one run laid behind each other: what a later start logged again, it logged in the place of the earlier.

A run that goes on from a checkpoint trains the steps behind it once more. The rows that an earlier start logged there
belong to a policy that was thrown away, so from the first step of a later start on, only the later one counts.

W&B's own counter of steps says nothing of this: offline it begins at 0 with each start. Where every start counts 0, 1,
2, ..., the agent-steps that the rows carry decide instead, or another counter of the trainer's; where they carry none,
nothing was logged again as far as anyone can tell, and the starts are shown one behind the other.

A start that logs none of another's metrics replaces none of its rows, whenever it began.

A start that began before the one before it had ended is no restart: both wrote at once, as the ranks of one job do, and
the rows of both count. Such writers stand in one turn. When a start began, its run record says; until when it wrote,
its exit record or else its last row; a killed one that logged nothing after the next had begun is taken for ended. Two
doubts remain, and what a start logs decides them:

- It began in the middle of the other's rows and logs every metric that the other goes on to log: it goes on from a
  checkpoint, and the other is a machine that had been given up. The other's rows are left out from there, and said to.
- Their machines differ, and so little time is common that their clocks may: it is a writer of its own if the other has
  metrics that it lacks.

With W&B's `mode="shared"` every start is a writer of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.project.look import counted
from experiments.runs.axes import counters_of
from experiments.runs.store import AGENT_STEP
from experiments.runs.wandb_file.log import RunLog
from experiments.runs.wandb_file.table import STEP

# The clocks of two machines differ by some seconds.
_SKEW_S = 60.0


@dataclass(frozen=True)
class Piece:
    """What counts of one start.

    Attributes:
        log: Its file.
        kept: Its rows from the first on that no later start logged again.
        shift: What is added to W&B's step to stand behind the start before it.
        turn: Which turn it belongs to, from 0; those that wrote at once share one.
        was_given_up: Whether it went on to log after a start of the next turn had taken over.
    """

    log: RunLog
    kept: int
    shift: int
    turn: int = 0
    was_given_up: bool = False

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
    """One start of a run, as its file tells it; writers at once are one.

    Attributes:
        at: Unix seconds; None where the file does not say.
        step: Of its first row, in the counter that the run goes by, else W&B's; None before the first row.
        kept: Its rows that count.
        replaced: Its rows that a later start logged again.
    """

    at: float | None
    step: int | None
    kept: int
    replaced: int

    @classmethod
    def of(cls, turn: Sequence[Piece], named: str | None = None) -> Start:
        """Return what a turn is made of, apart from its files; `named` as for `arrange`."""
        began = [piece.log.facts.started_at for piece in turn if piece.log.facts.started_at is not None]
        firsts = [first for piece in turn if (first := _first(piece, named)) is not None]
        replaced = sum(piece.replaced for piece in turn)
        return cls(min(began, default=None), min(firsts, default=None), sum(piece.kept for piece in turn), replaced)


def _first(piece: Piece, named: str | None) -> int | None:
    log = piece.log
    told = (found for key in counters_of(named) if (found := log.first_number(key)) is not None)
    step = next(told, None) if log.rows else None
    first = log.first_step + piece.shift if log.rows and step is None else step
    return None if first is None else int(first)


def by_turn(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces of each turn."""
    turns: list[list[Piece]] = [[] for _ in range(pieces[-1].turn + 1)] if pieces else []
    for piece in pieces:
        turns[piece.turn].append(piece)
    return turns


def writers(turn: Sequence[Piece]) -> list[Piece]:
    """Return the pieces of a turn that have rows that count."""
    return [piece for piece in turn if piece.kept]


def arrange(starts: Sequence[RunLog], named: str | None = None) -> list[Piece]:
    """Return what counts of each start, oldest first; the files must have been read with their history.

    Args:
        named: The counter of steps that the trainer names; None where it names none.
    """
    told = [log for log in starts if log.rows]
    counts_anew = len(told) > 1 and all(log.first_step == 0 and log.last_step == log.rows - 1 for log in told)
    shared = (key for key in counters_of(named) if all(log.first_number(key) is not None for log in told))
    key = next(shared, AGENT_STEP) if counts_anew else STEP
    turns, given_up = _turns(starts, key)
    kept: dict[RunLog, int] = {}
    later: list[RunLog] = []
    for turn in reversed(turns):
        for log in turn:
            limits = [
                first for other in later if _same(other, log, named) and (first := other.first_number(key)) is not None
            ]
            # A start without the key can neither replace rows nor have any replaced.
            cut = log.first_number(key) is not None
            kept[log] = log.rows_before(key, min(limits, default=math.inf)) if cut else log.rows
        later += turn
    pieces: list[Piece] = []
    last = -1
    for number, turn in enumerate(turns):
        shift = max(0, last + 1 - min((log.first_step for log in turn if kept[log]), default=last + 1))
        made = [Piece(log, kept[log], shift if kept[log] else 0, number, log in given_up) for log in turn]
        last = max([last, *(piece.last_step + shift for piece in made if piece.kept)])
        pieces += made
    return pieces


def _turns(starts: Sequence[RunLog], key: str) -> tuple[list[list[RunLog]], set[RunLog]]:
    """Return the starts by turn, and those that went on to log after another had taken over."""
    turns: list[list[RunLog]] = []
    given_up: set[RunLog] = set()
    for log in starts:
        beside = [other for other in turns[-1] if _is_beside(other, log)] if turns else []
        taken = [other for other in beside if _takes_over(log, other, key)]
        if beside and len(taken) < len(beside):
            turns[-1].append(log)
        else:
            turns.append([log])
            given_up.update(taken)
    return turns, given_up


def _is_beside(before: RunLog, log: RunLog) -> bool:
    """Return whether a start wrote at the time of the one before it."""
    if before.facts.is_shared and log.facts.is_shared:
        return True
    ended, began = before.ended_at, log.facts.started_at
    if ended is None or began is None or began >= ended:
        return False
    clocks_agree = before.facts.host == log.facts.host or ended - began > _SKEW_S
    return clocks_agree or not set(before.keys) <= set(log.keys)


def _same(one: RunLog, other: RunLog, named: str | None) -> bool:
    """Return whether two starts log a common metric, so that one can log again what the other did."""
    counters = counters_of(named)
    these, those = set(one.keys).difference(counters), set(other.keys).difference(counters)
    return not these or not those or bool(these & those)


def _takes_over(log: RunLog, before: RunLog, key: str) -> bool:
    """Return whether a start goes on from the middle of another's rows with all that the other logs from there on."""
    if log.facts.branched_from == log.facts.run_id != "":
        return True
    first, others = log.first_number(key), before.first_number(key)
    if log.facts.is_shared or first is None or others is None or first <= others:
        return False
    return before.metrics_since(before.rows_before(key, first)) <= set(log.keys)


def other_ids(shown: str, others: Sequence[str]) -> Iterator[str]:
    """Say that a folder has runs of several ids and none of its own."""
    if others:
        yield (
            f"its folder has runs of {len(others) + 1} ids, none of them its own: shown is the newest, {shown!r}, and "
            f"not {', '.join(map(repr, others))}"
        )


def faults(turns: Sequence[Sequence[Piece]], *, has_ended: bool, named: str | None = None) -> Iterator[str]:
    """Say what could not be read, and what may be wrong in how the starts were joined.

    Args:
        turns: The starts; those that wrote at once together.
        has_ended: Whether those of the last turn have ended, with an exit record or without.
        named: As for `arrange`.
    """
    several = sum(map(len, turns)) > 1
    for number, turn in enumerate(turns, 1):
        for piece in turn:
            cut = ["its last record is cut"] if piece.log.is_cut and (has_ended or number < len(turns)) else []
            words = "; ".join([*([piece.log.damage] if piece.log.damage else []), *cut])
            if words:
                yield f"{piece.log.path.parent.name}: {words}" if several else words
            if piece.was_given_up:
                yield (
                    f"start {number} of {len(turns)} still logged when start {number + 1} had gone on from the middle "
                    f"of it with the same metrics: {counted(piece.replaced, 'row')} of it left out"
                )
        if any(piece.shift for piece in turn):
            shift = max(piece.shift for piece in turn)
            yield f"start {number} of {len(turns)} counts its steps anew: shown {shift} later"
        if twice := _logged_twice(turn, named):
            more = f" and {counted(len(twice) - 1, 'more metric')}" if len(twice) > 1 else ""
            many = len(writers(turn))
            yield (
                f"{many} writers at once, of which more than one logged {twice[0]!r}{more}: the values of "
                "all are shown, and which are the run's own is not known"
            )


def remarks(turns: Sequence[Sequence[Piece]], named: str | None = None) -> Iterator[str]:
    """Say what is no fault and yet to be known: that a run was forked or rewound, or had several writers.

    Args:
        named: As for `arrange`.
    """
    for turn in turns:
        facts = turn[0].log.facts
        at = "an unknown step" if facts.branched_at is None else f"step {facts.branched_at:,}"
        if facts.branched_from and facts.branched_from != facts.run_id:
            yield f"forked from run {facts.branched_from!r} at {at}: the rows before are those of that run"
        elif facts.branched_from:
            yield f"rewound to {at}"
        if len(writers(turn)) > 1 and not _logged_twice(turn, named):
            yield f"{len(writers(turn))} writers at once: the rows of all are laid into each other by step"


def _logged_twice(turn: Sequence[Piece], named: str | None) -> list[str]:
    """Return the metrics that more than one writer logged, apart from counters of steps, which all of them may have."""
    if len(turn) == 1:
        return []
    counts = Counter(key for piece in turn for key in piece.log.keys)
    return sorted(key for key, number in counts.items() if number > 1 and key not in counters_of(named))
