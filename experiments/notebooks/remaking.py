"""Bring a notebook up to date. It is its reader's from the first byte: only what the package wrote is changed.

    in the file                                 then
    as the package published it                 the template's text of today
    edited                                      kept, and told; with the difference where the template changed, too
    deleted                                     stays deleted
    config, journal, jobs                       kept: flags given now, new references and `--theirs` alone change them
    anything else                               the user's: kept in place
    (nowhere)                                   added where its section is asked for by name

Notebooks of version 0.1 differ in how it is known what was edited, and in what takes the place of what: `remaking_0_1`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.notebooks.cells import Cell, find_problems
from experiments.notebooks.data_cells import all_refs, class_of, config_of, data_cell, with_refs
from experiments.notebooks.imports import Import, imports_of, setup_body, statements_of, with_imports
from experiments.notebooks.layout import Notebook
from experiments.notebooks.marks import hash_of, is_published, published
from experiments.notebooks.template import DATA, SECTIONS, NotebookSpec, Pieces, cells_of, pieces_of
from experiments.project.errors import NotebookError, UsageError

Fate = Literal["data", "generated", "outdated", "kept"]


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


def check_theirs(theirs: Collection[str], generated: Collection[str]) -> None:
    """Refuse a cell that is asked for and is none of a notebook's generated cells.

    Raises:
        UsageError: There is one; lists those that there are.
    """
    if unknown := sorted(set(theirs) - {*generated, "setup"}):
        raise UsageError(f"--theirs {unknown[0]!r}: no such generated cell. Cells: setup, {', '.join(generated)}.")


class Remaking:
    """One notebook on its way into today's form.

    Args:
        theirs: Cells whose generated version is taken, edited or deleted as they may be.
        force: The generated version is taken of all cells that the file has, but for its data.

    Raises:
        UsageError: A cell of `theirs` is not generated.
    """

    def __init__(
        self, notebook: Notebook, spec: NotebookSpec, theirs: Collection[str] = (), *, force: bool = False
    ) -> None:
        self.old, self.spec, self.theirs, self.force = notebook, spec, set(theirs), force
        self.pieces = pieces_of(dataclasses.replace(spec, jobs=all_refs(notebook.cells, spec.jobs)))
        check_theirs(theirs, self.pieces.by_name)
        self.told: dict[str, list[str]] = {}
        self.conflicts: list[Conflict] = []

    def merge(self) -> Merge:
        """Return the merged notebook.

        Raises:
            NotebookError: The cells would not fit together, or the config of the file cannot take the flags given.
        """
        fates = self._fates()
        cells = [self._settled(cell, fate) for cell, fate in zip(self.old.cells, fates, strict=True)]
        added = self._added(cells, fates)
        self._keep_what_is_read(cells, fates, added)
        ordered = self._ordered(cells, added)
        stay = {cell.name for cell in ordered}
        outdated = [cell.name for cell, fate in zip(self.old.cells, fates, strict=True) if fate == "outdated"]
        notes = self._told_of([name for name in outdated if name not in stay], added)
        self._tell("gone", *self._gone(stay))
        merged = dataclasses.replace(
            self.old,
            header=self._header(),
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

    def _fates(self) -> list[Fate]:
        """Return what each cell of the file is; the first of a name is the generated one, if any is."""
        fates: list[Fate] = []
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
            else:
                fates.append("outdated" if self._is_outdated(cell.name) else "generated")
        return fates

    def _is_outdated(self, name: str) -> bool:
        return name not in self.pieces.by_name

    def _is_generated(self, name: str) -> bool:
        """Tell whether a cell of the name is, or was, generated."""
        return name in self.pieces.by_name

    def _is_as_written(self, cell: Cell) -> bool:
        piece = self.pieces.by_name.get(cell.name)
        return is_published(cell) or (piece is not None and hash_of(piece.body) == hash_of(cell.body))

    def _is_taken(self, name: str) -> bool:
        return self._is_generated(name) and (name in self.theirs or self.force)

    def _has_changed(self, name: str) -> bool:
        """Tell whether the template says something else than when an edited cell of this name was written."""
        return len(published().get(name, ())) > 1 or self._is_asked(name)

    def _settled(self, cell: Cell, fate: Fate) -> Cell | None:
        """Return what stands in the place of a cell of the file; None where nothing does, or not there."""
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
        if piece is not None and self._has_changed(cell.name):
            self.conflicts.append(Conflict(cell.name, diff(cell, piece)))
        elif self._is_generated(cell.name) and cell.kind == "cell":
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
                    self.conflicts.append(Conflict("jobs", diff(cell, piece)))
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

    def _added(self, cells: Sequence[Cell | None], fates: Sequence[Fate]) -> dict[str, Cell]:  # noqa: ARG002 - see 0.1
        """Return the cells that come in."""
        there = {cell.name for cell in cells if cell is not None}
        wanted = {*cells_of(self.spec.asked), *self.theirs} - there
        added = {piece.name: piece for piece in self.pieces.cells if piece.name in wanted}
        self._tell("added", *added)
        return added

    def _keep_what_is_read(self, cells: list[Cell | None], fates: list[Fate], added: Mapping[str, Cell]) -> None:
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

    def _ordered(self, cells: list[Cell | None], added: Mapping[str, Cell]) -> list[Cell]:
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

    def _gone(self, there: Collection[str]) -> list[str]:
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
        return with_imports(self.old.setup, needed, self.spec.root, without=self._unused(old, read))

    def _unused(self, imports: Iterable[Import], read: Collection[str]) -> set[str]:  # noqa: ARG002 - see 0.1
        """Return the names of imports that go: none, for a person may want them."""
        return set()

    def _header(self) -> str:
        return self.old.header

    def _told_of(self, removed: Sequence[str], added: Mapping[str, Cell]) -> tuple[str, ...]:  # noqa: ARG002 - see 0.1
        """Tell what is no longer generated, and return what else is to be said."""
        self._tell("removed", *removed)
        return ()

    def _tell(self, outcome: str, *names: str) -> None:
        self.told.setdefault(outcome, []).extend(names)


def check_same(notebook: Notebook, spec: NotebookSpec, path: Path) -> None:
    """Refuse the notebook of another recipe, whose config this one cannot take.

    Raises:
        NotebookError: Names both configs.
    """
    config = notebook.cell("config")
    found, wanted = class_of(config) if config else "", type(spec.config).__name__
    if found not in {"", wanted}:
        raise NotebookError(
            f"notebook {str(path)!r} is of another experiment: its config is a {found!r}, and this recipe's a "
            f"{wanted!r}. Choose another name, or replace it with --force (it is kept as .bak)."
        )


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


def diff(cell: Cell, fresh: Cell) -> str:
    """Return what a generated cell says otherwise than the one in the file, as a unified diff."""
    lines = difflib.unified_diff(
        cell.body.split("\n"),
        fresh.body.split("\n"),
        f"{cell.name} (in the file)",
        f"{fresh.name} (generated)",
        lineterm="",
    )
    return "\n".join(lines)
