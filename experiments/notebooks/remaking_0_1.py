"""Bring a notebook of version 0.1 into the new form, once.

It says in its header how each cell was written. Generated cells give way to those that show the same today, but for
those whose names the cells that stay read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from experiments.notebooks.cells import Cell
from experiments.notebooks.header import Header, without_header
from experiments.notebooks.imports import LOADER, Import
from experiments.notebooks.layout import Notebook
from experiments.notebooks.marks import hash_of
from experiments.notebooks.remaking import Conflict, Fate, Remaking, diff
from experiments.notebooks.template import DATA, NotebookSpec, cells_of

SHOWN_BY = {
    "study": ("opened", "heading", "tracked", "code"),
    "verdict": ("hypothesis", "log_data", "verdict", "log_note", "log_lines_shown"),
    "curves": ("analysis_inputs", "learning_curves", "clicked_run"),
    "scores": ("scores", "comparison"),
    "monitor": ("monitor_heading", "monitor_table"),
    "job_log": ("log_inputs", "job_log", "triage"),
    "replay": ("replay_other", "replay_runs", "replay_step", "replay"),
    "runs": ("run_summary", "run_files"),
    "details": ("more_inputs", "more_charts", "grouped_runs", "diff_choice", "run_differences", "for_a_paper"),
    "launch": ("plan_form", "planned", "launch_controls", "launched", "outcome"),
    "export": ("export_command", "export_controls", "exported"),
    "scratch": ("scratch",),
}
"""By today's cell: it comes in where one of these is there."""

_SHOWS = {old: new for new, olds in SHOWN_BY.items() for old in olds}


class Remaking01(Remaking):
    """One notebook of version 0.1 on its way; the arguments are those of `Remaking`, and the header of the file."""

    def __init__(
        self, header: Header, notebook: Notebook, spec: NotebookSpec, theirs: Collection[str] = (), *, force: bool
    ) -> None:
        super().__init__(notebook, spec, theirs, force=force)
        self.header = header

    def _is_outdated(self, name: str) -> bool:  # noqa: ARG002 - whatever it is called
        return True

    def _is_generated(self, name: str) -> bool:
        return super()._is_generated(name) or name in self.header.cells

    def _is_as_written(self, cell: Cell) -> bool:
        return self.header.cells.get(cell.name) == hash_of(cell.body)

    def _has_changed(self, name: str) -> bool:  # noqa: ARG002 - whatever it is called
        return True

    def _added(self, cells: Sequence[Cell | None], fates: Sequence[Fate]) -> dict[str, Cell]:
        """Return the cells that were asked for, and those that show what outdated ones did."""
        there = {cell.name for cell in cells if cell is not None}
        fated = list(zip(self.old.cells, fates, strict=True))
        wanted = {*cells_of(self.spec.asked), *self.theirs, "study"}
        wanted |= {name for name in DATA if name not in self.header.cells}
        wanted |= {_SHOWS[cell.name] for cell, fate in fated if fate == "outdated" and cell.name in _SHOWS}
        defined = {name for cell, fate in fated if fate == "kept" for name in cell.names.defines}
        added = {}
        for piece in self.pieces.cells:
            if piece.name not in wanted or piece.name in there:
                continue
            taken = piece.names.defines & defined
            if taken and piece.name != "study":
                other = next(cell for cell in self.old.cells if cell.names.defines & taken)
                self.conflicts.append(Conflict(piece.name, diff(other, piece)))
                continue
            added[piece.name] = piece
            if self._is_asked(piece.name):
                self._tell("added", piece.name)
        return added

    def _ordered(self, cells: list[Cell | None], added: Mapping[str, Cell]) -> list[Cell]:
        """Return the cells in today's order; those that stay follow what shows today what they followed."""
        pieces = {**added}
        followers: dict[str, list[Cell]] = {"": []}
        anchor = ""
        for old, cell in zip(self.old.cells, cells, strict=True):
            if cell is not None and cell.name in self.pieces.by_name and cell.name not in pieces:
                pieces[cell.name], anchor = cell, cell.name
            elif cell is not None:
                followers.setdefault(anchor, []).append(cell)
            elif (shown := _SHOWS.get(old.name, old.name)) in added:
                anchor = shown
        ordered = list(followers[""])
        for piece in self.pieces.cells:
            if piece.name in pieces:
                ordered += [pieces[piece.name], *followers.get(piece.name, ())]
        return ordered

    def _gone(self, there: Collection[str]) -> list[str]:  # noqa: ARG002 - what is there has other names
        in_file = {cell.name for cell in self.old.cells}
        return [name for name in self.header.cells if name != "setup" and name not in in_file]

    def _unused(self, imports: Iterable[Import], read: Collection[str]) -> set[str]:
        ours = [item for item in imports if item.is_file or f"{item.module}.".startswith(("experiments.", "marimo."))]
        return {item.bound for item in ours if item.bound not in read and item != LOADER}

    def _header(self) -> str:
        return without_header(self.old.header)

    def _told_of(self, removed: Sequence[str], added: Mapping[str, Cell]) -> tuple[str, ...]:
        notes = [f"made by version 0.1: {len(added)} cells of this version stand for {len(removed)} of that"]
        if self.header.experiment != self.spec.name:
            was, name = self.header.experiment, self.spec.name
            notes.append(f"it was of experiment {was!r}; now it is of {name!r}, as its file is called")
        return tuple(notes)
