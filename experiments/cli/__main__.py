"""The command `experiments`: `experiments status`, `experiments logs RUN`, ..."""

from __future__ import annotations

import functools
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
        {word: later(command) for word, command in commands().items()},
        prog="experiments",
        description="Jobs, runs and notebooks of this project.",
        args=list(arguments),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    return found


def commands() -> dict[str, Callable[..., int]]:
    """Return every command by the word that calls it."""
    from experiments.cli import (
        accept,
        budget,
        bundle,
        evaluate,
        export,
        jobs,
        new,
        replays,
        reproduce,
        runs,
        serve,
        show,
        status,
        sweeps,
        upkeep,
    )

    return {
        "status": status.status,
        "logs": jobs.logs,
        "show": show.show,
        "cancel": jobs.cancel,
        "retry": jobs.retry,
        "resume": jobs.resume,
        "reproduce": reproduce.reproduce,
        "bundle": bundle.bundle,
        "budget": budget.budget,
        "note": jobs.note,
        "tag": jobs.tag,
        "untag": jobs.untag,
        "record": jobs.record,
        "step": sweeps.step,
        "sweep": sweeps.sweep,
        "diff": runs.diff,
        "accept": accept.accept,
        "runs": runs.runs,
        "sync": runs.sync,
        "pull": runs.pull,
        "export": export.export,
        "replay": replays.replay,
        "eval": evaluate.evaluate,
        "serve": serve.serve,
        "new": new.new,
        "gc": upkeep.gc,
        "doctor": upkeep.doctor,
    }


if __name__ == "__main__":
    main()
