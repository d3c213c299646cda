"""A notebook cell as text, the names it reads and defines, and the check that cells fit together.

marimo runs cells by their names alone: every name of a cell that does not start with `_` is global, belongs to one
cell, and re-runs its readers. What the names are is asked of Python's own symbol table, so comprehensions, lambdas
and nested functions count as they do when the notebook runs.
"""

from __future__ import annotations

import ast
import builtins
import functools
import graphlib
import symtable
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

INDENT = "    "
_ALWAYS_THERE = frozenset(dir(builtins)) | {"__file__", "__name__", "__builtins__"}


@dataclass(frozen=True)
class Names:
    """What a cell reads from others and defines for them."""

    reads: frozenset[str]
    defines: frozenset[str]


@dataclass(frozen=True)
class Cell:
    """One cell, as the source lines it has in a notebook file.

    Attributes:
        name: The function's name; `_` for a cell without one.
        body: Lines as in the file, indented by four spaces, without signature and return, which follow from the
            names. For the other kinds the whole definition, without its decorator.
        kind: `function` and `class_definition` are definitions that other files can import; `unparsable` is what the
            editor saves of a cell with a syntax error.
        options: What the decorator is called with, such as `(hide_code=True)`.
        is_async: The cell awaits.
    """

    name: str
    body: str
    kind: Literal["cell", "function", "class_definition", "unparsable"] = "cell"
    options: str = ""
    is_async: bool = False

    @functools.cached_property
    def names(self) -> Names:
        """Names that the cell reads and defines; none for an unparsable one."""
        if self.kind == "unparsable":
            return Names(frozenset(), frozenset())
        return names_in(self.body if self.kind == "cell" else indented(self.body))


def indented(code: str) -> str:
    """Return `code` with every line that is not blank moved right by one level."""
    return "\n".join(INDENT + line if line.strip() else line for line in code.split("\n"))


def parse_python(text: str) -> ast.Module:
    """Return the syntax tree of `text`, without Python's warnings about code that is not ours to mend.

    Raises:
        SyntaxError: It is not Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error)) from None


def names_in(body: str) -> Names:
    """Return the names that indented lines read and define.

    Raises:
        SyntaxError: They are not Python.
    """
    source = f"async def _():\n{body}\n    pass\n"
    tree = parse_python(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scope = symtable.symtable(source, "<cell>", "exec").get_children()[0]
    scopes = list(_with_children(scope))
    caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
    defines = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_local()} - caught
    reads: set[str] = set()
    for symbol in (symbol for table in scopes for symbol in table.get_symbols()):
        if symbol.is_declared_global() and symbol.is_assigned():
            defines.add(symbol.get_name())
        elif symbol.is_global() and symbol.is_referenced():
            reads.add(symbol.get_name())
    public = frozenset(name for name in defines if not is_private(name))
    return Names(frozenset(reads) - _ALWAYS_THERE - defines, public)


def is_private(name: str) -> bool:
    """Tell whether marimo keeps a name inside its cell."""
    return name.startswith("_") and not name.startswith("__")


def _with_children(scope: symtable.SymbolTable) -> Iterable[symtable.SymbolTable]:
    yield scope
    for child in scope.get_children():
        yield from _with_children(child)


@dataclass(frozen=True)
class Problem:
    """One reason why cells do not fit together; `key` stays the same while the message's details change."""

    key: tuple[str, ...]
    message: str


def find_problems(
    cells: Sequence[Cell], setup_names: Iterable[str] = (), elsewhere: Mapping[str, str] | None = None
) -> list[Problem]:
    """Return what keeps `cells` from running: a name defined twice or nowhere, or a cycle.

    Args:
        setup_names: Names that the setup block binds.
        elsewhere: What to do about a name that is missing, by name.
    """
    owners: dict[str, list[str]] = defaultdict(list)
    for name in setup_names:
        owners[name].append("setup")
    for cell in cells:
        for name in sorted(cell.names.defines):
            owners[name].append(cell.name)
    problems = [
        Problem(
            ("twice", name),
            f"{name!r} is defined by {' and by '.join(map(_called, cells_of))}; one name, one cell: rename one.",
        )
        for name, cells_of in owners.items()
        if len(cells_of) > 1
    ]
    for cell in cells:
        problems += [
            Problem(("missing", cell.name, name), _missing(cell, name, owners, elsewhere or {}))
            for name in sorted(cell.names.reads - owners.keys())
        ]
    return problems or _cycles(cells)


def _missing(cell: Cell, name: str, owners: Iterable[str], elsewhere: Mapping[str, str]) -> str:
    message = (
        f"{_called(cell.name)} needs {name!r}, which no selected cell defines (defined: {', '.join(sorted(owners))})."
    )
    if name in elsewhere:
        message += f" {elsewhere[name]}."
    return message


def _called(cell_name: str) -> str:
    if cell_name == "setup":
        return "the setup block"
    return "a cell without a name" if cell_name == "_" else f"cell {cell_name!r}"


def _cycles(cells: Sequence[Cell]) -> list[Problem]:
    owner = {name: index for index, cell in enumerate(cells) for name in cell.names.defines}
    graph = {
        index: {owner[name] for name in cell.names.reads if name in owner and owner[name] != index}
        for index, cell in enumerate(cells)
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        path = [cells[index].name for index in error.args[1]]
        start = path.index(min(path[:-1]))
        circle = path[start:-1] + path[:start]
        way = " -> ".join(map(repr, [*circle, circle[0]]))
        return [
            Problem(
                ("cycle", *sorted(circle)), f"cells wait for each other: {way}. One of them must not read the next."
            )
        ]
    return []
