"""The names of the curricula; cheap to import, so that a launcher can refuse an unknown one.

What a curriculum contains (maps, rules, sampling of its tasks) is in `arena.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from experiments.project.errors import UsageError

PREFIX = "env/mettagrid/curriculum/"
DEFAULT = f"{PREFIX}arena/learning_progress"

CURRICULA: Mapping[str, str] = MappingProxyType(
    {
        f"{PREFIX}arena/learning_progress": (
            "12 agents turn ore into hearts on three kinds of map (basic, cluttered, sparse); a new episode takes a "
            "kind in proportion to how quickly its return changes, and one time in five any kind"
        ),
        f"{PREFIX}arena/random": "the three kinds of map of arena/learning_progress, with equal chances",
        f"{PREFIX}arena/basic": "12 agents turn ore into hearts on a 25x25 map with 30 mines and 6 altars",
        f"{PREFIX}arena/sparse": "the same rules on a 33x33 map with 18 mines and 4 altars: ore has to be searched for",
        f"{PREFIX}arena/combat": "24 agents on a 33x33 map; walking into another agent takes one ore from it",
        f"{PREFIX}navigation/beacons": "8 agents find beacons on a 47x47 map with 300 walls; a beacon pays once",
        f"{PREFIX}navigation/maze": "8 agents find beacons in the corridors of a 41x41 maze",
    }
)
"""Full name of each curriculum, and what it is."""


def resolve(name: str) -> str:
    """Return the full name of a curriculum given with or without `env/mettagrid/curriculum/`.

    Raises:
        UsageError: No curriculum has this name; the message lists the known ones.
    """
    full_name = name if name.startswith(PREFIX) else PREFIX + name
    if full_name in CURRICULA:
        return full_name
    near = difflib.get_close_matches(full_name, CURRICULA, n=1, cutoff=0.8)
    hint = f" Did you mean {near[0].removeprefix(PREFIX)!r}?" if near else ""
    known = ", ".join(known_name.removeprefix(PREFIX) for known_name in CURRICULA)
    raise UsageError(f"unknown curriculum {name!r}.{hint} Known, each also with {PREFIX!r} in front: {known}")
