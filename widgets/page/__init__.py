"""What every widget shares: its files as text, and a base that takes from a page only what a page may set."""

from __future__ import annotations

from widgets.page.guarded import GuardedWidget, script, stays_open, styles
from widgets.page.live import LiveWidget

__all__ = ["GuardedWidget", "LiveWidget", "script", "stays_open", "styles"]
