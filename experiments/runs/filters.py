"""One reading of `RunQuery`: rendered as the filter that W&B's server takes, and that filter evaluated here.

Offline runs go through the same filter as online ones, so a query means one thing. Fields and operators are those
that W&B documents for `Api.runs`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from experiments.project.errors import UsageError
from experiments.project.files import JsonValue
from experiments.runs.store import RunInfo, RunQuery

Filter = dict[str, Any]
_ALIASES = {
    "created_at": "created_at",
    "createdAt": "created_at",
    "heartbeat_at": "heartbeat_at",
    "heartbeatAt": "heartbeat_at",
    "display_name": "display_name",
    "displayName": "display_name",
    "group": "group",
    "name": "name",
    "state": "state",
    "tags": "tags",
    "username": "user",
}


class Absent(Enum):
    """What a field is that a run does not have; null is a value."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
FieldValue = JsonValue | Absent | tuple[str, ...]


def iso_time(unix: float) -> str:
    """Return Unix seconds as the UTC text that the server compares times with."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_time(text: str) -> float | None:
    """Return the Unix seconds of an ISO 8601 time, UTC where it names no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def server_filter(query: RunQuery) -> Filter:
    """Return the filter of W&B's `runs` that means `query`; empty where it asks for all.

    A list of tags is never sent bare, nor a time as a number: the server answers both with an error.

    Raises:
        UsageError: The pattern of the name is no regular expression.
    """
    parts: list[Filter] = []
    if query.names is not None:
        parts.append({"name": {"$in": list(query.names)}})
    if query.author is not None:
        parts.append({"username": query.author})
    if query.group is not None:
        parts.append({"group": query.group})
    if query.tags_any:
        parts.append({"tags": {"$in": list(query.tags_any)}})
    parts += [{"tags": tag} for tag in query.tags_all]
    if query.state is not None:
        parts.append({"state": query.state if isinstance(query.state, str) else {"$in": list(query.state)}})
    if query.name_pattern is not None:
        parts.append({"display_name": {"$regex": _compiled(query.name_pattern).pattern}})
    if query.created_after is not None:
        parts.append({"created_at": {"$gte": iso_time(query.created_after)}})
    if query.created_before is not None:
        parts.append({"created_at": {"$lt": iso_time(query.created_before)}})
    parts += [{f"config.{key}": condition} for key, condition in query.config.items()]
    parts += [{f"summary_metrics.{key}": condition} for key, condition in query.summary.items()]
    if not parts:
        return {}
    return parts[0] if len(parts) == 1 else {"$and": parts}


def matches(condition: Mapping[str, Any], info: RunInfo) -> bool:
    """Return whether a run satisfies a filter of W&B's `runs`.

    Raises:
        UsageError: An operator does not exist, or a regular expression is none.
    """
    return evaluate(condition, lambda name: field_of(info, name))


def evaluate(condition: Mapping[str, Any], field: Callable[[str], FieldValue]) -> bool:
    """Return whether a filter holds, `field` giving the value of a name, or `ABSENT`.

    Raises:
        UsageError: An operator does not exist, or a regular expression is none.
    """
    for name, wanted in condition.items():
        if name == "$and":
            holds = all(evaluate(part, field) for part in wanted)
        elif name == "$or":
            holds = any(evaluate(part, field) for part in wanted)
        elif name == "$nor":
            holds = not any(evaluate(part, field) for part in wanted)
        elif name == "$not":
            holds = not evaluate(wanted, field)
        else:
            value = field(name)
            checks = wanted if _has_operators(wanted) else {"$eq": wanted}
            holds = all(_holds(operator, value, operand) for operator, operand in checks.items())
        if not holds:
            return False
    return True


def ordered(query: RunQuery, infos: Sequence[RunInfo]) -> list[RunInfo]:
    """Return runs in the query's order, at most its limit; those that lack the field come last."""
    name = query.order.lstrip("+-")
    descending = query.order.startswith("-")
    by_name = sorted(infos, key=lambda info: info.name)
    having = [info for info in by_name if _sortable(field_of(info, name)) is not None]
    lacking = [info for info in by_name if _sortable(field_of(info, name)) is None]
    having.sort(key=lambda info: _sortable(field_of(info, name)) or (0, ""), reverse=descending)
    return [*having, *lacking][: query.limit]


def field_of(info: RunInfo, name: str) -> FieldValue:
    """Return what a filter's field name means for a run, or `ABSENT`.

    Raises:
        UsageError: There is no such field.
    """
    top, _, rest = name.partition(".")
    if top == "config":
        return lookup(info.config, rest)
    if top in ("summary_metrics", "summaryMetrics", "summary"):
        return lookup(info.summary, rest)
    attribute = _ALIASES.get(name)
    if attribute is None:
        known = ", ".join(sorted({alias for alias in _ALIASES if alias.islower()}))
        raise UsageError(f"field {name!r} of a run query. Known: {known}, config.<key>, summary_metrics.<key>.")
    value = getattr(info, attribute)
    return ABSENT if value is None else value


def lookup(tree: Mapping[str, Any], dotted: str) -> FieldValue:
    """Return the value under a dotted path, where a key may itself hold dots, or `ABSENT`.

    A trailing `.value`, which is how the server stores a config key, is allowed.
    """
    found = _lookup(tree, dotted)
    return _lookup(tree, dotted.removesuffix(".value")) if found is ABSENT else found


def _lookup(tree: object, dotted: str) -> FieldValue:
    if not isinstance(tree, Mapping):
        return ABSENT
    if dotted in tree:
        found: FieldValue = tree[dotted]
        return found
    at = dotted.find(".")
    while at >= 0:
        if dotted[:at] in tree:
            found = _lookup(tree[dotted[:at]], dotted[at + 1 :])
            if found is not ABSENT:
                return found
        at = dotted.find(".", at + 1)
    return ABSENT


def _has_operators(wanted: object) -> bool:
    return isinstance(wanted, Mapping) and bool(wanted) and all(str(key).startswith("$") for key in wanted)


def _holds(operator: str, value: object, operand: Any) -> bool:  # noqa: ANN401 - any JSON
    if operator in ("$eq", "$ne"):
        return _equal(value, operand) is (operator == "$eq")
    if operator in ("$in", "$nin"):
        return any(_equal(value, one) for one in operand) is (operator == "$in")
    if operator == "$exists":
        return (value is not ABSENT) is bool(operand)
    if operator == "$regex":
        return _searched(operand, value)
    if operator in _COMPARISONS:
        pair = _comparable(value, operand)
        return pair is not None and _COMPARISONS[operator](*pair)
    raise UsageError(
        f"operator {operator!r} of a run query. Known: $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $regex."
    )


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: bool(a > b),
    "$gte": lambda a, b: bool(a >= b),
    "$lt": lambda a, b: bool(a < b),
    "$lte": lambda a, b: bool(a <= b),
}


def _equal(value: object, operand: object) -> bool:
    """Equality as in JSON: true is not 1, a list equals one of its members, null equals what is absent."""
    if operand is None:
        return value is ABSENT or value is None
    if value is ABSENT:
        return False
    if isinstance(value, (list, tuple)) and not isinstance(operand, (list, tuple)):
        return any(_equal(one, operand) for one in value)
    if isinstance(value, bool) is not isinstance(operand, bool):
        return False
    pair = _comparable(value, operand)
    return pair[0] == pair[1] if pair else bool(value == operand)


def _comparable(value: object, operand: object) -> tuple[Any, Any] | None:
    numbers = (int, float)
    if isinstance(value, numbers) and isinstance(operand, str):
        moment = unix_time(operand)
        return None if moment is None else (value, moment)
    if isinstance(value, numbers) and isinstance(operand, numbers):
        return value, operand
    if isinstance(value, str) and isinstance(operand, str):
        return value, operand
    return None


def _searched(pattern: str, value: object) -> bool:
    compiled = _compiled(pattern)
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(one, str) and compiled.search(one) is not None for one in values)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"pattern {pattern!r} is not a regular expression: {error}. A part of a name, such as 'arena', is one."
        ) from None


def _sortable(value: object) -> tuple[int, float | str] | None:
    if isinstance(value, (int, float)) and not math.isnan(value):
        return 0, value
    return (1, value) if isinstance(value, str) else None
