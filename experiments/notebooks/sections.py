"""The sections of a notebook by name: which cells of the template a new one has, and the recipe's own.

A section of a recipe is a function of the study; what it returns is shown, and it can ask for all that a cell can:

    def weather(study):
        return mo.md(f"{len(study.jobs)} jobs under a clear sky")

    class MyExperiment(Experiment):
        extra_sections = (weather,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from experiments.notebooks.template import SECTIONS
from experiments.project.errors import UsageError

GONE = (
    "Section named a group of cells that were copied into notebooks, and is gone. Write a function, "
    "`def my_section(study): ...`, that returns what is shown, and name it: extra_sections = (my_section,)."
)
OwnSection = Callable[..., Any]
_OF_0_1 = ("setup", "state")  # were sections of their own; every notebook has what stands for them


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
