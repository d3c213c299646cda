"""The version before this one, as a user's installation that is replaced under running jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.fakes.checkout import ROOT

COMMIT = "7398ce5"
"""The last commit of version 0.1."""
PACKAGES = ("experiments", "apps", "widgets")


class Installation:
    """A folder with the three packages, first those of the version before; `project` is a user's, with a recipe."""

    def __init__(self, folder: Path) -> None:
        self.packages, self.project = folder / "installed", folder / "project"
        self.project.mkdir()
        self.packages.mkdir()
        archive = subprocess.run(["git", "archive", COMMIT, *PACKAGES], cwd=ROOT, capture_output=True, check=False)
        assert archive.returncode == 0, (
            f"this clone lacks commit {COMMIT}, the version before: fetch its whole history (git fetch --unshallow). "
            + archive.stderr.decode()
        )
        subprocess.run(["tar", "-x", "-C", self.packages], input=archive.stdout, check=True)

    def upgrade(self) -> None:
        """Put this checkout's packages in the place of what is installed, as `git pull` or `uv sync` would."""
        skipped = shutil.ignore_patterns("__pycache__", "scratch", "log", "node_modules")
        for name in PACKAGES:
            shutil.rmtree(self.packages / name)
            shutil.copytree(ROOT / name, self.packages / name, ignore=skipped)

    def python(self, *arguments: str, code: int = 0) -> str:
        """Run Python in the project with what is installed now; check its exit code and return what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.project,
            env={**os.environ, "PYTHONPATH": str(self.packages), "PYTHONWARNINGS": "ignore", "CI": "true"},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run `experiments ...` in the project; return what it printed."""
        return self.python("-m", "experiments.cli", *arguments, code=code)
