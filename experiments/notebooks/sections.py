"""Sections: named groups of cells, and where their functions are.

A recipe adds its own beside the built-in ones:

    class MyExperiment(Experiment):
        extra_sections = (Section(name="my_section", module=__name__, cells=("my_table", "my_chart")),)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments.errors import UsageError


@dataclass(frozen=True)
class Section:
    """A named group of cells, in the order in which they stand in the notebook.

    Attributes:
        module: Dotted name of the module that holds the cell functions (`__name__` in a recipe, also when it runs as a
            script), or the path of a Python file.
        cells: Names of the functions; empty for those that the module's `CELLS` lists under the section's name.
    """

    name: str
    module: str
    cells: tuple[str, ...] = ()


ALWAYS = ("setup", "state")
BUILT_IN: dict[str, Section] = {
    section.name: section
    for section in (
        Section("setup", "experiments.notebooks.training"),
        Section("state", "experiments.notebooks.training"),
        Section("launch", "experiments.notebooks.training"),
        Section("monitor", "experiments.notebooks.monitoring"),
        Section("analysis", "experiments.notebooks.analysis"),
        Section("replays", "experiments.notebooks.replays"),
        Section("log", "experiments.notebooks.journal"),
        Section("export", "experiments.notebooks.exports"),
        Section("scratch", "experiments.notebooks.journal"),
    )
}


def select_sections(names: Iterable[str], own: Sequence[Section] = ()) -> tuple[Section, ...]:
    """Return the named sections in the order given, after setup and state.

    Args:
        own: Sections of the recipe; one with the name of a built-in section takes its place.

    Raises:
        UsageError: A name is not a section; lists those that are.
    """
    known = BUILT_IN | {section.name: section for section in own}
    wanted = list(dict.fromkeys([*ALWAYS, *names]))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UsageError(f"section {unknown[0]!r} does not exist. Sections: {', '.join(known)}.")
    return tuple(known[name] for name in wanted)
