"""A widget whose page asks for actions, in two steps; Python allows them by name and carries them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from widgets.page.live import LiveWidget


class ActingWidget(LiveWidget):
    """A widget that lists what its page may ask for; whoever makes it says what carries that out.

    Attributes:
        actions: What a user may ask for. Empty: there are no such controls.
        notice: What came of the last request.
        request: A confirmed action: `action`, `runs`, `text` (where it asks for one), `nonce` (new with each request).
    """

    actions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    request = traitlets.Dict().tag(sync=True)

    def runs_shown(self) -> set[Any]:
        """Return the names of the runs that a request may be about."""
        raise NotImplementedError

    def on_request(self, handler: Callable[[str, list[str], str], str]) -> None:
        """Call `handler(action, runs, text)` for each confirmed request; what it returns or raises is shown.

        Only actions in `actions` and runs that are shown reach it, and each request once.
        """
        done: set[str] = set()

        def handle(change: dict[str, Any]) -> None:
            found = self._checked(change["new"])
            if found is None or found[3] in done:
                return
            action, runs, text, nonce = found
            done.add(nonce)
            try:
                self.notice = handler(action, runs, text)
            except Exception as error:  # noqa: BLE001 - whatever went wrong belongs on the page that asked
                self.notice = str(error) or type(error).__name__

        self.observe(handle, names=["request"])

    def _checked(self, request: Any) -> tuple[str, list[str], str, str] | None:  # noqa: ANN401 - sent by a browser
        """Return action, runs, text and nonce of a well-formed request; None for anything else."""
        if not isinstance(request, dict):
            return None
        action, runs, text, nonce = (request.get(key) for key in ("action", "runs", "text", "nonce"))
        if not isinstance(action, str) or not isinstance(runs, list) or not isinstance(nonce, str):
            return None
        known = self.runs_shown()
        chosen = [run for run in runs if isinstance(run, str) and run in known]
        if action not in self.actions or not chosen or not nonce:
            return None
        return action, chosen, text if isinstance(text, str) else "", nonce
