"""Write a notebook's log: run the notebook in a process of its own, and put what it shows in place.

The file is written whole under another name first, so whatever goes wrong, the log before is as it was.
"""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from experiments.notebooks.export.draw.sheet import MAX_BYTES
from experiments.notebooks.export.logbook import write_logbook
from experiments.notebooks.export.placing import (
    check_writable,
    draft_of,
    drop_drafts,
    kept_name,
    log_folder,
    put_in_place,
    target_of,
)
from experiments.notebooks.export.record import read_record
from experiments.notebooks.export.run.process import Answer, Request, Told, run_child
from experiments.notebooks.header import Header, read_header
from experiments.project.errors import UNWRITABLE, ExperimentsError, NotebookError, UsageError
from experiments.project.files import locked
from experiments.project.redaction import mask_text
from experiments.project.workspace import Workspace

DEADLINE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Exported(Answer):
    """What came of an export.

    Attributes:
        path: The log.
        kept: Where the log before is now; None where there was none or it said the same.
        size: Bytes of the log.
        logbook: The page of all logs; None where this log does not lie in the log folder.
    """

    path: Path
    kept: Path | None
    size: int
    logbook: Path | None

    @property
    def exit_code(self) -> int:
        """1 where a cell failed or did not end, else 0."""
        return 1 if self.problems or self.hung else 0


def export_notebook(
    notebook: Path,
    *,
    output: Path | None = None,
    include_code: bool = False,
    max_bytes: int = MAX_BYTES,
    deadline_s: float = DEADLINE_S,
    created: datetime | None = None,
    progress: Callable[[Told], None] = lambda _told: None,
) -> Exported:
    """Run a notebook and write what it shows as one HTML file.

    Args:
        notebook: A marimo notebook, ours or any other.
        output: File to write; the project's `experiments/log/NAME.html` where None.
        include_code: Show each cell's code.
        max_bytes: Size above which replays are left out, oldest first.
        deadline_s: Seconds for the notebook's cells; what had ended by then is written.
        created: When the log says that it was written; `SOURCE_DATE_EPOCH` or now where None.
        progress: Told what happens, as it happens.

    Raises:
        NotebookError: The notebook cannot be run or the log cannot be written.
        UsageError: `output` cannot be the name of a log.
    """
    from experiments.monitoring import publish_once

    notebook = notebook.absolute()
    experiment = _experiment(notebook)
    workspace = Workspace.find(notebook)
    target = target_of(workspace.root, experiment, output)
    check_writable(target.parent)
    with _alone(workspace, deadline_s, progress):
        publish_once(workspace.state)  # a job may have ended since somebody last looked
        drop_drafts(target)
        before = read_record(target)
        draft = draft_of(target)
        request = Request(
            notebook=str(notebook),
            draft=str(draft),
            experiment=experiment,
            created=(created or _now()).isoformat(),
            who=_who(workspace),
            deadline_s=deadline_s,
            max_bytes=max_bytes,
            include_code=include_code,
            previous=str(target) if before else "",
            previous_name=kept_name(target).name if target.exists() else "",
        )
        try:
            answer = run_child(request, workspace, progress)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        # A file that is none of ours, or a damaged one, is kept too: somebody made it.
        kept = put_in_place(draft, target, keep_old=not answer.same)
        return _finished(target, kept, answer, workspace)


@contextlib.contextmanager
def _alone(workspace: Workspace, wait_s: float, progress: Callable[[Told], None]) -> Iterator[None]:
    """Let one export of a project run at a time, so that each sees the log before it."""
    lock = workspace.state / "export.lock"
    with contextlib.ExitStack() as held:
        try:
            is_free = held.enter_context(locked(lock, wait_s=0.0))
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            is_free = True  # of a state that nobody can write, nobody can export into its own log either
        if not is_free:
            progress(Told("waiting"))
            if not held.enter_context(locked(lock, wait_s=wait_s)):
                raise NotebookError(f"another export of this project has been running for {wait_s:g} s. Try again.")
        yield


def _finished(target: Path, kept: Path | None, answer: Answer, workspace: Workspace) -> Exported:
    logbook, said = None, vars(answer)
    if target.parent == log_folder(workspace.root):
        try:
            logbook = write_logbook(target.parent)
        except NotebookError as error:
            said = {**said, "notes": (*answer.notes, f"the logbook is as it was: {error}")}
    return Exported(**said, path=target, kept=kept, size=target.stat().st_size, logbook=logbook)


def _experiment(notebook: Path) -> str:
    """Return the name of a notebook's experiment, or of its file where no recipe made it.

    Raises:
        NotebookError: There is no such file, or its header is damaged.
    """
    if notebook.suffix != ".py" and notebook.is_file():
        raise NotebookError(f"{notebook.name!r} is no notebook in Python. Make it one: marimo convert {notebook.name}")
    try:
        text = notebook.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NotebookError(f"notebook {str(notebook)!r} cannot be read: {reason}.") from None
    header: Header | None = read_header(text)
    return header.experiment if header else notebook.stem.removesuffix("_nb") or notebook.stem


def _now() -> datetime:
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if not fixed:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"SOURCE_DATE_EPOCH={fixed!r} is not a time in whole Unix seconds. Correct or unset it."
        ) from None


def _who(workspace: Workspace) -> str:
    try:
        return mask_text(workspace.settings.user or getpass.getuser())
    except (ExperimentsError, OSError, KeyError):
        return ""
