"""Where a local job runs: in a copy of its snapshot, so that nothing that is edited meanwhile changes what it trains.

Only the trainer gets the copy; its supervisor and the ledger stay the installed package's. A job's working folder is
`left/` in its run's folder: the files of the checkout and what the trainer leaves there by relative paths, which `gc`
never takes. Python imports from the checkout itself, which all jobs of a snapshot share.
"""

from __future__ import annotations

import functools
import os
import site
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.project.environment.probing import PYTHON
from experiments.project.errors import LaunchError
from experiments.project.files import parse_json, write_text
from experiments.project.git import origin
from experiments.project.provenance import CodeRecord
from experiments.project.redaction import without_login
from experiments.project.snapshots import Snapshot, checkout, checkout_path, top_of
from experiments.project.values import replaced
from experiments.project.workspace import Workspace

LEFT = "left"
"""Folder of a run that its trainer works in."""

SNAPSHOT = "snapshot"
"""Key of a job's spec and of its plan's record; None where the job runs in the working tree."""

_ASK_S = 10.0
_SITE_FOLDERS = "import json, site; print(json.dumps([*site.getsitepackages(), site.getusersitepackages()]))"


def surroundings(program: str, snapshot: Snapshot, workspace: Workspace, restored: str | None = None) -> dict[str, str]:
    """Return the variables by which the trainers of a plan see a snapshot in the place of the working tree.

    Args:
        program: What is started: an interpreter, or another program, which is given the environment that is active.
        restored: Interpreter of the environment that it is given instead, whatever is started.

    Raises:
        LaunchError: The interpreter does not say where its packages are.
    """
    top, tree = top_of(workspace.root, snapshot), checkout_path(workspace.state, snapshot)
    # A restored environment has what was installed in place from nowhere: the active one knows the folders.
    python = restored or program
    installed = [*import_roots(python), *import_roots(sys.executable)]
    inherited = [Path(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    roots = [*inherited, *(root for root in installed if root == top or top in root.parents)]
    paths = [str(_within(root, top, tree)) for root in dict.fromkeys(roots)]
    home = _environment_of(python)
    return {
        "EXPERIMENTS_HOME": str(workspace.state),
        # `uv run` would otherwise make an empty environment beside the copy's pyproject.toml.
        "UV_NO_SYNC": "1",
        **({"UV_PROJECT_ENVIRONMENT": home, "VIRTUAL_ENV": home} if home else {}),
        # What the program starts by name, an interpreter or a script, is the environment's too.
        **({"PATH": os.pathsep.join([f"{home}/bin", os.environ.get("PATH", "")])} if restored else {}),
        **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {}),
        **_git_of(workspace.root, snapshot),
    }


def in_environment(command: Sequence[str], python: str) -> tuple[str, ...]:
    """Return a command line with the programs of another environment: its interpreter, or its script of that name.

    Any other program, such as uv, finds the environment by the variables of `surroundings`.
    """
    program = Path(command[0])
    if PYTHON.match(program.name):
        return (python, *command[1:])
    script = Path(python).parent / program.name
    is_of_one = program.is_absolute() and (program.parent.parent / "pyvenv.cfg").exists()
    return (str(script), *command[1:]) if is_of_one and script.exists() else tuple(command)


def shared_by(snapshot: Snapshot, workspace: Workspace) -> dict[str, Any]:
    """Return what the specs of all local jobs of a snapshot say of it, worked out once."""
    folders = {name: workspace.root / name for name in workspace.settings.snapshot_links}
    links = {name: str(folder) for name, folder in folders.items() if folder.exists()}
    return {
        "links": links,
        "top": str(top_of(workspace.root, snapshot)),
        "tree": str(checkout_path(workspace.state, snapshot)),
        "code": replaced(CodeRecord.of_snapshot(snapshot), links=tuple(links)).model_dump(mode="json"),
        SNAPSHOT: snapshot.model_dump(mode="json"),
    }


def isolated(
    spec: Mapping[str, Any],
    environment: Mapping[str, str],
    shared: Mapping[str, Any],
    snapshot: Snapshot,
    run_dir: Path,
) -> dict[str, Any]:
    """Return the spec of a local job such that its trainer sees the snapshot in the place of the working tree.

    Nothing is written; `make_ready` makes what the spec names.

    Args:
        spec: As it would be in the working tree; see `specs.job_specs`.
        environment: From `surroundings`.
        shared: From `shared_by`.
    """
    left = run_dir / LEFT
    return {
        **spec,
        "env": {**spec["env"], **environment},
        "cwd": str(left if snapshot.prefix == "." else left / snapshot.prefix),
        **shared,
    }


def make_ready(spec: Mapping[str, Any], state: Path, run_dir: Path) -> dict[str, Any]:
    """Make the checkout and the working folder that an isolated job's spec names; what is there already stays.

    Returns:
        The spec, with the paths in its command line that lead into the tree led to the working folder.

    Raises:
        LaunchError: The snapshot is gone, its checkout was edited, or a folder cannot be written.
    """
    if spec.get(SNAPSHOT) is None:
        return dict(spec)
    snapshot = Snapshot.model_validate(spec[SNAPSHOT])
    tree, left = checkout(state, snapshot), run_dir / LEFT
    try:
        left.mkdir(parents=True, exist_ok=True)
        write_text(left / ".git", f"gitdir: {tree.parent / 'git'}\n")
        _lay_out(tree, left)
        for name, target in spec["links"].items():
            place = Path(spec["cwd"]) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(target, place)
    except OSError as error:
        raise LaunchError(f"the working folder {str(left)!r} cannot be made: {error.strerror or error}.") from error
    words = [_moved(word, Path(spec["top"]), left) for word in spec["command"][1:]]
    return {**spec, "command": [spec["command"][0], *words]}


def import_roots(python: str) -> list[Path]:
    """Return the folders that an interpreter imports packages from which are installed in place (editable)."""
    roots = [root for folder in _site_folders(python) for root in _named_in(Path(folder))]
    return list(dict.fromkeys(roots))


@functools.lru_cache(maxsize=16)
def _site_folders(python: str) -> tuple[str, ...]:
    # Any other program, such as uv, is given the environment that is active.
    if python == sys.executable or not PYTHON.match(Path(python).name):
        return (*site.getsitepackages(), site.getusersitepackages())
    try:
        command = [python, "-P", "-c", _SITE_FOLDERS]
        asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_ASK_S)
        return tuple(parse_json(asked.stdout))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise LaunchError(
            f"the trainer's interpreter {python!r} does not say where its packages are ({error}). Is it Python 3.11 "
            "or later? To run it in the working tree as it is: --in-place"
        ) from error


def _environment_of(python: str) -> str:
    """Return the virtual environment of a program as uv has to be told of it; empty where it has none."""
    if python != sys.executable and (folder := Path(python).parent.parent / "pyvenv.cfg").exists():
        return str(folder.parent)
    return sys.prefix if sys.prefix != sys.base_prefix else ""


def _named_in(folder: Path) -> Iterator[Path]:
    """Yield the folders that `.pth` files name, and those of setuptools' mappings of packages to folders."""
    for file in sorted(folder.glob("*.pth")):
        for line in file.read_text("utf-8", "replace").splitlines():
            if line and not line.startswith(("#", "import ", "import\t")) and Path(line).is_absolute():
                yield Path(line)
    for file in sorted(folder.glob("__editable__*_finder.py")):
        for line in file.read_text("utf-8", "replace").splitlines():
            # A line of the module that setuptools writes: MAPPING: dict[str, str] = {'package': '/folder/package'}
            if line.startswith("MAPPING") and (found := line.partition("= ")[2]):
                yield from _mapped(found)


def _mapped(literal: str) -> Iterator[Path]:
    import ast

    with suppress(ValueError, SyntaxError):  # another version's form: then nothing is known of that package
        for path in ast.literal_eval(literal).values():
            yield Path(path).parent


def _within(path: Path, top: Path, copy: Path) -> Path:
    """Return where the copy of the tree at `top` has `path`; the path itself where it lies elsewhere."""
    return copy / path.relative_to(top) if path == top or top in path.parents else path


def _moved(word: str, top: Path, copy: Path) -> str:
    """Return a word of a command line with an absolute path into the tree led to its copy, as `--config=/tree/a.yaml`.

    What is in no copy stays where it is: data that git ignores, the environment, the state folder.
    """
    name, equals, value = word.rpartition("=")
    moved = _within(Path(value), top, copy)
    return f"{name}{equals}{moved}" if os.path.lexists(moved) and Path(value).is_absolute() else word


def _git_of(root: Path, snapshot: Snapshot) -> dict[str, str]:
    """Return what W&B records of git: the commit that the snapshot stands on, not the copy's own."""
    if snapshot.base is None:
        return {}
    remote, _ = origin(root)
    return {"WANDB_GIT_COMMIT": snapshot.base} | ({"WANDB_GIT_REMOTE_URL": without_login(remote)} if remote else {})


def _lay_out(source: Path, target: Path) -> None:
    """Link a checkout's files into a working folder: folders are real, so that what is written there stays there.

    A Python package is linked as one: it is what a trainer imports, seldom a place to write to, and holds most files.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            place = target / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in {".git", "__pycache__"}:
                continue
            if entry.is_symlink():
                _link(str(Path(entry.path).readlink()), place)
            elif is_folder and not os.path.exists(f"{entry.path}/__init__.py"):  # noqa: PTH110 - thousands of these
                place.mkdir(exist_ok=True)
                _lay_out(Path(entry.path), place)
            else:
                _link(entry.path, place)


def _link(target: str, place: Path) -> None:
    with suppress(FileExistsError):
        place.symlink_to(target)
