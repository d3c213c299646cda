"""A notebook file as its parts: read with `ast`, never executed, and written in the form that marimo itself saves."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import io
import token
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.notebooks.cells import INDENT, Cell, indented, parse_python
from experiments.notebooks.imports import (
    bound_in,
    statements_of,
)
from experiments.project.errors import NotebookError

# marimo breaks signatures and returns here, whatever the project's formatter does.
_MARIMO_WIDTH = 80
_OTHERWISE = "Mend it, move it away, or replace it with --force (it is kept as .bak)."
_Block = ast.FunctionDef | ast.AsyncFunctionDef | ast.With | ast.AsyncWith


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

    def cell(self, name: str) -> Cell | None:
        """Return the cell of a name; None where there is none."""
        return next((cell for cell in self.cells if cell.name == name and cell.kind == "cell"), None)


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


def line_of_colon(lines: Sequence[str], first: int, last: int | None) -> int:
    """Return the number of the line on which the signature or `with` that starts at line `first` ends."""
    depth = 0
    text = "\n".join(lines[first - 1 : last])
    for item in tokenize.generate_tokens(io.StringIO(text).readline):
        if item.type == token.OP:
            depth += (item.string in "([{") - (item.string in ")]}")
            if item.string == ":" and not depth:
                return first + item.start[0] - 1
    raise AssertionError("a block has a colon")


def read_text(path: Path) -> str:
    """Return the text of a notebook file, its lines ended by newlines alone and without a byte order mark.

    Raises:
        NotebookError: It cannot be read, is not UTF-8 or says that it is not.
    """
    try:
        content = path.read_bytes()
        declared, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        if declared not in {"utf-8", "utf-8-sig"}:
            raise NotebookError(
                f"notebook {str(path)!r} says that its encoding is {declared}. Save it as UTF-8 and without that line, "
                "and run the command again."
            )
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig").read()
    except FileNotFoundError:
        raise NotebookError(f"there is no notebook {str(path)!r}. Give the path of one that exists.") from None
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NotebookError(f"notebook {str(path)!r} cannot be read: {reason}. {_OTHERWISE}") from None


def parse(text: str, path: Path) -> Notebook:
    """Return the parts of a notebook file.

    Args:
        path: Named in errors only.

    Raises:
        NotebookError: It is not Python, not a marimo notebook, indented with tabs, or holds text outside its cells,
            which marimo drops whenever it saves the file.
    """
    try:
        tree = parse_python(text)
    except SyntaxError as error:
        where = f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
        raise NotebookError(f"notebook {str(path)!r} is not Python ({where}). {_OTHERWISE}") from None
    if (line := _line_of_tab(text)) is not None:
        raise NotebookError(
            f"notebook {str(path)!r} is indented with tabs (line {line}), where marimo writes spaces. Save it once "
            "from marimo edit, or replace them, and run the command again."
        )
    lines = text.split("\n")
    header, app, statements = _opening(tree, lines, path)
    setup, setup_options = "", ""
    cells: list[Cell] = []
    spans: list[Span] = []
    for index, node in enumerate(statements):
        following = statements[index + 1] if index + 1 < len(statements) else None
        last = _first_line(following) - 1 if following else len(lines)
        if isinstance(node, ast.With) and not cells and _call_on_app(node.items[0].context_expr, "setup"):
            setup_options = _options(node.items[0].context_expr, lines)
            setup = _inside(lines, node, last, path)
        elif (cell := _cell(node, lines, last, path)) is not None:
            cells.append(cell)
            spans.append(Span(_first_line(node), node.end_lineno or last))
        elif not _is_run_guard(node):
            raise NotebookError(
                f"notebook {str(path)!r} has code outside its cells at line {node.lineno}, which marimo drops when it "
                "saves. Move it into a cell and run the command again."
            )
    return Notebook(header, app, setup, tuple(cells), setup_options, tuple(spans))


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


def _line_of_tab(text: str) -> int | None:
    """Return the first line that is indented with a tab; tabs inside of texts are no indentation."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return next((item.start[0] for item in tokens if item.type == token.INDENT and "\t" in item.string), None)


def _opening(tree: ast.Module, lines: list[str], path: Path) -> tuple[str, str, list[ast.stmt]]:
    """Return the header, the app statement and the statements behind it."""
    start = next((i for i, node in enumerate(tree.body) if _imports_marimo(node)), None)
    made = next((i for i, node in enumerate(tree.body) if _assigns(node, "app")), None)
    if start is None or made is None:
        raise NotebookError(f"{str(path)!r} is not a marimo notebook. {_OTHERWISE}")
    between = [node for node in tree.body[start + 1 : made] if not _assigns(node, "__generated_with")]
    if between or any(not isinstance(node, ast.Expr) for node in tree.body[:start]):
        raise NotebookError(f"notebook {str(path)!r} has code before its app, which marimo drops when it saves.")
    header = "\n".join(lines[: tree.body[start].lineno - 1])
    app = tree.body[made]
    return header, "\n".join(lines[app.lineno - 1 : app.end_lineno]), tree.body[made + 1 :]


def _imports_marimo(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import) and any(alias.name == "marimo" for alias in node.names)


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(item, ast.Name) and item.id == name for item in node.targets)


def _is_run_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _call_on_app(node: ast.expr, *attributes: str) -> str:
    """Return which attribute of `app` an expression is or calls, or an empty string."""
    target = node.func if isinstance(node, ast.Call) else node
    match target:
        case ast.Attribute(value=ast.Name("app"), attr=attribute) if attribute in attributes:
            return attribute
    return ""


def _options(node: ast.expr, lines: list[str]) -> str:
    """Return the arguments of a decorator as they stand, in parentheses; empty where it has none."""
    if not isinstance(node, ast.Call) or not (node.args or node.keywords):
        return ""
    whole = ast.get_source_segment("\n".join(lines), node) or ""
    return whole[whole.index("(") :]


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _cell(node: ast.stmt, lines: list[str], last: int, path: Path) -> Cell | None:
    if isinstance(node, ast.Expr) and _call_on_app(node.value, "_unparsable_cell"):
        return Cell(_unparsable_name(node.value), "\n".join(lines[node.lineno - 1 : node.end_lineno]), "unparsable")
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return None
    own = [item for item in node.decorator_list if _call_on_app(item, "cell", "function", "class_definition")]
    if not own:
        return None
    kind = _call_on_app(own[0], "cell", "function", "class_definition")
    options = _options(own[0], lines)
    if kind == "cell" and not isinstance(node, ast.ClassDef):
        return Cell(
            node.name, _inside(lines, node, last, path), "cell", options, isinstance(node, ast.AsyncFunctionDef)
        )
    after_app = (own[0].end_lineno or own[0].lineno) + 1
    source = "\n".join(lines[after_app - 1 : node.end_lineno])
    return Cell(node.name, source, "function" if kind == "function" else "class_definition", options)


def _inside(lines: list[str], node: _Block, last: int, path: Path) -> str:
    """Return the lines of a block without its final return; `last` is the last line before the next statement."""
    first = line_of_colon(lines, node.lineno, node.end_lineno)
    final = node.body[-1]
    if node.body[0].lineno <= first:
        raise NotebookError(
            f"notebook {str(path)!r} has a cell on one line at line {first}; write its body on the next."
        )
    stop = end = node.end_lineno or first
    if isinstance(final, ast.Return):
        stop = final.lineno - 1
    else:
        while end < last and (not lines[end].strip() or lines[end].startswith(INDENT)):
            stop = end = end + 1
    outside = next((number for number in range(end, last) if lines[number].strip()), None)
    if outside is not None:
        raise NotebookError(
            f"notebook {str(path)!r} has text outside its cells at line {outside + 1}, which marimo drops when it "
            "saves. Move it into a cell and run the command again."
        )
    return "\n".join(lines[first:stop]).strip("\n").rstrip()


def _unparsable_name(call: ast.expr) -> str:
    keywords = call.keywords if isinstance(call, ast.Call) else []
    for item in keywords:
        if item.arg == "name" and isinstance(item.value, ast.Constant):
            return str(item.value.value)
    return "_"
