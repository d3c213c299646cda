"""A notebook file as its parts, and the file in the form that marimo itself saves."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.notebooks.cells import INDENT, Cell, indented, parse_python
from experiments.notebooks.imports import LOADER, Import, imports_of, setup_lines

DEFAULT_APP = 'app = marimo.App(width="medium")'
# marimo breaks signatures and returns here, whatever the project's formatter does.
_MARIMO_WIDTH = 80


@dataclass(frozen=True)
class Span:
    """First and last line (from 1) of a cell in its file, decorator included."""

    first: int
    last: int


@dataclass(frozen=True)
class Notebook:
    """The parts of a notebook file.

    Attributes:
        header: Comments and docstring before `import marimo`.
        app: The statement that makes the app.
        setup: Lines of the setup block, indented as in the file; empty where there is none.
        setup_options: What `app.setup` is called with, such as `(hide_code=True)`.
        cells: In the order of the file.
        spans: Where each cell stands in the file it was read from.
    """

    header: str
    app: str
    setup: str
    cells: tuple[Cell, ...]
    setup_options: str = ""
    spans: tuple[Span, ...] = ()

    @functools.cached_property
    def setup_names(self) -> tuple[str, ...]:
        """Names that the setup block binds."""
        return bound_in(self.setup)


def bound_in(setup: str) -> tuple[str, ...]:
    """Return the names that the lines of a setup block bind, in order."""
    names: list[str] = []
    for statement in statements_of(setup):
        imported = imports_of(statement)
        names += [item.bound for item in imported]
        if not imported:
            names += [
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ]
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                names.append(statement.name)
    return tuple(names)


def statements_of(setup: str) -> list[ast.stmt]:
    """Return the statements of indented lines; their line numbers are one more than those of the lines."""
    block = parse_python(f"if True:\n{setup}\n    pass\n").body[0]
    return block.body[:-1] if isinstance(block, ast.If) else []


def setup_body(imports: Iterable[Import], root: Path | None = None) -> str:
    """Return the indented lines of a setup block.

    Args:
        root: Project root, which tells its own packages from others.
    """
    wanted = list(imports)
    ours = {item.module.split(".")[0] for item in wanted if not item.is_file}
    if root is not None:
        ours = {top for top in ours if (root / top).is_dir() or (root / "src" / top).is_dir()}
    else:
        ours &= {"experiments"}
    return indented("\n".join(setup_lines(wanted, ours)))


def with_imports(
    setup: str, imports: Collection[Import], root: Path | None = None, *, without: Collection[str] = ()
) -> str:
    """Return the lines of a setup block with the imports that it lacks; what else it holds stays.

    A block of nothing but imports stays in order; in any other they come at the end. A name that is taken from
    another module than `imports` say is taken from there.

    Args:
        without: Names whose imports go.
    """
    wanted = {item.bound: item for item in imports}
    bound = {item.bound: item for node in statements_of(setup) for item in imports_of(node)}
    stale = bound.keys() & set(without)
    for name, item in bound.items():
        new = wanted.get(name, item)
        if new != item and item.name and new.name == item.name:
            stale |= {name}
    missing = [item for item in imports if item.bound not in set(bound_in(setup)) - stale]
    if not (missing or stale):
        return setup
    if "#" not in setup and all(imports_of(node) for node in statements_of(setup)):
        kept = {item for name, item in bound.items() if name not in stale}
        return setup_body({*kept, *missing} - {LOADER}, root)
    lines = setup.split("\n") if setup.strip() else []
    for node in reversed(statements_of(setup)):
        items = imports_of(node)
        if {item.bound for item in items} & stale:
            rest = setup_lines([item for item in items if item.bound not in stale], ())
            new_lines = indented("\n".join(rest)).split("\n") if rest else []
            lines[node.lineno - 2 : (node.end_lineno or node.lineno) - 1] = new_lines
    if missing:
        lines.append(indented("\n".join(setup_lines(missing, ()))))
    return "\n".join(lines).strip("\n")


def render(notebook: Notebook) -> str:
    """Return the file of a notebook whose cells need no rewriting, in the form that marimo saves.

    Signatures and returns follow from what the cells read and define.
    """
    used = frozenset().union(*(cell.names.reads for cell in notebook.cells))
    importable = {cell.name for cell in notebook.cells if cell.kind in {"function", "class_definition"}}
    given = frozenset(importable.union(notebook.setup_names))
    setup = f"with app.setup{notebook.setup_options}:\n{notebook.setup}\n\n\n" if notebook.setup.strip() else ""
    parts = [
        f"{notebook.header.rstrip()}\n\n" if notebook.header.strip() else "",
        f'import marimo\n\n__generated_with = "{importlib.metadata.version("marimo")}"\n{notebook.app}\n\n',
        setup or "\n",
        "\n\n\n".join(_rendered(cell, given, used) for cell in notebook.cells),
        f'\n\n\nif __name__ == "__main__":\n{INDENT}app.run()\n',
    ]
    return "".join(parts)


def canonical(text: str) -> str:
    """Return what marimo's editor would save of a notebook; for files with cells that are not ours.

    Costs half a second of CPU for the import of marimo.
    """
    from marimo._convert.converters import MarimoConvert

    return MarimoConvert.from_py(text).to_py()


def _rendered(cell: Cell, given: frozenset[str], used: frozenset[str]) -> str:
    if cell.kind == "unparsable":
        return cell.body
    decorator = f"@app.{cell.kind}{cell.options}"
    if cell.kind != "cell":
        return f"{decorator}\n{cell.body}"
    prefix = "async def" if cell.is_async else "def"
    signature = _bracketed(f"{prefix} {cell.name}", sorted(cell.names.reads - given), ":")
    returned = sorted(cell.names.defines & used)
    lines = [decorator, signature, *([cell.body] if cell.body else []), *([""] if _ends_with_definition(cell) else [])]
    return "\n".join([*lines, _return(returned)])


def _bracketed(before: str, names: Sequence[str], after: str) -> str:
    line = f"{before}({', '.join(names)}){after}"
    if len(line) < _MARIMO_WIDTH or not names:
        return line
    return "\n".join([f"{before}(", *(f"{INDENT}{name}," for name in names), f"){after}"])


def _return(names: Sequence[str]) -> str:
    if not names:
        return f"{INDENT}return"
    line = f"{INDENT}return ({names[0]},)" if len(names) == 1 else f"{INDENT}return {', '.join(names)}"
    if len(line) < _MARIMO_WIDTH:
        return line
    return indented("\n".join(["return (", *(f"{INDENT}{name}," for name in names), ")"]))


def _ends_with_definition(cell: Cell) -> bool:
    body = statements_of(cell.body)
    definitions = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return bool(body) and isinstance(body[-1], definitions) and body[-1].end_lineno == cell.body.count("\n") + 2
