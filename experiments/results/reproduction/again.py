"""What a run is launched with once more: its own snapshot, packages and kernel, as far as they are to be had."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from experiments.project.environment.kernels import kernel_environment
from experiments.project.environment.records import bring_environment
from experiments.project.environment.restoring import missing, restore
from experiments.project.errors import ExperimentsError, LaunchError
from experiments.project.provenance import OwnCode
from experiments.project.snapshots import Snapshot, checkout, checkout_path, fetch, is_there
from experiments.project.workspace import Workspace
from experiments.results.reproduction.sides import Side


@dataclass(frozen=True)
class Again:
    """What a reproduction is launched with.

    Attributes:
        own: None where no snapshot of the original is kept: then the code that lies here now is run.
        notes: What is not as it was, in words.
    """

    own: OwnCode | None
    notes: tuple[str, ...] = ()


def bring(here: Workspace, source: Workspace, original: Side) -> None:
    """Get a run's snapshot and the record of its package set from the project that has them, where they are not here.

    Raises:
        LaunchError: The snapshot is gone there as well.
    """
    if source.state == here.state:
        return
    snapshot, name = _snapshot(original), original.environment
    if snapshot is not None and not is_there(here.state, snapshot):
        fetch(here.state, snapshot, source.state if is_there(source.state, snapshot) else source.root)
    if name is not None:
        bring_environment(name, source.state, here.state)


def lost_packages(here: Workspace, original: Side, pinned: str | None = None) -> dict[str, str]:
    """Return why each package of a run cannot be had, by name; nothing is installed.

    Args:
        here: The project that has the run's package set and snapshot.
        pinned: The hashes of a bundle; then only what they name is taken.

    Raises:
        ExperimentsError: The package set is not there, or no index can be asked.
    """
    if original.environment is None or original.job.launcher != "local":
        return {}
    return missing(original.environment, here.state, _tree(here, original), hashed=pinned)


def again(here: Workspace, original: Side, *, lost: Collection[str] = (), pinned: str | None = None) -> Again:
    """Return what a run is launched with once more; makes its environment where that is not there.

    Args:
        here: The project that it is to run in, which has its snapshot and package set.
        lost: Names of the packages that it goes without, from `lost_packages`.
        pinned: As for `lost_packages`.

    Raises:
        LaunchError: The snapshot is gone or its checkout edited, or the environment cannot be made.
        ExperimentsError: The record of its package set is gone.
    """
    if _snapshot(original) is None or original.own is None:
        why = original.code.why or "it is of before there were snapshots, or ran in place"
        return Again(None, notes=(f"no snapshot of its code is kept ({why}), so the code that lies here now is run",))
    # A checkout may outlive its snapshot; what runs from it could be shown to nobody.
    if problem := problem_of_snapshot(here.state, original):
        raise LaunchError(
            f"{original.run!r} cannot be run again: {problem}. Get its code from a folder or a bundle that has it: "
            f"experiments reproduce {original.run} --from DIR"
        )
    if original.job.launcher != "local":
        return Again(original.own, notes=("its packages are those that its cluster installs",))
    tree, notes = checkout(here.state, original.own.snapshot or ""), []
    python = Path(sys.executable)
    if original.environment is None:
        notes.append("its packages were not recorded, so those of this interpreter are used")
    else:
        restored = restore(original.environment, here.state, tree, without=lost, hashed=pinned)
        python = restored.python
        notes += [difference.words for difference in restored.differences]
    variables = {**original.own.env, **kernel_environment(original.conditions.machine, python, here.state)}
    if original.roots:
        variables["PYTHONPATH"] = os.pathsep.join(str(tree / root) for root in original.roots)
    own = OwnCode(
        snapshot=original.own.snapshot,
        python=str(python) if python != Path(sys.executable) else None,
        env=variables,
    )
    return Again(own, tuple(notes))


def problem_of_snapshot(state: Path, original: Side) -> str:
    """Return why the code of a run cannot be had again; empty where it can."""
    snapshot = _snapshot(original)
    if snapshot is None:
        return original.code.why or "no snapshot of it was taken, so what ran is known and not kept"
    if not is_there(state, snapshot):
        return f"snapshot {snapshot.id[:12]} is gone: its ref was removed"
    if checkout_path(state, snapshot).exists():
        try:
            checkout(state, snapshot)
        except ExperimentsError as error:
            return str(error)
    return ""


def _snapshot(original: Side) -> Snapshot | None:
    return original.own.snapshot if original.own is not None else None


def _tree(here: Workspace, original: Side) -> Path | None:
    snapshot = _snapshot(original)
    return None if snapshot is None or not is_there(here.state, snapshot) else checkout(here.state, snapshot)
