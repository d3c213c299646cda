"""The command that shows what differs between two runs, arms or experiments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Texts
from experiments.cli.terminal import console, say
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.results.diff import RunDiff
    from experiments.results.sides import Line

_SHOWN_LINES = 200


class Compared(Shown):
    """One of the two things that are compared; `is_arm` where it may have several runs."""

    name: str
    runs: tuple[str, ...]
    is_arm: bool


class DiffersIn(Shown):
    """One thing that differs, as text; an en dash where a side has none.

    Attributes:
        change: What the difference is, where it has a size.
    """

    key: str
    a: str
    b: str
    change: str


class Difference(Long):
    """All that differs between two sides.

    Attributes:
        code: Sentences on commits, uncommitted changes and the files that differ.
        machine: Sentences on what computed, of what differs only.
        patch: Lines of how the code of two snapshots differs, as `git diff` shows it, without secrets.
        same: How many settings, packages and metrics were compared and are equal.
        notes: What could not be compared, and where the numbers come from.
    """

    ITEMS: ClassVar[str] = "patch"

    a: Compared
    b: Compared
    config: tuple[DiffersIn, ...]
    code: tuple[str, ...]
    packages: tuple[DiffersIn, ...]
    machine: tuple[str, ...]
    patch: tuple[str, ...]
    metrics: tuple[DiffersIn, ...]
    same: dict[str, int]
    notes: tuple[str, ...]


def diff(
    a: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="A")]],
    b: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="B")]],
    *,
    metric: Annotated[Texts, tyro.conf.arg(metavar="[KEY ...]", help_behavior_hint="")] = None,
) -> Answer[Difference]:
    """Show what differs between two runs, arms or experiments: settings, code, packages and metrics.

    Args:
        a: A run, by name or launcher id; an arm, or EXPERIMENT/ARM; an experiment, or EXPERIMENT/.
        b: The same.
        metric: Compare only these metrics.
    """
    from experiments.results.diff import diff_of
    from experiments.results.scores import known_statuses
    from experiments.results.sides import sides
    from experiments.runs.opening import default_store

    workspace = Workspace.find(Path.cwd())
    first, second = sides(workspace, a, b)
    store, statuses = default_store(workspace.root), known_statuses(workspace.state)
    found = diff_of(workspace, first, second, store, metrics=metric or (), statuses=statuses)
    values = vars(found) | {"patch": tuple(found.patch.splitlines())}
    for name in ("config", "packages", "metrics"):
        values[name] = tuple(DiffersIn(**vars(line)) for line in values[name])
    for name, side in (("a", found.a), ("b", found.b)):
        values[name] = Compared(name=side.name, runs=tuple(ref.run for ref in side.runs), is_arm=side.is_arm)
    return Answer(Difference(**values), lambda _: _print_diff(found))


def _print_diff(found: RunDiff) -> None:
    out = console()
    out.print(f"a  {found.a.label}\nb  {found.b.label}")
    _print_lines("settings", found.config, found.same.get("settings", 0))
    _print_sentences("code", found.code)
    for line in _first_lines(found.patch):
        say(f"  {line}")
    _print_lines("packages", found.packages, found.same.get("packages", 0))
    if found.machine:
        _print_sentences("machine", found.machine)
    _print_lines("metrics", found.metrics, found.same.get("metrics", 0))
    out.print()
    for note in found.notes:
        out.print(note, style="dim")


def _first_lines(patch: str) -> list[str]:
    lines = patch.splitlines()
    more = [f"... and {len(lines) - _SHOWN_LINES} more lines; all of them: --json"] if len(lines) > _SHOWN_LINES else []
    return [*lines[:_SHOWN_LINES], *more]


def _print_sentences(what: str, sentences: Sequence[str]) -> None:
    out = console()
    out.print(f"\n{what}", style="bold")
    for sentence in sentences:
        out.print(f"  {sentence}")


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
