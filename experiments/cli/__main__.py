"""The command `experiments`: `experiments status`, `experiments logs RUN`, ..."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from experiments.cli.terminal import check_paths, parsed, report_error
from experiments.project.errors import ExperimentsError
from experiments.project.streams import INTERRUPTED, run_to_end


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process: 0 done, 1 failed, 2 not understood."""
    run_to_end(lambda: run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        call = parsed(arguments, lambda: _read(arguments))
        return int(call() or 0)
    except ExperimentsError as error:
        return report_error(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 0  # the reader (`| head`) has seen enough
    except OSError as error:
        return report_error(error)


def _read(arguments: Sequence[str]) -> Callable[[], int]:
    """Return the call that a command line asks for; tyro would make it while it reads, and hide whose error it is."""
    import tyro

    def later(command: Callable[..., int]) -> Callable[..., Callable[[], int]]:
        @functools.wraps(command)
        def keep(*words: Any, **flags: Any) -> Callable[[], int]:  # noqa: ANN401 - those of any command
            check_paths([*words, *flags.values()])
            return lambda: command(*words, **flags)

        return keep

    first = next(iter(arguments), "--help")
    wanted: dict[str, Callable[..., Any]]
    if first in {"-h", "--help"}:
        # Classes: to find out about functions tyro imports as much again.
        wanted = {word: type(word, (), {"__doc__": _SENTENCES.get(word)}) for word in _MODULES}
    else:
        wanted = {word: later(command) for word, command in commands(first).items()}
    found: Callable[[], int] = tyro.extras.subcommand_cli_from_dict(
        wanted,
        prog="experiments",
        description="Jobs, runs and notebooks of this project.",
        args=list(arguments),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return found


_MODULES = {
    "status": "status",
    "logs": "jobs",
    "show": "show",
    "cancel": "jobs",
    "retry": "jobs",
    "resume": "jobs",
    "reproduce": "reproduce",
    "bundle": "bundle",
    "budget": "budget",
    "note": "jobs",
    "tag": "jobs",
    "untag": "jobs",
    "record": "jobs",
    "controls": "controls",
    "step": "sweeps",
    "sweep": "sweeps",
    "diff": "runs",
    "accept": "accept",
    "runs": "runs",
    "sync": "runs",
    "pull": "runs",
    "export": "export",
    "replay": "replays",
    "eval": "evaluate",
    "serve": "serve",
    "new": "new",
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
    "budget": "Show what may go on by itself and what it has used; grant more, or end it.",
    "note": "Keep a note with a job, in the place of an earlier one; `experiments show RUN` shows it.",
    "tag": "Give jobs a tag.",
    "untag": "Take a tag from jobs that `experiments tag` gave it; tags of the launch stay.",
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
    "new": "Write a recipe to begin with into experiments/recipes of this project.",
    "gc": "Show what the state folder could do without, and delete it if you say so.",
    "doctor": "Say what is installed, reachable and writable, and the command that mends what is not.",
}
"""What `--help` says of each command, the first line of its own help: only for that, all would have to be imported."""

_FUNCTIONS = {"eval": "evaluate"}
"""Of the commands whose word is another name in Python."""


def commands(only: str | None = None) -> dict[str, Callable[..., int]]:
    """Return every command by the word that calls it, or one alone: nobody waits for what the others import."""
    wanted = _MODULES if only is None or only not in _MODULES else {only: _MODULES[only]}
    modules = {name: importlib.import_module(f"experiments.cli.{name}") for name in dict.fromkeys(wanted.values())}
    return {word: getattr(modules[name], _FUNCTIONS.get(word, word)) for word, name in wanted.items()}


if __name__ == "__main__":
    main()
