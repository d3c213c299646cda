"""What a replay holds, for the command line: a summary, its map, and conversion to the wire format or plain JSON."""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from widgets.replay.codec.document import inflate
from widgets.replay.codec.errors import SourceError
from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.normalise import load_replay, replay_from_bytes
from widgets.replay.codec.objects import first_not_finite
from widgets.replay.codec.replay import Replay
from widgets.replay.codec.sources import Source, read_source
from widgets.replay.codec.values import name_of
from widgets.replay.codec.wire import encode

CONVERSIONS = (".json", ".json.z", ".json.gz", ".replay")
"""Suffixes that `convert` writes: the replay's JSON plain or compressed, and the viewer's wire format."""

_LISTED = 10


def summary(replay: Replay) -> dict[str, Any]:
    """Return what a replay holds, ready for JSON.

    Returns:
        Sizes and names; `types` counts objects by type; `rewards` has minimum, mean and maximum of the agents' totals
        (null without agents or without rewards; each is null where a total is not finite); `not_finite` has the first
        reward of each agent that is no finite number: `agent`, `step` and `value` as text; `fields` counts the change
        points of each; `issues` is empty for a clean file.
    """
    numbers, counts = np.unique(replay.types, return_counts=True)
    names = [replay.names.types[number] if number >= 0 else "(unknown)" for number in numbers]
    columns = {"location": replay.location, "inventory": replay.inventory.counts, **replay.columns}
    columns |= {name: text.column for name, text in (*replay.tables.items(), *replay.texts.items())}
    return {
        "version": replay.version,
        "label": replay.label,
        "digest": replay.digest,
        "map_size": list(replay.map_size),
        "steps": replay.steps,
        "objects": int(replay.ids.size),
        "agents": int(replay.agents.size),
        "moving_objects": int(replay.location.index.size),
        "types": dict(sorted(zip(names, counts.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0]))),
        "actions": list(replay.names.actions),
        "items": list(replay.names.items),
        "rewards": _spread(replay),
        "not_finite": _not_finite(replay),
        "fields": {name: int(column.steps.size) for name, column in columns.items()},
        "issues": [
            {
                "severity": issue.severity,
                "path": issue.path,
                "rule": issue.rule,
                "count": issue.count,
                "example": issue.example,
            }
            for issue in replay.issues
        ],
        "issues_more": replay.issues_more,
    }


def _spread(replay: Replay) -> dict[str, float | None] | None:
    totals = replay.total_reward(replay.last_step)[replay.agents]
    if not totals.size or not replay.has_rewards:
        return None
    if not np.isfinite(totals).all():
        return {"min": None, "mean": None, "max": None}
    return {"min": float(totals.min()), "mean": float(totals.mean()), "max": float(totals.max())}


def _not_finite(replay: Replay) -> list[dict[str, Any]]:
    rewards = replay.columns.get("current_reward")
    if rewards is None:
        return []
    return [
        {"agent": int(replay.agent_ids[row]), "step": step, "value": name_of(value)}
        for row, step, value in first_not_finite(rewards, replay.agents)
    ]


def format_summary(replay: Replay) -> str:
    """Return the summary as lines of text for a terminal, without a final newline."""
    found = summary(replay)
    rewards = found["rewards"]
    lines = [
        f"version   {found['version']}" + (f", {printable(found['label'])}" if found["label"] else ""),
        f"map       {found['map_size'][0]} x {found['map_size'][1]}",
        f"steps     {found['steps']:,}",
        f"objects   {found['objects']:,}, of which {found['moving_objects']:,} move",
        f"agents    {found['agents']:,}",
        f"types     {_listed([f'{name} {count:,}' for name, count in found['types'].items()])}",
        f"actions   {_listed(found['actions'])}",
        f"items     {_listed(found['items'])}",
    ]
    if rewards is None and found["agents"]:
        lines.append("reward    none is recorded")
    elif rewards and rewards["mean"] is None:
        lines.append("reward    unknown by the last step: a total is not finite")
    elif rewards:
        spread = f"{rewards['mean']:.3g} on average, {rewards['min']:.3g} to {rewards['max']:.3g}"
        lines.append(f"reward    {spread} by the last step")
    odd = [f"{each['value']} at step {each['step']:,} of agent {each['agent']}" for each in found["not_finite"]]
    if odd:
        lines.append(f"          {_listed(odd)}")
    changes = sorted(found["fields"].items(), key=lambda entry: -entry[1])
    lines.append(f"changes   {_listed([f'{name} {count:,}' for name, count in changes if count])}")
    total = len(replay.issues) + replay.issues_more
    lines.append(f"issues    {total or 'none'}")
    lines += [f"  {printable(str(issue))}" for issue in replay.issues]
    if replay.issues_more:
        lines.append(f"  ... and {replay.issues_more:,} more")
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    text = ", ".join(printable(name) or "(no name)" for name in names[:_LISTED])
    return f"{text}, ... {more} more" if more > 0 else text or "none"


def printable(text: str) -> str:
    """Return text in which nothing can steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def convert(source: Source, target: Path, *, limits: Limits = Limits.default) -> Replay:
    """Write a replay in another form, chosen by the target's suffix (`CONVERSIONS`); return the replay.

    The target is written by rename, so that it is whole or untouched.

    Raises:
        ReplayError: The source is no replay, or the target cannot be written.
    """
    suffix = next((known for known in reversed(CONVERSIONS) if target.name.endswith(known)), None)
    if suffix is None:
        raise SourceError(f"{target.name!r} has no known suffix; use one of {', '.join(CONVERSIONS)}")
    data = read_source(source, limits)
    replay = replay_from_bytes(data, limits)
    if suffix == ".replay":
        _write(target, encode(replay).pack("all"))
        return replay
    text = inflate(data, limits, IssueLog())
    if suffix == ".json.z":
        _write(target, zlib.compress(text))
    elif suffix == ".json.gz":
        _write(target, gzip.compress(text, mtime=0))
    else:
        _write(target, bytes(text))
    return replay


def _write(target: Path, data: bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SourceError(f"cannot write {str(target)!r}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def map_text(source: Source, step: int = 0, *, limits: Limits = Limits.default) -> str:
    """Return the ASCII map of a replay file at one step.

    Raises:
        ReplayError: The source is no replay.
        ValueError: `step` is not one of the replay's.
    """
    return ascii_map(load_replay(source, limits=limits), step)


_SYMBOLS = {
    "agent": "@@",
    "wall": "##",
    "assembler": "As",
    "carbon_extractor": "Ca",
    "charger": "En",
    "chest": "Ch",
    "germanium_extractor": "Ge",
    "oxygen_extractor": "O2",
    "silicon_extractor": "Si",
}


def ascii_map(replay: Replay, step: int = 0) -> str:
    """Return the map at `step`; where several objects share a cell, the last one shows.

    Objects that are gone at that step are not drawn.

    Raises:
        ValueError: `step` is not one of the replay's.
    """
    if not 0 <= step < replay.steps:
        raise ValueError(f"step {step!r} is outside the replay; it has steps 0 to {replay.last_step}")
    width, height = replay.map_size
    symbols = np.array([_symbol(name) for name in replay.names.types] + ["??"])
    cells = np.full((height, width), "  ")
    location = replay.location.at(step)
    shown = replay.columns["alive"].at(step).astype(np.bool_) if "alive" in replay.columns else slice(None)
    x, y = location[shown, 0], location[shown, 1]
    last = {int(cell): row for row, cell in enumerate(y.astype(np.int64) * width + x)}
    rows = np.fromiter(last.values(), np.int64, len(last))
    cells[y[rows], x[rows]] = symbols[replay.types[shown][rows]]
    edge = "+" + "--" * width + "+\n"
    # Line by line: a list of the cells of a large map would be many times its size.
    return edge + "".join(f"|{''.join(line.tolist())}|\n" for line in cells) + edge


def _symbol(type_name: str) -> str:
    """Return two characters for a type: known ones, else the first two of its name, made safe for a terminal."""
    known = _SYMBOLS.get(type_name)
    if known is not None:
        return known
    text = printable(type_name[:2])
    return text.ljust(2) if text else "??"
