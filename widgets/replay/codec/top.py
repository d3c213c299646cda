"""The top level of a replay file: sizes, names and configuration, each checked."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from widgets.replay.codec import version1
from widgets.replay.codec.document import Document, decoded, excerpt, names
from widgets.replay.codec.fields import REQUIRED_TOP_KEYS
from widgets.replay.codec.issues import IssueLog, shorten
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.replay import Names
from widgets.replay.codec.rules import Rules, read_rules
from widgets.replay.codec.values import DECODE_ERRORS, as_float, as_int, repair

_LABEL_CHARS = 200
_RENDER_BYTES = 65_536
_CONFIG_KEYS = ("mg_config", "policy_env_interface", "infos", "reward_sharing_matrix")

_Maybe = msgspec.Raw | msgspec.UnsetType
_Game = msgspec.defstruct("_Game", [("vibe_names", _Maybe, msgspec.UNSET), ("render", _Maybe, msgspec.UNSET)])
_MgConfig = msgspec.defstruct("_MgConfig", [("label", _Maybe, msgspec.UNSET), ("game", _Maybe, msgspec.UNSET)])


@dataclass(frozen=True, slots=True)
class Top:
    """What the top level of a file says; None where it says nothing usable.

    Attributes:
        steps: Recorded steps.
        num_agents: Number of agents.
        map_size: Width and height.
        names: Names of everything.
        label: What the file calls itself.
        config: JSON of the configuration, empty without one.
        render: JSON of mg_config.game.render, empty without one.
        rules: The rules of mg_config.game, in words.
    """

    steps: int | None
    num_agents: int | None
    map_size: tuple[int, int] | None
    names: Names
    label: str
    config: bytes
    render: bytes
    rules: Rules


def read_top(document: Document, limits: Limits, log: IssueLog) -> Top:
    """Read and check the top level."""
    top = document.top
    if document.version > version1.VERSION:
        for key in REQUIRED_TOP_KEYS:
            if key not in top:
                log.add(key, "missing", severity="error")
    config, pieces = _config(top, limits, log)
    num_agents = _count(top, "num_agents", log)
    _check_sharing(top, num_agents, limits, log)
    return Top(
        steps=_steps(top, limits, log),
        num_agents=num_agents,
        map_size=_map_size(top, limits, log),
        names=_names(document, pieces, limits, log),
        label=_label(top, pieces),
        config=config,
        render=_render(pieces),
        rules=read_rules(pieces.get("game"), log),
    )


def _count(top: dict[str, msgspec.Raw], key: str, log: IssueLog) -> int | None:
    if key not in top:
        return None
    value = as_int(decoded(top[key]))
    if value is None or value < 0:
        log.add(key, "is not a number of at least 0", 1, excerpt(top[key]), "error")
        return None
    return value


def _steps(top: dict[str, msgspec.Raw], limits: Limits, log: IssueLog) -> int | None:
    steps = _count(top, "max_steps", log)
    if steps is not None and steps > limits.steps:
        rule = f"more than {limits.steps:,} (limit 'steps'); the recorded ones are shown"
        log.add("max_steps", rule, 1, steps, "error")
        return None
    if steps == 0:
        log.add("max_steps", "is 0; the recorded steps are shown")
        return None
    return steps


def _map_size(top: dict[str, msgspec.Raw], limits: Limits, log: IssueLog) -> tuple[int, int] | None:
    if "map_size" not in top:
        return None
    value = decoded(top["map_size"])
    sides = [as_int(side) or 0 for side in value] if isinstance(value, list) and len(value) == 2 else [0, 0]
    if min(sides) < 1:
        rule = "is not two numbers of at least 1; taken from the locations"
        log.add("map_size", rule, 1, excerpt(top["map_size"]), "error")
        return None
    if max(sides) > limits.map_side or sides[0] * sides[1] > limits.map_area:
        rule = f"more than {limits.map_side:,} a side or {limits.map_area:,} cells; taken from the locations"
        log.add("map_size", rule, 1, excerpt(top["map_size"]), "error")
        return None
    return sides[0], sides[1]


def _names(document: Document, pieces: dict[str, msgspec.Raw], limits: Limits, log: IssueLog) -> Names:
    top = document.top

    def read(*keys: str) -> tuple[str, ...]:
        return tuple(names(top, keys, limits, log))

    found = Names(
        types=read("type_names", version1.TYPES_KEY),
        actions=read("action_names"),
        items=tuple(document.item_names),
        animations=read("animation_names"),
        capacities=read("capacity_names"),
        groups=read("group_names"),
        vibes=tuple(names(pieces, ("vibe_names",), limits, log)),
        tags=_tags(top, limits, log),
    )
    for key, values in (("type_names", found.types), ("action_names", found.actions), ("item_names", found.items)):
        if not values:
            log.add(key, "is empty")
    return found


def _tags(top: dict[str, msgspec.Raw], limits: Limits, log: IssueLog) -> tuple[str, ...]:
    if "tags" not in top:
        return ()
    value = decoded(top["tags"])
    if not isinstance(value, dict):
        log.add("tags", "is not an object of names and numbers", 1, excerpt(top["tags"]), "error")
        return ()
    found: dict[int, str] = {}
    for name, tag in value.items():
        number = as_int(tag)
        if number is None or not 0 <= number < limits.names:
            log.add("tags", f"a tag's number is not 0 to {limits.names - 1}", 1, f"{name!r}: {tag!r}"[:80], "error")
        else:
            found[number] = name[: limits.name_chars]
    return tuple(found.get(number, "") for number in range(max(found, default=-1) + 1))


def _config(top: dict[str, msgspec.Raw], limits: Limits, log: IssueLog) -> tuple[bytes, dict[str, msgspec.Raw]]:
    """Return the configuration as JSON text, and the pieces of it that the viewer uses."""
    parts = []
    for key in _CONFIG_KEYS:
        if key not in top:
            continue
        size = len(memoryview(top[key]))
        if size > limits.config_bytes:
            rule = f"left out: {size:,} bytes (limit 'config_bytes' is {limits.config_bytes:,})"
            log.add(key, rule, severity="error")
        elif bytes(top[key]) != b"null":
            parts.append(b'"%s":%s' % (key.encode(), _valid(bytes(top[key]))))
    pieces = _pieces(top.get("mg_config"), _MgConfig)
    pieces |= _pieces(pieces.get("game"), _Game)
    return (b"{" + b",".join(parts) + b"}" if parts else b""), pieces


def _valid(text: bytes) -> bytes:
    """Return JSON whose strings are valid text; skipping over a value does not check them."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return repair(text)
    return text


def _pieces(raw: msgspec.Raw | None, kind: type[msgspec.Struct]) -> dict[str, msgspec.Raw]:
    if raw is None:
        return {}
    try:
        found = msgspec.structs.asdict(msgspec.json.decode(raw, type=kind))
    except DECODE_ERRORS:
        return {}
    return {key: value for key, value in found.items() if value is not msgspec.UNSET}


def _label(top: dict[str, msgspec.Raw], pieces: dict[str, msgspec.Raw]) -> str:
    for raw in (pieces.get("label"), top.get("file_name")):
        value = None if raw is None or len(memoryview(raw)) > _RENDER_BYTES else decoded(raw)
        if isinstance(value, str) and value:
            return shorten(value, _LABEL_CHARS)
    return ""


def _render(pieces: dict[str, msgspec.Raw]) -> bytes:
    raw = pieces.get("render")
    if raw is None or len(memoryview(raw)) > _RENDER_BYTES:
        return b""
    value = decoded(raw)
    return msgspec.json.encode(value) if isinstance(value, dict) else b""


def _check_sharing(top: dict[str, msgspec.Raw], num_agents: int | None, limits: Limits, log: IssueLog) -> None:
    raw = top.get("reward_sharing_matrix")
    if raw is None or num_agents is None or len(memoryview(raw)) > limits.config_bytes:
        return
    value = decoded(raw)
    rows = value if isinstance(value, list) else []
    square = len(rows) == num_agents and all(isinstance(row, list) and len(row) == num_agents for row in rows)
    if not square or any(as_float(share) is None for row in rows for share in row):
        log.add("reward_sharing_matrix", f"is not {num_agents} x {num_agents} numbers")
