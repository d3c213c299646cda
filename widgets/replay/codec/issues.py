"""What is wrong with a replay that opens all the same: gathered, counted, with a first example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
LISTED = 200
_EXAMPLE_CHARS = 160
_PATH_CHARS = 80
MISSING = "missing; 0 is taken"
"""Rule of a number that an object has to have."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One rule that a replay breaks at one path.

    Attributes:
        path: Where, such as `objects[].location`; `(file)` is the file itself.
        rule: What is wrong.
        count: How often.
        example: The first case, with its place and value; empty when the path says it all.
        severity: `error` when data were changed or left out, `warning` when a rule of the format is broken, `note` when
            it is only unusual.
    """

    path: str
    rule: str
    count: int
    example: str
    severity: Severity

    def __str__(self) -> str:
        times = f" ({self.count:,} times)" if self.count > 1 else ""
        example = f", first: {self.example}" if self.example else ""
        return f"{self.severity}: {self.path}: {self.rule}{times}{example}"


class IssueLog:
    """Collects issues by path and rule; each pair is kept once, with its count."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Issue] = {}
        self._more = 0

    def add(self, path: str, rule: str, count: int = 1, example: object = "", severity: Severity = "warning") -> None:
        """Note `count` cases of `rule` at `path`.

        Of each pair only the first `example` is kept; it may be a function, which is called only then.
        """
        if count <= 0:
            return
        key = (path[:_PATH_CHARS], rule)
        seen = self._found.get(key)
        if seen is not None:
            self._found[key] = Issue(*key, seen.count + count, seen.example, seen.severity)
        elif len(self._found) < LISTED:
            self._found[key] = Issue(*key, count, shorten(example() if callable(example) else example), severity)
        else:
            self._more += 1

    @property
    def more(self) -> int:
        """Further issues that were met after the list was full."""
        return self._more

    def listed(self) -> tuple[Issue, ...]:
        """Return what was found, errors first, in the order met."""
        order = {"error": 0, "warning": 1, "note": 2}
        return tuple(sorted(self._found.values(), key=lambda issue: order[issue.severity]))


def shorten(value: object, chars: int = _EXAMPLE_CHARS) -> str:
    """Return `value` as text of at most `chars` characters that can be stored as UTF-8."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: chars * 4].encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= chars else text[: chars - 1] + "…"
