"""What a person types: `experiments ...` with a file a verb or group of verbs, and the command line of every recipe.

What one may import: `main`, from here, and `recipe`, `terminal`. The command line of a recipe is the one door from
below: the `main` of an experiment calls it.

What it may import: everything below it; but no more than the flags need before it knows what it is asked.
"""

from __future__ import annotations

from typing import Any

__all__ = ["commands", "main", "run"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name in __all__:
        from experiments.cli import __main__ as command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
