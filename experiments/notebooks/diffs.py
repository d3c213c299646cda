"""Two runs or arms side by side: settings, code, packages and metrics that differ.

run_diff("rate-0_001", "rate-0_01")          arms, or run names, of the project of the working folder
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import marimo as mo

from experiments.errors import ExperimentsError
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import HAIRLINE, MUTED, warning
from experiments.run_diff import Line, RunDiff, diff_of, sides
from experiments.scoring import known_statuses
from experiments.types import JobRef
from experiments.wandb_utils import default_store
from experiments.workspace import Workspace


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
    return mo.Html(diff_html(found))


def diff_inputs(jobs: Sequence[JobRef]) -> Any:
    """Return two choices among arms and runs, arms first where there are several; nothing is chosen yet."""
    arms = list(dict.fromkeys(job.arm for job in jobs if job.arm))
    several = [arm for arm in arms if arm not in {job.run for job in jobs}]
    options = [*(several if len(several) > 1 else []), *dict.fromkeys(job.run for job in jobs)]
    return mo.ui.dictionary(
        {name: mo.ui.dropdown(options, label=label, searchable=True) for name, label in (("a", "a"), ("b", "b"))}
    )


def diff_inputs_view(chosen: Any) -> mo.Html:
    """Return the two choices on one line."""
    line = mo.hstack([chosen["a"], chosen["b"]], justify="start", align="center", gap=1.0)
    return mo.vstack([mo.md("### What differs between two runs or arms"), line])


def diff_view(experiment: NotebookContext, jobs: Sequence[JobRef], chosen: Any, _changed: object = None) -> Any:
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
        _block("Packages", found.packages, found.same.get("packages", 0)),
        _block("Metrics", found.metrics, found.same.get("metrics", 0)),
    ]
    heads = (
        f"<p style='margin: 0'><span style='{MUTED}'>a</span> {html.escape(found.a.label)} "
        f"<span style='{MUTED}; margin-left: 16px'>b</span> {html.escape(found.b.label)}</p>"
    )
    notes = html.escape(". ".join(found.notes))
    return f"<div>{heads}{''.join(parts)}<p style='font-size: 12px; max-width: 100ch; {MUTED}'>{notes}</p></div>"


def _block(title: str, lines: Sequence[Line], same: int) -> str:
    verb = "differs" if len(lines) == 1 else "differ"
    count = f"<span style='font-weight: normal; {MUTED}'> {len(lines)} {verb}, {same} the same</span>"
    head = f"<h4 style='margin: 12px 0 4px'>{title}{count}</h4>"
    if not lines:
        return head
    sized = any(line.change for line in lines)
    heads = ["", "a", "b", *(["b minus a"] if sized else [])]
    cells = "".join(
        f"<th style='text-align: {'left' if at == 0 else 'right'}; font-weight: normal; padding: 2px 16px 2px 0; "
        f"{MUTED}; {HAIRLINE}'>{name}</th>"
        for at, name in enumerate(heads)
    )
    rows = "".join(f"<tr>{_cells(line, sized=sized)}</tr>" for line in lines)
    return (
        f"{head}<div style='overflow-x: auto'><table style='border-collapse: collapse; font-size: 14px'>"
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cells(line: Line, *, sized: bool) -> str:
    texts = [line.key, line.a, line.b, *([line.change] if sized else [])]
    return "".join(
        f"<td style='text-align: {'left' if at == 0 else 'right'}; padding: 2px 16px 2px 0; vertical-align: top; "
        f"overflow-wrap: anywhere; font-variant-numeric: tabular-nums'>{html.escape(text)}</td>"
        for at, text in enumerate(texts)
    )


def _sentences(title: str, sentences: Sequence[str]) -> str:
    lines = "".join(f"<div style='white-space: pre-wrap'>{html.escape(sentence)}</div>" for sentence in sentences)
    return f"<h4 style='margin: 12px 0 4px'>{title}</h4>{lines}"
