"""What widgets share: their files as text, and bases that take from a page only what a page may set or ask for."""

from __future__ import annotations

from widgets.page.acting import ActingWidget
from widgets.page.guarded import GuardedWidget, script, stays_open, styles
from widgets.page.live import LiveWidget

__all__ = ["ActingWidget", "GuardedWidget", "LiveWidget", "script", "stays_open", "styles"]
