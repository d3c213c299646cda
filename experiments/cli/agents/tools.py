"""The tools that a server offers: functions of commands, with what they take and answer as JSON Schemas."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from experiments.cli.agents.bounds import ITEMS, Envelope, bounded, fitted
from experiments.cli.agents.launching import COMMAND, launch
from experiments.cli.cutting import Long
from experiments.cli.envelope import SCHEMA, Answer, Stream, answered, content
from experiments.cli.terminal import check_word
from experiments.cli.waiting import Until
from experiments.project.errors import UsageError, reasons

WAIT = "wait"
WAIT_S = 45.0
LONGEST_WAIT_S = 600.0
_MOST_ITEMS = 500

_DESCRIBED = {"cursor": "That of an earlier answer: go on behind what it had."}
_PROBLEM = {"type": "object", "properties": {"message": {"type": "string"}, "next": {"type": "string"}}}
_Cursor = Annotated[str | None, Field(description=_DESCRIBED["cursor"])]


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: Also the command's word, but of what a recipe answers.
        takes: Which of the function's parameters a client gives; None for all.
        fixed: What others are.
        changes: Whether it changes anything, and so wants a permit.
        ends: Whether what it does cannot be taken back.
        own: The function, where it is not the command's.
        says: What it does, where it does less than the command.
        answers: The command whose envelope it answers with; its name where it is empty.
    """

    name: str
    takes: tuple[str, ...] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = False
    ends: bool = False
    own: Callable[..., Any] | None = None
    says: str = ""
    answers: str = ""

    @property
    def command(self) -> str:
        """Word of the command whose envelope it answers with."""
        return self.answers or self.name


def _sweep(
    experiment: Annotated[str, Field(description="Its name.")],
) -> Answer[Any]:
    """Show the trials of a search over settings, and the best so far."""
    found: Answer[Any] = _command("sweep")((experiment,))
    return found


def _wait(
    experiment: Annotated[str | None, Field(description="Its name; by default every job of the project.")] = None,
    until: Annotated[
        Until,
        Field(
            description="ended: nothing of it goes on; verdict: it is confirmed or rejected, or all has ended; "
            "failure: a job failed, or all have ended."
        ),
    ] = "ended",
    seconds: Annotated[float, Field(gt=0, le=LONGEST_WAIT_S, description="The longest time to wait.")] = WAIT_S,
) -> Answer[Any]:
    """Wait until all jobs of an experiment have ended, its verdict is decided, or one of its jobs has failed.

    Where the time is over before, is_reached is false: call it again. It costs nothing meanwhile, as asking for the
    status again and again does.
    """
    found: Answer[Any] = _command(WAIT)(experiment, until=until, timeout=f"{seconds:.3f}s")
    return found


def _schema(
    name: Annotated[str, Field(description="Of the tool, such as status.")],
) -> Answer[Any]:
    """Show the JSON Schema of what one of these tools answers, with what each part of it means."""
    known = {each.name: each.command for each in TOOLS}
    if name not in known:
        raise UsageError(f"there is no tool {name[:100]!r}. There are: {', '.join(known)}")
    found: Answer[Any] = _command("schema")(known[name])
    return found


TOOLS = (
    Tool("status", takes=("experiment", "arm", "state", "last", "all_")),
    Tool("logs", takes=("run", "lines")),
    Tool("show"),
    Tool("scores"),
    Tool("verdict"),
    Tool("compare"),
    Tool("curve"),
    Tool("failures"),
    Tool("next"),
    Tool(WAIT, own=_wait),
    Tool("diff"),
    Tool("accept"),
    Tool("runs"),
    Tool("sweep", own=_sweep),
    Tool("machine"),
    Tool("budget", takes=(), says="Show what may go on by itself, and what it has used."),
    Tool("permit", takes=(), fixed={"action": "list"}, says="Show the permits that people granted, and what is left."),
    Tool("controls", takes=(), says="Show the arms that are kept as controls."),
    Tool("schema", own=_schema),
    Tool("launch", own=launch, answers=COMMAND, changes=True),
    Tool("retry", changes=True),
    Tool("resume", changes=True),
    Tool("cancel", takes=("runs",), fixed={"yes": True}, changes=True, ends=True),
    Tool("note", changes=True),
    Tool("tag", changes=True),
    Tool("untag", changes=True),
)
"""In the order in which they are listed."""


@dataclass(frozen=True)
class Offer:
    """A tool as a client sees it."""

    tool: Tool
    sentence: str
    arguments: type[BaseModel]
    function: Callable[..., Any]
    is_long: bool

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of what it takes."""
        return _without_titles(self.arguments.model_json_schema())

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the envelope but for its data: those of all are twenty times the rest of a listing."""
        return {
            "type": "object",
            "properties": {
                "schema": {"const": SCHEMA},
                "command": {"type": ["string", "null"]},
                "data": {"type": ["object", "null"], "description": "null where it was refused; else see tool schema."},
                "problems": {"type": "array", "items": _PROBLEM},
            },
            "required": ["schema", "command", "data", "problems"],
        }


@functools.cache
def offer_of(tool_name: str) -> Offer | None:
    """Return a tool by its name; None where there is none."""
    tool = next((each for each in TOOLS if each.name == tool_name), None)
    if tool is None:
        return None
    function = tool.own or _command(tool.name)
    documented = _parameter_words(function)
    fields: dict[str, Any] = {}
    for name, hint in _parameters(function).items():
        if tool.takes is None or name in tool.takes:
            default = inspect.signature(function).parameters[name].default
            given: dict[str, Any] = {"alias": alias} if (alias := name.rstrip("_")) != name else {}
            if described := documented.get(name) or _DESCRIBED.get(name):
                given["description"] = described
            fields[name] = (hint, Field(... if default is inspect.Parameter.empty else default, **given))
    items = "" if "cursor" in fields else _items_of(tool)
    if items:
        most = Field(ge=1, le=_MOST_ITEMS, description=f"At most so many {items}; the answer's cursor is for the rest.")
        fields |= {"limit": (Annotated[int, most], ITEMS), "cursor": (_Cursor, None)}
    arguments = create_model(tool.name, __config__=ConfigDict(extra="forbid"), **fields)
    return Offer(tool, tool.says or _first_words(function), arguments, function, is_long=bool(items))


def call(offer: Offer, arguments: Mapping[str, Any]) -> tuple[Envelope, int]:
    """Return the envelope that a tool answers with and the exit code of its command, whatever it was given."""
    page: dict[str, Any] = {}

    def done() -> Answer[Any] | Stream[Any]:
        read = _read(offer, arguments)
        page.update({name: read.pop(name) for name in ("cursor", "limit") if offer.is_long})
        asked: Answer[Any] | Stream[Any] = offer.function(**read, **offer.tool.fixed)
        return asked

    found = answered(done)
    assert isinstance(found, Answer)  # what comes bit by bit is not offered
    command = offer.tool.command
    if isinstance(found.data, dict):  # an envelope already, of a process of its own
        return fitted(found.data), found.code
    paged = answered(lambda: Answer(bounded(command, found, **page)))
    assert isinstance(paged, Answer)
    if paged.data is None:  # the cursor is none
        return fitted(content(command, paged)), paged.code
    return paged.data, found.code


def _read(offer: Offer, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a function is called with.

    Raises:
        UsageError: Something is missing, unknown, not allowed, or no text.
    """
    _check_texts(arguments)
    try:
        read = offer.arguments.model_validate(arguments)
    except ValidationError as error:
        takes = ", ".join(offer.input_schema["properties"]) or "nothing"
        raise UsageError(f"{reasons(error)}. Call it with what it takes: {takes}") from None
    return {name: getattr(read, name) for name in type(read).model_fields}


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        check_word(value)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            check_word(str(key))
            _check_texts(each)
    elif isinstance(value, list):
        for each in value:
            _check_texts(each)


def _command(word: str) -> Callable[..., Any]:
    from experiments.cli.__main__ import commands

    return commands(word)[word]


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    hints = get_type_hints(function, include_extras=True)
    return {name: hints[name] for name in inspect.signature(function).parameters}


def _items_of(tool: Tool) -> str:
    """Return what an answer has many of, where it is cut; empty where it is not."""
    from experiments.cli.__main__ import data_types

    kinds = () if tool.command == COMMAND else data_types(_command(tool.command))
    return next((kind.ITEMS for kind in kinds if issubclass(kind, Long)), "")


def _first_words(function: Callable[..., Any]) -> str:
    """Return the first paragraph of a function's documentation, and the second of those that are for tools only."""
    text = (inspect.getdoc(function) or "").partition("\nArgs:")[0].partition("\nRaises:")[0]
    parts = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return " ".join(parts if function.__module__.startswith(__package__ or "") else parts[:1])


def _parameter_words(function: Callable[..., Any]) -> dict[str, str]:
    from docstring_parser import parse

    found = parse(inspect.getdoc(function) or "").params
    return {each.arg_name: " ".join((each.description or "").split()) for each in found}


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key != "title"}
    kept["properties"] = {
        name: {key: value for key, value in each.items() if key != "title"}
        for name, each in schema.get("properties", {}).items()
    }
    return kept
