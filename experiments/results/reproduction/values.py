"""What a comparison of a run with its reproduction comes to: frozen values that are JSON as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.project.look import MISSING, counted

Verdict = Literal["identical", "within noise", "differs", "not known"]
FileState = Literal[
    "same bytes", "same content", "differs", "not in the original", "not in the reproduction", "damaged"
]

EXIT_CODES: dict[Verdict, int] = {"identical": 0, "within noise": 1, "differs": 2, "not known": 2}
"""What `experiments reproduce` ends with; of several runs the highest counts."""


@dataclass(frozen=True)
class FileComparison:
    """One checkpoint.

    Attributes:
        name: Of the file below the run's `checkpoints`.
        state: `same content` where the files differ only as containers, such as by when an archive was made.
        detail: Which part of it differs, or why it cannot be read.
    """

    name: str
    state: FileState
    detail: str = ""

    @property
    def is_same(self) -> bool:
        """Whether it holds the same on both sides."""
        return self.state in {"same bytes", "same content"}


@dataclass(frozen=True)
class FirstDifference:
    """The first row in which two runs differ.

    Attributes:
        step: W&B's step of the row; None for the final metrics, which have no row.
        column: The metric; empty where only one of the runs has the row at all.
        original: The value exactly, or why there is none.
        reproduction: The same.
    """

    step: int | None
    column: str
    original: str
    reproduction: str

    @property
    def words(self) -> str:
        """Say where it is, and both values."""
        where = "in the final metrics" if self.step is None else f"at step {self.step:,}"
        what = f" in {self.column}" if self.column else ""
        return f"{where}{what}: {self.original} and {self.reproduction}"


@dataclass(frozen=True)
class RowComparison:
    """The logged rows of two runs, without what a clock says (see `rows.is_time`).

    Attributes:
        rows: How many steps either has.
        metrics: How many columns either has.
        differing_rows: In how many of the rows anything differs.
        first: The first difference; None where there is none.
        ends_alike: Whether both have the same last step.
    """

    rows: int
    metrics: int
    differing_rows: int = 0
    first: FirstDifference | None = None
    ends_alike: bool = True


@dataclass(frozen=True)
class Noise:
    """How far one metric of two runs may lie apart by noise alone.

    Attributes:
        metric: Key in the runs' final metrics.
        original: Its last value; None where there is none.
        reproduction: The same.
        limit: What a difference has to stay within; None where no spread is known.
        spread: The standard deviation that the limit is made of.
        method: Its name, with what it is computed over; or why there is no limit.
        beside: What other spread there is, in words.
    """

    metric: str
    original: float | None
    reproduction: float | None
    limit: float | None = None
    spread: float | None = None
    method: str = ""
    beside: str = ""

    @property
    def difference(self) -> float | None:
        """How far apart the two values are."""
        if self.original is None or self.reproduction is None:
            return None
        return abs(self.original - self.reproduction)

    @property
    def sentence(self) -> str:
        """Say both values, and how their difference stands to what is noise."""
        values = f"{self.metric} is {_number(self.original)} and {_number(self.reproduction)}"
        if self.difference is None:
            return values
        if self.limit is None:
            return f"{values} ({self.method})"
        beside = f"; {self.beside}" if self.beside else ""
        than = "and up to" if self.is_within else "and only up to"
        return (
            f"{values}, {_number(self.difference)} apart, {than} {_number(self.limit)} is noise ({self.method}{beside})"
        )

    @property
    def is_within(self) -> bool:
        """Whether the difference is no larger than the limit; never where one of them is not known."""
        return self.difference is not None and self.limit is not None and self.difference <= self.limit


@dataclass(frozen=True)
class Explanation:
    """A recorded difference between two runs that could explain another result.

    Attributes:
        kind: `seed`, `command`, `config`, `code`, `package`, `kernel`, `threads`, ...
        words: What differs, with both values.
        command: What shows the difference whole; empty where the words do.
    """

    kind: str
    words: str
    command: str = ""


@dataclass(frozen=True)
class Compared:
    """One run and its reproduction.

    Attributes:
        original: Run name.
        reproduction: Run name.
        checkpoints: Each file that either has.
        rows: None where the rows of one cannot be read.
        noise: The spread of the metric; None where the runs are identical, or nothing is known of it.
        explanations: Every recorded difference, most likely first.
        missing: What could not be compared, and why.
        notes: What else should be known.
    """

    original: str
    reproduction: str
    arm: str
    seed: int
    verdict: Verdict
    checkpoints: tuple[FileComparison, ...] = ()
    rows: RowComparison | None = None
    noise: Noise | None = None
    explanations: tuple[Explanation, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say the verdict in one line, with what it rests on."""
        return f"{self.verdict}{self._reason()}"

    def _reason(self) -> str:
        if self.verdict == "identical":
            though = f", though {'; '.join(found.words for found in self.explanations)}" if self.explanations else ""
            return f"{though}: {self._same()}"
        if self.verdict == "not known":
            return f": {'; '.join(self.missing)}"
        cause = f"; {self._cause()}" if self.explanations else "; no recorded difference explains it"
        told = f"; {self.noise.sentence}" if self.noise is not None else ""
        if self.verdict == "within noise" and self.noise is not None:
            return f": {self.noise.sentence}{cause}"
        return f": {self._difference()}{told}{cause}"

    def _same(self) -> str:
        rows = self.rows or RowComparison(0, 0)
        files = counted(len(self.checkpoints), "checkpoint") if self.checkpoints else "no checkpoint on either side"
        return f"{files}, {counted(rows.rows, 'row')} of {counted(rows.metrics, 'metric')}, final metrics"

    def _difference(self) -> str:
        if self.rows is not None and self.rows.first is not None:
            return f"first {self.rows.first.words}"
        named = [
            f"checkpoint {file.name} ({file.detail or file.state})" for file in self.checkpoints if not file.is_same
        ]
        return named[0] if named else "; ".join(self.notes)

    def _cause(self) -> str:
        first, *others = self.explanations
        more = f", and {counted(len(others), 'other difference')}" if others else ""
        return f"most likely because {first.words}{more}"


def overall(compared: Sequence[Compared]) -> Verdict:
    """Return the verdict on several runs together: the worst of them; of none, nothing is known."""
    order: tuple[Verdict, ...] = ("differs", "not known", "within noise", "identical")
    found = {one.verdict for one in compared}
    return next((verdict for verdict in order if verdict in found), "not known")


def summary_line(compared: Sequence[Compared]) -> str:
    """Say in one line what several comparisons came to: `3 of 4 runs identical, 1 differs`."""
    total = counted(len(compared), "run")
    counts = [(verdict, sum(one.verdict == verdict for one in compared)) for verdict in EXIT_CODES]
    first, *rest = [(verdict, number) for verdict, number in counts if number] or [("not known", 0)]
    return ", ".join([f"{first[1]} of {total} {first[0]}", *(f"{number} {verdict}" for verdict, number in rest)])


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"
