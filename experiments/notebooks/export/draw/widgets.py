"""Widgets alive in the page: ours as they are, those of others in a frame that can reach nothing."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

import msgspec

from experiments.notebooks.export.draw.charts import chart_html
from experiments.notebooks.export.draw.sheet import Kind, Sheet, attributes
from experiments.notebooks.export.draw.tables import jobs_html
from experiments.project.look import quantity, size

_ELSEWHERE = re.compile(r"""(?:import|from)\s*\(?\s*["'](https?://[^"']+)["']""")
_NOT_STATE = frozenset({"layout", "comm", "tabbable", "tooltip", "log", "keys"})
# As `experiments.notebooks.replays` writes it into a viewer's title.
_RECORDED_AT = re.compile(r"\bat (?:W&B step |(?=[\d,]+ agent steps))(\d[\d,]*)")
_REPLAY_STATE = ("kind", "labels", "step", "selected", "speed", "view", "height")


def widget_html(sheet: Sheet, widget: Any) -> str:
    """Return a widget: the job table as a table, a chart as a chart, a replay playing, any other in a frame."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(widget).__mro__}
    if names & {"widgets.jobs.table.JobTable", "widgets.fleet.table.FleetTable"}:
        sheet.told.add("jobs")
        ongoing = "".join(f'<p class="quiet">{sheet.text(line)}</p>' for line in widget.ongoing)
        empty = getattr(widget, "empty", "No jobs.")
        return ongoing + jobs_html(sheet, widget.rows, widget.problems, empty, widget.as_of)
    if "widgets.charts.chart.ChartWidget" in names:
        return chart_html(sheet, widget.chart) if widget.chart is not None else ""
    if "widgets.replay.viewer._Player" in names:
        return _replay_html(sheet, widget)
    return _framed_html(sheet, widget)


def _replay_html(sheet: Sheet, player: Any) -> str:
    if not player.data:
        return sheet.note(player.message or "A replay viewer without a replay.")
    player.embed_all()
    packed = [bytes(data) for data in (player.data, player.data_b) if data]
    headers = [replay_header(data) for data in packed]
    if any(sheet.cleaner.holds_secret(text) for data in packed for text in readable_parts(data)):
        return sheet.note("A replay is left out: it holds what looks like a secret.")
    labels = [
        sheet.cleaner.text(label or header.get("label") or "replay")
        for label, header in zip(player.labels, headers, strict=False)
    ]
    facts = replay_facts(sheet, labels, headers, packed)
    buffers = {
        name: sheet.pack(bytes(getattr(player, name)), is_packed=True)
        for name in ("data", "data_b", "sprites")
        if getattr(player, name)
    }
    state = {name: getattr(player, name) for name in _REPLAY_STATE}
    state |= {"labels": labels, "playing": False, "theme": "auto", "url": "", "message": ""}
    sheet.styles.setdefault("replay", str(player._css))  # noqa: SLF001 - anywidget's own name for it
    return _mounted(
        sheet,
        player,
        sheet.cleaner.json(state),
        buffers,
        facts,
        label=f"The replay of {' and '.join(labels)}",
        kind="replay",
        age=max((int(found[1].replace(",", "")) for found in map(_RECORDED_AT.search, labels) if found), default=0),
    )


def replay_header(data: bytes) -> dict[str, Any]:
    """Return the header of an encoded replay (see widgets/replay/codec/wire.py)."""
    _, _, length, _ = struct.unpack_from("<4sIII", data)
    header: dict[str, Any] = msgspec.json.decode(zlib.decompress(data[16 : 16 + length]))
    return header


def readable_parts(data: bytes) -> list[bytes]:
    """Return the header and the chunks that hold text, inflated."""
    _, _, length, _ = struct.unpack_from("<4sIII", data)
    start = 16 + length
    header = zlib.decompress(data[16:start])
    parts = [header]
    for entry in msgspec.json.decode(header)["chunks"]:
        if entry["kind"] != "steps" and entry.get("offset") is not None:
            at = start + entry["offset"]
            parts.append(zlib.decompress(data[at : at + entry["size"]]))
    return parts


def replay_facts(sheet: Sheet, labels: list[str], headers: list[dict[str, Any]], packed: list[bytes]) -> str:
    """Return what a replay is, as text that stays readable where it cannot play."""
    lines = []
    for label, header, data in zip(labels, headers, packed, strict=True):
        said = [f"{quantity(header['steps'])} steps"] if "steps" in header else []
        agents = header.get("agents") or header.get("num_agents")
        if isinstance(agents, int):
            said.append(f"{agents} agents")
        said.append(size(len(data)))
        lines.append(f"<b>{sheet.text(label)}</b>: {sheet.text(', '.join(said))}")
        missing = sum(1 for entry in header.get("chunks", ()) if entry.get("offset") is None)
        if missing:
            lines.append(
                sheet.note(f"{label}: {missing} parts of this replay are too large for a page and are not in it.")
            )
    return "<br>".join(lines)


def _framed_html(sheet: Sheet, widget: Any) -> str:
    esm = str(getattr(widget, "_esm", ""))
    label = f"The widget {type(widget).__name__}"
    if (found := _ELSEWHERE.search(esm)) is not None:
        return sheet.note(
            f"{label} cannot be shown: it reads code from {found[1][:200]!r}, and a log reads no address."
        )
    if sheet.cleaner.holds_secret(f"{esm}\n{getattr(widget, '_css', '')}".encode()):
        return sheet.note(f"{label} is left out: its code holds what looks like a secret.")
    state: dict[str, Any] = {}
    buffers: dict[str, str] = {}
    lost: list[str] = []
    for name in sorted(widget.keys):
        if name.startswith("_") or name in _NOT_STATE:
            continue
        value = getattr(widget, name)
        if isinstance(value, (bytes, bytearray, memoryview)):
            if sheet.cleaner.holds_secret(bytes(value)):
                return sheet.note(f"{label} is left out: it holds what looks like a secret.")
            buffers[name] = sheet.pack(bytes(value))
            continue
        try:
            msgspec.json.encode(value)
        except (TypeError, ValueError):
            lost.append(name)
        else:
            state[name] = value
    if lost:
        sheet.note(f"{label} is shown without its {', '.join(lost)}, which cannot be written into a page.")
    return _mounted(
        sheet, widget, sheet.cleaner.json(state), buffers, f"<b>{sheet.text(label)}</b>", label=label, kind="widget"
    )


def _mounted(  # the parts of one figure
    sheet: Sheet,
    widget: Any,
    state: dict[str, Any],
    buffers: dict[str, str],
    facts: str,
    *,
    label: str,
    kind: Kind,
    age: float = 0,
) -> str:
    esm = sheet.pack(str(widget._esm).encode())  # noqa: SLF001 - anywidget's own name for it
    css = str(getattr(widget, "_css", "") or "") if kind == "widget" else ""
    plan = sheet.pack(msgspec.json.encode({"esm": esm, "css": css, "state": state, "buffers": buffers}))
    figure = attributes(
        {
            "class": f"mount {kind}",
            "data-widget": plan,
            "data-framed": "1" if kind == "widget" else "",
            "aria-label": sheet.text(label),
        }
    )
    html = f'<figure{figure}><div class="live"></div><figcaption class="facts">{facts}</figcaption></figure>'
    return sheet.piece(kind, label, html, needs=(plan, esm, *buffers.values()), instead=facts, age=age)
