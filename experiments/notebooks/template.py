"""The template of a notebook: a notebook itself, `template_nb.py`, from which a new one takes its cells."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path

from experiments.notebooks.cells import Cell
from experiments.notebooks.imports import Import, imports_of
from experiments.notebooks.layout import Notebook, statements_of
from experiments.notebooks.reading import parse

FILE = Path(__file__).with_name("template_nb.py")
DATA = ("config", "journal", "jobs")
"""The cells that hold literals: the recipe's config, what was expected, and which jobs there are."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "log": ("verdict",),
    "analysis": ("curves", "scores", "runs", "details"),
    "monitor": ("monitor", "job_log"),
    "replays": ("replay",),
    "launch": ("launch",),
    "export": ("export",),
    "scratch": ("scratch",),
}
"""The cells of each section; their order is the template's, where what matters comes first."""
_OF_THE_RECIPE = {"BaseExperimentConfig"}


@functools.cache
def template() -> Notebook:
    """Return the template as its parts."""
    return parse(FILE.read_text(encoding="utf-8"), FILE)


def template_cells(sections: Collection[str]) -> list[Cell]:
    """Return the cells of some sections with those that every notebook has, in the template's order."""
    wanted = {"study", *DATA, *(name for section in sections for name in SECTIONS.get(section, ()))}
    return [cell for cell in template().cells if cell.name in wanted]


def template_imports() -> set[Import]:
    """Return what the template's cells import, but for its recipe's config."""
    found = {item for statement in statements_of(template().setup) for item in imports_of(statement)}
    return {item for item in found if item.bound not in _OF_THE_RECIPE}
