"""`python -P -m experiments.trainer run=NAME [key=value ...]`: train agents on MettaGrid."""

from __future__ import annotations

import os

# One core per run: BLAS reads these when numpy is first imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from experiments.errors import ExperimentsError
from experiments.trainer.config import help_text, parse


def main(arguments: Sequence[str]) -> int:
    """Run the trainer and return its exit code: 0, 1 (failed), 2 (bad input) or 128 + a signal's number."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(help_text())
        return 0 if arguments else 2
    try:
        settings = parse(arguments)
    except ExperimentsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    asked: list[int] = []

    def take_note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, take_note)

    from experiments.trainer.loop import Stopped, run

    def check() -> None:
        if asked:
            raise Stopped(asked[0])

    try:
        run(settings, check, lambda line: print(line, flush=True))
    except Stopped as stopped:
        return stopped.exit_code
    except (ExperimentsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ExperimentsError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
