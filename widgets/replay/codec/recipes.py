"""What things make of what: the rules of the game and the protocols that objects carry, in one form for the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, column, constant, together
from widgets.replay.codec.replay import Names, Replay
from widgets.replay.codec.rule_words import Amount, Json, worded
from widgets.replay.codec.rules import Rule
from widgets.replay.codec.values import as_float, as_int

MOST_PROTOCOLS = 60
MOST_CARRIED = 1000
"""Protocols of all types together that are listed beside the rules; the page shows fewer."""

CARRIED = ("protocols", "input_resources", "output_resources")

Shown = tuple[int, str]
"""An item's number, -1 for one that the replay does not list, and how much of it in words."""


class Recipe(msgspec.Struct, frozen=True):
    """A rule or a protocol as the page shows it.

    Attributes:
        title: Whose it is.
        takes: What is paid.
        gives: What comes of it.
        lines: What sets it off (may be empty), its conditions and what happens besides.
        makes: Names of what it gives, in lower case, to be searched.
        uses: Names of what it takes and its conditions, in lower case.
        text: Everything that it speaks of, in lower case.
    """

    title: str
    takes: tuple[Shown, ...]
    gives: tuple[Shown, ...]
    lines: tuple[str, ...]
    makes: str
    uses: str
    text: str


class Kind(msgspec.Struct, frozen=True):
    """What some things are, as one may ask for them.

    Attributes:
        rules: Positions of the rules that they have.
        makes: As of their recipes.
        uses: As of their recipes.
        text: Their type and tags, in lower case.
    """

    rules: tuple[int, ...]
    makes: str
    uses: str
    text: str


Listed = tuple[Column, list[list[Recipe] | None]]
"""What objects carry: positions in a table over time, and the table, of which the first entry is nothing."""


class Cook:
    """Turns rules and protocols into recipes.

    Args:
        names: Names of the replay's items and vibes.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.items = {name: item for item, name in reversed([*enumerate(names.items)])}

    def rule(self, rule: Rule) -> Recipe:
        """Return a rule of the configuration."""
        agents = len(rule.agents)
        whose = [worded(rule.of or "the game itself"), *rule.tags, *([_plural(agents, "agent")] if agents else [])]
        head = ", ".join(filter(None, [worded(rule.name) if rule.name else "", rule.when]))
        said = (", ".join(whose), head, rule.of, rule.name)
        return self._recipe(said, rule.takes, rule.gives, rule.needs, rule.does)

    def protocol(self, value: Json) -> Recipe:
        """Return what an object carries: `{inputs, outputs, cooldown, minAgents, vibes}`."""
        given = value if isinstance(value, dict) else {}
        agents, cooldown = as_float(given.get("minAgents")) or 0, as_float(given.get("cooldown"))
        vibes = [self._name(self.names.vibes, vibe, "") for vibe in _list(given.get("vibes"))]
        needs = [_plural(agents, "agent") if agents > 1 else "", f"vibe {', '.join(vibes)}" if vibes else ""]
        does = [f"cooldown {_number(cooldown)}"] if cooldown else []
        takes, gives = (self._amounts(given.get(side)) for side in ("inputs", "outputs"))
        return self._recipe(("", "", "", ""), takes, gives, list(filter(None, needs)), does)

    def _recipe(
        self,
        said: tuple[str, str, str, str],
        takes: Sequence[Amount],
        gives: Sequence[Amount],
        needs: Sequence[str],
        does: Sequence[str],
    ) -> Recipe:
        title, head, *besides = said
        lines = [f"if {', and '.join(needs)}" if needs else "", "; ".join(does)]
        makes, uses = _searched(item for item, _ in gives), _searched([*(item for item, _ in takes), *needs])
        return Recipe(
            title=title,
            takes=tuple(map(self._shown, takes)),
            gives=tuple(map(self._shown, gives)),
            lines=(head, *filter(None, lines)),
            makes=makes,
            uses=uses,
            text="\n".join([makes, uses, _searched(filter(None, [*besides, *does]))]),
        )

    def _shown(self, amount: Amount) -> Shown:
        item, count = amount
        return self.items.get(item, -1), f"{'all' if math.isinf(count) else _number(count)} {worded(item)}"

    def _amounts(self, value: Json) -> list[Amount]:
        pairs = [pair for pair in _list(value) if isinstance(pair, list) and len(pair) == 2]
        return [(self._name(self.names.items, item, "item "), as_float(count) or 0.0) for item, count in pairs]

    def _name(self, names: Sequence[str], value: Json, kind: str) -> str:
        at = as_int(value)
        found = "" if at is None or not 0 <= at < len(names) else names[at]
        return found or f"{kind}{value}"


def carried(replay: Replay, cook: Cook) -> Listed | None:
    """Return the protocols of each object over time, with the inputs and outputs that older versions list apart.

    Returns:
        Positions in a table, of which the first entry stands for none; or None where no object carries any.
    """
    tables = [replay.tables.get(name) for name in CARRIED]
    if not any(tables):
        return None
    nothing = np.full(replay.ids.size, -1, np.int32)
    columns: list[Column] = [constant(nothing) if table is None else table.column for table in tables]
    base, owners, steps, values = together(columns, replay.steps)
    distinct, index = np.unique(np.concatenate([base, values]), axis=0, return_inverse=True)
    lists = [[None] if table is None else [*map(msgspec.json.decode, table.table), None] for table in tables]
    table = [_listed(cook, *(some[at] for some, at in zip(lists, entry, strict=True))) for entry in distinct.tolist()]
    numbers: Array = index.reshape(-1).astype(np.int32) + 1
    return column(numbers[: len(base)], owners, steps, numbers[len(base) :]), [None, *table]


def _listed(cook: Cook, protocols: Json, inputs: Json, outputs: Json) -> list[Recipe] | None:
    own = [{"inputs": inputs, "outputs": outputs}] if inputs or outputs else []
    return [cook.protocol(each) for each in [*_list(protocols), *own][:MOST_PROTOCOLS]] or None


def carried_by_type(replay: Replay, listed: Listed | None) -> list[Recipe]:
    """Return what things of each type carry at some step, headed with the type, as rules of the configuration are.

    Args:
        replay: The replay.
        listed: What objects carry, of `carried`.
    """
    if listed is None:
        return []
    column, table = listed
    rows = np.concatenate([np.arange(replay.ids.size), column.owners])
    entries = np.concatenate([column.base, column.values])
    found: dict[Recipe, None] = {}
    for number, entry in np.unique(np.stack([replay.types[rows], entries], axis=1), axis=0).tolist():
        name = replay.names.types[number] if 0 <= number < len(replay.names.types) else ""
        for recipe in table[entry] or []:
            text = "\n".join([recipe.text, _searched([name])])
            found.setdefault(msgspec.structs.replace(recipe, title=worded(name), text=text))
        if len(found) >= MOST_CARRIED:
            break
    return list(found)


def kinds(replay: Replay, recipes: Sequence[Recipe], listed: Listed | None) -> tuple[list[Kind], Array]:
    """Return what things are as one may ask for them, and which of these kinds each object is at step 0.

    The configuration tells things of one type apart by their tags; where those do not say which it is, all are of it.

    Args:
        replay: The replay.
        recipes: Its rules, in their order.
        listed: What objects carry, of `carried`.
    """
    rules, tags = replay.rules.rules, replay.tables.get("tag_ids")
    entries = np.full(replay.ids.size, -1) if tags is None else tags.column.base
    named = [tag_names(replay, text) for text in (() if tags is None else tags.table)] + [[]]
    protocols = np.zeros(replay.ids.size, np.int64) if listed is None else listed[0].base
    by_type: dict[str, list[int]] = {}
    for at, rule in enumerate(rules):
        by_type.setdefault(rule.of, []).append(at)

    def kind(number: int, agent: int, entry: int, protocol: int) -> Kind:
        name = replay.names.types[number] if 0 <= number < len(replay.names.types) else ""
        if agent >= 0:
            own = [at for at in by_type.get("agent", []) if not rules[at].agents or agent in rules[at].agents]
        else:
            every = by_type.get(name, []) if name else []
            own = [at for at in every if set(rules[at].tags) <= set(named[entry])] or every
        known = [*(recipes[at] for at in own), *((listed[1][protocol] or []) if listed else [])]
        makes, uses = ("\n".join(getattr(each, side) for each in known) for side in ("makes", "uses"))
        return Kind(tuple(own), makes, uses, _searched([name, *named[entry]] if name else named[entry]))

    alike = np.stack([replay.types, replay.agent_ids, entries, protocols], axis=1)
    distinct, index = np.unique(alike, axis=0, return_inverse=True)
    found: dict[Kind, int] = {}
    numbers = [found.setdefault(kind(*row), len(found)) for row in distinct.tolist()]
    return list(found), np.array(numbers, np.int32)[index.reshape(-1)]


def tag_names(replay: Replay, text: bytes) -> list[str]:
    """Return the names of the tags in a JSON list of their numbers; one without a name is called by its number."""
    tags = replay.names.tags
    numbers = [as_int(tag) for tag in _list(msgspec.json.decode(text))]
    return [(tags[tag] if 0 <= tag < len(tags) else "") or f"tag {tag}" for tag in numbers if tag is not None]


def limits(replay: Replay, value: Sequence[Json]) -> Sequence[Mapping[str, object]]:
    """Return the limits on what an object holds, of `[[capacity, limit], ...]`.

    Returns:
        For each its `name`, `limit`, the item that is the only one it is for (`item`, else -1), and the numbers of
        those that share it (`items`; None where nobody says which).
    """
    names = replay.names
    groups = {group.name: group.items for group in replay.rules.groups}
    found = []
    for pair in value:
        at = as_int(pair[0]) if isinstance(pair, list) and len(pair) == 2 else None
        limit = None if at is None else as_float(pair[1])
        if at is None or limit is None:
            continue
        name = (names.capacities[at] if 0 <= at < len(names.capacities) else "") or f"capacity {at}"
        items = groups.get(name, ())
        own = names.items.index(name) if name in names.items and len(items) < 2 else -1
        shared = [item for item, each in enumerate(names.items) if each in items] if items else None
        found.append({"name": worded(name), "limit": limit, "item": own, "items": shared})
    return found


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _searched(names: Iterable[str]) -> str:
    return "\n".join(worded(name).lower() for name in names)


def _number(value: float) -> str:
    return f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")


def _plural(count: float, noun: str) -> str:
    return f"{_number(count)} {noun}{'' if count == 1 else 's'}"
