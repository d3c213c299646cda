"""Bring a notebook up to date. It is its reader's from the first byte: only what the package wrote is changed.

    in the file                                 then
    as the package published it                 the template's text of today
    edited                                      kept, and told; with the difference where the template changed, too
    deleted                                     stays deleted
    config, journal, jobs                       kept: flags given now, new references and `--theirs` alone change them
    anything else                               the user's: kept in place
    (nowhere)                                   added where its section is asked for by name

A notebook of version 0.1 says in its header how each cell was written. It is brought into the new form once: generated
cells give way to those that show the same today, but for those whose names the cells that stay read.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.notebooks.cells import Cell, find_problems
from experiments.notebooks.data_cells import all_refs, class_of, config_of, data_cell, refs_in, with_refs
from experiments.notebooks.header import read_header, without_header
from experiments.notebooks.imports import LOADER, imports_of
from experiments.notebooks.layout import Notebook, setup_body, statements_of, with_imports
from experiments.notebooks.marks import hash_of, is_published, published
from experiments.notebooks.spec import NotebookSpec, Pieces, cells_of, pieces_of
from experiments.notebooks.template import DATA, SECTIONS
from experiments.project.errors import NotebookError, UsageError

_Fate = Literal["data", "generated", "outdated", "kept"]
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


@dataclass(frozen=True)
class Conflict:
    """An edited cell whose template says something else.

    Attributes:
        cell: Name of the cell.
        diff: Unified diff from the file's version to the generated one.
    """

    cell: str
    diff: str

    @property
    def text(self) -> str:
        """Lines for a terminal: what happened, the difference, and the way out."""
        what = f"cell {self.cell!r} was edited in the notebook and changed in its template; the edited one stays:"
        return f"{what}\n{self.diff}\nTake the template's with --theirs {self.cell}, or rename yours to keep it."


@dataclass(frozen=True)
class Merge:
    """A notebook brought up to date and what became of its cells, by name.

    Attributes:
        gone: Deleted in the file, and so left out.
        lost_edits: Edited cells that were replaced because the caller said so.
        only_ours: No cell is edited or the user's.
        notes: What else is to be said, in sentences.
    """

    notebook: Notebook
    replaced: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    lost_edits: tuple[str, ...] = ()
    only_ours: bool = True
    notes: tuple[str, ...] = ()


def merge(notebook: Notebook, spec: NotebookSpec, *, theirs: Collection[str] = (), force: bool = False) -> Merge:
    """Return `notebook` with what the package wrote of it brought up to date.

    Args:
        theirs: Cells whose generated version is taken, edited or deleted as they may be.
        force: The generated version is taken of all cells that the file has, but for its data.

    Raises:
        NotebookError: The cells would not fit together, or the config of the file cannot take the flags given.
        UsageError: A cell of `theirs` is not generated.
    """
    return _Remaking(notebook, spec, theirs, force=force).merge()


def check_theirs(theirs: Collection[str], generated: Collection[str]) -> None:
    """Refuse a cell that is asked for and is none of a notebook's generated cells.

    Raises:
        UsageError: There is one; lists those that there are.
    """
    if unknown := sorted(set(theirs) - {*generated, "setup"}):
        raise UsageError(f"--theirs {unknown[0]!r}: no such generated cell. Cells: setup, {', '.join(generated)}.")


class _Remaking:
    """One notebook on its way into today's form."""

    def __init__(self, notebook: Notebook, spec: NotebookSpec, theirs: Collection[str], *, force: bool) -> None:
        self.old, self.spec, self.theirs, self.force = notebook, spec, set(theirs), force
        self.header = read_header(notebook.header)
        self.pieces = pieces_of(dataclasses.replace(spec, jobs=all_refs(notebook.cells, spec.jobs)))
        check_theirs(theirs, self.pieces.by_name)
        self.told: dict[str, list[str]] = {}
        self.conflicts: list[Conflict] = []

    def merge(self) -> Merge:
        """Return the merged notebook."""
        fates = self._fates()
        cells = self._present(fates)
        added = self._added(cells, fates)
        self._keep_what_is_read(cells, fates, added)
        ordered = self._as_of_0_1(cells, added) if self.header else self._in_place(cells, added)
        stay = {cell.name for cell in ordered}
        outdated = [cell.name for cell, fate in zip(self.old.cells, fates, strict=True) if fate == "outdated"]
        removed = [name for name in outdated if name not in stay]
        notes = self._notes(len(removed), len(added))
        if self.header is None:
            self._tell("removed", *removed)
        self._tell("gone", *self._gone({cell.name for cell in ordered}))
        merged = dataclasses.replace(
            self.old,
            header=without_header(self.old.header) if self.header else self.old.header,
            setup=self._setup(ordered),
            cells=tuple(ordered),
            spans=(),
        )
        _check(self.old, merged, self.pieces)
        told = {name: tuple(dict.fromkeys(names)) for name, names in self.told.items()}
        return Merge(
            merged,
            **{name: told.get(name, ()) for name in ("replaced", "kept", "added", "removed", "gone")},
            conflicts=tuple(self.conflicts),
            lost_edits=told.get("lost", ()),
            only_ours="kept" not in fates and not self.conflicts,
            notes=notes,
        )

    def _fates(self) -> list[_Fate]:
        """Return what each cell of the file is; the first of a name is the generated one, if any is."""
        fates: list[_Fate] = []
        seen: set[str] = set()
        for cell in self.old.cells:
            first = cell.name not in seen and cell.kind == "cell"
            seen.add(cell.name)
            if not first:
                fates.append("kept")
            elif cell.name in DATA:
                fates.append("data")
            elif not self._is_as_written(cell) and not self._is_taken(cell.name):
                fates.append("kept")
            elif self.header or cell.name not in self.pieces.by_name:
                fates.append("outdated")
            else:
                fates.append("generated")
        return fates

    def _is_as_written(self, cell: Cell) -> bool:
        piece = self.pieces.by_name.get(cell.name)
        if self.header is not None:
            return self.header.cells.get(cell.name) == hash_of(cell.body)
        return is_published(cell) or (piece is not None and hash_of(piece.body) == hash_of(cell.body))

    def _is_taken(self, name: str) -> bool:
        known = name in self.pieces.by_name or (self.header is not None and name in self.header.cells)
        return known and (name in self.theirs or self.force)

    def _present(self, fates: list[_Fate]) -> list[Cell | None]:
        """Return what stands in the place of each cell of the file; None where nothing does, or not there."""
        return [self._settled(cell, fate) for cell, fate in zip(self.old.cells, fates, strict=True)]

    def _settled(self, cell: Cell, fate: _Fate) -> Cell | None:
        if fate == "outdated":
            if not self._is_as_written(cell):
                self._tell("lost", cell.name)
            return None
        if fate == "data":
            return self._data(cell)
        piece = self.pieces.by_name.get(cell.name)
        if fate == "generated" and piece is not None:
            if not self._is_as_written(cell):
                self._tell("lost", cell.name)
            if hash_of(piece.body) != hash_of(cell.body):
                self._tell("replaced", cell.name)
            # Whether a cell's code is hidden is the reader's choice, whatever the code is.
            return dataclasses.replace(piece, options=cell.options)
        generated = piece is not None or (self.header is not None and cell.name in self.header.cells)
        if piece is not None and (self.header or len(published().get(cell.name, ())) > 1 or self._is_asked(cell.name)):
            self.conflicts.append(Conflict(cell.name, _diff(cell, piece)))
        elif generated and cell.kind == "cell":
            self._tell("kept", cell.name)
        return cell

    def _data(self, cell: Cell) -> Cell:
        """Keep the data of a file, with what was given anew."""
        piece = self.pieces.by_name[cell.name]
        if cell.name in self.theirs:
            if hash_of(cell.body) != hash_of(piece.body):
                self._tell("replaced", cell.name)
                self._tell("lost", cell.name)
            return dataclasses.replace(piece, options=cell.options)
        if cell.name == "config" and self.spec.given:
            return self._config(cell)
        if cell.name == "jobs":
            try:
                return with_refs(cell, self.spec.jobs)
            except NotebookError:
                if self.spec.jobs:
                    self.conflicts.append(Conflict("jobs", _diff(cell, piece)))
        return cell

    def _config(self, cell: Cell) -> Cell:
        value = config_of(cell, self.spec.config, self.spec.given)
        new, imports = data_cell("config", value, self.spec.root)
        if hash_of(new.body) == hash_of(cell.body):
            return cell
        written, _ = data_cell("config", config_of(cell, self.spec.config, ()), self.spec.root)
        if hash_of(written.body) != hash_of(cell.body):
            self._tell("lost", "config")  # a remark in it, say
        self._tell("replaced", "config")
        self.pieces = self.pieces.exchanged(new, imports)
        return dataclasses.replace(new, options=cell.options)

    def _is_asked(self, name: str) -> bool:
        return name in cells_of(self.spec.asked)

    def _added(self, cells: list[Cell | None], fates: list[_Fate]) -> dict[str, Cell]:
        """Return the cells that come in: asked for, or instead of those of version 0.1."""
        there = {cell.name for cell in cells if cell is not None}
        wanted = {*cells_of(self.spec.asked), *self.theirs}
        if self.header is not None:
            wanted |= {"study", *(name for name in DATA if name not in self.header.cells)}
            wanted |= {
                _SHOWS[cell.name]
                for cell, fate in zip(self.old.cells, fates, strict=True)
                if fate == "outdated" and cell.name in _SHOWS
            }
        defined = {
            name
            for cell, fate in zip(self.old.cells, fates, strict=True)
            if fate == "kept"
            for name in cell.names.defines
        }
        added = {}
        for piece in self.pieces.cells:
            if piece.name not in wanted or piece.name in there:
                continue
            taken = piece.names.defines & defined
            if taken and self.header is not None and piece.name != "study":
                other = next(cell for cell in self.old.cells if cell.names.defines & taken)
                self.conflicts.append(Conflict(piece.name, _diff(other, piece)))
                continue
            added[piece.name] = piece
            if self.header is None or self._is_asked(piece.name):
                self._tell("added", piece.name)
        return added

    def _keep_what_is_read(self, cells: list[Cell | None], fates: list[_Fate], added: Mapping[str, Cell]) -> None:
        """Keep outdated cells whose names are read by cells that stay."""
        while True:
            final = [*(cell for cell in cells if cell is not None), *added.values()]
            read = frozenset().union(*(cell.names.reads for cell in final))
            missing = read - {name for cell in final for name in cell.names.defines} - {*self.old.setup_names}
            found = next(
                (
                    index
                    for index, cell in enumerate(self.old.cells)
                    if fates[index] == "outdated" and cells[index] is None and cell.names.defines & missing
                ),
                None,
            )
            if found is None:
                return
            cell = self.old.cells[found]
            name = cell.name if cell.name not in self.pieces.by_name else f"{cell.name}_before"
            cells[found] = dataclasses.replace(cell, name=name)
            self._tell("kept", name)

    def _in_place(self, cells: list[Cell | None], added: Mapping[str, Cell]) -> list[Cell]:
        """Return the cells where they were, and those that come in behind the ones that they follow in the template."""
        ordered = [cell for cell in cells if cell is not None]
        before: list[str] = []
        for piece in self.pieces.cells:
            if piece.name in added:
                names = [cell.name for cell in ordered]
                place = next((names.index(name) + 1 for name in reversed(before) if name in names), 0)
                ordered.insert(place, piece)
            before.append(piece.name)
        return ordered

    def _as_of_0_1(self, cells: list[Cell | None], added: Mapping[str, Cell]) -> list[Cell]:
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

    def _gone(self, there: Collection[str]) -> list[str]:
        if self.header is not None:
            in_file = {cell.name for cell in self.old.cells}
            return [name for name in self.header.cells if name != "setup" and name not in in_file]
        of_sections = [names for names in SECTIONS.values() if set(names) & set(there)]
        wanted = ["study", *DATA, *(name for names in of_sections for name in names)]
        return [name for name in wanted if name not in there]

    def _setup(self, cells: Iterable[Cell]) -> str:
        """Return the lines of the setup block: what is there, and what generated cells need."""
        cells = list(cells)
        needed, read = self.pieces.imports_for(cells), frozenset().union(*(cell.names.reads for cell in cells))
        old = [item for node in statements_of(self.old.setup) for item in imports_of(node)]
        if "setup" in self.theirs:
            bound = {item.bound for item in needed}
            setup = setup_body({*needed, *(item for item in old if item.bound in read - bound)}, self.spec.root)
            if hash_of(setup) != hash_of(self.old.setup):
                self._tell("lost", "setup")
            return setup
        without: set[str] = set()
        if self.header is not None:
            ours = [item for item in old if item.is_file or f"{item.module}.".startswith(("experiments.", "marimo."))]
            without = {item.bound for item in ours if item.bound not in read and item != LOADER}
        return with_imports(self.old.setup, needed, self.spec.root, without=without)

    def _notes(self, removed: int, added: int) -> tuple[str, ...]:
        notes = []
        if self.header is not None:
            notes.append(f"made by version 0.1: {added} cells of this version stand for {removed} of that")
            if self.header.experiment != self.spec.name:
                was, name = self.header.experiment, self.spec.name
                notes.append(f"it was of experiment {was!r}; now it is of {name!r}, as its file is called")
        return tuple(notes)

    def _tell(self, outcome: str, *names: str) -> None:
        self.told.setdefault(outcome, []).extend(names)


def check_same(notebook: Notebook, spec: NotebookSpec, path: Path) -> None:
    """Refuse the notebook of another recipe, whose config this one cannot take.

    Raises:
        NotebookError: Names both configs.
    """
    config = next((cell for cell in notebook.cells if cell.name == "config" and cell.kind == "cell"), None)
    found, wanted = class_of(config) if config else "", type(spec.config).__name__
    if found not in {"", wanted}:
        raise NotebookError(
            f"notebook {str(path)!r} is of another experiment: its config is a {found!r}, and this recipe's a "
            f"{wanted!r}. Choose another name, or replace it with --force (it is kept as .bak)."
        )


def check_refs(notebook: Notebook, path: Path) -> None:
    """Refuse a notebook to which the references of a launch could not be added.

    Raises:
        NotebookError: It has no `jobs` cell, or that is no list of literals.
    """
    cell = next((cell for cell in notebook.cells if cell.name == "jobs" and cell.kind == "cell"), None)
    if cell is None:
        raise NotebookError(f"notebook {str(path)!r} has no cell 'jobs'. Bring it back with --theirs jobs")
    refs_in(cell)


def _check(before: Notebook, merged: Notebook, pieces: Pieces) -> None:
    """Refuse a merge that breaks what worked; what was broken in the file before stays the user's to mend."""
    known = {problem.key for problem in find_problems(before.cells, before.setup_names)}
    there = {cell.name for cell in merged.cells}
    hints = {
        name: f"Cell {cell.name!r} defines it, and was deleted here: bring it back with --theirs {cell.name}"
        for cell in pieces.cells
        if cell.name not in there
        for name in cell.names.defines
    }
    problems = find_problems(merged.cells, merged.setup_names, hints)
    messages = [problem.message for problem in problems if problem.key not in known]
    if messages:
        raise NotebookError("\n".join([*messages, "Nothing was written."]))


def _diff(cell: Cell, fresh: Cell) -> str:
    lines = difflib.unified_diff(
        cell.body.split("\n"),
        fresh.body.split("\n"),
        f"{cell.name} (in the file)",
        f"{fresh.name} (generated)",
        lineterm="",
    )
    return "\n".join(lines)
