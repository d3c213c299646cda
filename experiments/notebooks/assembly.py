"""From a spec to the checked parts of a notebook: cells lifted from sections, data cells, imports and hashes."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from experiments.errors import NotebookError
from experiments.journal import BLANK, Journal
from experiments.notebooks.cells import Cell, check_cells, find_problems, indented
from experiments.notebooks.header import Header, hash_of, write_header
from experiments.notebooks.imports import Import, setup_lines
from experiments.notebooks.layout import DEFAULT_APP, Notebook
from experiments.notebooks.lifting import lift_section
from experiments.notebooks.literals import to_source
from experiments.notebooks.sections import BUILT_IN, Section
from experiments.types import JobRef

JOB_REF = Import("experiments.types", "JobRef")
_OURS = "experiments.notebooks."


@dataclass(frozen=True)
class NotebookSpec:
    """What a notebook is generated from; the same spec gives the same bytes.

    Attributes:
        name: Name of the experiment.
        config: The recipe's config; written with what differs from its defaults.
        sections: From `sections.select_sections`: setup and state come first.
        recipe: The recipe's file from the project root, with forward slashes.
        remake: Command that writes the notebook again.
        jobs: References to the jobs launched so far.
        root: Project root; by default that of the recipe's module.
        journal: Hypothesis and rule; written where a section reads `journal`.
    """

    name: str
    config: BaseModel
    sections: Sequence[Section]
    recipe: str
    remake: str
    jobs: Sequence[JobRef] = ()
    root: Path | None = None
    journal: Journal = BLANK


@dataclass(frozen=True)
class Generated:
    """A notebook as its generated parts.

    Attributes:
        header: With the hash of the setup block and of each cell.
        setup: Lines of the setup block, indented.
        imports: What the setup block binds.
        cells: In the order of the notebook.
        only_ours: All cells come from this package, whose form its tests check.
        root: Project root, which tells its own packages from others.
    """

    header: Header
    setup: str
    imports: frozenset[Import]
    cells: tuple[Cell, ...]
    only_ours: bool
    root: Path | None = None

    def notebook(self) -> Notebook:
        """Return the parts of a file with nothing but generated cells."""
        return Notebook(write_header(self.header), DEFAULT_APP, self.setup, self.cells)

    def setup_with(self, imports: Iterable[Import]) -> str:
        """Return the lines of the setup block with more imports."""
        return setup_body({*self.imports, *imports}, self.root)


def build(spec: NotebookSpec) -> Generated:
    """Return the checked parts of a notebook, for `generate` and for a merge with a file.

    Raises:
        NotebookError: As `generate`.
    """
    lifted = {section.name: lift_section(section, spec.root) for section in spec.sections}
    in_sections = [item for items in lifted.values() for item in items]
    config, config_imports = data_cell("config", spec.config, spec.root)
    jobs, _ = data_cell("jobs", list(spec.jobs), spec.root)
    imports = config_imports.union(*(item.imports for item in in_sections), {JOB_REF} if spec.jobs else ())
    data = [config, jobs]
    if any("journal" in item.cell.names.reads for item in in_sections):
        journal, journal_imports = data_cell("journal", spec.journal, spec.root)
        data, imports = [*data, journal], imports | journal_imports
    groups = [[item.cell for item in items] for items in lifted.values()]
    cells = tuple(cell for group in [*groups[:1], data, *groups[1:]] for cell in group)
    _check_once(cells, imports)
    bound = [item.bound for item in imports]
    if find_problems(cells, bound):
        check_cells(cells, bound, _defined_elsewhere(spec))
    empty_jobs, _ = data_cell("jobs", [], spec.root)
    setup = setup_body(imports, spec.root)
    hashes = {"setup": hash_of(setup)} | {
        cell.name: hash_of((empty_jobs if cell is jobs else cell).body) for cell in cells
    }
    only_ours = all(section.module.startswith(_OURS) for section in spec.sections)
    return Generated(Header(spec.name, spec.recipe, spec.remake, hashes), setup, imports, cells, only_ours, spec.root)


def data_cell(name: str, value: object, root: Path | None = None) -> tuple[Cell, frozenset[Import]]:
    """Return a cell that defines `name` as a literal, and the imports that it needs."""
    source, imports = to_source(value, name=name, root=root)
    return Cell(name, indented(f"{name} = {source}")), imports


def setup_body(imports: Iterable[Import], root: Path | None = None) -> str:
    """Return the indented lines of a setup block."""
    wanted = list(imports)
    ours = {item.module.split(".")[0] for item in wanted if not item.is_file}
    if root is not None:
        ours = {top for top in ours if (root / top).is_dir() or (root / "src" / top).is_dir()}
    else:
        ours &= {"experiments"}
    return indented("\n".join(setup_lines(wanted, ours)))


def _check_once(cells: Sequence[Cell], imports: Iterable[Import]) -> None:
    names = Counter(cell.name for cell in cells)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise NotebookError(f"two cells are called {twice!r}; rename one of the functions, or leave out its section.")
    sources: dict[str, Import] = {}
    for item in sorted(imports):
        other = sources.setdefault(item.bound, item)
        if other != item:
            raise NotebookError(
                f"{item.bound!r} is imported from {other.module!r} and from {item.module!r}; a notebook can have one."
            )


def _defined_elsewhere(spec: NotebookSpec) -> dict[str, str]:
    """Return, by name, which of the sections not selected would define it."""
    selected = {section.name for section in spec.sections}
    found: dict[str, str] = {}
    for section in BUILT_IN.values():
        if section.name not in selected:
            with contextlib.suppress(NotebookError):
                for item in lift_section(section):
                    hint = f"Section {section.name!r} defines it: add it to --sections"
                    found |= dict.fromkeys(item.cell.names.defines, hint)
    return found
