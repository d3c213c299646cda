"""A gallery of replays: small pictures, filtered and chosen on the page."""

from __future__ import annotations

from widgets.gallery.gallery import ReplayGallery

__all__ = ["ReplayGallery"]
