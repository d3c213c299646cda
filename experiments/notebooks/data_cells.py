"""The data of a notebook file: config, journal and jobs as literals, read without running it, and added to."""

from __future__ import annotations

import ast
import contextlib
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from experiments.jobs.journal import Journal
from experiments.notebooks.cells import INDENT, Cell, indented
from experiments.notebooks.header import read_header
from experiments.notebooks.imports import Import, statements_of, with_imports
from experiments.notebooks.layout import Notebook, parse, read_text
from experiments.notebooks.literals import from_source, to_source
from experiments.notebooks.writing import one_writer, write_whole
from experiments.project.errors import NotebookError, reasons
from experiments.project.settings import project_root
from experiments.project.values import replaced
from experiments.types import JobRef, Metrics

_HOME = "experiments.notebooks"
_AT_HOME = {"JobRef", "Journal", "Metrics", "Rule"}
_HOMES = {
    "experiments.types",
    "experiments.jobs.journal",
    "experiments.jobs.rule",
    "experiments.project.references",
    "experiments.project.trainers.value",
}
JOB_REF = Import(_HOME, "JobRef")
_RULE = "It must be one list of JobRef(...) literals for references to be added. Mend it, or restore it: --theirs jobs"


def data_cell(name: str, value: object, root: Path | None = None) -> tuple[Cell, frozenset[Import]]:
    """Return a cell that defines `name` as a literal, and the imports that it needs."""
    if name == "config" and isinstance(value, BaseModel) and "sections" in type(value).model_fields:
        # Which sections there are, the file says by its cells.
        value = replaced(value, sections=type(value).model_fields["sections"].get_default())
    if name == "jobs" and isinstance(value, list):
        named = _names_of(value, {})
        lines, needed = _assigned(named)
        source, imports = to_source(value, name=name, root=root, named=named)
        source, imports = "\n".join([*lines, f"{name} = {source}"]), imports | needed
    else:
        source, imports = to_source(value, name=name, root=root)
        source = f"{name} = {source}"
    homely = (Import(_HOME, item.name) if _is_ours(item) else item for item in imports)
    return Cell(name, indented(source)), frozenset(homely)


def config_of(cell: Cell, config: BaseModel, given: Collection[str]) -> BaseModel:
    """Return the config that a cell holds, with what was given anew.

    Args:
        config: Says of which class it is, and the values given.
        given: Names of its fields, with dots between where one lies inside of another.

    Raises:
        NotebookError: The cell is something else than one call of the class with literals, or the class refuses it.
    """
    values = value_of(cell)
    if not isinstance(values, dict):
        raise NotebookError(f"cell {cell.name!r} is not one call of a config class with literals.")
    for path in sorted(given):
        *parents, last = path.split(".")
        place, found = values, config
        for parent in parents:
            place, found = place.setdefault(parent, {}), getattr(found, parent)
        place[last] = getattr(found, last)
    try:
        return type(config).model_validate(values)
    except ValidationError as error:
        what = f"cell {cell.name!r} is refused: {reasons(error)} ({error.title})"
        raise NotebookError(f"{what}. Correct it in the notebook.") from None


def class_of(cell: Cell) -> str:
    """Return the name of the class that a cell calls; empty where it does something else."""
    match statements_of(cell.body):
        case [ast.Assign(value=ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=[]))]:
            return name
    return ""


def imports_of(refs: Iterable[JobRef]) -> list[Import]:
    """Return what the setup block of a file has to import for the literals of some references."""
    return [JOB_REF, *([Import(_HOME, "Metrics")] if any(ref.metrics for ref in refs) else [])]


def refs_in(cell: Cell) -> list[JobRef]:
    """Return the references of a `jobs` cell.

    Raises:
        NotebookError: The cell is something else than one list of literals.
    """
    found, named = _jobs_of(cell)
    return [_ref(item, named) for item in found.elts]


def with_refs(cell: Cell, refs: Sequence[JobRef]) -> Cell:
    """Return the cell with those of `refs` added at the end that it does not name yet; its own lines stay.

    Raises:
        NotebookError: As `refs_in`.
    """
    known = {ref.run for ref in refs_in(cell)}
    added = list({ref.run: ref for ref in refs if ref.run not in known}.values())
    if not added:
        return cell
    lines = cell.body.split("\n")
    found, nodes = _jobs_of(cell)
    known_names = {name: Metrics.model_validate(from_source(node)) for name, node in nodes.items()}
    named = _names_of(added, known_names)
    sources, _ = to_source(added, name="jobs", named=known_names | named)
    new = [INDENT + line for line in sources.split("\n")[1:-1]]
    # The syntax tree counts from the line that `statements_of` puts before the cell.
    start, end = found.lineno - 2, (found.end_lineno or found.lineno) - 2
    before = lines[start].encode()[: found.col_offset].decode()
    after = lines[end].encode()[found.end_col_offset :].decode()
    if found.elts and lines[end].encode()[: (found.end_col_offset or 1) - 1].strip() == b"":
        kept = _with_comma(lines[start:end], found, start)
    else:
        kept = [before + "[", *(f"{INDENT * 2}{ast.unparse(item)}," for item in found.elts)]
    new_names = [INDENT + line for text in _assigned(named)[0] for line in text.split("\n")]
    body = [*lines[:start], *new_names, *kept, *new, f"{INDENT}]{after}", *lines[end + 1 :]]
    return Cell(cell.name, "\n".join(body), options=cell.options)


def value_of(cell: Cell) -> object:
    """Return the data that a cell assigns to its name; see `from_source`.

    Raises:
        NotebookError: It is more than one assignment of literals.
    """
    match statements_of(cell.body):
        case [
            ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
        ]:
            with contextlib.suppress(ValueError):
                return from_source(value)
    raise NotebookError(
        f"cell {cell.name!r} is not one assignment of literals, so it cannot be read without running it."
    )


def all_refs(cells: Iterable[Cell], refs: Sequence[JobRef]) -> list[JobRef]:
    """Return the references of a file, each that can be read, and then those of `refs` that it does not have."""
    present = []
    with contextlib.suppress(NotebookError):
        found, named = next((_jobs_of(cell) for cell in cells if cell.name == "jobs"), (ast.List(elts=[]), {}))
        for item in found.elts:
            with contextlib.suppress(NotebookError):
                present.append(_ref(item, named))
    known = {ref.run for ref in present}
    return [*present, *(ref for ref in refs if ref.run not in known)]


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
            text = _with_body(old, notebook, cell, with_refs(cell, added))
            write_whole(path, _with_job_imports(text, path, imports_of(added)))
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
        cell = notebook.cell("journal")
        if cell is None:
            return 0
        journal = _journal_of(cell, path)
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
    cell = open_file(read_text(path), path).cell("journal")
    return None if cell is None else _journal_of(cell, path)


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
    if (cell := notebook.cell(name)) is not None:
        return cell
    raise NotebookError(f"notebook {str(path)!r} has no cell {name!r}. Bring it back with --theirs {name}")


def _journal_of(cell: Cell, path: Path) -> Journal:
    try:
        return Journal.model_validate(value_of(cell))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise NotebookError(
            f"cell 'journal' of {str(path)!r} is not a Journal: {told}. Mend it, or restore it: --theirs journal"
        ) from None


def _is_ours(item: Import) -> bool:
    return item.name in _AT_HOME and item.module in _HOMES


def _names_of(refs: Iterable[JobRef], known: Mapping[str, Metrics]) -> dict[str, Metrics]:
    """Return a name for all that trainers of some jobs say they log and that has none yet, each said once.

    marimo keeps names with an underscore inside of their cell.
    """
    named: dict[str, Metrics] = {}
    for metrics in (ref.metrics for ref in refs if ref.metrics is not None):
        if metrics not in [*known.values(), *named.values()]:
            free = (f"_metrics_{number}" if number > 1 else "_metrics" for number in itertools.count(1))
            named[next(name for name in free if name not in known and name not in named)] = metrics
    return named


def _assigned(named: Mapping[str, Metrics]) -> tuple[list[str], frozenset[Import]]:
    """Return statements that give values their names, and the imports that they need."""
    written = {name: to_source(value, name=name) for name, value in named.items()}
    lines = [f"{name} = {source}" for name, (source, _) in written.items()]
    return lines, frozenset(item for _, imports in written.values() for item in imports)


def _jobs_of(cell: Cell) -> tuple[ast.List, dict[str, ast.expr]]:
    """Return the list of a `jobs` cell, and what trainers log by the names that it has there."""
    *before, last = statements_of(cell.body) or [ast.Pass()]
    named: dict[str, ast.expr] = {}
    for statement in before:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Call(func=ast.Name("Metrics")) as value):
                named[name] = value
            case _:
                raise NotebookError(f"cell 'jobs' is not a plain list. {_RULE}")
    match last:
        case ast.Assign(targets=[ast.Name("jobs")], value=ast.List() as found):
            return found, named
        case ast.AnnAssign(target=ast.Name("jobs"), value=ast.List() as found):
            return found, named
    raise NotebookError(f"cell 'jobs' is not a plain list. {_RULE}")


def _ref(item: ast.expr, named: Mapping[str, ast.expr]) -> JobRef:
    reason = "it is not a JobRef literal"
    if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "JobRef":
        try:
            return JobRef.model_validate(from_source(_spelled_out(item, named)))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
        except ValueError:
            pass
    raise NotebookError(f"cell 'jobs' holds {ast.unparse(item)!r}: {reason}. {_RULE}")


def _spelled_out(item: ast.Call, named: Mapping[str, ast.expr]) -> ast.Call:
    """Return a call with what its `metrics` name in the place of the name."""
    words = [
        ast.keyword(word.arg, named[word.value.id])
        if word.arg == "metrics" and isinstance(word.value, ast.Name) and word.value.id in named
        else word
        for word in item.keywords
    ]
    return ast.Call(item.func, item.args, words)


def _with_comma(lines: list[str], found: ast.List, start: int) -> list[str]:
    """Return the lines of a list with a comma behind its last element."""
    last = found.elts[-1]
    row = (last.end_lineno or last.lineno) - 2 - start
    line = lines[row].encode()
    head, tail = line[: last.end_col_offset].decode(), line[last.end_col_offset :].decode()
    has_comma = "," in "".join([tail.split("#")[0], *(item.split("#")[0] for item in lines[row + 1 :])])
    return lines if has_comma else [*lines[:row], f"{head},{tail}", *lines[row + 1 :]]


def _with_body(text: str, notebook: Notebook, cell: Cell, new: Cell) -> str:
    """Return the text of a file with the body of one cell exchanged."""
    span = notebook.spans[notebook.cells.index(cell)]
    lines = text.split("\n")
    inside = "\n".join(lines[span.first - 1 : span.last]).replace(cell.body, new.body, 1)
    return "\n".join([*lines[: span.first - 1], inside, *lines[span.last :]])


def _with_job_imports(text: str, path: Path, wanted: Sequence[Import]) -> str:
    """Return the text of a file with what its references need imported by its setup block, and the rest as it is."""
    notebook = parse(text, path)
    missing = [item for item in wanted if item.bound not in notebook.setup_names]
    if not missing or not notebook.setup:
        return text
    return text.replace(notebook.setup, with_imports(notebook.setup, missing, project_root(path)), 1)
