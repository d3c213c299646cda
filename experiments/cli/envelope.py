"""What every command answers: one value, told in words on a terminal, or as one JSON envelope under `--json`.

A command is a typed function that returns an `Answer` (or a `Stream` of values) and knows nothing of its command line,
so that whoever calls it from elsewhere has the same values. `respond` is the only place that prints an envelope:

    {"schema": "experiments/1", "command": "status", "data": {...}, "problems": [{"message": "...", "next": "..."}]}

Whatever happens there is exactly one on standard output, of a stream one a line; what is printed meanwhile, by us, by
libraries or by programs that were started, goes to standard error.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, from_json, to_json

from experiments.cli.terminal import say
from experiments.project.errors import ExperimentsError
from experiments.project.streams import INTERRUPTED

SCHEMA = "experiments/1"
"""Number of the shapes below `data`; a change of one that was published changes it (`tests/cli/test_schemas.py`)."""

EXIT_CODES = {
    0: "done",
    1: "failed, or something needs attention; reproduce: within noise; accept: a criterion is excluded",
    2: "not understood or refused, and nothing was done; reproduce: differs, or not known",
    3: "undecided: of accept and verdict, and of wait when its time is over",
    70: "a fault of Experiments itself",
    INTERRUPTED: "interrupted with Ctrl-C; what was launched goes on",
}
"""What any command ends with, with or without `--json`."""

FLAG = "--json"
_FAULT = 70
_FAULT_NEXT = "This is a fault of Experiments. Tell its authors, with the traceback on standard error."
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!]) (?=[A-Z])")

T = TypeVar("T")


class _UnwrittenError(Exception):
    """An envelope could not be written: the disk is full, or the reader has left."""


class Shown(BaseModel):
    """Base of what commands answer: a frozen value whose fields are all said."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Problem(Shown):
    """What stands against an answer, or beside it.

    Attributes:
        message: What is the matter.
        next: What to do about it; where nobody can say, where to look.
    """

    message: str
    next: str


class Help(Shown):
    """What `--help` shows under `--json`."""

    help: str


class Envelope(BaseModel, Generic[T]):
    """One answer as JSON; a published schema is made of it.

    Attributes:
        command: The command's word; `recipe` of a recipe's own command line; null where none was understood.
        data: What was asked for; null where there is nothing, and `problems` says why.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    schema_: Literal["experiments/1"] = Field(alias="schema")
    command: str | None
    data: T | Help | None
    problems: list[Problem]


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a command came to.

    Attributes:
        data: What was asked for; None where there is nothing.
        words: Prints it for a person; None where that was said already.
        code: Exit code, one of `EXIT_CODES`.
        warnings: What nobody should overlook beside it, a sentence or more each.
        notes: What a reader should know.
        errors: What failed.
    """

    data: T | None
    words: Callable[[T], None] | None = None
    code: int = 0
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    errors: Sequence[str] = ()


@dataclass(frozen=True)
class Stream(Generic[T]):
    """Values that come one by one until something ends; under `--json` each is an envelope in a line of its own.

    Attributes:
        words: Prints one of them for a person.
        whole: Makes one answer of them all, for a program; None where they come until something ends.
    """

    values: Iterator[T]
    words: Callable[[T], None]
    whole: Callable[[Iterator[T]], Answer[T]] | None = None


Call: TypeAlias = Callable[[], "Answer[Any] | Stream[Any]"]


def asks_json(words: Sequence[str]) -> bool:
    """Tell whether a command line asks for an envelope; behind `--` nothing is a flag."""
    words = list(words)
    return FLAG in words[: words.index("--") if "--" in words else len(words)]


def respond(command: str | None, words: Sequence[str], read: Callable[[], Call]) -> int:
    """Do what a command line asks, tell what came of it, and return the exit code.

    Args:
        command: The word that names what is asked in the envelope.
        words: The command line, without the program's name.
        read: Parses it and returns the call that it asks for; does nothing else.
    """
    if not asks_json(words):
        return _spoken(read)
    with _standard_output_apart() as show:
        try:
            return _told(command, read, show)
        except _UnwrittenError as error:
            if isinstance(error.__cause__, BrokenPipeError):
                return 0  # the reader (`| head`) has seen enough
            told = (
                f"error: not all of the output could be written: {error}. Lead it elsewhere and run the command again."
            )
            with contextlib.suppress(OSError):
                say(told, to_stderr=True)
            return 1


def _told(command: str | None, read: Callable[[], Call], show: Callable[[str], None]) -> int:
    help_text = io.StringIO()
    try:
        with contextlib.redirect_stdout(help_text):
            call = read()
    except SystemExit:
        found: Answer[Any] | Stream[Any] = Answer(Help(help=help_text.getvalue()))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is answered
        found = _failed(error)
    else:
        found = answered(call)
    if isinstance(found, Answer):
        show(envelope(command, found, indent=2))
        return found.code
    try:
        for value in found.values:
            show(envelope(command, Answer(value)))
    except (_UnwrittenError, BrokenPipeError):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is answered
        ended = _failed(error)
        show(envelope(command, ended))
        return ended.code
    return 0


def envelope(command: str | None, answer: Answer[Any], *, indent: int | None = None) -> str:
    """Return an answer as the JSON text of an envelope, all of it ASCII."""
    return json.dumps(content(command, answer), indent=indent, allow_nan=False)


def content(command: str | None, answer: Answer[Any]) -> dict[str, Any]:
    """Return what the envelope of an answer holds, as JSON values."""
    problems = [_problem(text, command) for text in (*answer.errors, *answer.warnings, *answer.notes)]
    return {
        "schema": SCHEMA,
        "command": command,
        "data": _plain(answer.data),
        "problems": [problem.model_dump() for problem in problems],
    }


def next_of(text: str) -> tuple[str, str]:
    """Divide what we say into what is the matter and what to do next; that is empty where it says nothing of it.

    It is the last sentence, as of all our errors, or the command that stands at the end of the only one.
    """
    *matter, last = _BETWEEN_SENTENCES.split(text.strip())
    if matter:
        return " ".join(matter), last
    matter_of_it, colon, command = last.rpartition(": ")
    is_command = colon and command.startswith(("experiments ", "uv run "))
    return (f"{matter_of_it}.", command) if is_command else (last, "")


def _problem(text: str, command: str | None) -> Problem:
    if text.endswith(_FAULT_NEXT):
        return Problem(message=text.removesuffix(_FAULT_NEXT).strip(), next=_FAULT_NEXT)
    matter, next_ = next_of(text)
    word = f" {command}" if command and command != "recipe" else ""
    return Problem(message=matter, next=next_ or f"See: experiments{word} --help")


def _spoken(read: Callable[[], Call]) -> int:
    try:
        found = read()()
        if isinstance(found, Stream):
            for value in found.values:
                found.words(value)
            return 0
        for word, texts in (("WARNING", found.warnings), ("note", found.notes)):
            for text in texts:
                say(f"{word}: {text}", to_stderr=True)
        if found.data is not None and found.words is not None:
            found.words(found.data)
    except BrokenPipeError:
        return 0  # the reader (`| head`) has seen enough
    except Exception as error:  # noqa: BLE001 - said below, with its traceback where it is ours
        found = _failed(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    with contextlib.suppress(OSError):  # where nobody can be told, the exit code says it
        for text in found.errors:
            say(f"error: {text}", to_stderr=True)
    return found.code


def answered(call: Call) -> Answer[Any] | Stream[Any]:
    """Return what a call answers; what it raises is an answer, too."""
    try:
        return call()
    except BrokenPipeError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is answered
        return _failed(error)


def _failed(error: BaseException) -> Answer[Any]:
    """Return an error as an answer: that of the system names its file, and one of ours that nobody foresaw is traced.

    Raises:
        SystemExit: Somebody asked for the end of the process, such as after `--help`.
    """
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, ExperimentsError):
        return Answer(None, code=error.exit_code, errors=[str(error)])
    if isinstance(error, OSError):
        where = f"{str(error.filename)!r}: " if error.filename else ""
        return Answer(None, code=1, errors=[f"{where}{error.strerror or error}. Mend it and run the command again."])
    if isinstance(error, KeyboardInterrupt):
        told = "interrupted; what was launched goes on. See it: uv run experiments status"
        return Answer(None, code=INTERRUPTED, errors=[told])
    traceback.print_exception(error, file=sys.stderr)
    return Answer(None, code=_FAULT, errors=[f"{type(error).__name__}: {error}. {_FAULT_NEXT}"])


@contextlib.contextmanager
def _standard_output_apart() -> Iterator[Callable[[str], None]]:
    """Lead what is printed meanwhile to standard error; yield what prints a line to standard output all the same.

    Also what programs print that are started meanwhile: they have the descriptor.
    """
    out = sys.stdout
    is_real = out is sys.__stdout__

    def show(line: str) -> None:
        try:
            with contextlib.redirect_stdout(out), _descriptor(kept):
                say(line, flush=True)
        except OSError as error:
            raise _UnwrittenError(error.strerror or str(error)) from error

    out.flush()
    kept = os.dup(1) if is_real else None
    try:
        if kept is not None:
            os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield show
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


@contextlib.contextmanager
def _descriptor(kept: int | None) -> Iterator[None]:
    """Have standard output be what it was, for as long as an envelope is written."""
    if kept is None:
        yield
        return
    os.dup2(kept, 1)
    try:
        yield
    finally:
        os.dup2(2, 1)


def _plain(data: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return a value as JSON has it: what is no finite number is null, and what no text can hold is a question mark."""
    try:
        return from_json(to_json(data, inf_nan_mode="null"))
    except (UnicodeEncodeError, PydanticSerializationError):
        values = data.model_dump() if isinstance(data, BaseModel) else data
        return from_json(to_json(_encodable(values), inf_nan_mode="null", fallback=str))


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_encodable(str(key)): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_encodable(item) for item in value]
    return value
