"""The names of the curricula; cheap to import, so that a launcher can refuse an unknown one.

What a curriculum contains (maps, rules, sampling of its tasks) is in `arena.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from experiments.errors import UsageError

PREFIX = "env/mettagrid/curriculum/"
DEFAULT = f"{PREFIX}arena/learning_progress"

CURRICULA: Mapping[str, str] = MappingProxyType(
    {
        f"{PREFIX}arena/learning_progress": (
            "12 agents turn ore into hearts. Three maps (basic, cluttered, sparse); each new episode takes the map on which "
            "the return changes most quickly, and one time in five any map"
        ),
        f"{PREFIX}arena/random": "the three maps of arena/learning_progress, drawn with equal chances",
        f"{PREFIX}arena/basic": "12 agents turn ore into hearts on a 25x25 map with 30 mines and 6 altars",
        f"{PREFIX}arena/sparse": "the same rules on a 33x33 map with 18 mines and 4 altars: ore has to be searched for",
        f"{PREFIX}arena/combat": "24 agents on a 33x33 map; walking into another agent takes the ore that it carries",
        f"{PREFIX}navigation/beacons": "8 agents find beacons on a 33x33 map with 150 walls; a beacon pays once and is gone",
        f"{PREFIX}navigation/maze": "8 agents find beacons in the corridors of a 33x33 maze",
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
