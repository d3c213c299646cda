"""Write marimo notebooks from sections of real, tested functions; regenerate them without losing edits.

How to write a section
----------------------
A section is a group of plain functions in a module, listed by name:

    CELLS = {"monitor": ("monitor_title", "live_status", "job_table")}

    def job_table(live: LiveFile, jobs: list[JobRef]) -> tuple[mo.ui.anywidget]:
        \"\"\"Show the jobs of this notebook.\"\"\"
        # Rows that the user selected survive an update.
        table = jobs_widget(live, jobs)
        mo.vstack([mo.md("Jobs"), table])
        return (table,)

- Parameters are the names the cell reads, each defined by exactly one other cell. Returned names are the names it
  defines; any other name it assigns starts with `_`. The last expression is what it shows; annotations and the
  docstring stay in the module, comments inside the body come along.
- Names at the top of the module (imports, helpers, classes, constants) can be used freely: an imported one is imported
  by the notebook in the same way, one defined there is imported from the module. They may not start with `_`.
- No defaults, decorators, `yield`, `await` or early return; no cell called `setup` or `app`, or the name of another.
- Given to every section: `config` (the recipe's config) and `jobs` (a list of JobRef).
- A cell of only Markdown is `mo.md(\"\"\"...\"\"\")` with a constant text.

A module's source is read with `ast`: writing a notebook imports neither the section nor what it imports. A recipe adds
a section with `Section(name="mine", module=__name__, cells=("my_cell",))`. Where the recipe is a lone file, in no
package, the notebook loads it by its path from the project root (`loading.load_recipe`), helpers and all.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.errors import NotebookError
from experiments.notebooks.assembly import JOB_REF, NotebookSpec, build, setup_body
from experiments.notebooks.cells import Cell
from experiments.notebooks.header import Header, hash_of, read_header, replace_header
from experiments.notebooks.imports import imports_of
from experiments.notebooks.jobs_cell import refs_in, value_of, with_refs
from experiments.notebooks.layout import Notebook, canonical, render, statements_of
from experiments.notebooks.reading import parse, read_text
from experiments.notebooks.regeneration import Conflict, Merge, merge, with_imports
from experiments.notebooks.writing import back_up, check_writable, one_writer, write_whole
from experiments.settings import project_root
from experiments.types import JobRef

__all__ = [
    "Conflict",
    "NotebookSpec",
    "WriteResult",
    "add_jobs",
    "check_target",
    "generate",
    "read_config",
    "read_jobs",
    "write_notebook",
]


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

    @property
    def exit_code(self) -> int:
        """1 where a conflict waits for a decision, else 0."""
        return 1 if self.conflicts else 0

    def report(self) -> str:
        """Return lines for a terminal: what was done, and each conflict with its difference and the way out."""
        groups = ("replaced", "added", "removed", "kept", "gone")
        words = {"kept": "kept as edited", "gone": "left deleted"}
        lines = [
            f"{words.get(group, group)}: {', '.join(names)}" for group in groups if (names := getattr(self, group))
        ]
        for conflict in self.conflicts:
            lines += [f"cell {conflict.cell!r} was edited here and changed in its template; it stays as it is:"]
            lines += [conflict.diff, f"Take the template's version with --theirs {conflict.cell}"]
        return "\n".join(lines + ([f"as it was: {self.backup.name}"] if self.backup else []))


def generate(spec: NotebookSpec) -> str:
    """Return the file of a notebook, in the form that marimo's editor saves.

    Raises:
        NotebookError: A cell cannot be lifted, the cells do not fit together, or a value has no literal.
    """
    generated = build(spec)
    return _finished(generated.notebook(), generated.header.cells, only_ours=generated.only_ours)


def write_notebook(path: Path, spec: NotebookSpec, *, force: bool = False, theirs: Collection[str] = ()) -> WriteResult:
    """Write a notebook, or bring the file that is there up to date (see `regeneration`).

    Args:
        theirs: Generated cells whose template's version is taken over an edit or a deletion.
        force: Take the template's version of every generated cell, and replace a file that is no notebook of ours.
            Whatever is overwritten stays beside the file as `.bak`; job references and the user's cells are kept.

    Raises:
        NotebookError: The notebook cannot be generated, merged or written; the file is as it was.
    """
    path = path.resolve()
    check_writable(path)
    with one_writer(path):
        if not path.exists():
            write_whole(path, generate(spec))
            return WriteResult(path, changed=True, created=True)
        try:
            old = read_text(path)
            notebook, header = _opened(old, path)
        except NotebookError:
            if not force:
                raise
            text = generate(spec)
            copy = back_up(path)
            write_whole(path, text)
            return WriteResult(path, changed=True, backup=copy)
        generated = build(dataclasses.replace(spec, jobs=_all_refs(notebook, spec.jobs)))
        merged = merge(notebook, header, generated, theirs=theirs, force=force)
        new = _finished(merged.notebook, generated.header.cells, only_ours=merged.only_ours)
        backup = back_up(path) if merged.lost_edits else None
        if new != old:
            write_whole(path, new)
        return _result(path, merged, changed=new != old, backup=backup)


def check_target(path: Path, spec: NotebookSpec) -> None:
    """Refuse what would fail after a launch: called before anything is launched.

    Raises:
        NotebookError: The notebook cannot be generated, the file cannot be written, or the file that is there is
            damaged, not ours, or has no `jobs` cell that references can be added to.
    """
    path = path.resolve()
    check_writable(path)
    build(spec)
    if path.exists():
        notebook, _ = _opened(read_text(path), path)
        refs_in(_cell(notebook, "jobs", path))


def add_jobs(path: Path, refs: Sequence[JobRef]) -> tuple[JobRef, ...]:
    """Add references to the `jobs` cell of a notebook and return those that were new to it.

    Every other line stays, whatever was edited; the first reference also brings its import into the setup block.

    Raises:
        NotebookError: The file is not ours or damaged, or its `jobs` cell is no list of literals.
    """
    path = path.resolve()
    with one_writer(path):
        old = read_text(path)
        notebook, header = _opened(old, path)
        cell = _cell(notebook, "jobs", path)
        known = {ref.run for ref in refs_in(cell)}
        added = tuple({ref.run: ref for ref in refs if ref.run not in known}.values())
        if added:
            write_whole(path, _with_job_import(_with_body(old, notebook, cell, with_refs(cell, added)), path, header))
        return added


def read_jobs(path: Path) -> list[JobRef]:
    """Return the job references of a notebook, without running it.

    Raises:
        NotebookError: The file is not ours or damaged, or its `jobs` cell is no list of literals.
    """
    notebook, _ = _opened(read_text(path), path)
    return refs_in(_cell(notebook, "jobs", path))


def read_config(path: Path) -> dict[str, Any]:
    """Return what a notebook's `config` cell sets, as data: `MyConfig.model_validate(read_config(path))`.

    Raises:
        NotebookError: The file is not ours or damaged, or its `config` cell holds more than literals.
    """
    notebook, _ = _opened(read_text(path), path)
    value = value_of(_cell(notebook, "config", path))
    if not isinstance(value, dict):
        raise NotebookError(f"cell 'config' of {str(path)!r} is not one call of a config class with literals.")
    return value


def _opened(text: str, path: Path) -> tuple[Notebook, Header]:
    notebook = parse(text, path)
    header = read_header(notebook.header)
    if header is None:
        raise NotebookError(
            f"notebook {str(path)!r} has no '# /// experiments' block, so it was not generated. Choose another "
            "name, or replace it with --force (it is kept as .bak)."
        )
    return notebook, header


def _cell(notebook: Notebook, name: str, path: Path) -> Cell:
    for cell in notebook.cells:
        if cell.name == name and cell.kind == "cell":
            return cell
    raise NotebookError(f"notebook {str(path)!r} has no cell {name!r}. Bring it back with --theirs {name}")


def _all_refs(notebook: Notebook, refs: Sequence[JobRef]) -> list[JobRef]:
    """Return the references of the file, where they can be read, and then those of `refs` that it does not have."""
    try:
        present = next((refs_in(cell) for cell in notebook.cells if cell.name == "jobs"), [])
    except NotebookError:
        present = []
    known = {ref.run for ref in present}
    return [*present, *(ref for ref in refs if ref.run not in known)]


def _with_body(text: str, notebook: Notebook, cell: Cell, new: Cell) -> str:
    """Return the text of a file with the body of one cell exchanged."""
    span = notebook.spans[notebook.cells.index(cell)]
    lines = text.split("\n")
    inside = "\n".join(lines[span.first - 1 : span.last]).replace(cell.body, new.body, 1)
    return "\n".join([*lines[: span.first - 1], inside, *lines[span.last :]])


def _with_job_import(text: str, path: Path, header: Header) -> str:
    """Return the text of a file with JobRef imported by its setup block, and the rest as it is."""
    notebook = parse(text, path)
    if JOB_REF.bound in notebook.setup_names:
        return text
    if hash_of(notebook.setup) != header.cells.get("setup"):
        setup, hashes = with_imports(notebook.setup, [JOB_REF]), dict(header.cells)
    else:
        old = [item for statement in statements_of(notebook.setup) for item in imports_of(statement)]
        setup = setup_body([*old, JOB_REF], project_root(path))
        hashes = {**header.cells, "setup": hash_of(setup)}
    comments = replace_header(notebook.header, dataclasses.replace(header, cells=hashes))
    return text.replace(notebook.header, comments, 1).replace(notebook.setup, setup, 1)


def _finished(notebook: Notebook, generated: Collection[str], *, only_ours: bool) -> str:
    """Return the file of a notebook, and make sure that it holds the cells that it should."""
    text = render(notebook)
    if not only_ours:
        text = canonical(text)
    again = parse(text, Path("the notebook"))
    for cell, other in itertools.zip_longest(notebook.cells, again.cells):
        same = cell and other and cell.names.defines == other.names.defines
        if not same or (cell.name in generated and hash_of(cell.body) != hash_of(other.body)):
            where = repr(cell.name) if cell else "at its end"
            raise NotebookError(f"the notebook would not come back as written: cell {where}. Nothing was written.")
    return text


def _result(path: Path, merged: Merge, *, changed: bool, backup: Path | None) -> WriteResult:
    return WriteResult(
        path,
        changed=changed,
        replaced=merged.replaced,
        kept=merged.kept,
        added=merged.added,
        removed=merged.removed,
        gone=merged.gone,
        conflicts=merged.conflicts,
        backup=backup,
    )
