"""The command `experiments`: `experiments status`, `experiments logs RUN`, ..."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from experiments.cli.cutting import LIMIT, Long, cut_answer, told_of_rest
from experiments.cli.envelope import EXIT_CODES, Answer, Call, Stream, respond
from experiments.cli.terminal import check_paths, parsed, say
from experiments.project.errors import UsageError
from experiments.project.streams import run_to_end

Command: TypeAlias = Callable[..., "Answer[Any] | Stream[Any]"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with one of `EXIT_CODES`."""
    run_to_end(lambda: run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    word = next(iter(arguments), None)
    return respond(word if word in _MODULES else None, arguments, lambda: parsed(arguments, lambda: _read(arguments)))


def _read(arguments: Sequence[str]) -> Call:
    """Return the call that a command line asks for; tyro would make it while it reads, and hide whose error it is.

    Raises:
        SystemExit: After `--help`.
    """
    word = next(iter(arguments), None)
    if word not in _MODULES:
        if {"-h", "--help"} & set(arguments):
            say(_list())
            raise SystemExit(0)
        asked = "which command?" if word is None else f"{word!r} is no command of experiments."
        raise UsageError(f"{asked} There are: {', '.join(_MODULES)}. See what they do: experiments --help")
    import tyro

    found: Call = tyro.cli(
        taken_by(commands(word)[word]),
        prog=f"experiments {word}",
        args=list(arguments)[1:],
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return found


def _list() -> str:
    """Return what `--help` says of all commands; a parser that knows their flags too would have to import them."""
    room = shutil.get_terminal_size().columns
    indent = max(map(len, _MODULES)) + 4
    lines = (
        textwrap.fill(f"  {word:<{indent - 2}}{_SENTENCES[word]}", room, subsequent_indent=" " * indent)
        for word in _MODULES
    )
    codes = "\n".join(f"  {code:<4}{what}" for code, what in EXIT_CODES.items())
    return "\n".join(
        [
            "usage: experiments COMMAND [-h] ...",
            "\nJobs, runs and notebooks of this project.",
            "\nCommands; each says with --help what it takes:",
            *lines,
            f"\nExit codes:\n{codes}",
        ]
    )


def taken_by(command: Command) -> Callable[..., Call]:
    """Return what takes a command's words and flags, and those that all commands have, and returns the call."""
    from experiments.cli.flags import Cursor, JsonFlag, Limit, spelled_out

    hints = get_type_hints(command, include_extras=True)
    known = inspect.signature(command).parameters
    is_long = "cursor" not in known and any(issubclass(each, Long) for each in data_types(command))
    further: dict[str, tuple[Any, object]] = {}
    if "json_" not in known:
        further["json_"] = (JsonFlag, False)
    if is_long:
        further |= {"limit": (Limit, None), "cursor": (Cursor, None)}

    def keep(*words: Any, **flags: Any) -> Call:  # noqa: ANN401 - those of any command
        own = {name: value for name, value in flags.items() if name not in further}
        check_paths([*words, *own.values()])
        is_for_programs = bool(flags["json_"])

        def call() -> Answer[Any] | Stream[Any]:
            answer = command(*words, **own)
            is_asked_whole = is_for_programs or (flags.get("cursor"), flags.get("limit")) != (None, None)
            if isinstance(answer, Stream) and answer.whole is not None and is_asked_whole:
                answer = answer.whole(answer.values)
            if is_long:
                limit = flags["limit"] if flags["limit"] is not None else LIMIT if is_for_programs else None
                answer = cut_answer(answer, flags["cursor"], limit)
            return answer if is_for_programs else told_of_rest(answer)

        return call

    given = [each.replace(annotation=spelled_out(hints[name])) for name, each in known.items()]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=spelled_out(hint))
        for name, (hint, default) in further.items()
    ]
    return _described(keep, command, [*given, *more])


def _described(keep: Callable[..., Call], command: Command, parameters: list[inspect.Parameter]) -> Callable[..., Call]:
    """Have tyro read the name, the words and these parameters of a command where it looks at `keep`."""
    described: Any = keep
    described.__signature__ = inspect.Signature(parameters)
    described.__annotations__ = {each.name: each.annotation for each in parameters}
    described.__name__, described.__doc__ = command.__name__, _unwrapped(command.__doc__ or "")
    return keep


def _unwrapped(text: str) -> str:
    """Return a docstring whose arguments are a line each: tyro keeps the line breaks that our files need."""
    return re.sub(r"\n {8,}(?=\S)", " ", inspect.cleandoc(text))


def data_types(command: Command) -> tuple[type, ...]:
    """Return the types of what a command may answer."""
    returned = get_type_hints(command)["return"]
    answers = (returned,) if get_origin(returned) in {Answer, Stream} else get_args(returned)
    return tuple(dict.fromkeys(kind for answer in answers for kind in get_args(answer)))


_MODULES = {
    "status": "status",
    "logs": "jobs",
    "show": "show",
    "cancel": "jobs",
    "retry": "jobs",
    "resume": "resuming",
    "reproduce": "reproduce",
    "bundle": "bundle",
    "scores": "scores",
    "verdict": "verdict",
    "compare": "scores",
    "curve": "curves",
    "failures": "verdict",
    "next": "verdict",
    "wait": "waiting",
    "machine": "machine",
    "budget": "budget",
    "permit": "permit",
    "pool": "pool",
    "note": "jobs",
    "tag": "jobs",
    "untag": "jobs",
    "archive": "shelf",
    "unarchive": "shelf",
    "protect": "shelf",
    "unprotect": "shelf",
    "record": "jobs",
    "controls": "controls",
    "step": "sweeps",
    "sweep": "sweeps",
    "diff": "differences",
    "accept": "accept",
    "runs": "runs",
    "sync": "runs",
    "pull": "runs",
    "export": "export",
    "replay": "replays",
    "eval": "evaluate",
    "serve": "serve",
    "mcp": "agents.command",
    "skill": "agents.skill",
    "new": "new",
    "schema": "schema",
    "gc": "upkeep",
    "doctor": "upkeep",
}
"""The module of each command, in the order in which `--help` lists them."""

_SENTENCES = {
    "status": "Show the jobs that go on and the last hundred, or those of an experiment, an arm or a state.",
    "logs": "Show what a job printed.",
    "show": "Show all that is known of a job: how it is, config, command, code, attempts and what happened to it.",
    "cancel": "End jobs: those that wait never start, those that run get TERM and, after a grace, KILL.",
    "retry": (
        "Launch jobs that have ended once more: the same arm and seed, as a new attempt, with the code that they ran."
    ),
    "resume": (
        "Let a run go on from a checkpoint, as a new run of its arm and seed, with its own config, command and code."
    ),
    "reproduce": "Run a job once more from its own record, and say whether it came back: the worst of several counts.",
    "bundle": (
        "Write an experiment as one file, from which `experiments reproduce FILE` verifies it on another machine."
    ),
    "scores": "Show the score of every run of an experiment, and of every arm over its seeds, with intervals.",
    "verdict": "Say whether an experiment's hypothesis is confirmed, by the rule that was recorded before its launch.",
    "compare": "Show how far A is from B in one metric over their seeds, with interval and test.",
    "curve": "Show one metric of runs over their steps.",
    "failures": "Show the runs that failed, in groups by what ended them.",
    "next": "Say what a careful person would do now: retry these, wait so long, more seeds, freeze the winner.",
    "wait": "Wait until all jobs of an experiment have ended, its verdict is decided, or one of its jobs has failed.",
    "machine": "Show the GPUs, cores and memory of this machine, which jobs have them, and what waits for what.",
    "budget": "Show what may go on by itself and what it has used; grant more, or end it.",
    "permit": "Allow a program or an agent to launch, within limits; print the token that it needs.",
    "pool": "Show the pools of SkyPilot workers, bring one up or up to date, or end it.",
    "note": "Keep a note with a job, in the place of an earlier one; `experiments show RUN` shows it.",
    "tag": "Give jobs a tag.",
    "untag": "Take a tag from jobs that `experiments tag` gave it; tags of the launch stay.",
    "archive": (
        "Leave jobs that have ended out of status, fleet, tables and pickers; scores and verdicts count them as before."
    ),
    "unarchive": "Show jobs again that were archived.",
    "protect": "Keep jobs from being archived, and what they left from gc.",
    "unprotect": "Take the protection of jobs back.",
    "record": "Write the jobs that were launched from a notebook, and the notes of its log, into its file.",
    "controls": "Show the arms that are kept as controls; keep another, in a file that you commit.",
    "step": "Carry on what goes on by itself: tell the trials that ended, and launch the next.",
    "sweep": "Show the trials of a search and the best so far; freeze its winner as a design, or search wider ranges.",
    "diff": "Show what differs between two runs, arms or experiments: settings, code, packages and metrics.",
    "accept": (
        "Say whether an experiment reaches the criteria that its recipe states (accept = ...), as recorded at the "
        "launch."
    ),
    "runs": "Find runs on this machine and, where somebody is logged in, on the W&B server.",
    "sync": "Upload finished offline runs to the W&B server where you are logged in; what is there already stays.",
    "pull": (
        "Copy what is new of runs from the cluster's folder (run_root) to this machine; what is here already stays."
    ),
    "export": "Run a notebook and write what it shows as one HTML file that opens anywhere with the network off.",
    "replay": "Look into a replay file, draw its map, or write it in another form.",
    "eval": (
        "Play checkpoints on held-out maps, each in a job where its run was; what was played before is not played "
        "again."
    ),
    "serve": "Serve the apps, the notebooks and the logs of this project, to look at only; Ctrl-C ends it.",
    "mcp": (
        "Serve the questions of this command line to an agent: a server of the Model Context Protocol on standard "
        "input."
    ),
    "skill": (
        "Print how an agent works with Experiments: ask, plan, launch under a permit, wait, read the answer, note it."
    ),
    "new": "Write a recipe to begin with into experiments/recipes of this project.",
    "schema": "Print the JSON Schema of what commands answer under --json, of all or of one.",
    "gc": "Show what the state folder could do without, and delete it if you say so.",
    "doctor": "Say what is installed, reachable and writable, and the command that mends what is not.",
}
"""What `--help` says of each command, the first line of its own help: only for that, all would have to be imported."""

_FUNCTIONS = {"eval": "evaluate", "next": "next_"}
"""Of the commands whose word is another name in Python."""


def command_words() -> tuple[str, ...]:
    """Return the word of every command."""
    return tuple(_MODULES)


def commands(only: str | None = None) -> dict[str, Command]:
    """Return every command by the word that calls it, or one alone: nobody waits for what the others import."""
    wanted = _MODULES if only is None or only not in _MODULES else {only: _MODULES[only]}
    modules = {name: importlib.import_module(f"experiments.cli.{name}") for name in dict.fromkeys(wanted.values())}
    return {word: getattr(modules[name], _FUNCTIONS.get(word, word)) for word, name in wanted.items()}


if __name__ == "__main__":
    main()
