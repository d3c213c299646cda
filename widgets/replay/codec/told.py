"""What the page says of a replay, worked out once for it: names in words, and which object is what."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, column, constant, together
from widgets.replay.codec.drawn import GROUPINGS, REWARDS
from widgets.replay.codec.fields import BY_NAME, FIELDS
from widgets.replay.codec.issues import Issue
from widgets.replay.codec.looks import kind_of, looks_of
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.rule_words import worded
from widgets.replay.codec.stats import counted
from widgets.replay.codec.teams import team_things, teams_of

_FAMILIES = (
    ("move", "move", 0, r"^(move|go|walk|step)|cardinal|8way"),
    ("turn", "turn", 6, r"rotate|turn|face|orient"),
    ("take", "take", 2, r"get|take|withdraw|pick|collect|mine|harvest|gather"),
    ("give", "put or use", 1, r"put|give|deposit|drop|transfer|place|craft|use|build"),
    ("attack", "attack", 3, r"attack|zap|fire|shoot|laser|hit"),
    ("signal", "signal", 5, r"vibe|colou?r|talk|say|signal|emote"),
    ("other", "other", 4, r"$"),
    ("wait", "wait", -1, r"^(noop|none|wait|stay|rest|idle)"),
)
"""Families of actions: name, words, colour of the palette's series (-1: muted), and what their names look like."""

_ASKED = ("wait", "signal", "move", "turn", "attack", "take", "give", "other")
"""In which order a name is asked for its family."""

_WAYS = (("north", "up"), ("south", "down"), ("west", "left"), ("east", "right"))
_MOST_ACTIONS = 2000
_EVENTS = (
    ("reward", "reward", ""),
    ("penalty", "negative reward", ""),
    ("odd", "reward not finite", ""),
    ("gain", "item gain", "gain"),
    ("freeze", "freeze", "cold"),
    ("death", "death", "bad"),
    ("talk", "talk", "talk"),
    ("failure", "failed action", ""),
)
"""Events of the overview: kind, words, and the palette's colour of those that the time axis has a lane for."""

_ELSEWHERE = re.compile(
    "alive|inventory|action|animation|orientation|color|group_id|collective_id|layer|vibe|current_reward|total_reward"
    "|monologue|is_swappable"
)
_OF_ITEMS = (("item", "held"), ("gained", "gained so far"))
_SHARES = {"alive": "share alive", "is_frozen": "share frozen", "action_success": "share of actions that succeed"}
_NO_QUANTITY = re.compile("_(id|param|reward|reset)$|^(orientation|color|layer)$")
_TYPES, _ITEMS = 60, 100
DEFAULTS = {field.name: field.default for field in FIELDS if field.default} | {"action": -1, "vision_size": 11}
"""Values of what a replay lacks: agents see the usual window."""


Element = list[Any]
"""An element of the page: its tag with its classes behind dots, and what is in it, texts and elements."""


class Action(msgspec.Struct, frozen=True):
    """What an action's name and parameter say.

    Attributes:
        name: Both in words.
        family: Its kind, of which each has a sign.
        hue: Its colour of the palette's series, -1 where that is muted.
        direction: 0 up, 1 down, 2 left, 3 right, -1 where they say none.
    """

    name: str
    family: str
    hue: int
    direction: int


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A line of a legend.

    Attributes:
        colour: Of the palette's series, -1 where that is muted, or a name of the palette.
        style: What comes before the colour in the swatch's style.
        words: What it stands for.
    """

    colour: int | str
    style: str
    words: str


_FILLED = "background:"
_ODD = "reward not finite"
_MARKS = (
    Mark("bad", "border:1.5px solid ", "failed"),
    Mark("gain", f"height:5px;{_FILLED}", "item gain"),
    Mark("good", f"height:3px;{_FILLED}", "reward"),
    Mark("bad", f"width:4px;{_FILLED}", _ODD),
)


def action(name: str, parameter: int = 0) -> Action:
    """Return what an action's name and parameter say."""
    lower = name.lower()
    patterns = {family: (pattern, hue) for family, _, hue, pattern in _FAMILIES}
    family = next(family for family in _ASKED if re.search(patterns[family][0], lower))
    parts = set(re.split(r"[_-]", lower))
    ways = [way for way, words in enumerate(_WAYS) if family in ("move", "turn") and parts & set(words)]
    said = re.sub(r"^change (?=vibe)", "", worded(name))
    direction = ways[0] if ways else -1
    if family == "turn" and not ways:
        direction = parameter if 0 <= parameter < len(_WAYS) else -1
        said += f" {_WAYS[parameter][1] if direction >= 0 else parameter}"
    elif parameter:
        said += f" ({parameter})"
    return Action(said, family, patterns[family][1], direction)


def actions_of(replay: Replay) -> tuple[list[Action], Column] | None:
    """Return the actions that occur, and for each object and step the position of its own, -1 for none.

    None where the replay has no actions.
    """
    ids = replay.columns.get("action_id")
    if ids is None:
        return None
    parameters = replay.columns.get("action_param") or constant(np.zeros(replay.ids.size, np.int32))
    columns = (ids, parameters)
    base, owners, steps, values = together(columns, replay.steps)
    distinct, index = np.unique(np.concatenate([base, values]), axis=0, return_inverse=True)
    if len(distinct) > _MOST_ACTIONS:
        base, values, owners, steps = ids.base, ids.values, ids.owners, ids.steps
        distinct, index = np.unique(np.concatenate([base, values]), return_inverse=True)
        distinct = np.stack([distinct, np.zeros_like(distinct)], axis=1)
    none = int(np.count_nonzero(distinct[:, 0] < 0))
    names = replay.names.actions
    found = [
        action(names[at], parameter) if at < len(names) else Action(f"action {at}", "wait", -1, -1)
        for at, parameter in distinct[none:].tolist()
    ]
    numbers: Array = np.maximum(index.reshape(-1).astype(np.int32) - none, -1)
    return found, column(numbers[: len(base)], owners, steps, numbers[len(base) :])


def said_of(field: str) -> str:
    """Return a field's name as the panel of an object has it; empty for what is shown in another way."""
    if _ELSEWHERE.match(field) or BY_NAME[field].kind not in ("int", "delta", "bool"):
        return ""
    return worded(field).removeprefix("is ") if BY_NAME[field].kind == "bool" else worded(field)


def legend_of(actions: Iterable[Action], *, odd: bool) -> list[Mark]:
    """Return the legend of what agents do: the families of some actions, and what marks them.

    Args:
        actions: Those that occur.
        odd: Whether some reward is no finite number.
    """
    found = {each.family for each in actions}
    families = [Mark(hue, _FILLED, words) for family, words, hue, _ in _FAMILIES if family in found]
    return [*families, *(mark for mark in _MARKS if odd or mark.words != _ODD)]


def header_of(replay: Replay, noted: Iterable[str], happening: Container[str]) -> dict[str, Any]:
    """Return what the header says of a replay besides its names and parts.

    Args:
        replay: The replay.
        noted: The numbers of policies.
        happening: The events of the overview that there are.
    """
    teams = teams_of(replay)
    return {
        "defaults": DEFAULTS,
        "events": [event for event in _EVENTS if event[0] in happening],
        "looks": looks_of(replay.names.types),
        "teams": teams,
        "scored": scored_items(replay),
        "suggested": suggested(replay),
        "about": about(replay),
        "quantities": [*REWARDS, *quantities(replay, noted)],
        "groupings": [each for each in GROUPINGS if each[0] != "team" or teams.several],
        "summary": _summary(replay),
    }


def columns_of(replay: Replay) -> Mapping[str, Array]:
    """Return which objects are what, each as positions.

    Returns:
        `still`: what never moves, row by row of the map, in the order of the file within a row. `moving`: the others,
        but agents. `held`: things but agents that a team has at some step. `walls`: of each of `still`, what
        `_walls_beside` says.
    """
    moves = np.zeros(replay.ids.size, np.bool_)
    moves[replay.location.index] = True
    alive = replay.columns.get("alive")
    here = np.ones(replay.ids.size, np.bool_) if alive is None else alive.base != 0
    if alive is not None:
        moves[alive.index] = True
    still = np.flatnonzero(~moves & here)
    still = still[np.argsort(replay.location.base[still, 1], kind="stable")]
    return {
        "still": still,
        "moving": np.flatnonzero(moves & (replay.agent_ids < 0)),
        "held": team_things(replay, teams_of(replay)),
        "walls": _walls_beside(replay, still),
    }


def _walls_beside(replay: Replay, still: Array) -> Array:
    """Return on which sides of an unmoving object walls stand that do not move either.

    Returns:
        Sums of 1 above, 2 left, 4 below, 8 right, and 16 where the cells right, below and between hold three.
    """
    width, height = replay.map_size
    types = np.array([kind_of(name) == "wall" for name in replay.names.types] + [False])
    kinds = replay.types[still]
    walls = still[types[np.where((kinds >= 0) & (kinds < types.size), kinds, -1)]]
    cells = np.zeros((height + 2, width + 2), np.int32)
    x, y = replay.location.base[walls].T + 1
    cells[y, x] = 1
    x, y = replay.location.base[still].T + 1
    square = cells[y, x + 1] & cells[y + 1, x] & cells[y + 1, x + 1]
    beside: Array = cells[y - 1, x] + 2 * cells[y, x - 1] + 4 * cells[y + 1, x] + 8 * cells[y, x + 1] + 16 * square
    return beside


def scored_items(replay: Replay) -> list[int]:
    """Return the items that some agent holds at some step, first those that are the score.

    Hearts have been it since the first version; then comes what the game rewards.
    """
    names = replay.names.items
    rewarded: set[str] = set()
    for rule in replay.rules.rules:
        if rule.when.startswith("rewarded"):
            rewarded.update(re.split(r"[^\w.]+", " ".join([rule.name, *rule.does])))

    def rank(item: int) -> tuple[int, int]:
        name = names[item] if item < len(names) else ""
        return (0 if name.startswith("heart") else 1 if name in rewarded else 2), item

    inventory = replay.inventory
    held = inventory.items[replay.agent_ids[inventory.objects] >= 0]
    return sorted(map(int, np.unique(held)), key=rank)


def quantities(replay: Replay, noted: Iterable[str]) -> list[tuple[str, str]]:
    """Return what can be charted of agents besides rewards, as the page calls it and in words."""
    names = replay.names.items
    items = [(item, worded(names[item]) if item < len(names) else f"item {item}") for item in scored_items(replay)]
    held = [(f"{key} {item}", f"{name} {word}") for item, name in items for key, word in _OF_ITEMS]
    changing = [
        (name, _SHARES.get(name, worded(name)))
        for name, column in replay.columns.items()
        if not _NO_QUANTITY.search(name) and np.isin(column.index, replay.agents).any()
    ]
    return [*held, *changing, *((f"noted {key}", f"{worded(key)}, as policies note it") for key in noted)]


def suggested(replay: Replay) -> list[str]:
    """Return what one may search for, in words: the types that occur, items, tags, and who makes what."""
    names = replay.names
    types = [names.types[kind] for kind in np.unique(replay.types) if 0 <= kind < len(names.types)]
    made = [f"makes {item}" for rule in replay.rules.rules for item, _ in rule.gives]
    return sorted({worded(name) for name in [*types, *names.items, *names.tags, *made] if name})


def about(replay: Replay) -> list[Element]:
    """Return what describes a replay: its facts, what was counted in it, and what is wrong with the file."""
    counts = [["details", ["summary", title], _definitions(rows)] for title, rows in counted(replay)]
    listed = [_issue(issue) for issue in replay.issues]
    more = replay.issues_more
    issues = ["section", ["h4", "Issues in the file"], ["ul.list", *listed] if listed else ["p.empty", "None found."]]
    if more:
        issues.append(["p.empty", f"and {more:,} more issue{'' if more == 1 else 's'}"])
    return [_definitions(_facts(replay)), *counts, issues]


def _definitions(rows: Iterable[tuple[str, str]]) -> Element:
    return ["dl.facts", *(part for term, value in rows for part in (["dt", term], ["dd", value]))]


def _issue(issue: Issue) -> Element:
    times = f" ({issue.count:,} times)" if issue.count > 1 else ""
    told = ["strong", f"{issue.severity}: "]
    return ["li", told, f"{issue.path}: {issue.rule}{times}", ["div.muted.code", issue.example]]


def _summary(replay: Replay) -> str:
    """Return how much of it there is, in a line."""
    counts = (("agent", replay.agents.size), ("step", replay.steps))
    width, height = replay.map_size
    return ", ".join([*(f"{n:,} {noun}{'' if n == 1 else 's'}" for noun, n in counts), f"{width} x {height}"])


def _facts(replay: Replay) -> list[tuple[str, str]]:
    """Return the lines that describe a replay, as what and how much of it."""
    width, height = replay.map_size
    kinds, counts = np.unique(replay.types, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_TYPES]
    names = [(replay.names.types[kind] if 0 <= kind < len(replay.names.types) else "") or "unknown" for kind in kinds]
    listed = ", ".join(f"{worded(names[at])} {counts[at]:,}" for at in order)
    items = [worded(name) for name in replay.names.items if name]
    return [
        ("format", f"MettaScope replay, version {replay.version}"),
        ("map", f"{width:,} x {height:,} cells"),
        ("steps", f"{replay.steps:,}"),
        ("objects", f"{replay.ids.size:,}: {listed}"),
        ("items", ", ".join(items[:_ITEMS]) or "none"),
    ]
