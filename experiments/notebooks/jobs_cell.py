"""The data cells of a notebook: read their literals, and add job references without touching those that stand there."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Sequence

from pydantic import ValidationError

from experiments.errors import NotebookError
from experiments.notebooks.cells import INDENT, Cell
from experiments.notebooks.layout import statements_of
from experiments.notebooks.literals import from_source, to_source
from experiments.types import JobRef

_RULE = "It must be one list of JobRef(...) literals for references to be added. Mend it, or restore it: --theirs jobs"


def refs_in(cell: Cell) -> list[JobRef]:
    """Return the references of a `jobs` cell.

    Raises:
        NotebookError: The cell is something else than one list of literals.
    """
    return [_ref(item) for item in _list_of(cell).elts]


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
    found = _list_of(cell)
    sources, _ = to_source(added, name="jobs")
    new = [INDENT + line for line in sources.split("\n")[1:-1]]
    # The syntax tree counts from the line that `statements_of` puts before the cell.
    start, end = found.lineno - 2, (found.end_lineno or found.lineno) - 2
    before = lines[start].encode()[: found.col_offset].decode()
    after = lines[end].encode()[found.end_col_offset :].decode()
    if found.elts and lines[end].encode()[: (found.end_col_offset or 1) - 1].strip() == b"":
        kept = _with_comma(lines[start:end], found, start)
    else:
        kept = [before + "[", *(f"{INDENT * 2}{ast.unparse(item)}," for item in found.elts)]
    body = [*lines[:start], *kept, *new, f"{INDENT}]{after}", *lines[end + 1 :]]
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


def _list_of(cell: Cell) -> ast.List:
    match statements_of(cell.body):
        case [ast.Assign(targets=[ast.Name("jobs")], value=ast.List() as found)]:
            return found
        case [ast.AnnAssign(target=ast.Name("jobs"), value=ast.List() as found)]:
            return found
    raise NotebookError(f"cell 'jobs' is not a plain list. {_RULE}")


def _ref(item: ast.expr) -> JobRef:
    reason = "it is not a JobRef literal"
    if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "JobRef":
        try:
            return JobRef.model_validate(from_source(item))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
        except ValueError:
            pass
    raise NotebookError(f"cell 'jobs' holds {ast.unparse(item)!r}: {reason}. {_RULE}")


def _with_comma(lines: list[str], found: ast.List, start: int) -> list[str]:
    """Return the lines of a list with a comma behind its last element."""
    last = found.elts[-1]
    row = (last.end_lineno or last.lineno) - 2 - start
    line = lines[row].encode()
    head, tail = line[: last.end_col_offset].decode(), line[last.end_col_offset :].decode()
    has_comma = "," in "".join([tail.split("#")[0], *(item.split("#")[0] for item in lines[row + 1 :])])
    return lines if has_comma else [*lines[:row], f"{head},{tail}", *lines[row + 1 :]]
