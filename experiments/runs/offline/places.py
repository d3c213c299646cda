"""Where W&B keeps the files of a run: `wandb`, or `.wandb` where a folder has one; a directory for each start."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

WANDB_FOLDERS = ("wandb", ".wandb")


def wandb_folders(folder: Path) -> tuple[Path, ...]:
    """Return the places of W&B's directories in a folder; they may not exist."""
    return tuple(folder / name for name in WANDB_FOLDERS)


def wandb_files(folders: Iterable[Path]) -> list[Path]:
    """Return the `.wandb` files of all starts, those of the newest directory last.

    Its name begins with the time of the start: `offline-run-20260131_235959-<id>`, whatever a trainer let follow.
    """
    found = (path for folder in folders for path in folder.glob("*run-*/run-*.wandb"))
    starts = [path for path in found if path.parent.name != "latest-run"]
    return sorted(starts, key=lambda path: path.parent.name.removeprefix("offline-"))


def run_id_of(path: Path | str) -> str:
    """Return the run id that a `.wandb` file's name carries; its directory's name may have more."""
    return os.path.basename(path).removeprefix("run-").removesuffix(".wandb")  # noqa: PTH119 - ten thousand at once
