"""Benchmarks: each bar is a ratio measured within one run, because machines are noisy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One measured figure and the limit that it is held to.

    Attributes:
        name: What was measured, in words.
        value: The measured figure.
        limit: The bar.
        unit: Unit of `value` and `limit`; "x" for a ratio.
        higher_is_better: Whether `value` must be at least `limit`, rather than at most.
        note: What the figure was measured on.
        gate: Whether CI fails where it is missed: for counts and sizes, which are the same on every machine, and for
            ratios that are usually below half of their bar.
    """

    name: str
    value: float
    limit: float
    unit: str = "x"
    higher_is_better: bool = False
    note: str = ""
    gate: bool = False

    @property
    def passed(self) -> bool:
        """Whether the figure meets its bar."""
        return self.value >= self.limit if self.higher_is_better else self.value <= self.limit
