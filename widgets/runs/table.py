"""The table of runs: an anywidget that groups, sorts, searches and hides in the page, and tells what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from widgets.page import ActingWidget, script, styles

MOST_NAMED = 20_000
"""So many runs a page may name at once."""
MOST_PICKED, _LONGEST = 24, 500


class RunTable(ActingWidget):
    """Runs in rows, by arm: what is open, chosen, sorted and searched for survives new rows.

    What the page may set is `selected`, `hidden`, `asked`, `picked`, `layout`, `with_archived` and `request`; all else
    that it sends is ignored.

    Attributes:
        table: `columns`, one dict a column: `key`, `label`, `title`, `kind` (`number`, `text`, `switch`, `curve`,
            `time` in seconds, `cost` in USD) and `name` (of the setting or metric; empty for what every table has).
            `rows`, one list a run: its name, arm, seed in words, whether it counts as a seed, state, and a value a
            column; None where there is none. A curve is a string of `~` and a letter a point, `#` at the lowest of
            all curves and `b` at the highest; any other string says why there is none. Sent whole once, then the
            values that changed.
        colours: Colour of each arm that has one.
        notes: What has to be known of the rows, one sentence each.
        empty: What a table without runs says: one sentence and the next action.
        found: What was found for `asked`: `text`, `names` (the first of the settings and metrics that match) and
            `total`.
        selected: Run names.
        hidden: What is not drawn: `runs` and `arms`, names each.
        asked: Part of a name, or a pattern, of settings and metrics that could be columns.
        picked: Settings and metrics that are columns; empty for those in which runs differ.
        layout: `grouped` by arm or not; `open`, whether arms are (None: a few are), but for those in `flipped`; `away`,
            the keys of columns that are put away; `sort`, None or a column's `key` and whether it goes `down`.
        archived: Names of the runs that have no row but where `with_archived` asks for them.
        with_archived: Whether archived runs have rows, too.
        protected: Names of the runs that nobody archives.
        actions: Of `archive`, `unarchive`, `protect`, `unprotect` those that a user may ask for; see `ActingWidget`.
        undo: What takes the last request back, `action` and `runs`; empty where nothing does.
    """

    _esm = script("runs", "runs")
    _css = styles(("jobs", "jobs"), ("runs", "runs"))
    pieced = "table"

    table = traitlets.Dict({"columns": [], "rows": []}).tag(sync=True)
    colours = traitlets.Dict().tag(sync=True)
    notes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    empty = traitlets.Unicode("No run yet. Once one is launched, it appears here.").tag(sync=True)
    found = traitlets.Dict({"text": "", "names": [], "total": 0}).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    hidden = traitlets.Dict({"runs": [], "arms": []}).tag(sync=True)
    asked = traitlets.Unicode("").tag(sync=True)
    picked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layout = traitlets.Dict({"grouped": True, "open": None, "flipped": [], "away": [], "sort": None}).tag(sync=True)
    archived = traitlets.List(traitlets.Unicode()).tag(sync=True)
    with_archived = traitlets.Bool(False).tag(sync=True)
    protected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    undo = traitlets.Dict().tag(sync=True)

    def may_set(self, name: str, value: object) -> bool:
        """Tell whether a trait is the page's own and the value has the right form."""
        return name in _OF_THE_PAGE and _OF_THE_PAGE[name](value)

    def runs_shown(self) -> set[Any]:
        """Return the names of the runs that have a row, and of those that were archived last."""
        return {row[0] for row in self.table["rows"]} | set(self.undo.get("runs", ()))

    def change(self, old: Any, new: Any) -> dict[str, Any] | None:  # noqa: ANN401 - both are `table`
        """Return as `rows` which values of which rows are others; None where it is not the same runs and columns."""
        if old is None or old["columns"] != new["columns"]:
            return None
        if [row[0] for row in old["rows"]] != [row[0] for row in new["rows"]]:
            return None
        news = []
        for at, (was, now) in enumerate(zip(old["rows"], new["rows"], strict=True)):
            if was != now:
                news.append([at, [[cell, value] for cell, value in enumerate(now) if value != was[cell]]])
        return {"rows": news} if news else {}


def _is_hidden(value: object) -> bool:
    parts = value if isinstance(value, dict) else {}
    return set(parts) == {"runs", "arms"} and all(_are_names(part) for part in parts.values())


def _is_layout(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"grouped", "open", "flipped", "away", "sort"}:
        return False
    sort = value["sort"]
    return (
        isinstance(value["grouped"], bool)
        and (value["open"] is None or isinstance(value["open"], bool))
        and _are_names(value["flipped"])
        and _are_names(value["away"])
        and (sort is None or (isinstance(sort, dict) and set(sort) == {"key", "down"} and _is_sort(**sort)))
    )


def _is_sort(key: object, down: object) -> bool:
    return _are_names([key]) and isinstance(down, bool)


def _are_names(value: object, most: int = MOST_NAMED) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(name, str) and len(name) <= _LONGEST for name in value)
    )


_OF_THE_PAGE: dict[str, Callable[[object], bool]] = {
    "selected": _are_names,
    "picked": lambda value: _are_names(value, MOST_PICKED),
    "hidden": _is_hidden,
    "layout": _is_layout,
    "asked": lambda value: isinstance(value, str) and len(value) <= _LONGEST,
    "with_archived": lambda value: isinstance(value, bool),
    "request": lambda _: True,  # it is checked when it is carried out
}
