"""Run a notebook's cells in this process and keep what each showed, raised and printed.

marimo's own `app.run()` ends with the first cell that raises. Here a cell that raises stops only the cells that need
it, as on a page, and one that does not end is interrupted. The file is read without being imported, so that broken
cells are errors in their place. marimo is pinned: some of its classes used here are not public.
"""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from marimo._ast.app import App, InternalApp
from marimo._ast.cell import CellImpl
from marimo._ast.names import SETUP_CELL_NAME
from marimo._runtime.app.script_runner import AppScriptRunner
from marimo._runtime.context.types import get_context
from marimo._runtime.control_flow import MarimoStopError
from marimo._runtime.exceptions import MarimoMissingRefError, MarimoRuntimeException, unwrap_user_exception
from marimo._runtime.executor import Evaluator, resolve_executor
from marimo._runtime.runner.result import RunResult
from marimo._schemas.serialization import CellDef
from marimo._types.ids import CellId_t

from experiments.notebooks.export.run.loading import load_cells, load_checked

MAX_CONSOLE = 200_000
"""Characters kept of what one cell prints; a line says how many more there were."""
_SETUP = CellId_t(SETUP_CELL_NAME)
_STRIKE_AGAIN_S = 1.0

Progress = Callable[[int, int, str], None]
"""Called before each cell with its index, how many there are and its name."""


@dataclass(frozen=True)
class CellRecord:
    """One cell of a notebook that was run.

    Attributes:
        name: The cell's function name; `_` for one without a name.
        code: Its source.
        output: What its last expression gave, as it is in the process that ran it; None for nothing.
        error: What it raised; None where it ran.
        stdout: What it printed.
        stderr: What it printed to stderr.
        skipped: Why it did not run (a cell it needs failed, or the time was over); empty where it ran.
    """

    name: str
    code: str = ""
    output: Any = None
    error: BaseException | None = None
    stdout: str = ""
    stderr: str = ""
    skipped: str = ""


class CellDidNotEnd(Exception):  # noqa: N818 - what happened, as the log shows it
    """A cell was still running when the time was over."""


class CellEndedProcess(Exception):  # noqa: N818 - what happened, as the log shows it
    """The process died while a cell ran."""


class KeptText(io.StringIO):
    """A text stream that keeps the first characters written to it and counts the others."""

    lost = 0

    def write(self, text: str) -> int:
        """Take a text in."""
        kept = super().write(text[: MAX_CONSOLE - self.tell()])
        self.lost += len(text) - kept
        return len(text)

    def text(self) -> str:
        """Return what was kept, and how much was not."""
        return self.getvalue() + (f"\n[{self.lost:,} more characters]" if self.lost else "")


@dataclass
class NotebookRun:
    """What came of running a notebook.

    Attributes:
        cells: In the order of the file.
        values: What the cells defined, by name.
    """

    cells: list[CellRecord]
    values: Mapping[str, Any] = field(default_factory=dict)


def run_notebook(
    path: Path,
    *,
    deadline_s: float,
    failed: Mapping[int, BaseException] | None = None,
    progress: Progress = lambda _index, _of, _name: None,
) -> NotebookRun:
    """Run every cell of a notebook that can be run; call it on the main thread of a process of its own.

    Args:
        deadline_s: Seconds after which the running cell is interrupted and no other is started.
        failed: Cells not to run, by index, with what to show in their place: they ended an earlier try.
        progress: Told of each cell before it runs.

    Raises:
        NotebookError: The file is not a marimo notebook.
    """
    cells = load_cells(path)
    loaded = load_checked(path, cells)
    watch = _Watch(cells, loaded.ids, deadline_s, progress)
    watch.errors |= {**loaded.broken, **(failed or {})}
    values = watch.run(loaded.app, path)
    return NotebookRun([watch.record(index) for index in range(len(cells))], values)


class _TimeIsOver(BaseException):
    """Raised in the running cell by the alarm; not an `Exception`, so that few cells take it for one of theirs."""


class _Watch:
    """Runs the cells of one app and keeps what they did."""

    def __init__(self, cells: list[CellDef], ids: Mapping[str, int], deadline_s: float, progress: Progress) -> None:
        self.cells, self.ids, self.deadline_s, self.progress = cells, ids, deadline_s, progress
        self.outputs: dict[int, Any] = {}
        self.errors: dict[int, BaseException] = {}
        self.skipped: dict[int, str] = {}
        self.printed: dict[int, tuple[KeptText, KeptText]] = {}
        self.hung: int | None = None
        self.over = False
        self._running: int | None = None

    def run(self, app: App, path: Path) -> Mapping[str, Any]:
        """Run the app's cells and return what they defined."""
        values: dict[str, Any] = {"__file__": str(path), "__name__": "__main__"}
        with self._alarm():
            evaluator = _WatchedEvaluator(self)
            setup = InternalApp(app).graph.cells.get(_SETUP)
            if setup is not None:
                evaluator.run_setup(setup, values)
            runner = _WatchedRunner(app, path, values, evaluator)
            try:
                return runner.run()[1]
            except _TimeIsOver:
                # In a notebook with `await` the alarm may strike the event loop instead of the cell.
                self._note_hung()
                return values

    def record(self, index: int) -> CellRecord:
        """Return what is kept of a cell."""
        cell = self.cells[index]
        stdout, stderr = self.printed.get(index, (KeptText(), KeptText()))
        done = index in self.outputs or index in self.errors
        return CellRecord(
            name=cell.name,
            code=cell.code,
            output=self.outputs.get(index),
            error=self.errors.get(index),
            stdout=stdout.text(),
            stderr=stderr.text(),
            skipped="" if done else self.skipped.get(index, self._why_not(index)),
        )

    @contextlib.contextmanager
    def running(self, cell_id: str) -> Iterator[int]:
        """Tell the progress, keep what is printed, and let the alarm strike, during a block."""
        index = self.ids[cell_id]
        self.progress(index, len(self.cells), self.cells[index].name)
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.printed[index] = (KeptText(), KeptText())
        self._running = index
        try:
            yield index
        finally:
            self._running = None
            sys.stdout, sys.stderr = before

    def note_error(self, index: int, error: BaseException) -> None:
        """Keep what a cell raised; after the alarm struck it, whatever it made of that."""
        if index == self.hung:
            self._note_hung()
        else:
            self.errors[index] = error

    def note_skipped(self, cell_ids: Collection[str], words: str) -> None:
        """Keep why cells are not run."""
        for cell_id in cell_ids:
            self.skipped.setdefault(self.ids[cell_id], words)

    def _note_hung(self) -> None:
        if self.hung is not None:
            words = f"this cell was still running after {self.deadline_s:g} s, when the time was over"
            self.errors[self.hung] = CellDidNotEnd(words)

    def _why_not(self, index: int) -> str:
        if self.over:
            return "the time was over"
        return "it is disabled" if self.cells[index].options.get("disabled") else "a cell that it needs did not run"

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        def strike(_signal: int, _frame: FrameType | None) -> None:
            self.over = True
            if self._running is not None:
                self.hung = self._running
                raise _TimeIsOver

        before = signal.signal(signal.SIGALRM, strike)
        # Again and again: a cell may catch whatever is raised in it.
        timer = signal.setitimer(signal.ITIMER_REAL, max(0.001, self.deadline_s), _STRIKE_AGAIN_S)
        try:
            yield
        finally:
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, *timer)


class _WatchedEvaluator(Evaluator):
    """Evaluates cells under a watch; the time over, it evaluates none."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__(executor=resolve_executor(), lifecycles=[])
        self.watch = watch

    def evaluate_sync(self, cell: CellImpl, glbls: dict[str, Any]) -> RunResult:
        if (known := self._known(cell)) is not None:
            return known
        try:
            with self.watch.running(str(cell.cell_id)):
                return _with_appended(super().evaluate_sync(cell, glbls))
        except _TimeIsOver as error:
            return RunResult(output=None, exception=error)

    async def evaluate(self, cell: CellImpl, glbls: dict[str, Any]) -> RunResult:
        if (known := self._known(cell)) is not None:
            return known
        with self.watch.running(str(cell.cell_id)):
            return _with_appended(await super().evaluate(cell, glbls))

    def _known(self, cell: CellImpl) -> RunResult | None:
        """Return what came of a cell that is not to be run; None for one that is."""
        if self.watch.over:
            return _NOT_RUN
        error = self.watch.errors.get(self.watch.ids[str(cell.cell_id)])
        return RunResult(output=None, exception=error) if error is not None else None

    def run_setup(self, cell: CellImpl, values: dict[str, Any]) -> None:
        """Run the setup block, which marimo takes for done when it runs the cells."""
        index = self.watch.ids[str(cell.cell_id)]
        result = self._known(cell)
        try:
            with self.watch.running(str(cell.cell_id)):
                result = result or super().evaluate_sync(cell, values)
        except _TimeIsOver as error:
            result = RunResult(output=None, exception=error)
        if result.exception is not None:
            self.watch.note_error(index, _cause(result.exception))
        else:
            self.watch.outputs[index] = None


class _WatchedRunner(AppScriptRunner):
    """marimo's runner of scripts, but a cell that raises stops only those that need it."""

    def __init__(self, app: App, path: Path, values: dict[str, Any], evaluator: _WatchedEvaluator) -> None:
        self.watch = evaluator.watch
        self._graph = InternalApp(app).graph
        super().__init__(InternalApp(app), filename=str(path), glbls=values)
        self._evaluator = evaluator
        if self.watch.ids.get(str(_SETUP)) in self.watch.errors:
            self._stop(_SETUP, "the setup block failed")

    def _handle_run_result(self, cid: CellId_t, result: RunResult, outputs: dict[CellId_t, Any]) -> None:
        index = self.watch.ids[str(cid)]
        if result is _NOT_RUN:
            return
        if result.exception is None and index != self.watch.hung:
            outputs[cid] = self.watch.outputs[index] = result.output
            return
        error = _cause(result.exception) if isinstance(result.exception, BaseException) else RuntimeError("it failed")
        name = f"cell {self.watch.cells[index].name!r}" if self.watch.cells[index].name != "_" else "a cell"
        if isinstance(error, MarimoStopError):
            outputs[cid] = self.watch.outputs[index] = error.output
            self._stop(cid, f"{name}, which it needs, stopped here")
            return
        self.watch.note_error(index, error)
        self._stop(cid, f"{name}, which it needs, failed")

    def _stop(self, cid: CellId_t, words: str) -> None:
        self._scheduler.cancel(cid)
        self.watch.note_skipped([str(other) for other in self._graph.descendants(cid)], words)


_NOT_RUN = RunResult(output=None, exception=None)


def _with_appended(result: RunResult) -> RunResult:
    """Give a result without output what the cell showed through `mo.output`."""
    context = get_context().execution_context
    if result.output is None and result.exception is None and context is not None and context.output:
        return RunResult(output=context.output.stack(), exception=None)
    return result


def _cause(error: object) -> BaseException:
    """Return what the user's code raised."""
    found = unwrap_user_exception(error) if isinstance(error, MarimoRuntimeException) else error
    if isinstance(found, MarimoMissingRefError) and found.name_error is not None:
        return found.name_error
    return found if isinstance(found, BaseException) else RuntimeError(str(found))
