"""The fields of an object: their names in each version of the format, their kind, default and allowed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["int", "delta", "bool", "float", "table", "text"]
INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object that holds a value at each step.

    Attributes:
        name: Name in a `Replay` and on the wire.
        kind: How its values are read and sent; `delta` is `int` whose values are best sent as differences.
        default: Value of an object that does not have the field.
        keys: Names in replay files, the preferred first.
        low: Least value that the format allows.
        high: Largest value that the format allows.
        names: Which list of names the value indexes, when it must lie inside.
    """

    name: str
    kind: Kind
    default: int = 0
    keys: tuple[str, ...] = ()
    low: int = INT32_MIN
    high: int = INT32_MAX
    names: Literal["", "actions", "items", "animations"] = ""

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Names in replay files, the field's own name first."""
        return (self.name, *self.keys)


FIELDS: tuple[Field, ...] = (
    Field("alive", "bool", 1),
    Field("orientation", "int", keys=("agent:orientation",)),
    Field("color", "int", keys=("agent:color",), low=0),
    Field("layer", "int"),
    Field("hp", "int"),
    Field("group_id", "int", keys=("agent:group",), low=0),
    Field("collective_id", "int", -1),
    Field("vibe_id", "int", keys=("vibe",), low=0),
    Field("vision_size", "int", low=0),
    Field("inventory_max", "int", low=0),
    Field("action_id", "int", -1, low=0, names="actions"),
    Field("action_param", "int", keys=("action_parameter",)),
    Field("action_success", "bool", 1),
    Field("animation_id", "int", low=0, names="animations"),
    Field("is_frozen", "bool", keys=("frozen",)),
    Field("freeze_remaining", "delta", keys=("frozen_progress", "agent:frozen"), low=0),
    Field("freeze_duration", "int", keys=("frozen_time",), low=0),
    Field("cooldown_remaining", "delta", low=0),
    Field("cooldown_duration", "int", low=0),
    Field("is_cooling_down", "bool"),
    Field("conversion_remaining", "delta", low=0),
    Field("conversion_duration", "int", low=0),
    Field("is_converting", "bool", keys=("converting",)),
    Field("uses_count", "delta", low=0),
    Field("max_uses", "int", low=0),
    Field("output_limit", "int"),
    Field("is_clipped", "bool"),
    Field("is_clip_immune", "bool"),
    Field("allow_partial_usage", "bool"),
    Field("is_swappable", "bool", keys=("swappable",)),
    Field("talk_remaining_steps", "delta", low=0),
    Field("monologue_reset", "bool"),
    Field("current_reward", "float", keys=("reward",)),
    Field("total_reward", "float"),
    Field("tag_ids", "table"),
    Field("inventory_capacities", "table"),
    Field("protocols", "table"),
    Field("input_resources", "table"),
    Field("output_resources", "table"),
    Field("policy_infos", "text"),
    Field("talk_text", "text"),
    Field("monologue_append", "text"),
)

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

STRUCTURE_KEYS = ("id", "type", "type_id", "type_name", "location", "agent_id", "inventory")
"""Keys of an object that are read by code of their own."""

REQUIRED_KEYS = ("id", "orientation", "inventory", "inventory_max", "color")
"""Keys that every object must have from version 2 on, besides a location."""

REQUIRED_AGENT_KEYS = ("agent_id", "group_id", "action_id", "action_success", "current_reward", "total_reward")
"""Keys that every agent must have from version 2 on."""

_TOP_KEYS = {"version", "num_agents", "max_steps", "map_size", "action_names"}
_TOP_KEYS_V2 = {"objects", "item_names", "type_names", "mg_config", "file_name", "group_names", "reward_sharing_matrix"}
_TOP_KEYS_V4 = {"animation_names", "capacity_names", "tags", "policy_env_interface", "infos"}
TOP_KEYS = frozenset(_TOP_KEYS | _TOP_KEYS_V2 | _TOP_KEYS_V4)
"""Top-level keys from version 2 on."""

REQUIRED_TOP_KEYS = ("num_agents", "max_steps", "map_size", "action_names", "item_names", "type_names")
"""Top-level keys that a replay must have from version 2 on, besides `version` and `objects`."""
