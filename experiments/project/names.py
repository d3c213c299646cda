"""The names that runs are made of, and the seeds that people write."""

from __future__ import annotations

import re
from collections import Counter

from experiments.project.errors import UsageError

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,39}"
_NAME = re.compile(NAME_PATTERN)
_AS_IT_IS = re.compile(r"[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?")


def suggest_name(text: str) -> str:
    """Return the nearest allowed name to `text`, or `experiment` where nothing of it is left.

    Example:
        >>> from experiments.types import suggest_name
        >>> suggest_name("My Study!")
        'my-study'
    """
    if _AS_IT_IS.fullmatch(text):
        return text
    near = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:40].rstrip("-_")
    return near or "experiment"


def check_name(kind: str, value: str) -> str:
    """Return `value` where it may be part of a run name.

    Raises:
        UsageError: It does not match `NAME_PATTERN`; the message suggests a name.

    Example:
        >>> from experiments.types import check_name
        >>> check_name("arm", "fast-lr")
        'fast-lr'
    """
    if _NAME.fullmatch(value):
        return value
    raise UsageError(
        f"{kind} {value!r} cannot be part of a run name. Allowed: 1 to 40 of a-z, 0-9, '_' and '-', starting with a "
        f"letter or digit. Try {suggest_name(value)!r}."
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that `text` names: `5` is 0 to 4, `0..4` a range with both ends, `3,7` a list.

    Raises:
        UsageError: Not a list of seeds, no seed at all, or a seed twice.

    Example:
        >>> from experiments.types import parse_seeds
        >>> parse_seeds("3"), parse_seeds("5..7"), parse_seeds("3,7")
        ((0, 1, 2), (5, 6, 7), (3, 7))
    """
    rule = "Write a count (5), a range with both ends (0..4) or a list (3,7)."
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,6}", text):
        seeds = list(range(int(text)))
    else:
        seeds = []
        for part in text.split(","):
            bounds = re.fullmatch(r"\s*([0-9]{1,9})(?:\.\.([0-9]{1,9}))?\s*", part)
            if bounds is None:
                raise UsageError(f"--seeds {text!r} is not a list of seeds. {rule}")
            first, last = int(bounds[1]), int(bounds[2] or bounds[1])
            if last < first or last - first >= 100_000:
                raise UsageError(
                    f"--seeds {text!r} holds {part.strip()!r}, which is not a range from low to high. {rule}"
                )
            seeds.extend(range(first, last + 1))
    if not seeds:
        raise UsageError(f"--seeds {text!r} names no seed. {rule}")
    [(often, count)] = Counter(seeds).most_common(1)
    if count > 1:
        raise UsageError(f"--seeds {text!r} names seed {often} twice; each seed is one run. {rule}")
    return tuple(seeds)
