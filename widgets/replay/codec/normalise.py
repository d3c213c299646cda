"""A replay file of any version turned into a `Replay`: the rules of the format checked, every breach listed."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from widgets.replay.codec import inventories, objects, version1
from widgets.replay.codec.columns import Builder, Column, Inventory, Points
from widgets.replay.codec.document import Document, inflate, parse
from widgets.replay.codec.fields import BY_NAME, FIELDS, REQUIRED_AGENT_KEYS, REQUIRED_KEYS, Field
from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.series import Raws, Reader, Shape, read
from widgets.replay.codec.shapes import BOOLS, FLOATS, INTS
from widgets.replay.codec.sources import Source, read_source
from widgets.replay.codec.texts import Interner, TextColumn, accept_list, accept_text, read_tables, read_texts
from widgets.replay.codec.top import Top, read_top

_SHAPES: dict[str, Shape] = {"int": INTS, "delta": INTS, "bool": BOOLS, "float": FLOATS}


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: walking the many small values of a replay again and again doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load_replay(source: Source, *, limits: Limits = Limits.default, allow_private: bool = False) -> Replay:
    """Open a replay: zlib, gzip or plain JSON, told apart by content; versions 1 to 4, newer ones on best effort.

    Args:
        source: A path, an http, https or s3 address, or the bytes of a file.
        limits: Bounds on everything; `Limits.large` for files that one trusts.
        allow_private: Whether an address may lead to this machine or a private network.

    Returns:
        The replay; what is wrong with it but could be mended or left out is in its `issues`.

    Raises:
        SourceError: The bytes cannot be read.
        FormatError: They are not a replay.
        LimitError: The replay goes past the limits.
    """
    return replay_from_bytes(read_source(source, limits, allow_private=allow_private), limits)


def replay_from_bytes(data: bytes, limits: Limits) -> Replay:
    """Return the replay in `data`, compressed or not.

    Raises:
        ReplayError: It is no replay, is damaged, or goes past the limits.
    """
    log = IssueLog()
    with collector_paused():
        document = parse(inflate(data, limits, log), limits, log)
        return _Normaliser(document, read_top(document, limits, log), limits, log).replay(data)


@dataclass(slots=True)
class _Found:
    """What has been read of the objects so far."""

    columns: dict[str, Column] = field(default_factory=dict)
    tables: dict[str, TextColumn] = field(default_factory=dict)
    texts: dict[str, TextColumn] = field(default_factory=dict)


class _Normaliser:
    """Reads the fields of one document; takes each out of it when read, to free its text's decoded values early."""

    def __init__(self, document: Document, top: Top, limits: Limits, log: IssueLog) -> None:
        self.version, self.top, self.limits, self.log = document.version, top, limits, log
        self.raws = document.columns
        self.builder = Builder(document.count, top.steps or limits.steps, log)
        self.reader = Reader(limits, log)

    def replay(self, data: bytes) -> Replay:
        top, builder, reader = self.top, self.builder, self.reader
        if builder.count == 0:
            self.log.add("objects", "is empty", severity="error")
        self._check_required()
        ids = objects.read_ids(self.raws, builder, reader)
        types, type_names = objects.read_types(self.raws, top.names.types, builder, reader)
        agent_ids, self.agents = objects.read_agents(self.raws, top.num_agents, builder, reader)
        location, map_size = objects.fit(
            objects.read_locations(self.raws, builder, reader),
            None if self.version == version1.VERSION else top.map_size,
            self.limits,
            self.log,
        )
        inventory = self._inventory()
        found = self._fields()
        steps = top.steps or 1 + max(int(part.steps.max(initial=0)) for part in self._all(found, location, inventory))
        derived = objects.total_is_derived(found.columns, steps)
        if derived:
            found.columns.pop("total_reward", None)
        return Replay(
            digest=hashlib.sha256(data).hexdigest()[:32],
            version=self.version,
            label=top.label,
            map_size=map_size,
            steps=steps,
            names=replace(top.names, types=type_names),
            ids=ids,
            types=types,
            agent_ids=agent_ids,
            agents=self.agents,
            location=location,
            columns=found.columns,
            derived_total=derived,
            inventory=inventory,
            tables=found.tables,
            texts=found.texts,
            config=top.config,
            render=top.render,
            rules=top.rules,
            issues=self.log.listed(),
            issues_more=self.log.more,
        )

    def _check_required(self) -> None:
        if self.version == version1.VERSION:
            return
        agents = set(self.raws["agent_id"].rows) if "agent_id" in self.raws else set()
        for key, rows in [(key, None) for key in REQUIRED_KEYS] + [(key, agents) for key in REQUIRED_AGENT_KEYS[1:]]:
            present = self.raws[key].rows if key in self.raws else ()
            wanted = set(range(self.builder.count)) if rows is None else rows
            if len(present) >= self.builder.count:
                continue
            missing = wanted.difference(present)
            if missing:
                self.log.add(f"objects[].{key}", "missing", len(missing), f"objects[{min(missing)}]")

    def _all(self, found: _Found, location: Column, inventory: Inventory) -> list[Column]:
        texts = [text.column for text in (*found.tables.values(), *found.texts.values())]
        return [location, inventory.counts, *found.columns.values(), *texts]

    def _inventory(self) -> Inventory:
        raws = self.raws.pop("inventory", None)
        if raws is not None:
            snapshots, names = inventories.read_snapshots(raws, self.reader), len(self.top.names.items)
            return inventories.from_snapshots(snapshots, names, self.builder.steps, self.reader)
        return version1.read_inventory(self.raws, self.top.names.items, self.builder, self.reader)

    def _fields(self) -> _Found:
        found = _Found()
        for kind in FIELDS:
            raws = self._raws(kind)
            if raws is None:
                continue
            path = f"objects[].{kind.name}"
            if kind.kind == "table":
                found.tables[kind.name] = self._table(raws, path)
            elif kind.kind == "text":
                found.texts[kind.name] = self._text(kind, raws, path)
            else:
                points = read(_SHAPES[kind.kind], raws, path, self.reader)
                self._add(found, kind, points, path)
        action = self.raws.pop("action", None)
        if action is not None and "action_id" not in found.columns:
            for name, points in version1.read_actions(action, self.reader).items():
                self._add(found, BY_NAME[name], points, "objects[].action")
        if self.version == version1.VERSION and "freeze_remaining" in found.columns:
            found.columns.setdefault("is_frozen", version1.is_frozen(found.columns["freeze_remaining"]))
        return found

    def _add(self, found: _Found, kind: Field, points: Points, path: str) -> None:
        points = self.builder.in_range(points, kind, len(self.top.names.actions), path)
        made = self.builder.column(points, kind.default, path)
        if kind.kind == "float":
            given = np.zeros(self.builder.count, np.bool_)
            given[points.rows] = given[points.owners] = True
            # Of an agent without rewards nobody knows what it earned; of a wall one does.
            made.base[self.agents[~given[self.agents]]] = np.nan
        found.columns[kind.name] = made

    def _raws(self, kind: Field) -> Raws | None:
        """Take the undecoded values of a field out of the document, from the first of its keys that an object has."""
        present = [raws for raws in (self.raws.pop(key, None) for key in kind.all_keys) if raws is not None]
        if not present:
            return None
        merged = present[0]
        for other in present[1:]:
            if len(merged.rows) < self.builder.count:
                by_row = dict(zip(other.rows, other.values, strict=True))
                by_row |= dict(zip(merged.rows, merged.values, strict=True))
                rows = sorted(by_row)
                merged = Raws(rows, [by_row[row] for row in rows])
        return merged

    def _table(self, raws: Raws, path: str) -> TextColumn:
        interner = Interner(path, accept_list, "table_bytes", self.limits, self.log)
        points = read_tables(raws, interner, self.reader)
        return TextColumn(self.builder.column(points, -1, path), tuple(interner.table))

    def _text(self, kind: Field, raws: Raws, path: str) -> TextColumn:
        accept = accept_text(self.limits, self.log, path, plain=kind.name != "policy_infos")
        interner = Interner(path, accept, "text_bytes", self.limits, self.log)
        points = read_texts(raws, interner, self.reader)
        return TextColumn(self.builder.column(points, -1, path), tuple(interner.table))
