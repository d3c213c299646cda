"""Words that change in place: sentences and small tables of a page, as text."""

from __future__ import annotations

from widgets.words.words import Words

__all__ = ["Words"]
