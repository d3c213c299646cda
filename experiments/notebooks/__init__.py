"""Notebooks: the study that a notebook opens, the parts of its page, and what writes and reads the file.

A notebook needs these four names:

    from experiments.notebooks import JobRef, Journal, Rule, open_study

and `Metrics` where another trainer's jobs are in it.

What this room promises. A notebook that was made is the file of the person who has it: making it again changes only
what the package itself wrote. A part that fails shows its reason and takes no other down. Looking launches nothing.

What one may import: the four names above, from here, and `analysis`, `context`, `controls`, `curves`, `data_cells`,
`derived`, `export.draw.sheet`, `export.exporting`, `export.logbook`, `export.placing`, `export.run.process`,
`generation`, `job_log`, `layout`, `monitoring`, `page`, `replays`, `searching`, `shared`, `study`, `styles`,
`template`.

What it may import: every room below it; marimo and altair are imported here and in `apps`, nowhere below.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from experiments.jobs.journal import Journal, Rule
from experiments.types import JobRef, Metrics

if TYPE_CHECKING:
    from experiments.notebooks.study import Study, open_study

__all__ = ["JobRef", "Journal", "Metrics", "Rule", "Study", "open_study"]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Import without looking for garbage: there is none, and each look goes through all that was imported so far."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def __getattr__(name: str) -> Any:
    # Commands import parts of this package and need neither marimo nor pandas.
    if name in {"Study", "open_study"}:
        with _uncollected():
            from experiments.notebooks import study

        return getattr(study, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
