"""The command that writes a notebook's log."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Self

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import say
from experiments.notebooks.export.exporting import DEADLINE_S, Exported, export_notebook
from experiments.notebooks.export.run.process import Told
from experiments.project.errors import UsageError
from experiments.project.look import plain_text, size
from experiments.project.workspace import Workspace

_MAX_NOTES = 5
_UNITS = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


class ExportedLog(Shown):
    """A log that was written.

    Attributes:
        kept: Where the log before is now; null where there was none or it said the same.
        size: Bytes.
        same: Whether the log before said the same.
        changes: What changed since then; null for the first.
        failed: Cells that failed, as `cell: what it raised`.
        refused: Cells that tried to launch, which was refused.
        hung: Which cell had to be interrupted.
        dropped: What was left out for the file's size.
        not_shown: What could not be shown.
    """

    path: str
    kept: str | None
    size: int
    same: bool
    changes: tuple[str, ...] | None
    failed: tuple[str, ...]
    refused: tuple[str, ...]
    hung: str
    dropped: tuple[str, ...]
    not_shown: tuple[str, ...]


def export(
    notebook: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="NOTEBOOK")]],
    *,
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FILE", help_behavior_hint="")] = None,
    include_code: Flag = False,
    open_: Annotated[bool, tyro.conf.arg(name="open", help_behavior_hint="")] = False,
    max_size: Annotated[str, tyro.conf.arg(metavar="SIZE")] = "25MB",
    deadline: Annotated[float, tyro.conf.arg(metavar="SECONDS")] = DEADLINE_S,
) -> Answer[ExportedLog]:
    """Run a notebook and write what it shows as one HTML file that opens anywhere with the network off.

    It lies in experiments/log; the log before is kept beside it, and what changed since is said. Exit code 1 where a
    cell failed: the file then shows its error in its place.

    Args:
        notebook: The notebook's file.
        output: File to write instead.
        include_code: Show each cell's code.
        open_: Open the file in a browser.
        max_size: Size above which replays are left out, oldest first.
        deadline: Seconds for the notebook; what had ended by then is written.
    """
    if not deadline > 0:
        raise UsageError(f"--deadline {deadline:g} is not a time above 0 seconds. Try: --deadline {DEADLINE_S:g}")
    size = parse_size(max_size)
    with Line() as line:
        done = export_notebook(
            notebook,
            output=output,
            include_code=include_code,
            max_bytes=size,
            deadline_s=deadline,
            progress=line.show,
        )
    workspace = Workspace.find(notebook)
    if open_:
        import webbrowser

        webbrowser.open(done.path.as_uri())
    shown = ExportedLog(
        path=workspace.shown(done.path),
        kept=workspace.shown(done.kept) if done.kept is not None else None,
        size=done.size,
        same=done.same,
        changes=done.changes,
        failed=done.problems,
        refused=done.launches,
        hung=done.hung,
        dropped=done.dropped,
        not_shown=done.notes,
    )
    return Answer(shown, lambda _: say("\n".join(report(done, workspace))), code=done.exit_code)


def parse_size(text: str) -> int:
    """Return the bytes that a size such as `25MB` or `800 kB` names.

    Raises:
        UsageError: It is not a size, or too small for a page.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmg]?b?)\s*", text, re.IGNORECASE)
    unit = match[2].upper() if match else ""
    unit = f"{unit}B" if unit in {"K", "M", "G"} else unit
    size = float(match[1]) * _UNITS[unit] if match else 0.0
    if not 1e6 <= size < 1e15:
        raise UsageError(f"--max-size {text[:40]!r} is not a size of at least 1MB. Write it as 25MB or 0.5GB.")
    return int(size)


def report(done: Exported, workspace: Workspace) -> list[str]:
    """Return what a person wants to know of an export, a line each."""
    said = f"{workspace.shown(done.path)} ({size(done.size)})"
    lines = [f"{said}: nothing changed since the log before, which it replaces" if done.same else said]
    if done.kept is not None:
        lines.append(f"the log before is {workspace.shown(done.kept)}")
    if done.changes and not done.same:
        lines += ["changed since then:", *(f"  {change}" for change in done.changes)]
    lines += [f"left out: {text}" for text in done.dropped]
    lines += [f"failed: {text}" for text in done.problems]
    lines += [f"not shown: {text}" for text in done.notes[:_MAX_NOTES]]
    if len(done.notes) > _MAX_NOTES:
        lines.append(f"not shown: {len(done.notes) - _MAX_NOTES} more, each named in the log")
    lines += [f"refused: cell {name!r} tried to launch; a log launches nothing" for name in done.launches]
    if done.hung:
        lines.append(f"the time was over: {done.hung}. More time: --deadline SECONDS")
    return lines


class Line:
    """One line on a terminal that follows the export; nothing elsewhere."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, told: Told) -> None:
        """Show what happens now."""
        name = "" if told.name in {"", "_"} else f": {told.name}"
        if told.what == "cell":
            self._write(f"cell {told.index + 1} of {told.of}{name}")
        elif told.what == "waiting":
            self._write("another export of this project is running; waiting for it")
        elif told.what == "again":
            self._write(f"cell {told.index + 1}{name} ended its process; running the others again")
        else:
            self._write("putting the page together")

    def _write(self, text: str) -> None:
        if self._on:
            sys.stderr.write(f"\r\x1b[K{plain_text(text)}")
            sys.stderr.flush()
