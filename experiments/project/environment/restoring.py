"""Make a recorded package set again, with uv, in `.experiments/env/<hash>/`; said before what cannot be had.

An environment is built in place, for it names its own folder: under a lock, and whole only with its mark. Then its
interpreter is asked, and what differs from the record is named: a file may have been exchanged on its index, or another
one of the same version fit this machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.project.environment.differences import Conditions, Difference, explained_differences
from experiments.project.environment.own_packages import describe
from experiments.project.environment.probe import normalised
from experiments.project.environment.probing import probed
from experiments.project.environment.records import Environment, read_environment
from experiments.project.environment.requirements import Asked, asked_for, places_in, unread_manifests
from experiments.project.environment.uv import Uv, UvError, is_built_only
from experiments.project.errors import LaunchError
from experiments.project.files import locked, write_json

__all__ = ["PYTHON", "Restored", "hashed_requirements", "missing", "restore", "same_here", "unused"]

FOLDER = "env"
PYTHON = "python"
"""What stands for the interpreter itself among what cannot be had; no package has this name."""

_WHOLE = "whole.json"
_WAIT_S = 1800.0


@dataclass(frozen=True)
class Restored:
    """An interpreter that has a recorded package set.

    Attributes:
        python: The interpreter.
        differences: What it has otherwise than recorded, most likely to change numbers first.
    """

    python: Path
    differences: tuple[Difference, ...] = ()


def same_here(name: str, state: Path) -> bool:
    """Say whether the interpreter of this process has the package set of this hash, so that nothing need be made."""
    return bool(_asked_here(Path(sys.executable), state)["environment"] == name)


def missing(name: str, state: Path, tree: Path | None = None, *, hashed: str | None = None) -> dict[str, str]:
    """Return why each package of a set cannot be had, by name; nothing is installed, and no program of theirs runs.

    Args:
        name: Hash of the package set.
        state: The project's state.
        tree: Checkout of the jobs' snapshot, which has the project's own packages; None where there is none.
        hashed: What a bundle pins, see `hashed_requirements`; then what it does not pin is missing.

    Raises:
        ExperimentsError: The package set is not there any more, or was changed.
        LaunchError: There is no uv, or an index gives no answer.
    """
    environment = read_environment(state, name)
    if same_here(name, state):
        return {}
    asked = _only_pinned(asked_for(environment, tree), environment, hashed)
    found, uv = dict(asked.lost), _uv(tree)
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        try:
            uv.make_venv(venv, _request(environment))
        except UvError as error:
            found[PYTHON] = f"{environment.implementation} {environment.python} cannot be had: {error}"
            uv.make_venv(venv, _near(environment))
        found |= _not_had(asked.lines, _python(venv), uv, may_build=hashed is None)
    unread = unread_manifests(tree) if tree and found else ""
    return {name: f"{why}; {unread}" if unread else why for name, why in found.items()}


def restore(
    name: str, state: Path, tree: Path | None = None, *, without: Collection[str] = (), hashed: str | None = None
) -> Restored:
    """Return an interpreter with a recorded package set: this process's own where it has that, else one made by uv.

    Args:
        name: Hash of the package set.
        state: The project's state.
        tree: Checkout of the jobs' snapshot, which has the project's own packages: they are described here, and their
            code comes by `PYTHONPATH`.
        without: What is left out because it cannot be had, see `missing`; `PYTHON` takes another patch of its version.
        hashed: What to take instead of an index's word, from a bundle: these files only, and nothing is built.

    Raises:
        ExperimentsError: The package set is not there any more, or was changed.
        LaunchError: It cannot be made; the message says why.
    """
    environment = read_environment(state, name)
    if same_here(name, state):
        return Restored(Path(sys.executable))
    folder = state.absolute() / FOLDER / _folder_name(name, without, hashed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f"{folder.name}.lock", wait_s=_WAIT_S) as held:
        if not held:
            raise LaunchError(
                f"the environment {name} is being made by another process for {_WAIT_S / 60:g} minutes. Look for it "
                "(ps) and run the command again."
            )
        # One that is whole may have a job running in it, and is never written again.
        if not ((folder / _WHOLE).exists() and _python(folder).exists()):
            asked = _only_pinned(asked_for(environment, tree), environment, hashed)
            _make(folder, environment, asked, _uv(tree), set(without), hashed)
            write_json(folder / _WHOLE, {"environment": name, "without": sorted(without), "pinned": hashed is not None})
    return Restored(_python(folder), tuple(_differences(environment, _python(folder), state)))


def unused(state: Path, programs: Iterable[str]) -> list[Path]:
    """Return the made environments that can go, for they are made again when they are wanted.

    Args:
        state: The project's state.
        programs: The first words of the commands of all jobs that have not ended.
    """
    needed = {Path(program).parent.parent for program in programs}
    return [
        folder for folder in sorted((state.absolute() / FOLDER).glob("*")) if folder.is_dir() and folder not in needed
    ]


def hashed_requirements(environment: Environment, tree: Path | None = None) -> str:
    """Return the set's packages of an index as requirements with the hashes of all their files, for a bundle.

    The hashes are those that the index has now. What is from elsewhere is left out, and what an index has no hash of.

    Args:
        environment: The package set.
        tree: Checkout of the jobs' snapshot, whose indexes count.

    Raises:
        LaunchError: There is no uv, or a package is on no index any more.
    """
    lines = asked_for(environment, None).lines
    try:
        told = _uv(tree).hashes([lines[each] for each in _of_an_index(environment)], environment.python)
    except UvError as error:
        raise LaunchError(f"the hashes of a package set cannot be had: {error}") from None
    return "".join(_pinned(told).values())


def _folder_name(name: str, without: Collection[str], hashed: str | None) -> str:
    if not without and hashed is None:
        return name
    return f"{name}-{hashlib.sha256(repr((sorted(without), hashed)).encode()).hexdigest()[:8]}"


def _of_an_index(environment: Environment) -> list[str]:
    return [name for name, package in environment.packages.items() if not package.source]


def _only_pinned(asked: Asked, environment: Environment, hashed: str | None) -> Asked:
    """Return what may be asked for: all of it, or what a bundle pins."""
    if hashed is None:
        return asked
    pinned = _pinned(hashed)
    lost = {
        name: f"{name} {environment.packages[name].version} has no hash in the bundle"
        for name in asked.lines
        if name not in pinned or environment.packages[name].source
    }
    return Asked({name: line for name, line in asked.lines.items() if name not in lost}, asked.ours, asked.lost | lost)


def _uv(tree: Path | None) -> Uv:
    return Uv(places_in(tree) if tree else {})


def _pinned(hashed: str) -> dict[str, str]:
    """Return the lines of each requirement that has a hash, by name."""
    found: dict[str, str] = {}
    name = ""
    for line in hashed.splitlines(keepends=True):
        if not line[:1].isspace():
            name = normalised(line.partition("==")[0].strip())
        found[name] = found.get(name, "") + line
    return {name: lines for name, lines in found.items() if "--hash=" in lines}


def _not_had(lines: Mapping[str, str], python: Path, uv: Uv, *, may_build: bool) -> dict[str, str]:
    """Return why requirements cannot be had; uv names one at a time, so they are asked for by halves."""
    if not lines or not (why := uv.why_not(python, lines.values())):
        return {}
    if len(lines) == 1:
        is_had = may_build and is_built_only(why)
        return {} if is_had else {name: f"{line} cannot be had: {why}" for name, line in lines.items()}
    pairs = list(lines.items())
    halves = (dict(pairs[: len(pairs) // 2]), dict(pairs[len(pairs) // 2 :]))
    return _not_had(halves[0], python, uv, may_build=may_build) | _not_had(halves[1], python, uv, may_build=may_build)


def _make(
    folder: Path, environment: Environment, asked: Asked, uv: Uv, without: Collection[str], hashed: str | None
) -> None:
    if lost := [why for name, why in asked.lost.items() if name not in without]:
        raise LaunchError(
            f"the environment cannot be made: {'; '.join(lost)}. Leave them out, or install them by hand."
        )
    if folder.exists():
        shutil.rmtree(folder)
    try:
        uv.make_venv(folder, _near(environment) if PYTHON in without else _request(environment))
        if hashed is None:
            uv.install(_python(folder), [line for name, line in asked.lines.items() if name not in without])
        else:
            pinned = {name: lines for name, lines in _pinned(hashed).items() if name in asked.lines}
            uv.install_pinned(_python(folder), "".join(lines for name, lines in pinned.items() if name not in without))
    except UvError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise LaunchError(f"the environment cannot be made: {error}") from None
    for name, sources in asked.ours.items():
        describe(folder, name, environment.packages[name], sources)


def _differences(environment: Environment, python: Path, state: Path) -> list[Difference]:
    found = _asked_here(python, state)
    if found["environment"] is None:
        raise LaunchError(
            f"the environment {environment.hash} was made, but does not start: {found['environment_reason']}"
        )
    made = read_environment(state, found["environment"])
    return explained_differences(Conditions(environment), Conditions(made))


def _asked_here(python: Path, state: Path) -> dict[str, Any]:
    # What a person's own path adds belongs to this process and to no environment.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return probed([str(python)], variables, state.absolute(), state)


def _request(environment: Environment) -> str:
    return f"{environment.implementation.lower()}@{environment.python}"


def _near(environment: Environment) -> str:
    return f"{environment.implementation.lower()}@{'.'.join(environment.python.split('.')[:2])}"


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"
