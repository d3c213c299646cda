"""Where a module's source is, how a notebook in another folder can import it, and the loader for lone recipe files."""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import importlib.util
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from experiments.project.errors import NotebookError
from experiments.project.settings import project_root

_loading = threading.RLock()


@dataclass(frozen=True)
class Origin:
    """A source file and the way to import it.

    Attributes:
        module: Dotted name; for a lone file, its path from the project root with forward slashes.
        is_file: Only `load_recipe` reaches it.
    """

    path: Path
    module: str
    is_file: bool

    @property
    def package(self) -> str:
        """Package that the module's relative imports start from."""
        if self.is_file:
            return ""
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]


def origin_of_module(module: str, root: Path | None = None) -> Origin:
    """Return where `module` is and how a notebook imports it; the module itself is not imported.

    Args:
        module: Dotted name, `__main__` for the running script, or the path of a file, absolute or from `root`.
        root: Project root; by default that of the module's file.

    Raises:
        NotebookError: There is no such module, or it is a lone file outside the project.
    """
    if module.endswith(".py"):
        path = ((root or Path()) / module).resolve()
        if not path.is_file():
            raise NotebookError(f"module file {module!r} does not exist (looked for {str(path)!r}).")
        return _origin(path, "", root)
    path = _path_of(module)
    return _origin(path, "" if module == "__main__" else module, root)


def load_recipe(path: str, notebook: str) -> ModuleType:
    """Return the module of a recipe file that is in no package; loaded once a process.

    Args:
        path: From the project's root, with forward slashes.
        notebook: File of the notebook that asks (`__file__`); its project is the root.

    Raises:
        NotebookError: The file is missing or lies outside the project.
    """
    root = project_root(Path(notebook))
    file = (root / path).resolve()
    if not file.is_file() or not file.is_relative_to(root):
        raise NotebookError(
            f"recipe {path!r} does not exist in project {str(root)!r}. Move the notebook into the recipe's project, "
            "or correct the path in the notebook's first cell."
        )
    name = f"recipe_{re.sub(r'[^0-9A-Za-z]', '_', file.stem)}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    with _loading:
        return sys.modules.get(name) or _execute(name, file)


def _execute(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise NotebookError(f"recipe {str(file)!r} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    # Appended, so that files beside the recipe can be imported but shadow nothing.
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _path_of(module: str) -> Path:
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None)
    if file is None:
        try:
            spec = importlib.util.find_spec(module) if loaded is None else None
        except (ImportError, ValueError):
            spec = None
        file = spec.origin if spec else None
    if file is None or not file.endswith(".py"):
        raise NotebookError(f"module {module!r} cannot be found, or has no Python source.")
    return Path(file).resolve()


@functools.cache
def _origin(path: Path, known_as: str, root: Path | None) -> Origin:
    name = _name_in_package(path)
    if name and _is_installed(name.split(".")[0], path):
        return Origin(path, name, is_file=False)
    home = (root or project_root(path)).resolve()
    if path.is_relative_to(home) and "site-packages" not in path.relative_to(home).parts:
        return Origin(path, path.relative_to(home).as_posix(), is_file=True)
    if known_as:
        return Origin(path, known_as, is_file=False)
    raise NotebookError(
        f"recipe {str(path)!r} lies outside the project {str(home)!r}, so no notebook there can load it."
    )


def _name_in_package(path: Path) -> str:
    """Return the dotted name of a file in a package, or an empty string for a lone file."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts) if folder != path.parent else ""


def _is_installed(top: str, path: Path) -> bool:
    """Tell whether another process finds package `top`: the first entry of sys.path is only this script's folder."""
    entries = list(sys.path if sys.flags.safe_path else sys.path[1:])
    for finder in sys.meta_path:
        where = entries if finder is importlib.machinery.PathFinder else None
        spec = finder.find_spec(top, where) if hasattr(finder, "find_spec") else None
        folders = (spec.submodule_search_locations if spec else None) or ()
        if any(path.is_relative_to(Path(folder).resolve()) for folder in folders):
            return True
    return False
