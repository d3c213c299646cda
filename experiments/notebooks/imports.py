"""The imports of a notebook's setup block: read from a module, put in order, written as ruff's isort would.

A class or helper of a recipe that is a lone file, in no installed package, cannot be imported from a notebook in
another folder. Such a name is bound by `load_recipe`, which finds the file from the project's root.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.notebooks.cells import indented, parse_python

MAX_LINE = 120


@dataclass(frozen=True, order=True)
class Import:
    """One name bound in the setup block.

    Attributes:
        module: Dotted name of a module, or the path of a recipe file from the project's root.
        name: What is taken from the module; empty for the module itself.
        alias: The name it is bound to, where it is another.
        is_file: `module` is a path; the name is bound by `load_recipe`.
    """

    module: str
    name: str = ""
    alias: str = ""
    is_file: bool = False

    @property
    def bound(self) -> str:
        """Name that cells use."""
        return self.alias or self.name or self.module.split(".")[0]


LOADER = Import("experiments.notebooks.loading", "load_recipe")


def imports_of(statement: ast.stmt, package: str = "") -> list[Import]:
    """Return what an import statement, or a line with `load_recipe`, binds; empty for any other statement.

    Args:
        package: Package that a relative import starts from.
    """
    if isinstance(statement, ast.Import):
        return [Import(alias.name, "", alias.asname or "") for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        parents = package.split(".") if package else []
        above = parents[: len(parents) - statement.level + 1] if statement.level else []
        module = ".".join([*above, *([statement.module] if statement.module else [])])
        return [Import(module, alias.name, alias.asname or "") for alias in statement.names]
    match statement:
        case ast.Assign(
            [ast.Name(bound)],
            ast.Attribute(ast.Call(ast.Name("load_recipe"), [ast.Constant(str(path)), ast.Name("__file__")]), name),
        ):
            return [Import(path, name, "" if bound == name else bound, is_file=True)]
    return []


def setup_lines(imports: Iterable[Import], first_party: Iterable[str]) -> list[str]:
    """Return the statements that bind `imports`, one per module, in the order that ruff's isort keeps.

    Args:
        first_party: Top-level packages that belong to the project; they come last.
    """
    wanted = set(imports)
    files = sorted(item for item in wanted if item.is_file)
    modules = {item for item in wanted if not item.is_file} | ({LOADER} if files else set())
    ours = frozenset(first_party)
    groups: list[list[Import]] = [[], [], []]
    for item in modules:
        top = item.module.split(".")[0]
        groups[0 if top in sys.stdlib_module_names else 2 if top in ours else 1].append(item)
    blocks = [_group_lines(group) for group in groups if group]
    if files:
        blocks.append([f"{item.bound} = load_recipe({quoted(item.module)}, __file__).{item.name}" for item in files])
    return [line for index, block in enumerate(blocks) for line in ([""] if index else []) + block]


def quoted(text: str) -> str:
    """Return `text` as a Python literal with the quotes that `ruff format` chooses."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


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


def _group_lines(group: Sequence[Import]) -> list[str]:
    plain = sorted((item for item in group if not item.name), key=lambda item: (item.module.lower(), item.alias))
    lines = [f"import {item.module}{f' as {item.alias}' if item.alias else ''}" for item in plain]
    taken = sorted({item.module for item in group if item.name}, key=str.lower)
    for module in taken:
        names = [item for item in group if item.module == module and item.name]
        bare = sorted((item.name for item in names if not item.alias), key=_member_order)
        if bare:
            lines += _from_lines(module, bare)
        renamed = sorted((item for item in names if item.alias), key=lambda item: _member_order(item.name))
        lines += [f"from {module} import {item.name} as {item.alias}" for item in renamed]
    return lines


def _from_lines(module: str, names: Sequence[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) + 4 <= MAX_LINE:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _member_order(name: str) -> tuple[int, str, str]:
    """Constants, then classes, then the rest, each by the alphabet."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name


def _escaped(character: str, quote: str) -> str:
    if character in "'\"":
        return "\\" + character if character == quote else character
    return repr(character)[1:-1]
