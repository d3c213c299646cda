"""The command that writes an experiment as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import say
from experiments.project.errors import NotebookError
from experiments.project.look import counted
from experiments.project.workspace import Workspace

SUFFIX = ".bundle.tar.gz"


class Bundled(Shown):
    """A bundle that was written.

    Attributes:
        sha256: Of what is in it.
        files: How many files are in it.
        size: Bytes of it.
        runs: How many runs are in it.
    """

    file: str
    sha256: str
    files: int
    size: int
    runs: int


def bundle(
    experiment: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="EXPERIMENT")]],
    *,
    checkpoints: Literal["last", "all", "none"] = "last",
    output: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None,
) -> Answer[Bundled]:
    """Write an experiment as one file, from which `experiments reproduce FILE` verifies it on another machine.

    It has the code that ran, the package sets, the plan, every run's record and rows, its notebook, its log (exported
    now where it is older than what happened), and REPRODUCE.md with what reviewers ask. The same experiment gives the
    same bytes.

    Args:
        experiment: Name of the experiment.
        checkpoints: Which checkpoints of each run; the hashes of all are in it anyway.
        output: File to write; by default EXPERIMENT.bundle.tar.gz.
    """
    from experiments.results.bundle.archive import Content, write_archive
    from experiments.results.bundle.checklist import reproduce_text
    from experiments.results.bundle.gathering import gather, last_change
    from experiments.results.bundle.records import REPRODUCE
    from experiments.runs.opening import default_store

    workspace = Workspace.find(Path.cwd())
    path = output or Path(f"{experiment}{SUFFIX}")
    store = default_store(workspace.root)
    further, notes = _notebook_and_log(workspace, experiment, last_change(workspace, store, experiment))
    found = gather(workspace, store, experiment, checkpoints=checkpoints, further=further, notes=notes)
    found.contents[REPRODUCE] = Content(reproduce_text(found, f"{experiment}{SUFFIX}"))
    manifest = write_archive(path, experiment, found.contents)
    written = Bundled(
        file=str(path),
        sha256=manifest.id,
        files=len(manifest.files),
        size=path.stat().st_size,
        runs=len(found.runs),
    )
    return Answer(written, _print, notes=found.notes)


def _print(found: Bundled) -> None:
    files = counted(found.files, "file")
    say(f"{found.file}: {counted(found.runs, 'run')}, {files}, {found.size / 1e6:.1f} MB")
    say(f"sha256 of what is in it: {found.sha256}")
    say(f"Verify it anywhere: experiments reproduce {Path(found.file).name} --check")


def _notebook_and_log(workspace: Workspace, experiment: str, changed: float) -> tuple[dict[str, Path], list[str]]:
    """Return the experiment's notebook and its log as of now, by name in the bundle, and what is missing of them.

    Args:
        changed: Unix seconds of the last that happened; a log that is older is exported again.
    """
    notebook = workspace.root / "experiments" / "scratch" / f"{experiment}_nb.py"
    log = workspace.root / "experiments" / "log" / f"{experiment}.html"
    found, notes = {f"log/{experiment}.html": log}, []
    if notebook.is_file():
        found[f"notebook/{experiment}_nb.py"] = notebook
        if not log.is_file() or log.stat().st_mtime < max(changed, notebook.stat().st_mtime):
            notes = _exported(notebook)
    elif log.is_file():
        notes = [f"the log is as it was exported last, for there is no notebook {workspace.shown(notebook)}"]
    else:
        notes = [f"neither notebook nor log, for there is no {workspace.shown(notebook)}"]
    return {name: path for name, path in found.items() if path.is_file()}, notes


def _exported(notebook: Path) -> list[str]:
    """Export a notebook's log, and return what a reader has to know of it."""
    from experiments.cli.export import Line
    from experiments.notebooks.export.exporting import export_notebook

    try:
        with Line() as line:
            done = export_notebook(notebook, progress=line.show)
    except NotebookError as error:
        return [f"the log could not be exported, and is as it was if there was one: {error}"]
    said = [f"the log left out: {text}" for text in done.dropped] + [
        f"the log failed: {text}" for text in done.problems
    ]
    return said + ([f"the log is not whole: {done.hung}"] if done.hung else [])
