"""What a notebook is made of: cells of the template, a notebook itself; the recipe's own sections; data as literals.

A section of a recipe is a function of the study; what it returns is shown, and it can ask for all that a cell can:

    def weather(study):
        return mo.md(f"{len(study.jobs)} jobs under a clear sky")

    class MyExperiment(Experiment):
        extra_sections = (weather,)
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from experiments.jobs.journal import BLANK, Journal
from experiments.notebooks.cells import Cell, indented
from experiments.notebooks.data_cells import JOB_REF, data_cell
from experiments.notebooks.imports import Import, imports_of, setup_body, statements_of
from experiments.notebooks.layout import Notebook, parse
from experiments.notebooks.literals import to_source
from experiments.project.errors import UsageError
from experiments.types import JobRef

FILE = Path(__file__).with_name("template_nb.py")
DATA = ("config", "journal", "jobs")
"""The cells that hold literals: the recipe's config, what was expected, and which jobs there are."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "log": ("verdict",),
    "search": ("search",),
    "analysis": ("curves", "scores", "runs", "details"),
    "monitor": ("monitor", "job_log"),
    "replays": ("replay",),
    "launch": ("launch",),
    "export": ("export",),
    "scratch": ("scratch",),
}
"""The cells of each section; their order is the template's, where what matters comes first."""
_OF_THE_RECIPE = {"BaseExperimentConfig"}
GONE = (
    "Section named a group of cells that were copied into notebooks, and is gone. Write a function, "
    "`def my_section(study): ...`, that returns what is shown, and name it: extra_sections = (my_section,)."
)
OwnSection = Callable[..., Any]
_OF_0_1 = ("setup", "state")  # were sections of their own; every notebook has what stands for them
_OWN_BEFORE = "config"
"""The recipe's own sections show results, and so stand above what a launch needs."""


@functools.cache
def template() -> Notebook:
    """Return the template as its parts."""
    return parse(FILE.read_text(encoding="utf-8"), FILE)


def template_imports() -> set[Import]:
    """Return what the template's cells import, but for its recipe's config."""
    found = {item for statement in statements_of(template().setup) for item in imports_of(statement)}
    return {item for item in found if item.bound not in _OF_THE_RECIPE}


def select_sections(names: Iterable[str], own: Sequence[OwnSection] = ()) -> tuple[str, ...]:
    """Return the names of sections, each once.

    Args:
        own: Those of the recipe.

    Raises:
        UsageError: A name is not a section; lists those that are.
    """
    known = [*SECTIONS, *own_names(own)]
    wanted = [name for name in dict.fromkeys(names) if name not in _OF_0_1]
    if unknown := [name for name in wanted if name not in known]:
        raise UsageError(f"section {unknown[0]!r} does not exist. Sections: {', '.join(known)}.")
    return tuple(wanted)


def own_names(own: Sequence[OwnSection]) -> list[str]:
    """Return the names of a recipe's own sections.

    Raises:
        UsageError: One is no function, or is called as another section is.
    """
    names = [getattr(item, "__name__", "") for item in own] if isinstance(own, (tuple, list)) else [""]
    for name in names:
        if not name.isidentifier() or name in SECTIONS or names.count(name) > 1:
            raise UsageError(
                f"extra_sections names {name or own!r} in the recipe. Write functions of the study, each of its own "
                f"name and none of {', '.join(SECTIONS)}: extra_sections = (my_section,)."
            )
    return names


def __getattr__(name: str) -> Any:
    if name == "Section":
        raise ImportError(GONE)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
