"""Merge a newly generated notebook into the file that is there, without losing what people changed in it.

The header of the file says how the generator wrote each cell, so three versions of a cell are known: as it was
generated, as it stands in the file, and as it would be generated now. From these follows what happens to it:

    in the file             generated now           then
    as generated            anything                replaced
    edited                  as before               kept
    edited                  otherwise               kept, and reported as a conflict with the difference
    deleted                 as before or otherwise  stays deleted
    as generated            no longer               removed
    edited                  no longer               kept; from now on it is the user's
    not in the header       -                       the user's: kept in place
    (nowhere)               for the first time      added behind the cell that it follows
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from experiments.errors import NotebookError
from experiments.notebooks.assembly import Generated
from experiments.notebooks.cells import Cell, find_problems
from experiments.notebooks.header import Header, hash_of, replace_header
from experiments.notebooks.imports import imports_of
from experiments.notebooks.jobs_cell import refs_in, with_refs
from experiments.notebooks.layout import Notebook, statements_of, with_imports

Outcome = Literal["same", "replaced", "kept", "conflict", "removed", "released"]


@dataclass(frozen=True)
class Conflict:
    """An edited cell whose template changed as well.

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
    """A merged notebook and what became of its generated cells, by name.

    Attributes:
        gone: Deleted in the file, and so left out.
        lost_edits: Edited cells that were replaced because the caller said so.
        only_ours: No cell is edited or the user's.
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


@dataclass
class _Draft:
    """A merge in the making."""

    cells: list[Cell] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    only_ours: bool = True

    def note(self, outcome: str, name: str) -> None:
        self.names.setdefault(outcome, []).append(name)

    def noted(self, outcome: str) -> tuple[str, ...]:
        return tuple(self.names.get(outcome, ()))


def merge(
    notebook: Notebook, header: Header, generated: Generated, *, theirs: Collection[str] = (), force: bool = False
) -> Merge:
    """Return `notebook` with its generated cells brought up to date.

    Args:
        header: What the notebook's own header says.
        theirs: Cells whose generated version is taken, edited or deleted as they may be.
        force: All generated versions are taken.

    Raises:
        NotebookError: A cell of `theirs` is not generated, or the merged cells do not fit together.
    """
    fresh = {cell.name: cell for cell in generated.cells}
    unknown = sorted(set(theirs) - fresh.keys() - {"setup"})
    if unknown:
        raise NotebookError(f"--theirs {unknown[0]!r}: no such generated cell. Cells: setup, {', '.join(fresh)}.")
    taken = {*fresh, "setup"} if force else frozenset(theirs)
    draft = _Draft()
    _merge_cells(notebook, header, generated, taken, draft)
    _add_missing(header, generated, taken, draft)
    setup = _merged_setup(notebook, header, generated, taken, draft)
    order = ["setup", *fresh]
    hashes = {name: draft.hashes[name] for name in order if name in draft.hashes}
    merged = dataclasses.replace(
        notebook,
        header=replace_header(notebook.header, dataclasses.replace(generated.header, cells=hashes)),
        setup=setup,
        cells=tuple(draft.cells),
        spans=(),
    )
    _check(notebook, merged, {name: fresh[name] for name in draft.noted("gone")})
    return Merge(
        merged,
        replaced=draft.noted("replaced"),
        kept=draft.noted("kept"),
        added=draft.noted("added"),
        removed=draft.noted("removed"),
        gone=draft.noted("gone"),
        conflicts=tuple(draft.conflicts),
        lost_edits=draft.noted("lost"),
        only_ours=draft.only_ours and generated.only_ours,
    )


def _merge_cells(
    notebook: Notebook, header: Header, generated: Generated, taken: Collection[str], draft: _Draft
) -> None:
    fresh = {cell.name: cell for cell in generated.cells}
    seen: set[str] = set()
    for cell in notebook.cells:
        name = cell.name
        if name in seen or (name not in fresh and name not in header.cells):
            draft.cells.append(cell)
            draft.only_ours = False
            continue
        seen.add(name)
        before = header.cells.get(name)
        if name == "jobs" and name in fresh:
            _merge_jobs(cell, fresh[name], generated, draft, taken="jobs" in taken)
            continue
        outcome = _outcome(hash_of(cell.body), before, generated.header.cells.get(name))
        if outcome in {"kept", "conflict"} and name in taken:
            draft.note("lost", name)
            outcome = "replaced"
        _settle(outcome, cell, fresh.get(name), before, generated, draft)


def _outcome(current: str, before: str | None, now: str | None) -> Outcome:
    """Return what happens to a cell from its hashes in the file, as it was generated, and as it is generated now."""
    if now is None:
        return "removed" if current == before else "released"
    if current == now:
        return "same"
    if current == before:
        return "replaced"
    return "kept" if before == now else "conflict"


def _settle(
    outcome: Outcome, cell: Cell, fresh: Cell | None, before: str | None, generated: Generated, draft: _Draft
) -> None:
    """Put the right version of a cell into the draft and note what happened."""
    if outcome == "removed":
        draft.note("removed", cell.name)
    elif outcome in {"same", "replaced"} and fresh is not None:
        # Whether a cell's code is hidden is the reader's choice, whatever the code is.
        draft.cells.append(dataclasses.replace(fresh, options=cell.options))
        draft.hashes[cell.name] = generated.header.cells[cell.name]
        if outcome == "replaced":
            draft.note("replaced", cell.name)
    else:
        draft.cells.append(cell)
        draft.only_ours = False
        if before is not None and fresh is not None:
            draft.hashes[cell.name] = before
        if outcome == "conflict" and fresh is not None:
            draft.conflicts.append(Conflict(cell.name, _diff(cell, fresh)))
        else:
            draft.note("kept", cell.name)


def _merge_jobs(cell: Cell, fresh: Cell, generated: Generated, draft: _Draft, *, taken: bool) -> None:
    """Keep the file's references and what was done to them; add those that it does not name."""
    draft.hashes["jobs"] = generated.header.cells["jobs"]
    refs = refs_in(fresh)
    try:
        merged = with_refs(cell, refs)
    except NotebookError:
        merged = cell
        draft.conflicts += [Conflict("jobs", _diff(cell, fresh))] if refs and not taken else []
    edited = hash_of(merged.body) != hash_of(fresh.body)
    if edited and taken:
        draft.note("lost", "jobs")
        draft.note("replaced", "jobs")
    draft.only_ours &= taken or not edited
    draft.cells.append(dataclasses.replace(fresh, options=cell.options) if taken else merged)


def _add_missing(header: Header, generated: Generated, taken: Collection[str], draft: _Draft) -> None:
    present = {cell.name for cell in draft.cells}
    for index, cell in enumerate(generated.cells):
        if cell.name in present:
            continue
        draft.hashes[cell.name] = generated.header.cells[cell.name]
        if cell.name in header.cells and cell.name not in taken:
            draft.note("gone", cell.name)
            continue
        draft.cells.insert(_place(draft.cells, [other.name for other in generated.cells[:index]]), cell)
        draft.note("added", cell.name)
        present.add(cell.name)


def _place(cells: Sequence[Cell], before: Sequence[str]) -> int:
    """Return the index behind the last of the cells called `before` that is there; 0 where none is."""
    names = [cell.name for cell in cells]
    return next((names.index(name) + 1 for name in reversed(before) if name in names), 0)


def _merged_setup(
    notebook: Notebook, header: Header, generated: Generated, taken: Collection[str], draft: _Draft
) -> str:
    """Return the lines of the setup block: what generated cells need, and what the others use of the old one."""
    before = header.cells.get("setup")
    edited = bool(notebook.setup.strip()) and hash_of(notebook.setup) != before
    if edited and "setup" not in taken:
        draft.only_ours = False
        draft.hashes["setup"] = before or generated.header.cells["setup"]
        return with_imports(notebook.setup, generated.imports)
    if edited:
        draft.note("lost", "setup")
    needed = frozenset().union(*(cell.names.reads for cell in draft.cells))
    given = {item.bound for item in generated.imports}
    old = [item for statement in statements_of(notebook.setup) for item in imports_of(statement)]
    kept = {item for item in old if item.bound in needed - given}
    setup = generated.setup_with(kept)
    draft.hashes["setup"] = hash_of(setup)
    return setup


def _check(before: Notebook, merged: Notebook, gone: Mapping[str, Cell]) -> None:
    """Refuse a merge that breaks what worked; what was broken in the file before stays the user's to mend."""
    known = {problem.key for problem in find_problems(before.cells, before.setup_names)}
    hints = {
        name: f"Cell {cell.name!r} defines it, and was deleted here: bring it back with --theirs {cell.name}"
        for cell in gone.values()
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
        f"{cell.name} (generated)",
        lineterm="",
    )
    return "\n".join(lines)
