"""uv, asked to make environments: away from every project, whose own pins would speak against what was recorded.

Of the recorded project only this counts: on which indexes it looks for which packages.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.project.errors import LaunchError
from experiments.project.redaction import mask_text

__all__ = ["Uv", "UvError", "is_built_only"]

_UNSOLVABLE = "No solution found"
_OFFLINE = "network was disabled"
_WOULD_BUILD = "building from source is disabled"
# They name an environment, a project or pins of whoever runs this.
_MISLEADING = (
    "VIRTUAL_ENV",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_REQUIRE_HASHES",
)
_MANIFEST, _PINNED = "pyproject.toml", "pinned.txt"


class UvError(Exception):
    """uv could not do it; the text says why, in its words."""


@dataclass(frozen=True)
class Uv:
    """The program.

    Every method raises `LaunchError` where there is no uv.

    Attributes:
        places: Of a project's table `tool.uv`, what says where packages are: `index` and `sources`.
    """

    places: Mapping[str, Any] = field(default_factory=dict)

    def make_venv(self, folder: Path, python: str) -> None:
        """Make an environment without packages in `folder`.

        Args:
            python: What uv looks for, as in "cpython@3.11.7"; it may fetch it.

        Raises:
            UvError: There is no such Python.
        """
        self._run("venv", "-q", "--python", python, str(folder.absolute()))

    def install(self, python: Path, lines: Collection[str]) -> None:
        """Install these requirements and nothing that they depend on.

        Raises:
            UvError: One of them cannot be installed.
        """
        self._run("pip", "install", "-q", "--no-deps", "--python", str(python), "-r", _MANIFEST, lines=lines)

    def install_pinned(self, python: Path, hashed: str) -> None:
        """Install files with these hashes only, and build nothing.

        Raises:
            UvError: One of them cannot be had, or is another one.
        """
        # By its hash a file is the same from wherever it is.
        options = ("--require-hashes", "--no-build", "--no-deps", "--index-strategy", "unsafe-best-match")
        self._run("pip", "install", "-q", *options, "--python", str(python), "-r", _PINNED, pinned=hashed)

    def why_not(self, python: Path, lines: Collection[str]) -> str:
        """Return why these requirements cannot be had together, empty where they can; nothing is installed or built.

        Raises:
            LaunchError: An index gives no answer.
        """
        options = ("--dry-run", "-q", "--no-deps", "--no-build", "--python", str(python), "-r", _MANIFEST)
        try:
            self._run("pip", "install", *options, lines=lines)
        except UvError as error:
            is_answer = _UNSOLVABLE in str(error) and _OFFLINE not in str(error)
            if not is_answer and not is_built_only(str(error)):
                raise LaunchError(
                    f"uv cannot say which packages there are: {error}. Look at the network, and run the command again."
                ) from None
            return str(error)
        return ""

    def hashes(self, lines: Collection[str], python: str) -> str:
        """Return requirements of an index with the hashes of all files that it has of each.

        Args:
            python: Version, as in "3.11.7".

        Raises:
            UvError: One of them is on no index.
        """
        options = ("--generate-hashes", "--no-deps", "--no-header", "--no-annotate", "-q", "--python-version", python)
        return self._run("pip", "compile", _MANIFEST, *options, lines=lines)

    def _run(self, *words: str, lines: Collection[str] = (), pinned: str = "") -> str:
        environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
        with tempfile.TemporaryDirectory() as folder:
            # A project of its own ends the search for another one's settings; the user's own still count.
            (Path(folder) / _MANIFEST).write_text(self._manifest(lines, is_pinned=bool(pinned)), encoding="utf-8")
            (Path(folder) / _PINNED).write_text(pinned, encoding="utf-8")
            try:
                done = subprocess.run(
                    ["uv", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
            except FileNotFoundError:
                raise LaunchError("uv is not on the PATH; it makes environments. Install it: pip install uv") from None
        if done.returncode:
            said = [
                line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith("warning:")
            ]
            raise UvError(mask_text(" ".join(said)).removeprefix("error: ") or f"exit code {done.returncode}")
        return done.stdout

    def _manifest(self, lines: Collection[str], *, is_pinned: bool) -> str:
        import tomlkit

        index = [dict(each) for each in self.places.get("index", ())]
        sources = dict(self.places.get("sources", {}))
        if is_pinned:
            # Sources speak of a project's requirements, not of a list of pins: there any index may have any of them.
            index, sources = [{**each, "explicit": False} for each in index], {}
        project = {"name": "restored", "version": "0", "dependencies": list(lines)}
        return tomlkit.dumps({"project": project, "tool": {"uv": {"index": index, "sources": sources}}})


def is_built_only(why: str) -> bool:
    """Say whether a package is there after all, as sources: they are built when it is really installed."""
    return _WOULD_BUILD in why
