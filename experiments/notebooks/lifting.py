"""Read cells out of the source of section modules, without importing them.

A cell is a plain function: its parameters are the names it reads, the names it returns are the names it defines, and
its last expression is what it shows. Source lines are copied as they stand, so comments survive; the docstring, which
speaks to the module's readers, does not.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import NotebookError
from experiments.notebooks.bodies import cell_body
from experiments.notebooks.cells import Cell, is_private, parse_python
from experiments.notebooks.imports import Import, imports_of
from experiments.notebooks.loading import Origin, origin_of_module
from experiments.notebooks.sections import Section

_RESERVED = frozenset({"setup", "app", "marimo", "_"})


@dataclass(frozen=True)
class Lifted:
    """A cell of a section and what the setup block must bind for it."""

    cell: Cell
    imports: frozenset[Import]


@dataclass(frozen=True)
class _Source:
    """A section module as text and syntax tree, with what its cells can use of it."""

    path: Path
    lines: tuple[str, ...]
    functions: Mapping[str, ast.FunctionDef]
    bindings: Mapping[str, Import]
    cells: Mapping[str, tuple[str, ...]]


def lift_section(section: Section, root: Path | None = None) -> list[Lifted]:
    """Return the cells of a section.

    Args:
        root: Project root, for sections in recipe files that no package holds.

    Raises:
        NotebookError: The module or a cell is missing, or a function cannot be a cell; says which rule it breaks.
    """
    origin = origin_of_module(section.module, root)
    source = _read(origin)
    names = section.cells or source.cells.get(section.name, ())
    if not names:
        raise NotebookError(
            f"section {section.name!r} has no cells: {source.path.name} lists none for it. "
            f'Write CELLS = {{{section.name!r}: ("name_of_a_function",)}} there.'
        )
    return [_lift(name, source) for name in names]


def _read(origin: Origin) -> _Source:
    try:
        return _parsed(origin, origin.path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise NotebookError(f"section module {str(origin.path)!r} cannot be read: {error}.") from None


@functools.lru_cache(maxsize=32)
def _parsed(origin: Origin, text: str) -> _Source:
    tree = parse_python(text)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    bindings = {item.bound: item for node in _at_top(tree) for item in imports_of(node, origin.package)}
    for name in _defined_at_top(tree):
        bindings[name] = Import(origin.module, name, is_file=origin.is_file)
    cells = next((_cells_table(value) for node in tree.body if (value := _assigned(node, "CELLS"))), {})
    return _Source(origin.path, tuple(text.split("\n")), functions, bindings, cells)


def _at_top(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those for type checkers: a cell's imports are the notebook's to make."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from node.body
        else:
            yield node


def _defined_at_top(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    """Return what a statement assigns to `name`."""
    match node:
        case ast.Assign(targets=[ast.Name(target)], value=value) if target == name:
            return value
        case ast.AnnAssign(target=ast.Name(target), value=value) if target == name:
            return value
    return None


def _cells_table(value: ast.expr) -> dict[str, tuple[str, ...]]:
    try:
        table = ast.literal_eval(value)
        return {str(section): tuple(map(str, names)) for section, names in table.items()}
    except (ValueError, AttributeError, TypeError):
        raise NotebookError("CELLS must be a literal: a dict from section names to tuples of function names.") from None


def _lift(name: str, source: _Source) -> Lifted:
    where = f"cell {name!r} of {source.path.name}"
    function = source.functions.get(name)
    if function is None:
        known = ", ".join(sorted(source.functions)) or "none"
        raise NotebookError(f"{where} does not exist. Functions there: {known}.")
    if name in _RESERVED or is_private(name):
        raise NotebookError(f"{where} has a name that marimo keeps for itself; give the function another.")
    parameters = _parameters(function, where)
    body, returned = cell_body(function, source.lines, where)
    cell = Cell(name, body)
    _check_names(cell, parameters, returned, where)
    wanted = cell.names.reads - parameters
    unknown = sorted(wanted - source.bindings.keys())
    if unknown:
        raise NotebookError(f"{where} uses {unknown[0]!r}, which is no parameter and nothing at the top of its module.")
    private = sorted(filter(is_private, wanted))
    if private:
        raise NotebookError(f"{where} uses {private[0]!r}; a notebook can only import names without a leading '_'.")
    return Lifted(cell, frozenset(source.bindings[name] for name in wanted))


def _parameters(function: ast.FunctionDef, where: str) -> frozenset[str]:
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if arguments.vararg or arguments.kwarg or arguments.defaults or any(arguments.kw_defaults):
        raise NotebookError(f"{where} may only have plain parameters, the names it reads: no defaults, * or **.")
    if function.decorator_list:
        raise NotebookError(f"{where} has a decorator, which a notebook would lose. Decorate a helper instead.")
    return frozenset(argument.arg for argument in plain)


def _check_names(cell: Cell, parameters: frozenset[str], returned: frozenset[str], where: str) -> None:
    unused = sorted(parameters - cell.names.reads)
    if unused:
        raise NotebookError(f"{where} has a parameter {unused[0]!r} that it does not read.")
    foreign = sorted(returned - cell.names.defines)
    if foreign:
        raise NotebookError(f"{where} returns {foreign[0]!r}, which it does not define (defined: {_listed(cell)}).")
    loose = sorted(cell.names.defines - returned)
    if loose:
        raise NotebookError(
            f"{where} defines {loose[0]!r} without returning it; in a notebook that name is global. "
            f"Return it, or call it '_{loose[0]}'."
        )


def _listed(cell: Cell) -> str:
    return ", ".join(sorted(cell.names.defines)) or "nothing"
