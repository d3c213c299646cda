"""From a spec to the cells that its notebook can have: the template's, its data as literals, the recipe's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from experiments.jobs.journal import BLANK, Journal
from experiments.notebooks.cells import Cell, indented
from experiments.notebooks.data_cells import JOB_REF, data_cell
from experiments.notebooks.imports import Import
from experiments.notebooks.layout import Notebook, setup_body
from experiments.notebooks.literals import to_source
from experiments.notebooks.sections import OwnSection
from experiments.notebooks.template import DATA, SECTIONS, template, template_imports
from experiments.types import JobRef

_OWN_BEFORE = "config"
"""The recipe's own sections show results, and so stand above what a launch needs."""


@dataclass(frozen=True)
class NotebookSpec:
    """What a notebook is generated from; the same spec gives the same bytes.

    Attributes:
        name: Name of the experiment.
        config: The recipe's config; written with what differs from its defaults.
        sections: Names of those that a new notebook has.
        own: The recipe's own sections.
        jobs: References to the jobs launched so far.
        root: Project root; by default that of the recipe's module.
        journal: Hypothesis and rule.
        given: Fields of the config that a person set just now: they win over what a file says.
        asked: Sections that a person named just now: those that a file lacks come in.
    """

    name: str
    config: BaseModel
    sections: Sequence[str]
    own: Sequence[OwnSection] = ()
    jobs: Sequence[JobRef] = ()
    root: Path | None = None
    journal: Journal = BLANK
    given: frozenset[str] = frozenset()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pieces:
    """All cells that the notebook of a spec can have, in its order, and what they import."""

    cells: tuple[Cell, ...]
    imports: frozenset[Import]

    @property
    def by_name(self) -> dict[str, Cell]:
        """The cells by their names."""
        return {cell.name: cell for cell in self.cells}

    def imports_for(self, cells: Iterable[Cell]) -> set[Import]:
        """Return what some cells read of the imports."""
        read = frozenset().union(*(cell.names.reads for cell in cells))
        return {item for item in self.imports if item.bound in read}

    def exchanged(self, cell: Cell, imports: Iterable[Import]) -> Pieces:
        """Return the pieces with another text of one cell."""
        cells = (cell if cell.name == item.name else item for item in self.cells)
        return Pieces(tuple(cells), self.imports | frozenset(imports))


def pieces_of(spec: NotebookSpec) -> Pieces:
    """Return the cells that the notebook of a spec can have.

    Raises:
        NotebookError: A value has no literal, or a section of the recipe cannot be imported.
    """
    data, imports = {}, {*template_imports(), JOB_REF}
    for name, value in {"config": spec.config, "journal": spec.journal, "jobs": list(spec.jobs)}.items():
        data[name], needed = data_cell(name, value, spec.root)
        imports |= needed
    cells: list[Cell] = []
    for cell in template().cells:
        if cell.name == _OWN_BEFORE:
            for section in spec.own:
                own, needed = own_cell(section, spec.root)
                cells.append(own)
                imports |= needed
        cells.append(dataclasses.replace(data[cell.name], options=cell.options) if cell.name in DATA else cell)
    return Pieces(tuple(cells), frozenset(imports))


def own_cell(section: OwnSection, root: Path | None) -> tuple[Cell, frozenset[Import]]:
    """Return the cell that shows a recipe's own section, and its import."""
    source, imports = to_source(section, name=cell_of(section.__name__), root=root)
    return Cell(cell_of(section.__name__), indented(f"{source}(study)"), options="(hide_code=True)"), imports


def cell_of(section: str) -> str:
    """Return what the cell of a recipe's own section is called: not as the function is, which the file imports."""
    return f"show_{section}"


def cells_of(sections: Iterable[str]) -> set[str]:
    """Return the names of the cells of some sections."""
    return {name for section in sections for name in SECTIONS.get(section, (cell_of(section),))}


def fresh(spec: NotebookSpec) -> Notebook:
    """Return the parts of a new notebook.

    Raises:
        NotebookError: As `pieces_of`.
    """
    pieces, wanted = pieces_of(spec), {"study", *DATA, *cells_of(spec.sections)}
    cells = tuple(cell for cell in pieces.cells if cell.name in wanted)
    setup = setup_body(pieces.imports_for(cells), spec.root)
    return Notebook("", template().app, setup, cells, template().setup_options)
