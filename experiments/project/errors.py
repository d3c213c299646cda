"""The errors of Experiments, one class for each reaction that a caller can have.

    ExperimentsError            anything below; `exit_code` is what a command ends with
    ├── UsageError              bad input: nothing was launched, nothing was written
    ├── LaunchRefused           a launch, cancel or retry without a permit
    ├── LaunchError             a launcher could not do what was asked
    ├── LedgerError             the ledger cannot be opened, read or written
    ├── StoreError              runs cannot be read: a server or a file is at fault
    └── NotebookError           a notebook cannot be generated, merged or exported

Every message says the value, then what is allowed or known, then the next command; what pydantic refuses is said in
words of one line (`reasons`).
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT})
"""What the system says of a place that is full or cannot be written; to read from it is possible all the same."""
_MOST = 3
_LONGEST = 80


class ExperimentsError(Exception):
    """Base of all errors that a user can act on; shown without a traceback.

    Example:
        >>> from experiments import ExperimentsError, StoreError, fetch_metrics
        >>> try:
        ...     fetch_metrics("nobody's")
        ... except ExperimentsError as error:
        ...     print(type(error).__name__, error.exit_code)
        StoreError 1
    """

    exit_code = 1


class UsageError(ExperimentsError):
    """The input is wrong and was refused before anything happened.

    Example:
        >>> from experiments import UsageError
        >>> from experiments.types import check_name
        >>> try:
        ...     check_name("arm", "Fast LR")
        ... except UsageError as error:
        ...     print("fast-lr" in str(error), error.exit_code)
        True 2
    """

    exit_code = 2


class LaunchRefused(ExperimentsError):  # noqa: N818 - a refusal is the rule working, not an error in it
    """Code that nobody asked to launch tried to; the message says how to launch.

    Example:
        >>> from threading import Thread
        >>> from experiments import LaunchRefused, launch_training
        >>> def launch():
        ...     try:
        ...         launch_training("probe", "arena/basic")
        ...     except LaunchRefused as refused:
        ...         print(str(refused).split(":")[0])
        >>> thread = Thread(target=launch)  # nobody asked for a launch there
        >>> thread.start(), thread.join()
        refused to launch
        (None, None)
    """


class LaunchError(ExperimentsError):
    """A launcher failed to start, find or end a job.

    Attributes:
        jobs: The plan's jobs (`TrainingJob`) as the ledger has them now, where a launch failed in part.

    Example:
        >>> from experiments import LaunchError
        >>> LaunchError("the queue is closed").jobs
        ()
    """

    def __init__(self, message: str, *, jobs: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.jobs = tuple(jobs)


class LedgerError(ExperimentsError):
    """The ledger is locked, damaged, read-only or written by a later version.

    Example:
        >>> from pathlib import Path
        >>> from experiments import LedgerError, monitor_training_statuses
        >>> broken = Path("broken/.experiments")
        >>> broken.mkdir(parents=True)
        >>> _ = (broken / "ledger.sqlite").write_text("no database")
        >>> try:
        ...     monitor_training_statuses("ada.study.a.s0.abcdefgh", state_dir=broken)
        ... except LedgerError as error:
        ...     print(type(error).__name__)
        LedgerError
    """


class StoreError(ExperimentsError):
    """A run store cannot be reached or a run's files cannot be read.

    Example:
        >>> from experiments import StoreError, get_available_replays
        >>> try:
        ...     get_available_replays("nobody's")
        ... except StoreError as error:
        ...     print(type(error).__name__)
        StoreError
    """


class NotebookError(ExperimentsError):
    """A notebook cannot be written without losing or breaking something.

    Example:
        >>> from pathlib import Path
        >>> from experiments import NotebookError
        >>> from experiments.notebooks.data_cells import read_jobs
        >>> _ = Path("half_nb.py").write_text("import marimo; app = marimo.App(")
        >>> try:
        ...     read_jobs(Path("half_nb.py"))
        ... except NotebookError as error:
        ...     print("half_nb.py" in str(error))
        True
    """


def reasons(error: ValidationError) -> str:
    """Return what was refused and why: `gpus 5000: Input should be less than or equal to 4096`."""
    items = error.errors(include_url=False, include_context=False)
    said = []
    for item in items[:_MOST]:
        field = ".".join(map(str, item["loc"]))
        said.append(f"{shown(field, item['input'])}: {message(item['msg'])}".removeprefix(": "))
    more = f"; and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return "; ".join(said) + more


def message(text: str) -> str:
    """Return pydantic's sentence as one line, without its word for an error that a validator of ours raised."""
    return " ".join(text.removeprefix("Value error, ").removeprefix("Assertion failed, ").split()).rstrip(".")


def shown(field: str, value: object) -> str:
    """Return a field with what was given to it; a whole object is left out, and a long value is cut."""
    if isinstance(value, Mapping):
        return field
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return f"{field} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}".strip()
