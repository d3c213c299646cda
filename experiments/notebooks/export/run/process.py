"""Start the process that runs a notebook, listen to it, and end it where it does not end by itself.

A cell that cannot be interrupted (it computes in C, or catches whatever is raised in it) is ended with its process.
The notebook then runs once more without that cell, so that the log shows all others.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from experiments.jobs.permits import READ_ONLY
from experiments.project.errors import UNWRITABLE, NotebookError
from experiments.project.look import IN_LOG, counted
from experiments.project.redaction import mask_text
from experiments.project.workspace import Workspace

GRACE_S = 5.0
"""Seconds that an interrupted cell has to end before its process is."""
_START_S, _RENDER_S = 180.0, 600.0
_MAX_TRIES = 3
_TAIL = 2_000

_CLOUDS = (
    *("AWS_", "AZURE_", "ARM_", "GOOGLE_", "GCP_", "GCLOUD_", "CLOUDSDK_", "OCI_", "IBMCLOUD_", "CLOUDFLARE_"),
    *("LAMBDA_", "RUNPOD_", "NEBIUS_", "VAST_", "FLUIDSTACK_", "CUDO_", "PAPERSPACE_", "DO_", "DIGITALOCEAN_"),
    *("SKYPILOT_", "SKY_", "KUBE", "SSH_AUTH_SOCK"),
)
# Where the clouds' own tools look for keys when no variable names them.
_NO_FILES = {
    **dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG"), os.devnull),
    **dict.fromkeys(("CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"), os.path.join(os.devnull, "none")),  # noqa: PTH118 - a text
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Request:
    """What the process is to do.

    Attributes:
        notebook: The notebook's file.
        draft: File to write the log to.
        experiment: Name of the experiment.
        created: ISO 8601 with its zone.
        deadline_s: Seconds for the notebook's cells.
        failed: Cells that ended an earlier try, by index, with what to show in their place.
        hung: Those of them that had to be ended because they did not end by themselves.
        previous: The newest log of this experiment; empty for none.
        previous_name: What that log's file will be called.
        messages: Descriptor to write JSON lines to.
    """

    notebook: str
    draft: str
    experiment: str
    created: str
    who: str
    deadline_s: float
    max_bytes: int
    messages: int = -1
    include_code: bool = False
    failed: Mapping[str, str] = field(default_factory=dict)
    hung: tuple[int, ...] = ()
    previous: str = ""
    previous_name: str = ""


@dataclass(frozen=True)
class Told:
    """One thing that happened during an export.

    Attributes:
        what: Another export has to end first, a cell starts, the notebook is run again without a cell, or the page is
            put together.
        index: Of the cell, from 0.
        of: How many cells there are.
        name: Of the cell.
    """

    what: Literal["waiting", "cell", "again", "rendering"]
    index: int = 0
    of: int = 0
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a finished child said.

    Attributes:
        same: The log before said the same.
        changes: What changed since the log before, in sentences; None for the first.
        problems: Cells that failed, as `cell: what it raised`.
        launches: Cells that tried to launch, which was refused.
        hung: Which cell had to be interrupted, in words; empty for none.
        dropped: What was left out for the file's size.
        notes: What could not be shown.
    """

    same: bool
    changes: tuple[str, ...] | None
    problems: tuple[str, ...]
    launches: tuple[str, ...]
    hung: str
    dropped: tuple[str, ...]
    notes: tuple[str, ...]


def run_child(request: Request, workspace: Workspace, progress: Callable[[Told], None]) -> Answer:
    """Run a notebook in a child and have it write the draft of the log.

    Raises:
        NotebookError: The child said why it could not, or died without running a cell.
    """
    with _log_in(workspace) as log:
        return _tried(request, workspace, log, progress)


@contextlib.contextmanager
def _log_in(workspace: Workspace) -> Iterator[Path]:
    """Yield the file for what the child prints: in the state folder, or where nobody can write there, a passing one."""
    log = workspace.state / "export.log"
    with contextlib.ExitStack() as stack:
        try:
            log.open("wb").close()
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="experiments-"))) / log.name
        yield log


def _tried(request: Request, workspace: Workspace, log: Path, progress: Callable[[Told], None]) -> Answer:
    for _ in range(_MAX_TRIES):
        child = _Child(request, workspace, log, progress)
        said = child.listen()
        if said is not None:
            return _answer(said)
        if child.cell is None:
            raise NotebookError(_died(child, log, workspace))
        progress(replace(child.cell, what="again"))
        index = child.cell.index
        hung = (*request.hung, index) if child.too_late else request.hung
        request = replace(request, failed={**request.failed, str(index): child.words()}, hung=hung)
    raise NotebookError(
        f"{counted(len(request.failed), 'cell')} of {Path(request.notebook).name!r} ended the process that ran them: "
        f"{'; '.join(request.failed.values())}. Nothing was written."
    )


class _Child:
    """One try."""

    def __init__(self, request: Request, workspace: Workspace, log: Path, progress: Callable[[Told], None]) -> None:
        self.request, self.workspace, self.log, self.progress = request, workspace, log, progress
        self.cell: Told | None = None
        self.rendering = False
        self.too_late = False
        self.until = time.monotonic() + _START_S
        self.code: int | None = None
        self.said: dict[str, Any] | None = None

    def listen(self) -> dict[str, Any] | None:
        """Start the child and return its last word; None where it died before."""
        reader, writer = os.pipe()
        request = replace(self.request, messages=writer)
        command = [sys.executable, "-P", "-m", "experiments.notebooks.export.run.child", json.dumps(asdict(request))]
        try:
            with self.log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=child_environment(),
                    pass_fds=[writer],
                    # Ctrl-C is for us to hear; and what the notebook starts ends with it.
                    start_new_session=True,
                )
            os.close(writer)
            writer = -1
            try:
                self._follow(reader, process)
            finally:
                _end(process)
            self.code = process.returncode
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)
        return self.said

    def words(self) -> str:
        """Return why the cell has no output."""
        if self.too_late:
            return f"this cell was still running after {self.request.deadline_s:g} s and could not be interrupted"
        code = self.code or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"the process ended while this cell ran ({how})"

    def _follow(self, reader: int, process: subprocess.Popen[bytes]) -> None:
        for line in _lines(reader, self._seconds_left):
            if line is None:
                self.too_late = True
                return
            self._take(json.loads(line))
            if self.said is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_S)
                return

    def _seconds_left(self) -> float:
        """Return how long the child may go on: the notebook's time counts from where its first cell can run."""
        return self.until - time.monotonic()

    def _take(self, message: dict[str, Any]) -> None:
        if "running" in message:
            self.until = time.monotonic() + self.request.deadline_s + GRACE_S
        elif "cell" in message:
            self.cell = Told("cell", message["cell"], message["of"], message["name"])
            self.progress(self.cell)
        elif "rendering" in message:
            self.rendering, self.cell = True, None
            self.until = time.monotonic() + _RENDER_S
            self.progress(Told("rendering"))
        else:
            self.said = message


def _lines(reader: int, left: Callable[[], float]) -> Iterator[bytes | None]:
    """Yield each line as it comes, and None when the time is over."""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        rest = b""
        while True:
            if not selector.select(max(0.0, left())):
                yield None
                return
            part = os.read(reader, 1 << 16)
            if not part:
                return
            *lines, rest = (rest + part).split(b"\n")
            yield from lines


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a process that writes a log and may launch nothing.

    No key of a cloud or of SkyPilot is in it; W&B's key stays, for runs are read with it.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_CLOUDS)}
    return {**kept, **_NO_FILES, READ_ONLY: "1", IN_LOG: "1", "MPLBACKEND": "Agg"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child with all that the notebook started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _answer(said: dict[str, Any]) -> Answer:
    if "error" in said:
        raise NotebookError(said["error"])
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return Answer(**found)


def _died(child: _Child, log: Path, workspace: Workspace) -> str:
    name = Path(child.request.notebook).name
    when = "while the log was put together" if child.rendering else "before its first cell"
    if child.too_late:
        return f"the process that runs {name!r} did not end {when}. Nothing was written."
    with contextlib.suppress(OSError):
        tail = log.read_bytes()[-_TAIL:].decode("utf-8", "replace").strip().splitlines()
        last = mask_text(tail[-1]) if tail else "it said nothing"
        place = f". All that it said: {workspace.shown(log)}" if log.parent == workspace.state else ""
        return f"the process that runs {name!r} ended {when}: {last}{place}"
    return f"the process that runs {name!r} ended {when}. Nothing was written."
