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

    found: Callable[[], int] = tyro.extras.subcommand_cli_from_dict(
        {word: later(command) for word, command in commands(next(iter(arguments), None)).items()},
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

_FUNCTIONS = {"eval": "evaluate"}
"""Of the commands whose word is another name in Python."""


def commands(only: str | None = None) -> dict[str, Callable[..., int]]:
    """Return every command by the word that calls it, or one alone: nobody waits for what the others import."""
    wanted = _MODULES if only is None or only not in _MODULES else {only: _MODULES[only]}
    modules = {name: importlib.import_module(f"experiments.cli.{name}") for name in dict.fromkeys(wanted.values())}
    return {word: getattr(modules[name], _FUNCTIONS.get(word, word)) for word, name in wanted.items()}


if __name__ == "__main__":
    main()
