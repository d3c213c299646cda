"""Commands that compare runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from experiments.cli.flags import JsonFlag, Texts
from experiments.cli.terminal import console, say
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.results.diff import Line, RunDiff


def diff(
    a: tyro.conf.Positional[str],
    b: tyro.conf.Positional[str],
    *,
    metric: Annotated[Texts, tyro.conf.arg(metavar="[KEY ...]", help_behavior_hint="")] = None,
    json_: JsonFlag = False,
) -> int:
    """Show what differs between two runs, arms or experiments: settings, code, packages and metrics.

    Args:
        a: A run, by name or launcher id; an arm, or EXPERIMENT/ARM; an experiment, or EXPERIMENT/.
        b: The same.
        metric: Compare only these metrics.
        json_: Print a JSON document instead of text.
    """
    from experiments.results.diff import diff_of, sides
    from experiments.results.scores import known_statuses
    from experiments.runs.opening import default_store

    workspace = Workspace.find(Path.cwd())
    first, second = sides(workspace, a, b)
    store, statuses = default_store(workspace.root), known_statuses(workspace.state)
    found = diff_of(workspace, first, second, store, metrics=metric or (), statuses=statuses)
    if json_:
        document = dataclasses.asdict(found)
        for name, side in (("a", found.a), ("b", found.b)):
            document[name]["runs"] = [ref.run for ref in side.runs]
        say(json.dumps(document, indent=2))
    else:
        _print(found)
    return 0


def _print(found: RunDiff) -> None:
    out = console()
    out.print(f"a  {found.a.label}\nb  {found.b.label}")
    _print_lines("settings", found.config, found.same.get("settings", 0))
    out.print("\ncode", style="bold")
    for sentence in found.code:
        out.print(f"  {sentence}")
    _print_lines("packages", found.packages, found.same.get("packages", 0))
    _print_lines("metrics", found.metrics, found.same.get("metrics", 0))
    out.print()
    for note in found.notes:
        out.print(note, style="dim")


def _print_lines(what: str, lines: Sequence[Line], same: int) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(f"\n{what}", style="bold", end="")
    out.print(f"  {len(lines)} {'differs' if len(lines) == 1 else 'differ'}, {same} the same", style="dim")
    if not lines:
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("  ")
    for heading in ("a", "b"):
        table.add_column(heading, justify="right", overflow="fold")
    if any(line.change for line in lines):
        table.add_column("b minus a", overflow="fold")
    for line in lines:
        cells = (f"  {line.key}", line.a, line.b, line.change)[: len(table.columns)]
        table.add_row(*(Text(cell) for cell in cells))
    out.print(table)
