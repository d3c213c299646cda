"""Saved states of a run: one npz file each, written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.project.errors import ExperimentsError
from experiments.project.files import parse_json
from experiments.trainer.features import FloatArray

FORMAT = 1


class DamagedCheckpoint(ExperimentsError):  # noqa: N818 - names the state of the file, which callers step over
    """A checkpoint file cannot be read whole."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a run needs to go on.

    Attributes:
        arrays: Network parameters as `policy/NAME`, Adam's means as `adam_first/NAME` and `adam_second/NAME`, and the
            sampler's running means.
        state: JSON values: `agent_step`, `logged_step`, `adam_updates`, `rng` (state of the generator),
            `random_reward` by the number of maps, and the settings with which alone the run can go on.
    """

    arrays: Mapping[str, FloatArray]
    state: Mapping[str, Any]

    @property
    def agent_step(self) -> int:
        """Agent-steps that the state has seen."""
        return int(self.state["agent_step"])

    def group(self, prefix: str) -> dict[str, FloatArray]:
        """Return the arrays called `prefix/...`, without the prefix."""
        start = prefix + "/"
        return {name.removeprefix(start): array for name, array in self.arrays.items() if name.startswith(start)}


def path_of(folder: Path, agent_step: int) -> Path:
    """Return the file of the checkpoint taken at `agent_step`."""
    return folder / f"step_{agent_step}.npz"


def step_of(path: Path) -> int:
    """Return the agent-step of a checkpoint's file, from its name."""
    return int(path.stem.removeprefix("step_"))


def saved(folder: Path) -> list[Path]:
    """Return the checkpoint files in `folder`, oldest first."""
    steps = {path: re.fullmatch(r"step_(\d{1,15})\.npz", path.name) for path in folder.glob("step_*.npz")}
    return sorted((path for path, match in steps.items() if match), key=step_of)


def save(folder: Path, checkpoint: Checkpoint, *, keep: int, points: Sequence[int] = ()) -> Path:
    """Write `checkpoint` under a temporary name, rename it, and drop all that are not to be kept.

    Args:
        keep: How many of the newest are kept.
        points: Agent-steps of which the first file at or after each is kept, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, checkpoint.agent_step)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    state = json.dumps({"format": FORMAT, **checkpoint.state}, sort_keys=True).encode()
    arrays: dict[str, Any] = {"state": np.frombuffer(state, np.uint8), **checkpoint.arrays}
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    files = saved(folder)
    at_points = {next((file for file in files if step_of(file) >= point), None) for point in points}
    for old in files[:-keep]:
        if old not in at_points:
            old.unlink(missing_ok=True)
    return path


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DamagedCheckpoint: The file is cut off, altered, or not a checkpoint.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        state = parse_json(arrays.pop("state").tobytes())
        if state["format"] != FORMAT:
            raise DamagedCheckpoint(
                f"{path.name} has checkpoint format {state['format']!r}; this version reads {FORMAT}."
            )
        return Checkpoint(arrays, state)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedCheckpoint(f"{path.name} cannot be read: {error}") from error


def newest(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """Return the newest checkpoint that can be read; each one passed over is told to `warn`."""
    for path in reversed(saved(folder)):
        try:
            return load(path)
        except DamagedCheckpoint as error:
            warn(f"{error} Trying the checkpoint before it.")
    return None
