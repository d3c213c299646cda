"""The command `experiments`: `experiments status`, `experiments logs RUN`, ..."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from experiments.errors import ExperimentsError
from experiments.terminal import report_error


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process: 0 done, 1 failed, 2 not understood."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        import tyro

        result = tyro.extras.subcommand_cli_from_dict(
            commands(),
            prog="experiments",
            description="Jobs, runs and notebooks of this project.",
            args=list(arguments),
            config=(tyro.conf.FlagCreatePairsOff,),
        )
        return int(result or 0)
    except ExperimentsError as error:
        return report_error(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python would complain once more while it flushes stdout.
        sys.stderr.close()
        return 0


def commands() -> dict[str, Callable[..., int]]:
    """Return every command by the word that calls it."""
    from experiments.commands import compare, export, jobs, new, pull, replays, runs, serve, upkeep

    return {
        "status": jobs.status,
        "logs": jobs.logs,
        "show": jobs.show,
        "cancel": jobs.cancel,
        "retry": jobs.retry,
        "note": jobs.note,
        "tag": jobs.tag,
        "record": jobs.record,
        "diff": compare.diff,
        "runs": runs.runs,
        "sync": runs.sync,
        "pull": pull.pull,
        "export": export.export,
        "replay": replays.replay,
        "eval": replays.evaluate,
        "serve": serve.serve,
        "new": new.new,
        "gc": upkeep.gc,
        "doctor": upkeep.doctor,
    }


if __name__ == "__main__":
    main()
