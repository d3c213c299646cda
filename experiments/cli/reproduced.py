"""What `experiments reproduce` answers."""

from __future__ import annotations

from typing import Literal

from experiments.cli.envelope import Shown
from experiments.results.reproduction.values import Explanation, FileState, FirstDifference, Verdict


class ComparedFile(Shown):
    """One checkpoint; `detail` says which part of it differs, or why it cannot be read."""

    name: str
    state: FileState
    detail: str


class ComparedRows(Shown):
    """The logged rows of two runs, without what a clock says.

    Attributes:
        rows: How many steps either has.
        metrics: How many columns either has.
        differing_rows: In how many of the rows anything differs.
        first: The first difference.
        ends_alike: Whether both have the same last step.
    """

    rows: int
    metrics: int
    differing_rows: int
    first: FirstDifference | None
    ends_alike: bool


class ComparedMetric(Shown):
    """How far one metric of two runs may lie apart by noise alone.

    Attributes:
        original: Its last value; null where there is none.
        reproduction: The same.
        limit: What a difference has to stay within; null where no spread is known.
        spread: The standard deviation that the limit is made of.
        method: Its name, with what it is computed over; or why there is no limit.
        beside: What other spread there is, in words.
    """

    metric: str
    original: float | None
    reproduction: float | None
    limit: float | None
    spread: float | None
    method: str
    beside: str


class ReproducedRun(Shown):
    """One run and its reproduction.

    Attributes:
        said: The verdict in a sentence.
        explanations: Every recorded difference, most likely first.
        missing: What could not be compared, and why.
    """

    original: str
    reproduction: str
    arm: str
    seed: int
    verdict: Verdict
    said: str
    checkpoints: tuple[ComparedFile, ...]
    rows: ComparedRows | None
    noise: ComparedMetric | None
    explanations: tuple[Explanation, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


class Reproduction(Shown):
    """What came of it: the worst verdict of all, and each run."""

    verdict: Verdict
    runs: tuple[ReproducedRun, ...]


class NeededPart(Shown):
    """One thing that a reproduction needs (`is_needed`) or is compared with."""

    what: str
    words: str
    is_there: bool
    is_needed: bool


class CheckedRun(Shown):
    """Whether a run can be run again as it was, and what of it there is."""

    can: bool
    parts: tuple[NeededPart, ...]


class CheckedRuns(Shown):
    """What `--check` answers, by run name."""

    kind: Literal["runs"] = "runs"
    runs: dict[str, CheckedRun]


class CheckedBundle(Shown):
    """What `--check` answers of a bundle; `lacking` says why a run cannot be run again, by run name."""

    kind: Literal["bundle"] = "bundle"
    sha256: str
    runs: tuple[str, ...]
    can: bool
    lacking: dict[str, str]
    notes: tuple[str, ...]
