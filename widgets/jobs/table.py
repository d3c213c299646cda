"""The job table: an anywidget whose rows Python sets from any thread, and which asks for actions that Python allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"
_PATIENCE_S = 0.5
_FROM_PAGE = frozenset({"selected", "request"})


class JobTable(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget ships no types
    """A table of jobs that updates in place: selection, focus, scroll position, sort and filter survive.

    What the page may set is `selected` and `request`; anything else that it sends is ignored.

    Attributes:
        rows: One dict a job: `run`, `arm`, `seed`, `launcher`, `state` (a verdict), `words` (what scheduler and tracker
            say), `reason`, `step`, `total` (agent steps), `sps`, `reward`, `left_s` (seconds), `started_at` and
            `ended_at` (Unix seconds); None where a number is missing. `history` (what happened to it) and `cost`,
            sentences, may be left out.
        as_of: Unix seconds of the data.
        sent_at: Unix seconds of the last write while somebody keeps the table up to date; 0 in a page that stays.
        stale_after: Seconds after which the data counts as stale; 0 where it never does, since all jobs have ended.
        problems: Sentences shown above the table.
        actions: What a user may ask for: `cancel`, `retry`, `note`, `tag`. Empty: there are no such controls.
        notice: What came of the last request.
        empty: What a table without jobs says: one sentence and the next action.
        selected: Run names.
        request: A confirmed action: `action`, `runs`, `text` (of a note or tag), `nonce` (new with each request).
    """

    # Texts, not paths: anywidget keeps every widget whose file it watches in memory for good.
    _esm = (_STATIC / "jobs.js").read_text(encoding="utf-8")
    _css = (_STATIC / "jobs.css").read_text(encoding="utf-8")

    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    as_of = traitlets.Float(0.0).tag(sync=True)
    sent_at = traitlets.Float(0.0).tag(sync=True)
    stale_after = traitlets.Float(0.0).tag(sync=True)
    problems = traitlets.List(traitlets.Unicode()).tag(sync=True)
    actions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("No jobs yet. Launch some, and they appear here.").tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    request = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - the traits above
        self._turn = threading.RLock()
        super().__init__(**traits)

    def update(self, **traits: Any) -> bool:  # noqa: ANN401 - the traits above
        """Set several traits in one message; may be called from any thread.

        Returns:
            False where the page was busy sending something itself, so that nothing was set; try again later.
        """
        if not self._turn.acquire(timeout=_PATIENCE_S):
            return False
        try:
            with self.hold_sync():
                for name, value in traits.items():
                    setattr(self, name, value)
        finally:
            self._turn.release()
        return True

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page sends, and of that only what a page may set."""
        with self._turn:
            super().set_state({name: value for name, value in sync_data.items() if name in _FROM_PAGE})

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
