"""A replay in memory: names, objects and change-point columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from widgets.replay.codec.columns import Array, Column, Inventory
from widgets.replay.codec.issues import Issue
from widgets.replay.codec.rules import Rules
from widgets.replay.codec.texts import TextColumn


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a replay stand for; an index may lie outside its list, then there is no name.

    Attributes:
        types: Object types.
        actions: Actions.
        items: Items of inventories.
        animations: Animations.
        capacities: Groups of items that share a limit.
        groups: Groups of agents.
        vibes: Vibes.
        tags: Tags; empty where an id has no name.
    """

    types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    animations: tuple[str, ...] = ()
    capacities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    vibes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All objects at one step.

    Attributes:
        step: The step.
        location: Cell of each object, x and y: int32 (n, 2).
        fields: Value of each field that the replay has: (n,), int32, uint8 (truth values) or float64 (rewards, which
            are NaN or infinite where the file says so, and NaN where it gives an agent no number).
        inventory: Count of each pair of `Replay.inventory`: int32 (q,).
        tables: Decoded value of each list field (tags, protocols) by object index; objects without one are left out.
        texts: Decoded text of each text field by object index; objects without one are left out.
    """

    step: int
    location: Array
    fields: Mapping[str, Array]
    inventory: Array
    tables: Mapping[str, Mapping[int, Any]]
    texts: Mapping[str, Mapping[int, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """One recorded episode of n objects; objects are addressed by their index in the file, 0 to n - 1.

    Attributes:
        digest: Identity of the file's content, 32 hexadecimal digits.
        version: Version of the file's format.
        label: What the file calls itself; may be empty.
        map_size: Width and height in cells; every location is inside.
        steps: Recorded steps; valid steps are 0 to `steps - 1`.
        names: Names of types, actions, items and so on.
        ids: Id of each object, positive and unique: int32 (n,).
        types: Index of its type in `names.types`, -1 when unknown: int32 (n,).
        agent_ids: Number of each agent, -1 for other objects: int32 (n,).
        agents: Object index of each agent, by ascending agent number: int32 (a,).
        location: Cell (x, y): `Column` of int32.
        columns: The other fields by name (widgets/replay/codec/fields.py), only those that the replay has.
        derived_total: Whether `total_reward` is the running sum of `current_reward` and therefore not in `columns`.
        inventory: What objects hold.
        tables: The fields whose values are lists.
        texts: The fields whose values are texts.
        config: The file's mg_config, policy_env_interface and infos, undecoded JSON; empty when there are none.
        rules: What each thing of the game does, in words.
        render: How the game wants to be drawn (mg_config.game.render), undecoded JSON; empty when there is none.
        issues: Everything that is wrong with the file.
        issues_more: Issues beyond those listed.
    """

    digest: str
    version: int
    label: str
    map_size: tuple[int, int]
    steps: int
    names: Names
    ids: Array
    types: Array
    agent_ids: Array
    agents: Array
    location: Column
    columns: Mapping[str, Column]
    derived_total: bool
    inventory: Inventory
    tables: Mapping[str, TextColumn]
    texts: Mapping[str, TextColumn]
    config: bytes
    render: bytes
    rules: Rules
    issues: tuple[Issue, ...]
    issues_more: int = 0

    @property
    def last_step(self) -> int:
        """The last valid step."""
        return self.steps - 1

    @property
    def has_rewards(self) -> bool:
        """Whether the replay records rewards at all; if not, nobody knows what was earned."""
        return not {"current_reward", "total_reward"}.isdisjoint(self.columns)

    def type_name(self, row: int) -> str:
        """Return the type of an object; empty when it has no name."""
        kind = int(self.types[row])
        return self.names.types[kind] if 0 <= kind < len(self.names.types) else ""

    def state_at(self, step: int) -> State:
        """Return everything as it is at `step`.

        Raises:
            ValueError: `step` is not one of the replay's.
        """
        if not 0 <= step < self.steps:
            raise ValueError(f"step {step!r} is outside the replay; it has steps 0 to {self.last_step}")
        fields = {name: column.at(step) for name, column in self.columns.items()}
        if self.derived_total:
            fields["total_reward"] = self.total_reward(step)
        return State(
            step=step,
            location=self.location.at(step),
            fields=fields,
            inventory=self.inventory.at(step),
            tables={name: table.at(step) for name, table in self.tables.items()},
            texts={name: text.at(step) for name, text in self.texts.items()},
        )

    def total_reward(self, step: int) -> Array:
        """Return the reward of each object summed over steps 0 to `step`: float64 (n,).

        Not finite from the step on at which a reward is not; 0 everywhere where the replay records no rewards.
        """
        if "total_reward" in self.columns:
            return self.columns["total_reward"].at(step)
        rewards = self.columns.get("current_reward")
        return np.zeros(self.ids.size) if rewards is None else sum_to(rewards, step)


def sum_to(column: Column, step: int) -> Array:
    """Return the sum of each row's value over steps 0 to `step`: float64, like `column.base`."""
    end = step + 1
    if column.index.size == 0:
        return column.base * np.float64(end)
    until = np.ones(column.base.shape[0], np.int64) * end
    until[column.index] = np.minimum(column.steps[column.offsets[:-1]], end)
    total = column.base * until
    ends = np.full(column.steps.size, end, np.int64)
    inner = np.ones(column.steps.size, np.bool_)
    inner[column.offsets[1:] - 1] = False
    ends[inner] = column.steps[1:][inner[:-1]]
    lasts = np.maximum(np.minimum(ends, end) - column.steps, 0)
    # A value that is not finite counts from its step on, not before.
    sums = np.multiply(column.values, lasts, out=np.zeros(column.steps.size), where=lasts > 0)
    with np.errstate(invalid="ignore"):  # an infinity of each sign makes no sum
        total[column.index] += np.add.reduceat(sums, column.offsets[:-1])
    return total
