"""Runs of a project wherever they are: this machine's files first, the W&B server for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.project.errors import StoreError
from experiments.runs.filters import ordered
from experiments.runs.offline.store import OfflineStore
from experiments.runs.relay import RelayStore
from experiments.runs.server.store import OnlineStore
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunStore, RunUpdate

if TYPE_CHECKING:
    import pandas as pd


class RoutedStore:
    """RunStore that reads a run from its files where it has any here, else from the server.

    Args:
        offline: This machine's runs.
        online: Makes the server's store when a run is first wanted that is not here; None where no server is used.
    """

    name = "offline and online"

    def __init__(self, offline: OfflineStore, online: Callable[[], OnlineStore | RelayStore] | None) -> None:
        self.offline = offline
        self._make = online
        self._online: OnlineStore | RelayStore | None = None

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match, in the query's order; a run in both places is the one of this machine.

        Raises:
            StoreError: The server cannot be reached.
        """
        here = self.offline.find(query)
        online = self._server()
        if online is None or (query.names is not None and len(here) == len(set(query.names))):
            return here
        names = {info.name for info in here}
        try:
            there = online.find(query)
        except StoreError as error:
            raise StoreError(f"{error} For this machine's runs alone: export EXPERIMENTS_WANDB_MODE=offline") from None
        return ordered(query, [*here, *(info for info in there if info.name not in names)])

    def poll(
        self, runs: Sequence[str], keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, RunUpdate]:
        """Return what is new in each run that exists, wherever it is; see `RunStore.poll`."""
        updates = self.offline.poll(runs, keys, since)
        missing = [run for run in runs if run not in updates]
        online = self._server() if missing else None
        return {**updates, **online.poll(missing, keys, since)} if online else updates

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return the rows of a run, from where it is; see `RunStore.history`."""
        return self.place_of(run).history(run, keys)

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the console lines of the run, oldest first."""
        lines = self.offline.logs(run, last=last)
        return lines or self.place_of(run).logs(run, last=last)

    def replays(self, run: str) -> list[ReplayFile]:
        """Return the replays of the run, by step."""
        return self.offline.replays(run) or self.place_of(run).replays(run)

    def place_of(self, run: str) -> RunStore:
        """Return the store that has a run; this machine's where neither is known to."""
        if self.offline.has(run):
            return self.offline
        return self._server() or self.offline

    def _server(self) -> OnlineStore | RelayStore | None:
        if self._online is None and self._make is not None:
            self._online = self._make()
        return self._online
