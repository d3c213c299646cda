"""What runs text as code or as a program, found in the syntax tree of Python files."""

from __future__ import annotations

import ast
from collections.abc import Iterator

MODULES = frozenset(
    {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
)
"""Reading data with one of these runs what the data says."""

CALLS = frozenset(
    {
        *("eval", "exec", "compile", "__import__", "execfile"),
        *("os.system", "os.popen", "pty.spawn", "runpy.run_path", "runpy.run_module", "code.interact"),
        *("subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"),
        *("yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "yaml.full_load_all"),
        *("torch.load", "torch.hub.load", "pandas.read_pickle"),
    }
)
SAFE_LOADERS = frozenset({"yaml.SafeLoader", "yaml.CSafeLoader"})


def dangers(source: str) -> list[str]:
    """Return what in a file's source runs text as code or as a program, each with its line."""
    tree = ast.parse(source)
    names = _origins(tree)
    found = [(node.lineno, what) for node in ast.walk(tree) for what in _of(node, names)]
    return [f"line {line}: {what}" for line, what in sorted(found)]


def _of(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        yield from (f"import {name}" for name in modules if name.split(".")[0] in MODULES)
    # A function that is handed on (`map(eval, texts)`) runs as well as one that is called.
    elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        if (origin := _origin(node, names)) in CALLS:
            yield origin
    elif isinstance(node, ast.Call):
        yield from _of_call(node, names)


def _of_call(call: ast.Call, names: dict[str, str]) -> Iterator[str]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    for name in ("shell", "allow_pickle"):
        if name in given and not _is(given[name], False):
            yield f"{name}={ast.unparse(given[name])}"
    origin = _origin(call.func, names)
    if origin in {"yaml.load", "yaml.load_all"}:
        loader = given.get("Loader", call.args[1] if len(call.args) > 1 else None)
        if loader is None or _origin(loader, names) not in SAFE_LOADERS:
            yield origin
    if origin == "importlib.import_module" and call.args and isinstance(call.args[0], ast.Constant):
        module = str(call.args[0].value)
        yield from [f"import {module}"] if module.split(".", maxsplit=1)[0] in MODULES else []


def _origins(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: `np` for `numpy`, `run` for `subprocess.run`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _origin(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id).removeprefix("builtins.")
    if isinstance(node, ast.Attribute):
        return f"{_origin(node.value, names)}.{node.attr}".removeprefix("builtins.")
    return ""


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
