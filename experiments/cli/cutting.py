"""Long answers are cut, never silently: what is left is asked for with the cursor that stands in the answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from experiments.cli.envelope import Answer, Shown, Stream
from experiments.project.errors import UsageError
from experiments.project.values import replaced

LIMIT = 500
"""How many items an envelope has where nobody says otherwise; a terminal has all of them."""


class Long(Shown):
    """Base of answers with a list that may be long.

    Attributes:
        ITEMS: The field that is cut.
        KEY: The field of an item that tells it from the others, so that a cursor holds where items are added before
            it; empty where items have none.
    """

    ITEMS: ClassVar[str]
    KEY: ClassVar[str] = ""

    cursor: str | None = Field(None, description="What --cursor takes to go on behind the last item; null at the end.")


L = TypeVar("L", bound=Long)


def cut(data: L, cursor: str | None = None, limit: int | None = LIMIT) -> L:
    """Return an answer with at most `limit` items from a cursor on, and the cursor of those behind them.

    Raises:
        UsageError: The limit is none, the cursor is none, or the item that it stands behind is gone.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: at least 1 is needed. Leave it out for {LIMIT}.")
    items: Sequence[Any] = getattr(data, data.ITEMS)
    begin = _place(items, cursor, data.KEY) if cursor is not None else 0
    end = len(items) if limit is None else min(len(items), begin + limit)
    if (begin, end) == (0, len(items)):
        return data
    following = following_of(end, _key(items[end - 1], data.KEY)) if end < len(items) else None
    return replaced(data, **{data.ITEMS: items[begin:end], "cursor": following})


def told_of_rest(answer: Answer[Any] | Stream[Any]) -> Answer[Any] | Stream[Any]:
    """Return an answer that says to a person where the rest of it is, where it was cut."""
    if isinstance(answer, Answer) and isinstance(answer.data, Long) and answer.data.cursor is not None:
        note = f"there are more {answer.data.ITEMS} than these. Go on with: --cursor {answer.data.cursor}"
        return replace(answer, notes=(*answer.notes, note))
    return answer


def cut_answer(answer: Answer[Any] | Stream[Any], cursor: str | None, limit: int | None) -> Answer[Any] | Stream[Any]:
    """Return an answer with its data cut; one that is not long, or comes bit by bit, as it is.

    Raises:
        UsageError: See `cut`; or there is nothing to go on with.
    """
    if isinstance(answer, Answer) and isinstance(answer.data, Long):
        return replace(answer, data=cut(answer.data, cursor, limit))
    return answer


def following_of(place: int, key: str = "") -> str:
    """Return the cursor of what stands behind a number of items."""
    return base64.urlsafe_b64encode(f"{place}:{key}".encode()).decode()


def begin_of(cursor: str | None) -> int:
    """Return how many items stand before what a cursor asks for.

    Raises:
        UsageError: It is none.
    """
    return 0 if cursor is None else _read(cursor)[0]


def _key(item: object, name: str) -> str:
    return str(getattr(item, name)) if name else ""


def _read(cursor: str) -> tuple[int, str]:
    try:
        number, _, key = base64.urlsafe_b64decode(cursor.encode("ascii")).decode().partition(":")
        place = int(number)
    except (ValueError, binascii.Error):
        place, key = -1, ""
    if place < 1:
        raise UsageError(f"--cursor {cursor[:40]!r} is none. Take one from the cursor of an answer.")
    return place, key


def _place(items: Sequence[Any], cursor: str, name: str) -> int:
    place, key = _read(cursor)
    if not name:
        return min(place, len(items))
    if place <= len(items) and _key(items[place - 1], name) == key:
        return place
    found = next((at for at, item in enumerate(items, 1) if _key(item, name) == key), None)
    if found is None:
        raise UsageError(
            f"{key!r}, behind which the cursor stands, is not listed any more. Begin anew without --cursor."
        )
    return found
