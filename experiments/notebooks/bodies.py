"""The lines of a function that become the lines of a cell."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import token
import tokenize
from collections.abc import Iterator, Sequence

from experiments.errors import NotebookError
from experiments.notebooks.cells import INDENT, indented, is_private
from experiments.notebooks.reading import line_of_colon

_STRING = re.compile(r"""(?P<tag>[rRfF]{0,2})(?P<quote>\"{3}|'{3}|"|')(?P<text>.*)(?P=quote)""", re.DOTALL)


def cell_body(function: ast.FunctionDef, lines: Sequence[str], where: str) -> tuple[str, frozenset[str]]:
    """Return the lines between signature (or docstring) and final return, and the names returned.

    Args:
        lines: Of the whole module.
        where: What errors call the cell.

    Raises:
        NotebookError: The function does what a cell cannot.
    """
    statements = list(function.body)
    first = line_of_colon(lines, function.lineno, function.end_lineno)
    if ast.get_docstring(function, clean=False) is not None:
        first = statements.pop(0).end_lineno or first
    last = function.end_lineno or function.lineno
    returned: frozenset[str] = frozenset()
    final = function.body[-1]
    if isinstance(final, ast.Return):
        statements.pop()
        returned = _returned(final, where)
        last = final.lineno - 1
    _check_statements(statements, where)
    taken = _without_directives(lines, first, last)
    if any(line and not line.startswith(INDENT) for line in taken):
        raise NotebookError(f"{where} holds a text whose lines start left of the code, which marimo would shift.")
    return "\n".join(_as_the_editor_saves(taken, statements, first)).strip("\n"), returned


def _check_statements(statements: Sequence[ast.stmt], where: str) -> None:
    nodes = list(_own_nodes(statements))
    if any(isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)) for node in nodes):
        raise NotebookError(f"{where} may only return at its end, and neither yield nor await.")
    if all(isinstance(statement, ast.Pass) for statement in statements):
        raise NotebookError(f"{where} does nothing; a cell needs at least one statement.")
    if len(statements) == 1 and isinstance(statements[0], (ast.FunctionDef, ast.ClassDef)):
        raise NotebookError(f"{where} only defines {statements[0].name!r}; put that at the top of its module.")
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not is_private(node.target.id):
            raise NotebookError(
                f"{where} annotates {node.target.id!r}, which marimo would copy into every cell that reads it. "
                "Leave the type to a helper that returns the value."
            )


def _returned(final: ast.Return, where: str) -> frozenset[str]:
    value = final.value
    names = value.elts if isinstance(value, ast.Tuple) else [value]
    if not all(isinstance(item, ast.Name) for item in names):
        raise NotebookError(f"{where} must return plain names, the ones it defines, such as `return (table, chart)`.")
    return frozenset(item.id for item in names if isinstance(item, ast.Name))


def _own_nodes(statements: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Walk `statements` without entering functions and classes defined in them."""
    todo: list[ast.AST] = list(statements)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))


def _as_the_editor_saves(lines: list[str], statements: Sequence[ast.stmt], first_line: int) -> list[str]:
    """Return the lines of a cell whose only statement is `mo.md("text")` in the editor's own form of it.

    marimo's page rewrites every such cell, f-strings too, at the first save of any other; `marimo check` does not.
    """
    match list(statements):
        case [ast.Expr(ast.Call(ast.Attribute(ast.Name("mo"), "md"), [literal], [])) as statement]:
            source = "\n".join(lines)
            start, end = (row - first_line - 1 for row in (statement.lineno, statement.end_lineno or 0))
            written = ast.get_source_segment("\n" * first_line + source, literal) or ""
            found = _STRING.fullmatch(written)
            if found is None or found["quote"] in found["text"] or '""' in found["text"]:
                return lines
            if "\\" in found["text"] and not found["tag"]:
                return lines
            head, *tail = [line.rstrip() for line in found["text"].split("\n")]
            shown = "\n".join([head.lstrip(), textwrap.dedent("\n".join(tail))]).strip()
            call = indented(f'mo.md({found["tag"]}"""\n{shown}\n""")').split("\n")
            return lines[:start] + call + lines[end + 1 :]
    return lines


def _without_directives(lines: Sequence[str], first: int, last: int) -> list[str]:
    """Return lines `first` to `last` (from 0) without comments to linters, whose rules differ in notebooks."""
    kept = [line.rstrip() for line in lines[first:last]]
    # The lines are indented: a block around them makes them Python again.
    for item in tokenize.generate_tokens(io.StringIO("\n".join(["if True:", *kept, ""])).readline):
        if item.type == token.COMMENT and re.match(r"#\s*(noqa|type:\s*ignore)\b", item.string):
            row = item.start[0] - 2
            kept[row] = kept[row][: item.start[1]].rstrip()
    return kept
