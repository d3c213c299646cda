"""A table of all experiments with their jobs, which updates in place and tells what a person looks at."""

from __future__ import annotations

from widgets.fleet.table import FleetTable

__all__ = ["FleetTable"]
