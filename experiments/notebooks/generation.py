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
- Given to every section: `config` (the recipe's config), `jobs` (a list of JobRef) and `journal` (hypothesis and rule).
- A cell of only Markdown is `mo.md(\"\"\"...\"\"\")` with a constant text.

A module's source is read with `ast`: writing a notebook imports neither the section nor what it imports. A recipe adds
a section with `Section(name="mine", module=__name__, cells=("my_cell",))` in its Experiment's `extra_sections`. It may
import what only cells use (`import marimo as mo`) under `if TYPE_CHECKING:`, and so starts as fast as before. Where the
recipe is a lone file, in no installed package, the notebook loads it by its path from the project root
(`loading.load_recipe`), helpers and all.

What a page may rely on: `config` and `jobs` are literals, one value a line, never text pasted as code; the file is what
marimo's editor would save, so saving one changed cell changes no other line.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection
from pathlib import Path

from experiments.errors import NotebookError
from experiments.notebooks.assembly import Generated, NotebookSpec, build
from experiments.notebooks.header import Header, hash_of
from experiments.notebooks.jobs_cell import refs_in
from experiments.notebooks.layout import Notebook, canonical, render
from experiments.notebooks.reading import parse, read_text
from experiments.notebooks.references import (
    add_jobs,
    all_refs,
    cell_called,
    open_file,
    read_config,
    read_jobs,
    read_journal,
)
from experiments.notebooks.regeneration import Conflict, Merge, merge
from experiments.notebooks.results import WriteResult
from experiments.notebooks.writing import back_up, check_writable, one_writer, write_whole

__all__ = [
    "Conflict",
    "NotebookSpec",
    "WriteResult",
    "add_jobs",
    "check_target",
    "generate",
    "read_config",
    "read_jobs",
    "read_journal",
    "write_after_launch",
    "write_notebook",
]


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
            notebook, header = open_file(old, path)
        except NotebookError:
            if not force:
                raise
            text = generate(spec)
            copy = back_up(path)
            write_whole(path, text)
            return WriteResult(path, changed=True, backup=copy)
        generated, merged = _merged(notebook, header, spec, theirs, force=force)
        new = _finished(merged.notebook, generated.header.cells, only_ours=merged.only_ours)
        backup = back_up(path) if merged.lost_edits else None
        if new != old:
            write_whole(path, new)
        return WriteResult.of(path, merged, changed=new != old, backup=backup)


def write_after_launch(
    path: Path, spec: NotebookSpec, *, force: bool = False, theirs: Collection[str] = ()
) -> WriteResult:
    """Write the notebook of a launch: where one is there, only the references that it lacks are added.

    With `force` or `theirs` the file is brought up to date, as by `write_notebook`.

    Raises:
        NotebookError: As `write_notebook`; `check_target` finds all of it before the launch.
    """
    if force or theirs or not path.exists():
        return write_notebook(path, spec, force=force, theirs=theirs)
    return WriteResult(path.resolve(), changed=bool(add_jobs(path, spec.jobs)))


def check_target(path: Path, spec: NotebookSpec, *, force: bool = False, theirs: Collection[str] = ()) -> None:
    """Refuse what would fail after a launch: called before anything is launched; writes nothing.

    Raises:
        NotebookError: The notebook cannot be generated, the file cannot be written, or the file that is there is
            damaged, not ours, cannot be merged, or has no `jobs` cell that references can be added to.
    """
    path = path.resolve()
    check_writable(path)
    if not path.exists():
        build(spec)
        return
    try:
        notebook, header = open_file(read_text(path), path)
    except NotebookError:
        if not force:
            raise
        build(spec)
        return
    if not force and "jobs" not in theirs:
        refs_in(cell_called(notebook, "jobs", path))
    _merged(notebook, header, spec, theirs, force=force)


def _merged(
    notebook: Notebook, header: Header, spec: NotebookSpec, theirs: Collection[str], *, force: bool
) -> tuple[Generated, Merge]:
    generated = build(dataclasses.replace(spec, jobs=all_refs(notebook, spec.jobs)))
    return generated, merge(notebook, header, generated, theirs=theirs, force=force)


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
