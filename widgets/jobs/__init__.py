"""A job table that updates in place and keeps its selection."""

from __future__ import annotations

from widgets.jobs.table import JobTable

__all__ = ["JobTable"]
