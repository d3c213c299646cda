"""The fleet table: an anywidget of experiments and their jobs; after the first time only what changed is sent."""

from __future__ import annotations

import traitlets

from widgets.page import GuardedWidget, script, styles

_LONGEST_NAME = 300


class FleetTable(GuardedWidget):
    """Experiments with their jobs, updated in place; what is open, chosen and filtered survives.

    What the page may set is `selected`, `visible`, `wanted` and `seen`; anything else that it sends is ignored.

    Attributes:
        rows: One dict a job as `JobTable.rows`, with `experiment`, `cost` (USD; None where nobody knows), `data` (its
            data version) and `alerts` (sentences).
        version: Number of `rows`; with each patch the page is one further.
        patch: What changed since: `at` (the version that it leads to), `rows` (those that are new or differ) and
            `gone` (run names).
        alerts: One dict an alert: `key`, `rule`, `run`, `experiment`, `text`, `at` (Unix seconds).
        as_of: Unix seconds of the data.
        sent_at: Unix seconds of the last write while somebody keeps the table up to date; 0 in a page that stays.
        stale_after: Seconds after which the data counts as stale; 0 where it never does.
        ongoing: What goes on by itself, one sentence each, shown above the table.
        problems: The same, of what is wrong.
        all_open: Whether every experiment shows its jobs at first.
        selected: What is looked at: `experiment` and `run`, each empty for none.
        visible: Whether the page is in sight; nothing is sent while it is not.
        wanted: Number of the whole state that the page asked for last, because it missed a patch.
        seen: Data version of what is selected; it changes when the page has shown new rows of it.
    """

    _esm = script("fleet", "fleet")
    _css = styles(("jobs", "jobs"), ("fleet", "fleet"))

    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    patch = traitlets.Dict().tag(sync=True)
    alerts = traitlets.List(traitlets.Dict()).tag(sync=True)
    as_of = traitlets.Float(0.0).tag(sync=True)
    sent_at = traitlets.Float(0.0).tag(sync=True)
    stale_after = traitlets.Float(0.0).tag(sync=True)
    ongoing = traitlets.List(traitlets.Unicode()).tag(sync=True)
    problems = traitlets.List(traitlets.Unicode()).tag(sync=True)
    all_open = traitlets.Bool(False).tag(sync=True)
    selected = traitlets.Dict({"experiment": "", "run": ""}).tag(sync=True)
    visible = traitlets.Bool(True).tag(sync=True)
    wanted = traitlets.Int(0).tag(sync=True)
    seen = traitlets.Unicode("").tag(sync=True)

    def may_set(self, name: str, value: object) -> bool:
        """Tell whether a trait is the page's own and the value has the right form."""
        if name == "selected":
            names = value if isinstance(value, dict) else {}
            return set(names) == {"experiment", "run"} and all(_is_name(text) for text in names.values())
        if name == "visible":
            return isinstance(value, bool)
        if name == "wanted":
            return isinstance(value, int) and not isinstance(value, bool)
        return name == "seen" and _is_name(value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME
