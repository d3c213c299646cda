"""How a program begins and ends: its three streams, and Ctrl-C before a command has begun and after it is done.

All three streams are there, show any text, and have taken all of it when the program ends.

Whoever starts a program may close a stream, lead it to a full disk or a reader that leaves, or give it an encoding that
knows few letters. Libraries that print expect none of that.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection
from types import TracebackType
from typing import TextIO


def prepare() -> None:
    """Have all three streams, and let none fail over a letter that its encoding lacks."""
    # Else the next file that is opened would be the stream, and what others print would go into it.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def written(code: int) -> int:
    """Write what the streams still hold and return the exit code: 1 instead of 0 where not all could be written.

    A reader that has seen enough (`| head`) is no error.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _give_up(stream)
        except OSError as error:
            _give_up(stream)
            if not code and stream is sys.stdout:
                told = f"error: not all of the output could be written: {error.strerror or error}."
                with contextlib.suppress(OSError):
                    print(f"{told} Lead it elsewhere and run the command again.", file=sys.stderr)  # noqa: T201 - a command line talks
            code = code or 1
        except ValueError:  # it is closed
            pass
    return code


def _give_up(stream: TextIO) -> None:
    """Let what a stream holds go nowhere; Python would try once more as it ends, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, as a shell says it."""

# Importing a module, finding that of `python -m`, and making a class of pydantic's, as a recipe does.
_LOADING = re.compile(
    r"<frozen importlib.*|<frozen runpy> _get_module_details|.*pydantic/_internal/_model_construction.*"
)


def quiet_while_loading() -> None:
    """Say in one line that a program was interrupted while it imported modules, or what a recipe says that cannot be.

    Any other error is shown as ever.
    """
    before = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt) and _is_loading(trace):
            print("Interrupted before it began; nothing was launched.", file=sys.stderr)  # noqa: T201 - a command line talks
        elif (refused := _refused(error, trace)) is not None:
            print(refused, file=sys.stderr)  # noqa: T201 - a command line talks
        else:
            before(kind, error, trace)

    sys.excepthook = show


def run_to_end(command: Callable[[], int]) -> None:
    """Run a command with whole streams and end this process with its exit code."""
    prepare()
    before = set(threading.enumerate())
    try:
        code = command()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as done:  # after --help
        code = int(done.code or 0)
    _end(code, before)


def _end(code: int, before: Collection[threading.Thread]) -> None:
    """End this process; from here on Ctrl-C ends it at once, since there is nothing left to bring in order.

    Python's own way out waits for threads and writes a traceback where somebody interrupts it. A daemon that is left,
    such as a question that nobody answered in time, it unwinds where it is, which aborts the process where that is in
    C++ code.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = written(code)
    if any(thread.daemon for thread in threading.enumerate() if thread not in before):
        atexit._run_exitfuncs()  # noqa: SLF001 - the only part of Python's way out that is wanted
        os._exit(written(code))
    sys.exit(code)


def _is_loading(trace: TracebackType | None) -> bool:
    while trace is not None:
        code = trace.tb_frame.f_code
        # The body of a module that is not the program's own runs only where somebody imports it.
        is_import = code.co_name == "<module>" and trace.tb_frame.f_globals.get("__name__") != "__main__"
        if is_import or _LOADING.fullmatch(f"{code.co_filename} {code.co_name}"):
            return True
        trace = trace.tb_next
    return False


def _refused(error: BaseException, trace: TracebackType | None) -> str | None:
    """Return where and why a model refuses what a program's own file gives it while it is loaded; None for all else."""
    if "pydantic" not in sys.modules:
        return None
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return None
    place = ""
    for frame, line in traceback.walk_tb(trace):
        if frame.f_globals.get("__name__") == "__main__":
            place = f"{frame.f_code.co_filename}:{line}"
        elif not str(frame.f_globals.get("__name__")).startswith("pydantic"):
            return None
    from experiments.project.errors import reasons

    return f"error: {place}: {error.title} is refused: {reasons(error)}." if place else None
