"""How a person left a page: what was hidden, folded, sorted and put away, one file an experiment.

Every page begins with it. The page of an editor keeps what is changed there; one that only shows changes itself alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from experiments.project.files import read_json, write_json
from experiments.project.workspace import Workspace

FOLDER = "views"


def read_view(workspace: Workspace, experiment: str) -> dict[str, Any]:
    """Return what was kept of an experiment's page; nothing where it cannot be read: a page opens all the same."""
    try:
        return read_json(workspace.state / FOLDER / f"{experiment}.json") or {}
    except (OSError, ValueError):
        return {}


def keep_view(workspace: Workspace, experiment: str, values: Mapping[str, Any]) -> None:
    """Keep how a page looks; where it cannot be written, it looks so until it is closed."""
    with contextlib.suppress(OSError):
        (workspace.state / FOLDER).mkdir(exist_ok=True)
        write_json(workspace.state / FOLDER / f"{experiment}.json", dict(values), indent=None)
