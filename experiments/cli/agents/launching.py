"""Launching a recipe for a program: its own command line in a process of its own, under the permit of the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field
from pydantic_core import from_json

from experiments.cli.agents.bounds import Envelope
from experiments.cli.envelope import SCHEMA, Answer
from experiments.project.errors import LaunchError, UsageError
from experiments.project.workspace import Workspace

COMMAND = "recipe"
_WITHIN_S = 900.0
_LONGEST = 64 << 20
_LAST = 2_000
_NOT_HERE = {
    "--open": "nobody sits at this server",
    "--follow": "use the tool wait",
    "--json": "every answer is JSON",
    "--output-dir": "notebooks are written into the project's own folder",
}

Recipe = Annotated[str, Field(description="File of the recipe, such as experiments/recipes/study.py.")]
Flags = Annotated[
    tuple[str, ...],
    Field(
        description="Words of its command line, such as ['--seeds', '0..4']; ['--dry-run'] shows what would be "
        "launched, ['--help'] what there is."
    ),
]


def launch(recipe: Recipe, flags: Flags = ()) -> Answer[Envelope]:
    """Launch what a recipe plans, within the permit, and write its notebook.

    The same words are launched once: asked again they give the same jobs, until these have ended. Read the plan with
    the flag --dry-run first.

    Raises:
        UsageError: There is no such recipe, or a flag is not for a server.
        LaunchRefused: The permit does not cover it.
        LaunchError: It gave no answer.
    """
    from experiments.jobs.covering import cover_recipe
    from experiments.jobs.permits import command_permit

    workspace = Workspace.find(Path.cwd())
    path = _recipe(recipe, workspace)
    _check(flags)
    permit = command_permit("experiments mcp launch", recipe=path)
    cover_recipe(permit, path, workspace)
    assert permit.token is not None  # a server has no other
    return _run([str(path), "--json", "--no-follow", *flags], permit.token, workspace)


def _recipe(name: str, workspace: Workspace) -> Path:
    path = (workspace.root / name).resolve()
    if not path.is_relative_to(workspace.root.resolve()) or path.suffix != ".py" or not path.is_file():
        raise UsageError(f"there is no recipe {name!r} in this project. Name its file: experiments/recipes/study.py")
    return path


def _check(flags: Sequence[str]) -> None:
    ours = flags[: flags.index("--")] if "--" in flags else flags
    for word in ours:
        flag = word.partition("=")[0].replace("_", "-")
        if flag in _NOT_HERE:
            raise UsageError(f"{flag} is not for a server: {_NOT_HERE[flag]}. Leave it out.")


def _run(words: Sequence[str], token: str, workspace: Workspace) -> Answer[Envelope]:
    from experiments.jobs.tokens import TOKEN, without_token

    environment = without_token(os.environ) | {TOKEN: token}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # Files: the launch goes on where the server ends, and nobody reads a pipe then.
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=workspace.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            process.wait(_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise LaunchError(
                f"the recipe gave no answer within {_WITHIN_S:.0f} s and was ended. See what it launched with the "
                "tool status."
            ) from None
        return Answer(_answer(_read(out, 0), process.returncode, err), code=process.returncode)


def _answer(said: bytes, code: int, err: IO[bytes]) -> Envelope:
    try:
        found: Any = from_json(said)
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("schema") == SCHEMA and {"data", "problems"} <= set(found):
        return found
    last = _read(err, -_LAST).decode("utf-8", "replace").strip()
    raise LaunchError(f"the recipe ended with {code} and gave no answer: {last or 'it printed nothing'}. Mend it.")


def _read(file: IO[bytes], begin: int) -> bytes:
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length + begin) if begin < 0 else 0)
    return file.read(_LONGEST)
