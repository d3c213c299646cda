"""Two runs or arms side by side: settings, code, packages and metrics that differ.

run_diff("rate-0_001", "rate-0_01")          arms, or run names, of the project of the working folder
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import marimo as mo

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import styled, warning
from experiments.project.errors import ExperimentsError
from experiments.project.workspace import Workspace
from experiments.results.diff import RunDiff, diff_of
from experiments.results.scores import known_statuses
from experiments.results.sides import Line, sides
from experiments.runs.opening import default_store
from experiments.types import JobRef

_MOST = 20_000


def run_diff(
    a: str,
    b: str,
    *,
    jobs: Sequence[JobRef] = (),
    metrics: Sequence[str] = (),
    workspace: Workspace | None = None,
) -> mo.Html:
    """Return what differs between two runs or two arms; a name that is neither is a sentence.

    Args:
        a: A run name, a launcher id, an arm, or `EXPERIMENT/ARM`.
        b: The same.
        jobs: References that need not be in the ledger, such as a notebook's.
        metrics: Metrics to compare; by default every number that both have logged.
        workspace: The project; that of the working folder where None.
    """
    place = workspace or Workspace.find(Path.cwd())
    try:
        first, second = sides(place, a, b, jobs)
        store, statuses = default_store(place.root), known_statuses(place.state)
        found = diff_of(place, first, second, store, metrics=metrics, statuses=statuses)
    except ExperimentsError as error:
        return warning(error)
    return styled(diff_html(found))


def diff_inputs(jobs: Sequence[JobRef], then: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """Return two choices among arms and runs, arms first where there are several; nothing is chosen yet.

    Args:
        then: Called with `a` and `b` after each choice.
    """
    arms = list(dict.fromkeys(job.arm for job in jobs if job.arm))
    several = [arm for arm in arms if arm not in {job.run for job in jobs}]
    options = [*(several if len(several) > 1 else []), *dict.fromkeys(job.run for job in jobs)]
    choices = {name: mo.ui.dropdown(options, label=name, searchable=True) for name in ("a", "b")}
    return mo.ui.dictionary(choices, on_change=then)


def diff_view(experiment: NotebookContext, jobs: Sequence[JobRef], chosen: Any) -> Any:
    """Return what differs between the two that are chosen; nothing where there are no two."""
    value = getattr(chosen, "value", None) or {}
    a, b = value.get("a"), value.get("b")
    if not a or not b or len(jobs) < 2:
        return None
    return run_diff(a, b, jobs=jobs, workspace=experiment.workspace)


def diff_html(found: RunDiff) -> str:
    """Return a diff as HTML; every text in it is escaped."""
    parts = [
        _block("Settings", found.config, found.same.get("settings", 0)),
        _sentences("Code", found.code),
        _folded(found.patch),
        _block("Packages", found.packages, found.same.get("packages", 0)),
        _sentences("Machine", found.machine) if found.machine else "",
        _block("Metrics", found.metrics, found.same.get("metrics", 0)),
    ]
    heads = (
        f'<p><span class="pair"><span class="muted">a</span> {html.escape(found.a.label)}</span> '
        f'<span class="muted">b</span> {html.escape(found.b.label)}</p>'
    )
    notes = html.escape(". ".join(found.notes))
    return f'{heads}{"".join(parts)}<p class="small muted">{notes}</p>'


def _block(title: str, lines: Sequence[Line], same: int) -> str:
    verb = "differs" if len(lines) == 1 else "differ"
    count = f'<span class="muted"> {len(lines)} {verb}, {same} the same</span>'
    head = f"<h4>{title}{count}</h4>"
    if not lines:
        return head
    sized = any(line.change for line in lines)
    heads = ["", "a", "b", *(["b minus a"] if sized else [])]
    cells = "".join(f"<th{_right(at)}>{name}</th>" for at, name in enumerate(heads))
    rows = "".join(f"<tr>{_cells(line, sized=sized)}</tr>" for line in lines)
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"
    return f'{head}<div class="wide">{table}</div>'


def _cells(line: Line, *, sized: bool) -> str:
    texts = [line.key, line.a, line.b, *([line.change] if sized else [])]
    return "".join(f"<td{_right(at)}>{html.escape(text)}</td>" for at, text in enumerate(texts))


def _right(column: int) -> str:
    """Return the class of all columns but the first, whose values stand beneath each other."""
    return ' class="number"' if column else ""


def _folded(patch: str) -> str:
    """Return how the code differs, behind one click."""
    if not patch:
        return ""
    cut = f"\n# Cut: the command experiments diff shows all {len(patch):,} characters." if len(patch) > _MOST else ""
    text = html.escape(patch[:_MOST] + cut)
    return f'<details><summary>Show the code</summary><div class="wide"><pre>{text}</pre></div></details>'


def _sentences(title: str, sentences: Sequence[str]) -> str:
    lines = "".join(f'<div class="text">{html.escape(sentence)}</div>' for sentence in sentences)
    return f"<h4>{title}</h4>{lines}"
