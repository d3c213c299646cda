"""Arguments of a program that trains, in the style that it takes them: any words, and which key each of them sets.

Words are handed on as they are. They are read only to tell which override others, and which set a seed.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from pydantic import BaseModel

from experiments.project.files import parse_json

Style = Literal["key=value", "--key=value", "--key value", "hydra"]
"""How a program takes its arguments; `hydra` is `key=value` with `+key=value`, `++key=value`, `~key` and groups."""

Switch = Literal["value", "no", "present"]
"""How true and false are said: `--flag true`, `--flag` and `--no-flag`, or `--flag` and nothing at all."""

LONGEST_WORD = 131_071
"""Bytes that one word of a command line may have: more than Linux hands to a program."""

LONGEST = 1_000_000
"""Bytes that all arguments together may have; the environment shares the kernel's limit with them."""

_OPTION = re.compile(r"--?[^\W\d].*", re.DOTALL)
_ASSIGNMENT = re.compile(r"(?:\+\+|[+~])?([^\W\d][\w.\-/@:]*)=(.*)", re.DOTALL)
_DELETION = re.compile(r"~([^\W\d][\w.\-/@:]*)")
# What Hydra's grammar takes without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_./+%@?|*-][A-Za-z0-9_./+%@?|*:-]*")


@dataclass(frozen=True)
class Argument:
    """One argument: a word, or an option and the words that belong to it.

    Attributes:
        key: What it sets, as keys are compared: without what stands before it, dashes as underscores. Empty for a word
            that sets nothing by name.
        words: As they are handed to the program.
        value: What it is set to; None for an option that nothing follows.
    """

    key: str
    words: tuple[str, ...]
    value: str | None = None


def checked_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words that a process can be given.

    Raises:
        ValueError: One holds a NUL or half a character, or there is too much of them.
    """
    sizes = [0]
    for word in words:
        try:
            sizes.append(len(word.encode()) + 1)
        except UnicodeEncodeError:
            raise ValueError(f"{_short(word)} holds half a character, which no UTF-8 text has. Write it anew") from None
        if "\0" in word:
            raise ValueError(f"{_short(word)} holds a NUL, which ends a word of a command line. Leave it out")
    if max(sizes) > LONGEST_WORD + 1 or sum(sizes) > LONGEST:
        what, limit = ("a word", LONGEST_WORD) if max(sizes) > LONGEST_WORD + 1 else ("they", LONGEST)
        raise ValueError(f"{what} would have more than {limit:,} bytes. Put it into a file and name the file")
    return words


def read_arguments(words: Iterable[str], style: Style) -> list[Argument]:
    """Return which argument each word belongs to.

    An option takes the words up to the next one; where the program takes `key=value`, such a word stands by itself.
    """
    found: list[Argument] = []
    positional = False
    for word in words:
        if positional or (word == "--"):
            positional = True
            found.append(Argument("", (word,)))
        elif _OPTION.fullmatch(word):
            name, equals, value = word.partition("=")
            found.append(Argument(same_key(name), (word,), value if equals else None))
        elif _is_assignment(word, style) or not found or not _takes_more(found[-1]):
            found.append(_alone(word, style))
        else:
            last = found[-1]
            value = word if last.value is None else f"{last.value} {word}"
            found[-1] = Argument(last.key, (*last.words, word), value)
    return found


def same_key(name: str) -> str:
    """Return a key as keys are compared: `--learning-rate`, `+learning_rate` and `learning_rate` are one."""
    return name.lstrip("+~-").replace("-", "_")


def overridden(words: Sequence[str], by: Sequence[str], style: Style) -> tuple[str, ...]:
    """Return `words` with each key that `by` also sets taken from `by`, and what else `by` has behind them.

    Of `key=value` words in `by` that set one key the last counts, for such a program refuses a key given twice.
    """
    if not by:
        return tuple(words)
    theirs = read_arguments(by, style)
    keys = {argument.key for argument in theirs if argument.key}
    kept = [argument for argument in read_arguments(words, style) if argument.key not in keys]
    if style == "key=value":
        last = {argument.key or str(at): argument for at, argument in enumerate(theirs)}
        theirs = list(last.values())
    return tuple(word for argument in (*kept, *theirs) for word in argument.words)


def written(
    values: Mapping[str, Any], style: Style, *, dashes: bool = False, switch: Switch = "value"
) -> Iterator[str]:
    """Yield the words that set some keys, each in the style; a value that is None is left out.

    Args:
        values: By key; what holds values of its own sets a dotted key for each.
        style: Of the program.
        dashes: Whether options are spelled `--learning-rate`.
        switch: How an option says true and false.
    """
    for key, value in values.items():
        if isinstance(value, BaseModel):
            value = dict(value)  # noqa: PLW2901 - its fields are the keys
        if isinstance(value, Mapping):
            inside = {f"{key}.{name}": inner for name, inner in value.items()}
            yield from written(inside, style, dashes=dashes, switch=switch)
        elif value is not None:
            yield from _one(key.replace("_", "-") if dashes else key, value, style, switch)


def value_text(value: Any) -> str:  # noqa: ANN401 - any value of a field
    """Return a value as a command line has it."""
    if isinstance(value, enum.Enum):
        return value_text(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, set, frozenset)):
        return json.dumps([_plain(item) for item in value], ensure_ascii=False)
    return str(value)


def as_json(words: Iterable[str], style: Style, switch: Switch = "value") -> str:
    """Return what arguments set as one JSON object, which some programs take in the place of words.

    Raises:
        ValueError: A word sets nothing by name, so that it has no place there.
    """
    return json.dumps({key: _typed(value) for key, value in _set_by(words, style, switch)})


def without_hyphens(words: Iterable[str], style: Style, switch: Switch = "value") -> tuple[str, ...]:
    """Return what arguments set as `key=value` words, values as they were written.

    Raises:
        ValueError: As for `as_json`.
    """
    return tuple(
        f"{key}={value_text(_typed(value)) if isinstance(value, list) else value_text(value)}"
        for key, value in _set_by(words, style, switch)
    )


def _set_by(words: Iterable[str], style: Style, switch: Switch) -> Iterator[tuple[str, str | bool | list[str]]]:
    """Yield each key that arguments set and what to: several words are a list, an option alone is true or false."""
    for argument in read_arguments(words, style):
        if not argument.key or argument.words[0].startswith("~"):
            shown = _short(" ".join(argument.words))
            raise ValueError(
                f"{shown} sets nothing by name, so it is no key with a value. Leave it out, or write {{args}}"
            )
        is_negated = switch == "no" and argument.key.startswith("no_")
        if len(argument.words) > 2:
            yield argument.key, [*argument.words[1:]]
        elif argument.value is not None:
            yield argument.key, argument.value
        else:
            yield argument.key.removeprefix("no_") if is_negated else argument.key, not is_negated


def _typed(value: object) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_parsed(word) for word in value]
    return _parsed(value) if isinstance(value, str) else value


def _one(key: str, value: Any, style: Style, switch: Switch) -> Iterator[str]:  # noqa: ANN401 - any value
    if style in {"key=value", "hydra"}:
        yield f"{key}={_hydra(value) if style == 'hydra' else value_text(value)}"
    elif isinstance(value, bool) and switch != "value":
        if value or switch == "no":
            yield f"--{key}" if value else f"--no-{key}"
    elif style == "--key=value":
        yield f"--{key}={value_text(value)}"
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield f"--{key}"
        yield from (value_text(item) for item in value)
    elif (text := value_text(value)).startswith("-"):
        yield f"--{key}={text}"  # by itself it would be taken for the next option
    else:
        yield f"--{key}"
        yield text


def _hydra(value: Any) -> str:  # noqa: ANN401 - any value
    """Return a value as Hydra's grammar reads it: texts that it would take for something else in quotes."""
    if isinstance(value, enum.Enum):
        return _hydra(value.value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{','.join(map(_hydra, value))}]"
    text = value_text(value)
    if not isinstance(value, (str, PurePath)):
        return text
    if _PLAIN.fullmatch(text) and not _is_other(text):
        return text
    # Backslashes count only where a quote follows them; an interpolation is one also inside of quotes.
    quoted = re.sub(r"(\\*)('|\$\{|$)", lambda match: match[1] * 2 + _escaped(match[2]), text)
    return f"'{quoted}'"


def _escaped(mark: str) -> str:
    return f"\\{mark}" if mark else ""


def _is_other(text: str) -> bool:
    """Tell whether a text would be read as a number, a truth value or nothing."""
    try:
        float(text)
    except ValueError:
        return text.lower() in {"true", "false", "null"}
    return True


def _is_assignment(word: str, style: Style) -> bool:
    if style == "hydra" and _DELETION.fullmatch(word):
        return True
    return style in {"key=value", "hydra"} and _ASSIGNMENT.fullmatch(word) is not None


def _takes_more(argument: Argument) -> bool:
    """Tell whether a word that follows belongs to this option: not where its value was written with `=`."""
    return bool(argument.key) and _OPTION.fullmatch(argument.words[0]) is not None and "=" not in argument.words[0]


def _alone(word: str, style: Style) -> Argument:
    if match := _ASSIGNMENT.fullmatch(word):
        return Argument(same_key(match[1]), (word,), match[2])
    if style == "hydra" and (match := _DELETION.fullmatch(word)):
        return Argument(same_key(match[1]), (word,))
    return Argument("", (word,))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value
    if isinstance(value, enum.Enum):
        return value.value
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return parse_json(text)
    except ValueError:
        return text


def _short(word: str) -> str:
    return ascii(word if len(word) <= 40 else f"{word[:40]}…")
