"""Read a notebook for running it: without importing the file, and with its broken cells set apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from marimo._ast.app import App, InternalApp
from marimo._ast.compiler import compile_cell
from marimo._ast.load import get_notebook_status
from marimo._schemas.serialization import CellDef
from marimo._types.ids import CellId_t

from experiments.project.errors import NotebookError


class BrokenCell(Exception):  # noqa: N818 - what is wrong, as the log shows it
    """A cell cannot be run: its code is not Python, or defines what another cell defines too."""


@dataclass(frozen=True)
class Loaded:
    """A notebook as an app that can be run.

    Attributes:
        app: With the cells that can be run.
        ids: Index in the file of each of these cells, by marimo's id.
        broken: The cells that cannot be run, by index, with the reason.
    """

    app: App
    ids: Mapping[str, int]
    broken: Mapping[int, BaseException]


def load_cells(path: Path) -> list[CellDef]:
    """Return the cells of a notebook file in their order.

    Raises:
        NotebookError: It is not a marimo notebook.
    """
    try:
        status = get_notebook_status(str(path))
    except (SyntaxError, UnicodeDecodeError, OSError, ValueError) as error:
        raise NotebookError(f"notebook {path.name!r} cannot be read: {error}.") from None
    if status.notebook is None or status.status in {"empty", "invalid"}:
        raise NotebookError(f"{path.name!r} is not a marimo notebook, so there is nothing to run in it.")
    return list(status.notebook.cells)


def load_checked(path: Path, cells: list[CellDef]) -> Loaded:
    """Return the app of some cells, without those that marimo would refuse to run."""
    app, ids, broken = _app(path, cells)
    graph = InternalApp(app)._app._graph  # noqa: SLF001 - cells are checked before marimo raises for the whole app
    for cell_id, cell in app._cell_manager.valid_cells():  # noqa: SLF001 - as above
        graph.register_cell(cell_id, cell._cell)  # noqa: SLF001 - as above
    conflicts: dict[int, BaseException] = {}
    for name, owners in graph.get_multiply_defined_conflicts():
        conflicts |= {ids[str(owner)]: BrokenCell(f"{name!r} is defined in several cells") for owner in owners}
    for cycle in graph.cycles:
        conflicts |= {ids[str(one)]: BrokenCell("this cell waits for itself") for edge in cycle for one in edge}
    app, ids, _ = _app(path, cells, {*broken, *conflicts})
    return Loaded(app, ids, {**broken, **conflicts})


def _app(
    path: Path, cells: list[CellDef], leave_out: Collection[int] = ()
) -> tuple[App, dict[str, int], dict[int, BaseException]]:
    app = App(_filename=str(path))
    manager = app._cell_manager  # noqa: SLF001 - marimo has no public way to make an app of cells
    ids: dict[str, int] = {}
    broken: dict[int, BaseException] = {}
    for index, cell in enumerate(cells):
        if index in leave_out:
            continue
        known = set(manager.cell_ids())
        manager.register_ir_cell(cell, InternalApp(app))
        [new] = [cell_id for cell_id in manager.cell_ids() if cell_id not in known]
        if manager.cell_data_at(new).cell is None:
            broken[index] = _syntax_error(cell.code)
        ids[str(new)] = index
    return app, ids, broken


def _syntax_error(code: str) -> BaseException:
    try:
        compile_cell(code, cell_id=CellId_t("0"))
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        return BrokenCell(f"this cell is not Python: {error.msg}{where}")
    return BrokenCell("marimo cannot read this cell")
