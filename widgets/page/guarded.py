"""A widget that threads may write to while a page does, and of which a page sets only what is the page's own.

Its files are read as text: anywidget keeps every widget whose file it watches in memory for good.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget

_PATIENCE_S = 0.5
_WIDGETS = Path(__file__).parents[1]


class GuardedWidget(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget ships no types
    """A widget whose traits Python sets from any thread; a page sets those that `may_set` lets through."""

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - the traits of the class
        self._turn = threading.RLock()
        super().__init__(**traits)

    def may_set(self, name: str, value: object) -> bool:  # noqa: ARG002 - for the widgets that allow some
        """Tell whether a page may set this trait to this value, whatever it sends: here it may set none."""
        return False

    def update(self, **traits: Any) -> bool:  # noqa: ANN401 - the traits of the class
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
        """Take what the page sends, and of that only what it may set."""
        with self._turn:
            super().set_state({name: value for name, value in sync_data.items() if self.may_set(name, value)})


def stays_open(widget: GuardedWidget) -> Callable[[], bool]:
    """Return what tells whether a widget is still shown.

    A session of `marimo run` is a thread, which ends with the page; a cell that runs again closes its widgets.
    """
    session, target = threading.current_thread(), weakref.ref(widget)

    def is_open() -> bool:
        shown = target()
        if shown is None or shown.comm is None or getattr(shown.comm, "_closed", False):
            return False
        if not session.is_alive():
            with contextlib.suppress(Exception):
                shown.close()  # ipywidgets keeps every widget that nobody closes
            return False
        return True

    return is_open


def script(widget: str, name: str) -> str:
    """Return the built code of a widget: one module that imports no other file."""
    return (_WIDGETS / widget / "static" / f"{name}.js").read_text(encoding="utf-8")


def styles(*sheets: tuple[str, str]) -> str:
    """Return the shared look's style sheet and after it each `(widget, name)`."""
    paths = [_WIDGETS / widget / "static" / f"{name}.css" for widget, name in (("page", "look"), *sheets)]
    return "".join(path.read_text(encoding="utf-8") for path in paths)
