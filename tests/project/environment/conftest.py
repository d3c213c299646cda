from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Every test has a home of its own, and uv's cache lies in the developer's.
UV_CACHE = subprocess.run(["uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()


class Venv:
    """A virtual environment that uv made; packages are installed as people do it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        self._outside = folder.parent  # of this repository, whose pins uv would obey
        self.uv("venv", "-q", "--python", sys.executable, str(folder))

    def uv(self, *words: str) -> None:
        subprocess.run(["uv", *words], cwd=self._outside, env=os.environ | {"UV_CACHE_DIR": UV_CACHE}, check=True)

    def install(self, *words: str) -> None:
        self.uv("pip", "install", "-q", "--no-deps", "--python", str(self.python), *words)


@pytest.fixture
def venv(tmp_path):
    return Venv(tmp_path / "venv")


@pytest.fixture
def package(tmp_path):
    """Return a function that makes the sources of a package called `own`, with a text in its only module."""

    def make(text: str = "VALUE = 1\n", name: str = "own") -> Path:
        folder = tmp_path / f"sources-of-{name}"
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "__init__.py").write_text(text)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1.0"\n[project.scripts]\n{name}-run = "{name}:run"\n'
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        )
        return folder

    return make
