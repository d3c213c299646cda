"""The job table: an anywidget whose rows Python sets from any thread, and which asks for actions that Python allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from widgets.page import LiveWidget, script, styles

_FROM_PAGE = frozenset({"selected", "request"})


class JobTable(LiveWidget):
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
        actions: What a user may ask for: `cancel`, `retry`, `note`, `tag`, `untag`. Empty: there are no such controls.
        notice: What came of the last request.
        empty: What a table without jobs says: one sentence and the next action.
        selected: Run names.
        request: A confirmed action: `action`, `runs`, `text` (of a note or tag), `nonce` (new with each request).
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
    actions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("No jobs yet. Launch some, and they appear here.").tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    request = traitlets.Dict().tag(sync=True)

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

    def on_request(self, handler: Callable[[str, list[str], str], str]) -> None:
        """Call `handler(action, runs, text)` for each confirmed request; what it returns or raises is shown.

        Only actions in `actions` and runs in `rows` reach it, and each request once.
        """
        done: set[str] = set()

        def handle(change: dict[str, Any]) -> None:
            found = _checked(change["new"], self.actions, {row.get("run") for row in self.rows})
            if found is None or found[3] in done:
                return
            action, runs, text, nonce = found
            done.add(nonce)
            try:
                self.notice = handler(action, runs, text)
            except Exception as error:  # noqa: BLE001 - whatever went wrong belongs on the page that asked
                self.notice = str(error) or type(error).__name__

        self.observe(handle, names=["request"])


def _news(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in new.items() if name not in old or old[name] != value}


def _checked(request: Any, actions: Sequence[str], known: set[Any]) -> tuple[str, list[str], str, str] | None:  # noqa: ANN401 - sent by a browser
    """Return action, runs, text and nonce of a well-formed request; None for anything else."""
    if not isinstance(request, dict):
        return None
    action, runs, text, nonce = (request.get(key) for key in ("action", "runs", "text", "nonce"))
    if not isinstance(action, str) or not isinstance(runs, list) or not isinstance(nonce, str):
        return None
    chosen = [run for run in runs if isinstance(run, str) and run in known]
    if action not in actions or not chosen or not nonce:
        return None
    return action, chosen, text if isinstance(text, str) else "", nonce
