"""A widget that is sent what changed, and no more than its page can take in.

What changed goes out as one numbered piece; the next follows when the page has shown the last. What happens meanwhile
waits as the newest state alone, so a slow browser falls behind in pieces and never in memory, and a page that nobody
looks at shows nothing, asks for nothing and costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import traitlets

from widgets.page.guarded import GuardedWidget

PATIENCE_S = 60.0
"""After so long without an answer the newest is sent all the same: what was sent last may be lost."""


class LiveWidget(GuardedWidget):
    """A widget of which one trait, `pieced`, is sent whole once and then piece by piece.

    In Python that trait is always whole and the newest. A page that has another version than the last that was sent,
    because it was opened again, says so and is sent the whole.

    Attributes:
        version: Number of what the page was sent last.
        piece: What leads from the version before to `at`; see `change`.
    """

    pieced = ""

    version = traitlets.Int(0).tag(sync=True)
    piece = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - the traits of the class
        self._sending = threading.RLock()
        self._is_numbering = False
        self._owed: set[str] = set()
        self._held: Any = None  # what the page has of the trait that is sent in pieces
        self._takes_part, self._out_since = False, 0.0
        super().__init__(**traits)
        self._held = getattr(self, self.pieced)  # the page is opened with it
        self.on_msg(self._hear)

    def change(self, old: Any, new: Any) -> dict[str, Any] | None:  # noqa: ANN401 - that of the trait
        """Return what leads from one value to the next; None where that is no less than the whole."""
        raise NotImplementedError

    @property
    def is_waiting(self) -> bool:
        """Whether the page has not shown yet what it was sent last: it is slow, or nobody looks at it."""
        return self._takes_part and 0.0 < time.monotonic() - self._out_since < PATIENCE_S

    def send_state(self, key: str | Iterable[str] | None = None) -> None:
        """Send traits, or owe them while the page has not shown what it was sent before."""
        if self._is_numbering:
            return
        with self._sending:
            self._owed |= set(self.keys) if key is None else {key} if isinstance(key, str) else set(key)
            if not self.is_waiting:
                self._settle()

    def _settle(self) -> None:
        """Send what is owed."""
        names, self._owed = self._owed, set()
        if self.pieced in names:
            new = getattr(self, self.pieced)
            piece = self.change(self._held, new)
            names -= {"version", "piece"} | ({self.pieced} if piece is not None else set())
            if piece != {}:
                names |= {"version"} if piece is None else {"piece"}
                self._number(piece)
                self._held = new
        if names:
            super().send_state(names)
        if names & {"version", "piece"} and self._takes_part:
            self._out_since = time.monotonic()

    def _number(self, piece: dict[str, Any] | None) -> None:
        self._is_numbering = True
        try:
            self.version += 1
            if piece is not None:
                self.piece = {"at": self.version, **piece}
        finally:
            self._is_numbering = False

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        """Take what a page says: `here` as it opens with some version, `shown` once it shows one."""
        if not isinstance(content, dict) or not isinstance(at := content.get("at"), int):
            return
        with self._sending:
            if content.get("type") == "here":
                self._takes_part = True
                if at != self.version:
                    self._held, self._out_since = None, 0.0
                    self._owed.add(self.pieced)
            elif content.get("type") != "shown" or at != self.version:
                return
            self._out_since = 0.0
            if self._owed:
                self._settle()
