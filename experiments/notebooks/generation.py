"""Write notebooks from one real notebook, the template, and bring them up to date without losing what people wrote.

What a page may rely on: `config`, `journal` and `jobs` are literals, one value a line, never text pasted as code; the
file is what marimo's editor would save, so saving one changed cell changes no other line; the same spec gives the same
bytes.

All that can be refused is refused by `prepare`, before anything is launched; what it built is what `write` writes.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.notebooks.data_cells import (
    add_jobs,
    all_refs,
    cell_called,
    imports_of,
    open_file,
    refs_in,
    with_refs,
)
from experiments.notebooks.header import read_header
from experiments.notebooks.imports import with_imports
from experiments.notebooks.layout import Notebook, canonical, parse, read_text, render
from experiments.notebooks.marks import hash_of, is_published
from experiments.notebooks.remaking import Conflict, Merge, Remaking, check_same, check_theirs
from experiments.notebooks.remaking_0_1 import Remaking01
from experiments.notebooks.template import DATA, NotebookSpec, fresh, pieces_of
from experiments.notebooks.writing import back_up, check_writable, one_writer, write_whole
from experiments.project.errors import NotebookError
from experiments.types import JobRef


@dataclass(frozen=True)
class Prepared:
    """A notebook that nothing but a full disk keeps from being written.

    Attributes:
        path: The file.
        spec: What it was made from.
        old: Text of the file that is there; None where there is none.
        new: Its parts as they will be; None where only references are added to the file.
        merged: How they came about, where the file that is there was brought up to date.
        theirs: As given.
        force: As given.
    """

    path: Path
    spec: NotebookSpec
    old: str | None
    new: Notebook | None
    merged: Merge | None
    theirs: tuple[str, ...] = ()
    force: bool = False

    @property
    def keeps_data(self) -> bool:
        """Whether there is a file whose config, journal and jobs stay."""
        return self.new is None or self.merged is not None


@dataclass(frozen=True)
class WriteResult:
    """What became of a notebook file; the names are of generated cells.

    Attributes:
        changed: The file was written; False where it was up to date.
        created: There was no file before.
        replaced: Brought up to date.
        kept: Edited in the file and left alone.
        added: New, or brought back.
        removed: No longer generated.
        gone: Deleted in the file and left out.
        conflicts: Edited in the file and changed in the template: left alone, and to be looked at.
        backup: Copy of the file as it was, where edits were overwritten.
        notes: What else is to be said, in sentences.
    """

    path: Path
    changed: bool
    created: bool = False
    replaced: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    backup: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a conflict waits for a decision, else 0."""
        return 1 if self.conflicts else 0

    def report(self) -> str:
        """Return lines for a terminal: what was done, and each conflict with its difference and the way out."""
        groups = ("replaced", "added", "removed", "kept", "gone")
        words = {"kept": "kept as edited", "gone": "left deleted"}
        lines = [f"note: {note}" for note in self.notes]
        lines += [
            f"{words.get(group, group)}: {', '.join(names)}" for group in groups if (names := getattr(self, group))
        ]
        lines += [conflict.text for conflict in self.conflicts]
        return "\n".join(lines + ([f"as it was: {self.backup.name}"] if self.backup else []))

    @classmethod
    def of(cls, path: Path, merged: Merge, *, changed: bool, backup: Path | None) -> WriteResult:
        """Return the result of writing a merge."""
        return cls(
            path,
            changed=changed,
            replaced=merged.replaced,
            kept=merged.kept,
            added=merged.added,
            removed=merged.removed,
            gone=merged.gone,
            conflicts=merged.conflicts,
            backup=backup,
            notes=merged.notes,
        )


def generate(spec: NotebookSpec) -> str:
    """Return the file of a new notebook, in the form that marimo's editor saves.

    Raises:
        NotebookError: A value has no literal, or a section of the recipe cannot be imported.
    """
    return _finished(fresh(spec), only_ours=True)


def prepare(
    path: Path, spec: NotebookSpec, *, launching: bool = False, force: bool = False, theirs: Collection[str] = ()
) -> Prepared:
    """Return what `write` will write, and refuse all that can be refused; writes nothing.

    Args:
        launching: The jobs of a launch are to be added; a file that is there then gets their references alone, as long
            as nothing else is asked for.
        theirs: Generated cells whose template's version is taken over an edit or a deletion.
        force: Take the template's version of every generated cell that the file has; config, journal, jobs and the
            user's own cells are kept. A file that is no notebook of this recipe is replaced, but for the references of
            its jobs. Whatever is overwritten stays beside the file as `.bak`.

    Raises:
        NotebookError: The notebook cannot be generated, merged or written, or the file that is there is damaged or not
            of this recipe.
        UsageError: A cell of `theirs` is not generated.
    """
    path, chosen = path.resolve(), tuple(theirs)
    check_writable(path)
    if not path.exists():
        check_theirs(chosen, pieces_of(spec).by_name)
        return Prepared(path, spec, None, fresh(spec), None, chosen, force)
    old = ""
    try:
        old = read_text(path)
        notebook = open_file(old, path)
        check_same(notebook, spec, path)
    except NotebookError:
        if not force:
            raise
        spec = _with_refs_of(old, path, spec)
        return Prepared(path, spec, old, fresh(spec), None, chosen, force)
    if launching and "jobs" not in chosen:
        refs_in(cell_called(notebook, "jobs", path))  # refuses one to which references could not be added
    if launching and not (force or chosen or spec.asked):
        return Prepared(path, spec, old, None, None)
    merged = _remaking(notebook, spec, chosen, force=force).merge()
    return Prepared(path, spec, old, merged.notebook, merged, chosen, force)


def write(prepared: Prepared, refs: Sequence[JobRef] = ()) -> WriteResult:
    """Write what was prepared.

    Args:
        refs: Of the jobs that were launched meanwhile; they are added to those of the spec.

    Raises:
        NotebookError: The file cannot be written, or was changed meanwhile into something that cannot be merged.
    """
    path = prepared.path
    if prepared.new is None:
        added = add_jobs(path, [*prepared.spec.jobs, *refs])
        return WriteResult(path, changed=bool(added))
    with one_writer(path):
        if prepared.old and prepared.merged and read_text(path) != prepared.old:
            # An editor saved it while the jobs were launched.
            spec = dataclasses.replace(prepared.spec, jobs=[*prepared.spec.jobs, *refs])
            prepared = prepare(path, spec, force=prepared.force, theirs=prepared.theirs)
        return _written(prepared, refs)


def write_notebook(path: Path, spec: NotebookSpec, *, force: bool = False, theirs: Collection[str] = ()) -> WriteResult:
    """Write a notebook, or bring the file that is there up to date; the arguments are those of `prepare`.

    Raises:
        NotebookError: As `prepare`; the file is as it was.
        UsageError: As `prepare`.
    """
    return write(prepare(path, spec, force=force, theirs=theirs))


def _remaking(notebook: Notebook, spec: NotebookSpec, theirs: Collection[str], *, force: bool) -> Remaking:
    header = read_header(notebook.header)
    if header is None:
        return Remaking(notebook, spec, theirs, force=force)
    return Remaking01(header, notebook, spec, theirs, force=force)


def _written(prepared: Prepared, refs: Sequence[JobRef]) -> WriteResult:
    path, merged, old = prepared.path, prepared.merged, prepared.old
    notebook = _with_jobs(prepared.new or fresh(prepared.spec), refs, prepared.spec.root)
    text = _finished(notebook, only_ours=merged is None or merged.only_ours)
    if merged is None:
        copy = back_up(path) if old is not None else None
        write_whole(path, text)
        return WriteResult(path, changed=True, created=old is None, backup=copy)
    is_of_0_1 = merged.notebook.header != parse(old or "", path).header
    copy = back_up(path) if merged.lost_edits or is_of_0_1 else None
    if text != old:
        write_whole(path, text)
    result = WriteResult.of(path, merged, changed=text != old, backup=copy)
    return dataclasses.replace(result, notes=(*result.notes, *_newer(old or "")))


def _with_refs_of(text: str, path: Path, spec: NotebookSpec) -> NotebookSpec:
    """Return a spec with the job references of a file that is replaced, as far as they can be read."""
    try:
        return dataclasses.replace(spec, jobs=all_refs(parse(text, path).cells, spec.jobs))
    except NotebookError:
        return spec


def _with_jobs(notebook: Notebook, refs: Sequence[JobRef], root: Path | None) -> Notebook:
    """Return a notebook with more references in its `jobs` cell."""
    if not refs:
        return notebook
    cells = tuple(
        dataclasses.replace(with_refs(cell, refs), options=cell.options) if cell.name == "jobs" else cell
        for cell in notebook.cells
    )
    setup = with_imports(notebook.setup, imports_of(refs), root)
    return dataclasses.replace(notebook, cells=cells, setup=setup)


def _newer(text: str) -> tuple[str, ...]:
    """Return what is to be said of a file that a newer marimo saved: what this version does not know, it keeps."""
    found = re.search(r'^__generated_with = "([0-9.]+)"$', text, re.MULTILINE)
    here = importlib.metadata.version("marimo")
    if found is None or _numbers(found[1]) <= _numbers(here):
        return ()
    return (f"the notebook is of a newer version (marimo {found[1]}, here {here}): cells not known here are kept",)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _finished(notebook: Notebook, *, only_ours: bool) -> str:
    """Return the file of a notebook, and make sure that it holds the cells that it should."""
    text = render(notebook)
    if not only_ours:
        text = canonical(text)
    again = parse(text, Path("the notebook"))
    for cell, other in itertools.zip_longest(notebook.cells, again.cells):
        same = cell and other and cell.names.defines == other.names.defines
        is_ours = bool(cell) and (cell.name in DATA or is_published(cell))
        if not same or (is_ours and hash_of(cell.body) != hash_of(other.body)):
            where = repr(cell.name) if cell else "at its end"
            raise NotebookError(f"the notebook would not come back as written: cell {where}. Nothing was written.")
    return text
