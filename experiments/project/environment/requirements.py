"""What an installer is asked for to have a recorded package set again, and what of it nobody can ask for."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.project.environment.probe import normalised
from experiments.project.environment.records import Environment, Package

__all__ = ["Asked", "asked_for", "places_in", "projects_in", "read_project", "unread_manifests"]

_MANIFEST = "pyproject.toml"
_NO_SOURCES = {".git", ".venv", "node_modules", "__pycache__"}


@dataclass(frozen=True)
class Asked:
    """How each package of a set can be had again.

    Attributes:
        lines: A requirement for each that an installer can get, by name.
        ours: Those whose sources are in the snapshot, with the project's folder: they come by `PYTHONPATH`.
        lost: Why a package cannot be had, by name.
    """

    lines: dict[str, str] = field(default_factory=dict)
    ours: dict[str, Path] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)


def asked_for(environment: Environment, tree: Path | None) -> Asked:
    """Return how to have each package of a set.

    Args:
        tree: Checkout of the snapshot whose jobs ran in it; None where there is none.
    """
    asked, projects = Asked(), projects_in(tree) if tree else {}
    for name, package in environment.packages.items():
        line = _line(name, package)
        if line is not None:
            asked.lines[name] = line
        elif package.source in {"editable", "local folder"} and name in projects:
            asked.ours[name] = projects[name]
        else:
            asked.lost[name] = _lost(name, package)
    return asked


def _line(name: str, package: Package) -> str | None:
    """Return the requirement for a package; None where name, version and address do not lead to it.

    Source: https://packaging.python.org/en/latest/specifications/dependency-specifiers/
    """
    if not package.source:
        return f"{name}=={package.version}"
    if not package.address:
        return None
    kind, plus, commit = package.source.partition("+")
    address, _, part = package.address.partition("#")
    where = f"{kind}+{address}@{commit}" if plus else address
    return f"{name} @ {where}{f'#{part}' if part else ''}"


def _lost(name: str, package: Package) -> str:
    what = f"{name} {package.version}"
    if package.source in {"editable", "local folder"}:
        return f"{what} was installed from a folder, whose sources are not in the snapshot"
    if package.source == "local file":
        return f"{what} was installed from a file of the machine on which it ran"
    return f"{what} was installed from an address that is not recorded ({package.source})"


def projects_in(tree: Path) -> dict[str, Path]:
    """Return the folder of each project with a `pyproject.toml` in a checkout, by its normalised name."""
    found: dict[str, Path] = {}
    for folder in _folders(tree):
        if name := read_project(folder).get("name"):
            found.setdefault(normalised(str(name)), folder)
    return found


def places_in(tree: Path) -> dict[str, Any]:
    """Return where the projects of a checkout look for which packages: `index` and `sources` of the first with any.

    Of the sources only those that name an index: the others, folders and repositories, do not lead to what is recorded.
    """
    for folder in _folders(tree):
        told = _table(_table(_manifest(folder), "tool"), "uv")
        if isinstance(index := told.get("index"), list) and index:
            sources = {name: source for name, source in _table(told, "sources").items() if _names_index(source)}
            return {"index": index, "sources": sources}
    return {}


def read_project(folder: Path) -> Mapping[str, Any]:
    """Return the table `project` of a folder's `pyproject.toml`; empty where there is none that can be read."""
    return _table(_manifest(folder), "project")


def unread_manifests(tree: Path) -> str:
    """Return in words which `pyproject.toml` of a checkout cannot be read, with the reason; empty where all can.

    Which project lies there and which indexes it names is not known then.
    """
    found = {}
    for folder in _folders(tree):
        try:
            _read_manifest(folder)
        except (OSError, ValueError) as error:
            found[str((folder / _MANIFEST).relative_to(tree))] = error
    words = [f"{name!r} ({error})" for name, error in found.items()]
    said = "what these files of the snapshot ask for is not known, for they cannot be read"
    return f"{said}: {', '.join(words)}" if words else ""


def _folders(tree: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(set(folders) - _NO_SOURCES)
        if _MANIFEST in files:
            yield Path(folder)


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        return _read_manifest(folder)
    except (OSError, ValueError):  # a template may be none yet; `unread_manifests` names it where it matters
        return {}


def _read_manifest(folder: Path) -> Mapping[str, Any]:
    return tomllib.loads((folder / _MANIFEST).read_text(encoding="utf-8"))


def _table(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _names_index(source: object) -> bool:
    every = source if isinstance(source, list) else [source]
    return all(isinstance(each, dict) and "index" in each for each in every)
