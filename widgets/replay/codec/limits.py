"""How large a replay may be: the one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from widgets.replay.codec.errors import LimitError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one replay, in bytes, counts and seconds.

    `Limits.default` opens every replay that mettagrid ships many times over, and keeps hostile files under 1 GB of
    memory and 20 s. `Limits.large` is for files that one trusts: 1,000 agents for 10,000 steps.

    Attributes:
        compressed_bytes: Size of the file or download.
        inflated_bytes: Size of its JSON.
        objects: Objects on the map.
        object_slots: Objects times the keys that an object can have.
        agents: Agents among them.
        steps: Recorded steps.
        map_side: Width or height of the map, in cells.
        map_area: Width times height.
        points: Change points of all fields together; also JSON objects, of which a text can be one at each point.
        series_values: Commas in the series of one field of one object, a bound on its values before they are decoded.
        names: Entries of one list of names (items, types, ...).
        name_chars: Length of one name.
        text_chars: Length of one text of an agent (policy information, talk).
        text_bytes: Size of all distinct texts together.
        config_bytes: Size of one configuration block (mg_config, infos, ...).
        table_bytes: Size of all distinct list values (tags, protocols) of one field together.
        download_seconds: Time for a whole download.
    """

    compressed_bytes: int = 64 * MIB
    inflated_bytes: int = 256 * MIB
    objects: int = 100_000
    object_slots: int = 32_000_000
    agents: int = 10_000
    steps: int = 1_000_000
    map_side: int = 8192
    map_area: int = 16_777_216
    points: int = 5_000_000
    series_values: int = 4_000_000
    names: int = 4096
    name_chars: int = 256
    text_chars: int = 4096
    text_bytes: int = 32 * MIB
    config_bytes: int = 16 * MIB
    table_bytes: int = MIB
    download_seconds: float = 60.0

    default: ClassVar[Limits]
    large: ClassVar[Limits]

    def check(self, limit: str, value: float, what: str) -> None:
        """Refuse a `value` past the field named `limit`; `what` begins the message.

        Raises:
            LimitError: `value` is larger than the limit.
        """
        allowed = getattr(self, limit)
        if value > allowed:
            raise LimitError(limit, what, allowed)


Limits.default = Limits()
Limits.large = Limits(
    compressed_bytes=1024 * MIB,
    inflated_bytes=4096 * MIB,
    objects=2_000_000,
    object_slots=200_000_000,
    agents=100_000,
    steps=10_000_000,
    map_side=32_000,
    map_area=268_435_456,
    points=200_000_000,
    series_values=50_000_000,
    text_bytes=512 * MIB,
    config_bytes=64 * MIB,
    table_bytes=16 * MIB,
    download_seconds=1800.0,
)
