"""The job table: an anywidget whose rows Python sets from any thread, and which asks for actions that Python allows."""

from __future__ import annotations

from typing import Any

import traitlets

from widgets.page import ActingWidget, script, styles

_FROM_PAGE = frozenset({"selected", "request"})


class JobTable(ActingWidget):
    """A table of jobs that updates in place: selection, focus, scroll position, sort and filter survive.

    What the page may set is `selected` and `request`; anything else that it sends is ignored.

    Attributes:
        rows: One dict a job: `run`, `arm`, `seed`, `launcher`, `state` (a verdict), `words` (what scheduler and tracker
            say), `reason`, `step`, `total` (agent steps), `sps`, `reward`, `left_s` (seconds), `started_at` and
            `ended_at` (Unix seconds); None where a number is missing. `history` (what happened to it) and `cost`,
            sentences, may be left out. Sent whole once, then the values that changed.
        as_of: Unix seconds of the data.
        sent_at: Unix seconds of the last write while somebody keeps the table up to date; 0 in a page that stays.
        stale_after: Seconds after which the data counts as stale; 0 where it never does, since all jobs have ended.
        ongoing: What goes on by itself, one sentence each, shown above the table.
        problems: The same, of what is wrong.
        actions: Of `cancel`, `retry`, `note`, `tag`, `untag` those that a user may ask for; see `ActingWidget`.
        empty: What a table without jobs says: one sentence and the next action.
        selected: Run names.
    """

    _esm = script("jobs", "jobs")
    _css = styles(("jobs", "jobs"))
    pieced = "rows"

    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    as_of = traitlets.Float(0.0).tag(sync=True)
    sent_at = traitlets.Float(0.0).tag(sync=True)
    stale_after = traitlets.Float(0.0).tag(sync=True)
    ongoing = traitlets.List(traitlets.Unicode()).tag(sync=True)
    problems = traitlets.List(traitlets.Unicode()).tag(sync=True)
    empty = traitlets.Unicode("No jobs yet. Launch some, and they appear here.").tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def may_set(self, name: str, value: object) -> bool:  # noqa: ARG002 - what is asked for is checked when it is carried out
        """Tell whether a trait is the page's own."""
        return name in _FROM_PAGE

    def change(self, old: Any, new: Any) -> dict[str, Any] | None:  # noqa: ANN401 - both are `rows`
        """Return as `rows` which rows have other values and which; None where it is not the same jobs."""
        if old is None or [row["run"] for row in old] != [row["run"] for row in new]:
            return None
        pairs = [(at, _news(*rows)) for at, rows in enumerate(zip(old, new, strict=True))]
        news = [[at, values] for at, values in pairs if values]
        return {"rows": news} if news else {}

    def runs_shown(self) -> set[Any]:
        """Return the names of the runs that have a row."""
        return {row.get("run") for row in self.rows}


def _news(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in new.items() if name not in old or old[name] != value}
