"""The rules of a game as its configuration (mg_config.game) gives them: what each thing does, in words.

Reads every form that mettagrid has written: handlers under `handlers`, `on_use_handlers` (by name), `on_use_handler`
(one, `first_match` or `all_of` of several), `aoes`, `on_tick`, `on_after_use_handler`, `on_tag_remove`, the handlers of
actions, territories and events, and the rewards. What is written in no form that is known is kept as text, and listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import msgspec

from widgets.replay.codec.controls import Control, held_around, read_controls
from widgets.replay.codec.issues import IssueLog, shorten
from widgets.replay.codec.rule_conditions import condition, game_value, query
from widgets.replay.codec.rule_effects import Effects, changed, effects_of
from widgets.replay.codec.rule_words import (
    CHARS,
    Amount,
    Json,
    Roles,
    UnknownShapeError,
    amounts,
    as_text,
    is_number,
    listed,
    plain,
)
from widgets.replay.codec.values import BadValueError, decode_any

MOST_RULES = 2000
_LINES = 40
_NAME_CHARS = 80
_DEEPEST = 8

_USE = Roles("the agent", "it", "actor")
_AURA = Roles("it", "what is in reach", "target")
_SELF = Roles("the agent", "the agent", "actor")
_AFTER = Roles("the agent", "what it used", "actor")
_MOVE = Roles("the agent", "what stands there", "actor")
_EVENT = Roles("the game", "each of them")
_TAG = Roles("it", "it", "target")
_INSIDE = Roles("the territory", "who is inside", "target")
_AGENT = "agent"
_GAME = ""
_KNOWN = {
    "handlers": ("when walked into", _USE),
    "on_use_handlers": ("when used", _USE),
    "on_use_handler": ("when used", _USE),
    "on_after_use_handler": ("after using something", _AFTER),
    "on_tick": ("every step", _SELF),
    "on_tag_remove": ("when it is no longer", _TAG),
}


_Found = tuple[str, dict[str, Json], tuple[str, ...]]
"""A handler's name, itself, and the conditions that its place among the others makes."""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that can happen.

    Attributes:
        of: Type of the object that does it; `agent` for agents, empty for the game itself.
        tags: Tags that the object must have, as the configuration tells objects of a type apart.
        agents: Numbers of the agents that it is of; empty where it is of all.
        when: What sets it off.
        name: What the configuration calls it.
        takes: Items and amounts that the agent pays, null for all it has.
        gives: Items and amounts that it gets.
        needs: Conditions, each a sentence.
        does: What happens besides, each a sentence.
    """

    of: str
    when: str
    tags: tuple[str, ...] = ()
    agents: tuple[int, ...] = ()
    name: str = ""
    takes: tuple[Amount, ...] = ()
    gives: tuple[Amount, ...] = ()
    needs: tuple[str, ...] = ()
    does: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """Items that share a limit.

    Attributes:
        name: The limit's name in `capacity_names`.
        items: Names of the items.
    """

    name: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a configuration says of its game.

    Attributes:
        rules: All rules, of objects, then agents, then the game.
        groups: Items that share a limit.
        controls: What projects territory.
    """

    rules: tuple[Rule, ...] = ()
    groups: tuple[Group, ...] = ()
    controls: tuple[Control, ...] = ()


def read_rules(game: msgspec.Raw | None, log: IssueLog) -> Rules:
    """Return the rules of `mg_config.game`; what cannot be understood is kept as text and listed as an issue."""
    if game is None:
        return Rules()
    reader = _Reader(log)
    try:
        value = decode_any(game)
        if isinstance(value, dict):
            reader.read(value)
    except (BadValueError, RecursionError) as error:
        log.add("mg_config.game", "cannot be read; the rules of the game are not all shown", 1, str(error))
    return Rules(reader.merged(), tuple(reader.groups.values()), reader.controls)


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose handlers are read, and where they stand in the file."""

    of: str
    path: str
    tags: tuple[str, ...] = ()
    agent: int | None = None


class _Reader:
    def __init__(self, log: IssueLog) -> None:
        self.log = log
        self.rules: dict[Rule, list[int]] = {}
        self.groups: dict[str, Group] = {}
        self.agents = 0
        self.controls: tuple[Control, ...] = ()

    def merged(self) -> tuple[Rule, ...]:
        """Return each rule once, with the agents that it is of unless that is all of them."""
        found = []
        for rule, agents in self.rules.items():
            some = tuple(agents) if 0 < len(agents) < self.agents else ()
            found.append(msgspec.structs.replace(rule, agents=some))
        return tuple(found)

    def read(self, game: dict[str, Json]) -> None:
        for key, config in _entries(game.get("objects")):
            name = config.get("name") or key
            self._object(config, _Owner(str(name)[:_NAME_CHARS], f"mg_config.game.objects.{key}", _tags(config)))
        listed = game.get("agents")
        agents = listed if isinstance(listed, list) and listed else [game.get("agent")]
        self.agents = len(agents) if agents is listed else 0
        for at, config in enumerate(agents):
            if isinstance(config, dict):
                owner = _Owner(_AGENT, "mg_config.game.agent", agent=at if self.agents else None)
                self._object(config, owner)
                self._rewards(config, owner)
        for name, config in _entries(game.get("actions")):
            self._action(name, config)
        self.controls = read_controls(game, self.log)
        for name, config in _entries(game.get("territories")):
            for key, when in (("on_enter", "on entering"), ("on_exit", "on leaving"), ("presence", "every step in")):
                owner = _Owner(_GAME, f"mg_config.game.territories.{name}.{key}")
                self._handlers(config.get(key), owner, f"{when} {plain(name)}", _INSIDE)
        self._handlers(game.get("on_tick"), _Owner(_GAME, "mg_config.game.on_tick"), "every step", _EVENT)
        for name, config in _entries(game.get("events")):
            self._event(name, config)

    def _object(self, config: dict[str, Json], owner: _Owner) -> None:
        inventory = config.get("inventory")
        for name, group in _entries(inventory.get("limits") if isinstance(inventory, dict) else None):
            items = group.get("resources")
            if isinstance(items, list) and len(self.groups) < MOST_RULES:
                self.groups.setdefault(name, Group(name[:_NAME_CHARS], tuple(str(item) for item in items[:_LINES])))
        for key, value in config.items():
            if key in _KNOWN:
                self._handlers(value, owner, *_KNOWN[key])
            elif "handler" in key or key.startswith("on_"):
                if value:
                    self.log.add(f"{owner.path}.{key}", "a kind of handler that is not known; read as one that is used")
                self._handlers(value, owner, plain(key), _USE)
        for name, aura in _entries(config.get("aoes")):
            reach = aura.get("radius", 1)
            self._handler({"name": name, **aura}, owner, f"every step, within {reach} cells", _AURA, ())
        for control in _list(config.get("territory_controls"))[:_LINES]:
            does = self._said(owner, "territory", control, partial(held_around, control))
            self._add(Rule(owner.of, "always", owner.tags, does=(does,)), owner)

    def _rewards(self, config: dict[str, Json], owner: _Owner) -> None:
        for name, reward in _entries(config.get("rewards")):
            if not reward:
                continue
            value = self._said(owner, "reward", reward, partial(_reward, reward))
            each = "every step" if reward.get("per_tick") else "for each gain"
            self._add(Rule(_AGENT, f"rewarded {each}", name=name[:_NAME_CHARS], does=(value,)), owner)

    def _action(self, name: str, config: dict[str, Json]) -> None:
        if not config.get("enabled", True):
            return
        owner = _Owner(_AGENT, f"mg_config.game.actions.{name}")
        effects = Effects([(item, amount) for item, amount in known_amounts(config.get("consumed_resources"))])
        needs = [
            self._condition(owner, _MOVE, {"filter_type": "resource", "target": "actor", "resources": {item: amount}})
            for item, amount in known_amounts(config.get("required_resources"))
        ]
        success = config.get("success")
        if isinstance(success, dict):
            needs += [f"the agent shows vibe {_any_of(config['vibes'])}"] if config.get("vibes") else []
            self._effect(owner, _MOVE, {**config, "mutation_type": "attack"}, effects)
            effects.add(changed("actor", known_amounts(success.get("actor_inv_delta")), _MOVE))
            effects.add(changed("target", known_amounts(success.get("target_inv_delta")), _MOVE))
            effects.does += [f"takes all {_any_of(success['loot'])} of the other"] if success.get("loot") else []
        if effects != Effects() or needs:
            self._add(_rule(owner, f"action {plain(name)}", "", effects, needs), owner)
        self._handlers(config.get("handlers"), owner, f"action {plain(name)}", _MOVE)

    def _event(self, name: str, config: dict[str, Json]) -> None:
        owner = _Owner(_GAME, f"mg_config.game.events.{name}")
        steps, most, found = config.get("timesteps"), config.get("max_targets"), config.get("target_query", "")
        when = f"event at {_steps(steps)}" if isinstance(steps, list) else "event"
        target = self._said(owner, "query", found, lambda: query(found))
        of = f"to {'' if most is None else f'at most {most} of '}{target}"
        self._handler({**config, "name": name}, owner, when, _EVENT, (of,))

    def _handlers(self, value: Json, owner: _Owner, when: str, roles: Roles) -> None:
        for name, handler, before in self._flat(value, owner, 0):
            special = f"{when} {plain(name)}" if when == _KNOWN["on_tag_remove"][0] else when
            self._handler({**handler, "name": name}, owner, special, roles, before)

    def _flat(self, value: Json, owner: _Owner, depth: int) -> Iterator[_Found]:
        """Yield name, handler and the conditions that its place among the others makes."""
        if value in (None, {}, []):
            return
        if _is_handler(value):
            yield str(value.get("name") or ""), value, ()
            return
        parts = _parts(value) if depth <= _DEEPEST else None
        if parts is None:
            self._unknown(owner, "handler", as_text(value))
            self._add(Rule(owner.of, "as the file has it", tags=owner.tags, does=(as_text(value),)), owner)
            return
        ordered = isinstance(value, dict) and value.get("handler_type") == "first_match"
        found = [each for name, part in parts for each in self._named(name, part, owner, depth + 1)]
        for at, (name, handler, before) in enumerate(found):
            yield name, handler, (("nothing above applies",) if at and ordered else ()) + before

    def _named(self, name: str, value: Json, owner: _Owner, depth: int) -> Iterator[_Found]:
        for own, handler, before in self._flat(value, owner, depth):
            yield own or name, handler, before

    def _handler(
        self, handler: dict[str, Json], owner: _Owner, when: str, roles: Roles, before: tuple[str, ...]
    ) -> None:
        effects = Effects()
        needs = [*before, *(self._condition(owner, roles, each) for each in _list(handler.get("filters"))[:_LINES])]
        for each in _list(handler.get("mutations"))[:_LINES]:
            self._effect(owner, roles, each, effects)
        for item, amount in known_amounts(handler.get("presence_deltas")):
            effects.does.append(f"{amount:+.6g} {plain(item)} while {roles.target} stays")
        name = str(handler.get("name") or "")[:_NAME_CHARS]
        # What is paid must be had: that need not be said twice.
        paid = {f"{roles.actor} has {listed([pair])}" for pair in effects.takes}
        self._add(_rule(owner, when, name, effects, [need for need in needs if need not in paid]), owner)

    def _condition(self, owner: _Owner, roles: Roles, value: Json) -> str:
        return self._said(owner, "filter", value, lambda: condition(value, roles))

    def _effect(self, owner: _Owner, roles: Roles, value: Json, effects: Effects) -> None:
        """Add what a mutation does; nothing of one that cannot be understood as a whole."""
        found = Effects()

        def read() -> str:
            found.add(effects_of(value, roles))
            return ""

        text = self._said(owner, "mutation", value, read)
        found.does = [shorten(line, CHARS) for line in found.does] + ([text] if text else [])
        effects.add(found)

    def _said(self, owner: _Owner, kind: str, value: Json, read: Callable[[], str]) -> str:
        """Return what `read` makes of `value`, or its JSON where it is of a shape that is not known."""
        try:
            return shorten(read(), CHARS)
        except (UnknownShapeError, LookupError, TypeError, AttributeError):
            self._unknown(owner, kind, as_text(value))
            return as_text(value)

    def _unknown(self, owner: _Owner, kind: str, text: str) -> None:
        self.log.add(owner.path, f"a {kind} that is not known; shown as the file has it", 1, text)

    def _add(self, rule: Rule, owner: _Owner) -> None:
        if rule not in self.rules and len(self.rules) >= MOST_RULES:
            self.log.add("mg_config.game", f"more than {MOST_RULES:,} rules; the others are left out")
            return
        agents = self.rules.setdefault(rule, [])
        if owner.agent is not None and agents[-1:] != [owner.agent]:
            agents.append(owner.agent)


def _rule(owner: _Owner, when: str, name: str, effects: Effects, needs: list[str]) -> Rule:
    return Rule(
        of=owner.of,
        when=shorten(when, CHARS),
        tags=owner.tags,
        name=name,
        takes=tuple(effects.takes[:_LINES]),
        gives=tuple(effects.gives[:_LINES]),
        needs=tuple(needs[:_LINES]),
        does=tuple(_together(effects.does)[:_LINES]),
    )


def _together(lines: list[str]) -> list[str]:
    """Say once, and last, that statistics are counted."""
    counted = [line.removeprefix("counts ") for line in lines if line.startswith("counts ")]
    others = [line for line in lines if not line.startswith("counts ")]
    return others + ([shorten(f"counts {', '.join(counted)}", CHARS)] if counted else [])


def _entries(value: Json) -> Iterator[tuple[str, dict[str, Json]]]:
    """Yield the objects in a JSON object; other values say nothing of the game."""
    if isinstance(value, dict):
        yield from ((key, each) for key, each in value.items() if isinstance(each, dict))


def _is_handler(value: Json) -> bool:
    return isinstance(value, dict) and ("filters" in value or "mutations" in value)


def _parts(value: Json) -> list[tuple[str, Json]] | None:
    """Return the handlers that `value` holds, with their names, or None where it holds none."""
    if isinstance(value, list):
        return [("", each) for each in value]
    if not isinstance(value, dict):
        return None
    kind, several = value.get("handler_type", "handler"), value.get("handlers")
    if kind in ("first_match", "all_of") and isinstance(several, list):
        return [("", each) for each in several]
    return list(value.items()) if kind == "handler" else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _tags(config: dict[str, Json]) -> tuple[str, ...]:
    return tuple(tag[:_NAME_CHARS] for tag in _list(config.get("tags"))[:_LINES] if isinstance(tag, str))


def _reward(config: dict[str, Json]) -> str:
    return game_value(config["reward"])


def _any_of(names: Json) -> str:
    return shorten(" or ".join(map(str, names)) if isinstance(names, list) else as_text(names), CHARS)


def _steps(steps: list[Json]) -> str:
    shown = ", ".join(str(step) for step in steps[:4])
    return f"step {shown}" + (f" and {len(steps) - 4} later ones" if len(steps) > 4 else "")


def known_amounts(value: Json) -> list[Amount]:
    """Return items and numbers of a JSON object, of which what is no number is left out."""
    pairs = value.items() if isinstance(value, dict) else ()
    return amounts({item: amount for item, amount in pairs if is_number(amount)})
