"""Read a notebook file as data, and add job references to it; nothing in it is executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments.jobs.journal import Journal
from experiments.notebooks.cells import Cell
from experiments.notebooks.data_cells import JOB_REF, data_cell, refs_in, value_of, with_refs
from experiments.notebooks.header import read_header
from experiments.notebooks.layout import Notebook, with_imports
from experiments.notebooks.reading import parse, read_text
from experiments.notebooks.writing import one_writer, write_whole
from experiments.project.errors import NotebookError
from experiments.project.settings import project_root
from experiments.types import JobRef, replaced


def add_jobs(path: Path, refs: Sequence[JobRef]) -> tuple[JobRef, ...]:
    """Add references to the `jobs` cell of a notebook and return those that were new to it.

    Every other line stays, whatever was edited; the first reference also brings its import into the setup block.

    Raises:
        NotebookError: The file is not ours or damaged, or its `jobs` cell is no list of literals.
    """
    path = path.resolve()
    with one_writer(path):
        old = read_text(path)
        notebook = open_file(old, path)
        cell = cell_called(notebook, "jobs", path)
        known = {ref.run for ref in refs_in(cell)}
        added = tuple({ref.run: ref for ref in refs if ref.run not in known}.values())
        if added:
            write_whole(path, _with_job_import(_with_body(old, notebook, cell, with_refs(cell, added)), path))
        return added


def read_jobs(path: Path) -> list[JobRef]:
    """Return the job references of a notebook, without running it.

    Raises:
        NotebookError: The file is not ours or damaged, or its `jobs` cell is no list of literals.
    """
    notebook = open_file(read_text(path), path)
    return refs_in(cell_called(notebook, "jobs", path))


def read_config(path: Path) -> dict[str, Any]:
    """Return what a notebook's `config` cell sets, as data: `MyConfig.model_validate(read_config(path))`.

    Raises:
        NotebookError: The file is not ours or damaged, or its `config` cell holds more than literals.
    """
    notebook = open_file(read_text(path), path)
    value = value_of(cell_called(notebook, "config", path))
    if not isinstance(value, dict):
        raise NotebookError(f"cell 'config' of {str(path)!r} is not one call of a config class with literals.")
    return value


def add_notes(path: Path, notes: Mapping[str, str]) -> int:
    """Add notes to the `journal` cell of a notebook; return how many were new to it.

    Args:
        notes: By time, in ISO 8601.

    Raises:
        NotebookError: The file is not ours or damaged, or its `journal` cell is no `Journal` of literals.
    """
    path = path.resolve()
    with one_writer(path):
        old = read_text(path)
        notebook = open_file(old, path)
        cell = next((cell for cell in notebook.cells if cell.name == "journal" and cell.kind == "cell"), None)
        journal = read_journal(path)
        if cell is None or journal is None:
            return 0
        added = {when: text for when, text in notes.items() if journal.notes.get(when) != text}
        if added:
            grown = replaced(journal, notes={**journal.notes, **added})
            new, _ = data_cell("journal", grown)
            write_whole(path, _with_body(old, notebook, cell, Cell(cell.name, new.body, options=cell.options)))
        return len(added)


def read_journal(path: Path) -> Journal | None:
    """Return the hypothesis and rule that a notebook holds; None where it has no such cell.

    Raises:
        NotebookError: The file is not ours or damaged, or its `journal` cell is no `Journal` of literals.
    """
    notebook = open_file(read_text(path), path)
    cell = next((cell for cell in notebook.cells if cell.name == "journal" and cell.kind == "cell"), None)
    if cell is None:
        return None
    try:
        return Journal.model_validate(value_of(cell))
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise NotebookError(
            f"cell 'journal' of {str(path)!r} is not a Journal: {reasons}. Mend it, or restore it: --theirs journal"
        ) from None


def open_file(text: str, path: Path) -> Notebook:
    """Return the parts of a notebook that a recipe made, in this version or in 0.1.

    Raises:
        NotebookError: The file is damaged, or is none of ours.
    """
    notebook = parse(text, path)
    names = {*notebook.setup_names, *(name for cell in notebook.cells for name in cell.names.reads)}
    if "open_study" not in names and read_header(notebook.header) is None:
        raise NotebookError(
            f"notebook {str(path)!r} opens no study, so no recipe made it. Choose another name, or replace it with "
            "--force (it is kept as .bak)."
        )
    return notebook


def experiment_of(notebook: Notebook, path: Path) -> str:
    """Return the name of a notebook's experiment: its file's, or what one of version 0.1 says."""
    header = read_header(notebook.header)
    return header.experiment if header else path.stem.removesuffix("_nb")


def cell_called(notebook: Notebook, name: str, path: Path) -> Cell:
    """Return the generated cell of a name.

    Raises:
        NotebookError: It was deleted.
    """
    for cell in notebook.cells:
        if cell.name == name and cell.kind == "cell":
            return cell
    raise NotebookError(f"notebook {str(path)!r} has no cell {name!r}. Bring it back with --theirs {name}")


def _with_body(text: str, notebook: Notebook, cell: Cell, new: Cell) -> str:
    """Return the text of a file with the body of one cell exchanged."""
    span = notebook.spans[notebook.cells.index(cell)]
    lines = text.split("\n")
    inside = "\n".join(lines[span.first - 1 : span.last]).replace(cell.body, new.body, 1)
    return "\n".join([*lines[: span.first - 1], inside, *lines[span.last :]])


def _with_job_import(text: str, path: Path) -> str:
    """Return the text of a file with JobRef imported by its setup block, and the rest as it is."""
    notebook = parse(text, path)
    if JOB_REF.bound in notebook.setup_names or not notebook.setup:
        return text
    return text.replace(notebook.setup, with_imports(notebook.setup, [JOB_REF], project_root(path)), 1)
