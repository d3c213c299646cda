"""What projects territory in a game: the controls of its objects, as the configuration (mg_config.game) gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.rule_words import Json, is_number, number, plain

_KEY = "territory_controls"
_MOST = 200
_FURTHEST = 256


@dataclass(frozen=True, slots=True)
class Control:
    """The territory around the objects of a type.

    At a distance d its strength is `strength - decay * d`, up to `reach`; the tag whose objects are strongest at a cell
    holds it.

    Attributes:
        of: Type of the object.
        tags: Tags that the object must have, as the configuration tells objects of a type apart.
        prefix: What the tags begin with that compete, such as `team:`.
        strength: Strength at the object itself, at least 1.
        decay: What is lost with each cell of distance, at least 1.
    """

    of: str
    tags: tuple[str, ...]
    prefix: str
    strength: int
    decay: int

    @property
    def reach(self) -> int:
        """The furthest cell that may be held."""
        return self.strength // self.decay


def read_controls(game: dict[str, Json], log: IssueLog) -> tuple[Control, ...]:
    """Return the controls of the first territory that anything projects; of others the map shows nothing."""
    territories = game.get("territories")
    found: dict[str, list[Control]] = {}
    for path, key, config in _projecting(game, log):
        for control in _of_object(config, path, log):
            territory = territories.get(control["territory"]) if isinstance(territories, dict) else None
            prefix = territory.get("tag_prefix") if isinstance(territory, dict) else None
            if isinstance(prefix, str) and prefix:
                tags = tuple(tag for tag in config.get("tags") or () if isinstance(tag, str))
                made = Control(str(config.get("name") or key), tags, prefix, control["strength"], control["decay"])
                found.setdefault(control["territory"], []).append(made)
    if len(found) > 1:
        log.add("mg_config.game.territories", "more than one is projected; the map shows the first", len(found) - 1)
    return tuple(next(iter(found.values()), ())[:_MOST])


def _projecting(game: dict[str, Json], log: IssueLog) -> Iterator[tuple[str, str, dict[str, Json]]]:
    """Yield where each thing that may project territory stands in the file, its name, and its configuration."""
    objects, agents = game.get("objects"), game.get("agents")
    for key, config in objects.items() if isinstance(objects, dict) else ():
        if isinstance(config, dict):
            yield f"mg_config.game.objects.{key}", key, config
    each = agents if isinstance(agents, list) and agents else [game.get("agent")]
    first = each[0] if isinstance(each[0], dict) else {}
    if all(isinstance(one, dict) and one.get(_KEY) == first.get(_KEY) for one in each):
        yield "mg_config.game.agent", "agent", {_KEY: first.get(_KEY), "name": first.get("name")}
    elif first:
        log.add("mg_config.game.agents", f"{_KEY} differ from agent to agent; the map leaves them out")


def _of_object(config: dict[str, Json], path: str, log: IssueLog) -> list[dict[str, Json]]:
    listed = config.get(_KEY)
    if not listed:
        return []
    entries = listed if isinstance(listed, list) else [listed]
    good = []
    for entry in entries:
        control: dict[str, Json] = {"strength": 1, "decay": 1, **(entry if isinstance(entry, dict) else {})}
        strength, decay = control["strength"], control["decay"]
        if isinstance(control.get("territory"), str) and all(is_number(n) and n >= 1 for n in (strength, decay)):
            # The engine knows whole numbers alone.
            good.append({**control, "strength": min(int(strength), _FURTHEST * int(decay)), "decay": int(decay)})
    log.add(f"{path}.{_KEY}", "is no territory with a strength and a decay of at least 1", len(entries) - len(good))
    return good


def held_around(control: Json) -> str:
    """Return a control in words.

    Raises:
        UnknownShapeError: It is none.
    """
    strength, decay = control.get("strength", 1), control.get("decay", 1)
    fading = f"strength {number(strength)}, {number(decay)} less with each cell"
    return f"projects {plain(control['territory'])} for its team: {fading}"
