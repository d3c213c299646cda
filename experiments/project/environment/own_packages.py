"""Describe in a made environment the packages whose code comes from a snapshot, by `PYTHONPATH`.

Without this, a program would not find its own version or entry points. Nothing is built: a build runs code, needs more
packages than are recorded, and writes into the sources.
"""

from __future__ import annotations

import configparser
import io
import json
from collections.abc import Mapping
from pathlib import Path

from experiments.project.environment.records import Package
from experiments.project.environment.requirements import read_project
from experiments.project.errors import LaunchError
from experiments.project.files import write_text

__all__ = ["describe"]


def describe(venv: Path, name: str, package: Package, sources: Path) -> None:
    """Write the metadata of an editable package into an environment.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/

    Args:
        venv: The environment's folder.
        name: The package's normalised name.
        package: As it is recorded.
        sources: Its folder in a checkout.

    Raises:
        LaunchError: The environment has no folder for packages.
    """
    places = sorted(venv.glob("lib/*/site-packages"))
    if not places:
        raise LaunchError(f"{str(venv)!r} is no environment: it has no lib/*/site-packages.")
    folder = places[0] / f"{name.replace('-', '_')}-{package.version}.dist-info"
    folder.mkdir()
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {package.version}\n",
        "INSTALLER": "experiments\n",
        "direct_url.json": json.dumps({"url": sources.absolute().as_uri(), "dir_info": {"editable": True}}),
        "entry_points.txt": _entry_points(read_project(sources)),
    }
    texts = {file: text for file, text in texts.items() if text}
    texts["RECORD"] = "".join(f"{folder.name}/{file},,\n" for file in [*texts, "RECORD"])
    for file, text in texts.items():
        write_text(folder / file, text)


class _WithCapitals(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _entry_points(project: Mapping[str, object]) -> str:
    """Return a project's entry points in the form in which an installer keeps them."""
    found = _WithCapitals(delimiters=("=",), interpolation=None)
    groups = {"console_scripts": project.get("scripts"), "gui_scripts": project.get("gui-scripts")}
    declared = project.get("entry-points")
    for group, points in (groups | (declared if isinstance(declared, dict) else {})).items():
        if isinstance(points, dict) and points:
            found[group] = {str(point): str(target) for point, target in points.items()}
    text = io.StringIO()
    found.write(text)
    return text.getvalue()
