"""Answers as a program can take them: bounded in size, with a cursor, and without what acts on a terminal.

What does not fit is left out and said so in `problems`: of a long list what stands behind the cursor, of a long text
its middle, of any other list its end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.cli.cutting import Long, cut
from experiments.cli.envelope import Answer, content
from experiments.project.look import counted, plain_text

MOST = 40_000
"""Characters of an envelope as compact JSON: about a tenth of what a small model reads at once."""

ITEMS = 100
"""How many items a long answer has where nobody says otherwise."""

_TEXT = 2_000
# A cursor is shorter than the shortest, and so are the lists that are pairs.
_STEPS = ((_TEXT, 200), (1_000, 100), (400, 50), (400, 20), (400, 5))
_UNSEEN = re.compile("[\U000e0000-\U000e007f]")  # tags: letters that no person sees, and every model reads
_OTHERS = 20  # of what a long answer lists beside its items
_PLACES = 3
_FIELDS = 60
_KEY = 200

Envelope = dict[str, Any]


def bounded(command: str, answer: Answer[Any], cursor: str | None = None, limit: int = ITEMS) -> Envelope:
    """Return the envelope of an answer, of at most `MOST` characters.

    Raises:
        UsageError: The cursor is none, or the item that it stands behind is gone.
    """
    if isinstance(answer.data, Long):
        return _paged(command, answer, answer.data, cursor, limit)
    return fitted(content(command, answer))


def fitted(envelope: Envelope) -> Envelope:
    """Return an envelope with texts and lists shortened until it fits, and a problem that says what was."""
    found = _clean(envelope)
    for letters, items in _STEPS:
        if size(found) <= MOST:
            return found
        found = _shortened(envelope, letters, items)
    if size(found) <= MOST:
        return found
    told = {"message": "The answer is too long, in too many parts, to be shown here.", "next": _elsewhere(envelope)}
    return {**found, "data": None, "problems": [told]}


def size(envelope: Envelope) -> int:
    """Return how many characters an envelope has as compact JSON."""
    return len(compact(envelope))


def compact(envelope: Envelope) -> str:
    """Return an envelope as one line of ASCII."""
    return json.dumps(envelope, separators=(",", ":"))


def _paged(command: str, answer: Answer[Any], data: Long, cursor: str | None, limit: int) -> Envelope:
    number, letters, others = limit, 0, 0
    while True:
        page = cut(data, cursor, number)
        shown = replace(answer, data=page)
        if page.cursor is not None:
            shown = replace(shown, notes=(*answer.notes, _rest(page)))
        whole = content(command, shown)
        found = _shortened(whole, letters, others, but=f"data.{page.ITEMS}") if letters else _clean(whole)
        if (taken := size(found)) <= MOST:
            return found
        if not letters:
            letters = _TEXT
        elif not others:
            others = _OTHERS
        elif number == 1:
            return fitted(whole)
        else:
            number = max(1, min(number // 2, number * MOST // taken))


def _rest(page: Long) -> str:
    shown = len(getattr(page, page.ITEMS))
    return f"there are more {page.ITEMS} than these {shown}. Go on with cursor {page.cursor}"


def _elsewhere(envelope: Envelope) -> str:
    from experiments.cli.__main__ import command_words

    command = envelope["command"]
    return (
        f"Ask for less of it, or see all in a shell: experiments {command} --json"
        if command in command_words()
        else ("Ask for less of it.")
    )


@dataclass
class _Cut:
    """What was left out of an envelope: how often, and where first."""

    texts: int = 0
    lists: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Return that in words."""
        said = [counted(self.texts, "long text")] if self.texts else []
        if self.lists:
            more = f" and {len(self.lists) - _PLACES} more" if len(self.lists) > _PLACES else ""
            said.append(f"{counted(len(self.lists), 'long list')} ({', '.join(self.lists[:_PLACES])}{more})")
        return f"Of {' and '.join(said)} only a part is shown."


def _shortened(envelope: Envelope, letters: int, items: int, but: str = "") -> Envelope:
    """Return an envelope with the middle of texts left out, and the end of lists where `items` is not 0.

    Args:
        but: The list that keeps all of its items.
    """
    left_out = _Cut()

    def text(value: str) -> str:
        if len(value) <= letters:
            return value
        left_out.texts += 1
        half = letters // 2
        return f"{value[:half]} … [{len(value) - 2 * half:,} characters left out] … {value[-half:]}"

    def some(values: Sequence[Any], place: str) -> Sequence[Any]:
        if not items or len(values) <= items or place == but:
            return values
        left_out.lists.append(f"{place}: {items} of {len(values):,}")
        return values[:items]

    found: Envelope = _walked(envelope, text, some, "")
    if left_out.texts or left_out.lists:
        told = {"message": left_out.sentence(), "next": _elsewhere(envelope)}
        found["problems"] = [told, *found["problems"]]
    return found


def _clean(envelope: Envelope) -> Envelope:
    found: Envelope = _walked(envelope, lambda text: text, lambda values, _: values, "")
    return found


def _walked(
    value: Any,  # noqa: ANN401 - whatever JSON has
    text: Callable[[str], str],
    some: Callable[[Sequence[Any], str], Sequence[Any]],
    place: str,
) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return text(_plain(value))
    if isinstance(value, list):
        return [_walked(each, text, some, f"{place}[]") for each in some(value, place)]
    if isinstance(value, dict):
        # Fields of an answer are few; what has many is a table, by names.
        kept = dict(some(list(value.items()), place)) if len(value) > _FIELDS else value
        return {
            _plain(key)[:_KEY]: _walked(each, text, some, f"{place}.{key}".lstrip(".")[:_KEY])
            for key, each in kept.items()
        }
    return value


def _plain(text: str) -> str:
    return _UNSEEN.sub("\ufffd", plain_text(text))
