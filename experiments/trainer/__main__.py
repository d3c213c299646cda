"""`python -P -m experiments.trainer run=NAME [key=value ...]`: train agents on MettaGrid."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from experiments.project.errors import ExperimentsError
from experiments.trainer.config import help_text, parse
from experiments.trainer.stopping import Stopped, StopRequest


def main(arguments: Sequence[str]) -> int:
    """Run the trainer and return its exit code: 0, 1 (failed), 2 (bad input) or 128 + a signal's number."""
    if not arguments or {"-h", "--help"} & set(arguments):
        sys.stdout.write(help_text() + "\n")
        return 0 if arguments else 2
    stop = StopRequest()
    stop.install()
    # A run uses one core; BLAS reads this when numpy is first imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    try:
        settings = parse(arguments)
        from experiments.trainer.loop import run

        run(settings, stop, _say)
    except Stopped as stopped:
        return stopped.exit_code
    except ExperimentsError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
