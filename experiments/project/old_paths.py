"""Import paths of version 0.1, each leading to where its module went.

Notebooks and recipes of people import by them, and jobs that are running have recorded command lines with them: a
supervisor of 0.1 ends with `python -P -m experiments.launchers.slots STATE_DIR`. They are kept for one release.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

MOVED = {
    "experiments." + old: "experiments." + new
    for old, new in {
        "arms": "jobs.arms",
        "direct": "launch",
        "errors": "project.errors",
        "forms": "notebooks.forms",
        "journal": "jobs.journal",
        "launchers": "jobs.launchers",
        "launchers.slots": "jobs.launchers.local.slots",
        "launchers.supervisor": "jobs.launchers.local.supervisor",
        "metric_frames": "results.frames",
        **dict.fromkeys(
            (
                *("notebooks.chart_cells", "notebooks.chart_inputs", "notebooks.diffs", "notebooks.drawing"),
                *("notebooks.exports", "notebooks.further_charts", "notebooks.groups", "notebooks.journal"),
                *("notebooks.launching", "notebooks.logs", "notebooks.paper_kit", "notebooks.run_table"),
                "notebooks.triage",
            ),
            "notebooks.version_0_1",
        ),
        "notebooks.sections": "notebooks.template",
        "permits": "jobs.permits",
        "planning": "jobs.plan",
        "settings": "project.settings",
        "workspace": "project.workspace",
    }.items()
}


class _Old:
    """Gives the module of a new path under an old one: the same object, so that its classes are the same too."""

    def __init__(self, new: str) -> None:
        self._new = new
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - as the protocol has it
        module = import_module(self._new)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the old path there

    def get_code(self, name: str) -> CodeType | None:  # noqa: ARG002 - as the protocol has it
        """Return what `python -m` of an old path runs."""
        from importlib.util import find_spec

        spec = find_spec(self._new)
        loader: Any = spec.loader if spec else None
        code: CodeType | None = loader.get_code(self._new) if loader else None
        return code


class _Finder:
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as the protocol has it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        new = MOVED.get(fullname)
        if new is None:
            package, _, name = fullname.rpartition(".")
            new = f"{MOVED[package]}.{name}" if package in MOVED else None
        loader: Any = _Old(new) if new else None
        return ModuleSpec(fullname, loader, origin=new) if new else None


def install() -> None:
    """Let the old paths be found. Before all other finders: an old folder may be there yet, with only caches in it."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
