"""A copy of this checkout in a repository of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pushed_copy(folder: Path) -> Path:
    """Copy the checkout as it stands into `folder`, committed and pushed to a bare repository beside it."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    who = ("-c", "user.name=ada", "-c", "user.email=ada@localhost")
    for command in (
        *(("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "as it stands")),
        *(("init", "-q", "--bare", "../origin"), ("remote", "add", "origin", "../origin")),
        ("push", "-q", "-u", "origin", "main"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder
