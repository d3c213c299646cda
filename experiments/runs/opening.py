"""Where a project reads its runs: this machine's files first, its W&B server for the rest, or one of them alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.project.credentials import credentials_present
from experiments.project.errors import StoreError
from experiments.project.settings import load_settings, project_root, state_dir
from experiments.project.workspace import Workspace, cluster_root
from experiments.runs.filters import ordered
from experiments.runs.relay import RelayStore, online_is_relayed, reader_socket
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunStore, RunUpdate, columns_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from experiments.project.trainers.value import Metrics
    from experiments.runs.offline.store import OfflineStore
    from experiments.runs.server.store import OnlineStore


def offline_store(workspace: Workspace) -> OfflineStore:
    """Return the store over the runs of a project's state folder, and of its `run_root`, live."""
    from experiments.runs.offline.store import OfflineStore

    return OfflineStore(workspace.runs, run_root=cluster_root(workspace.settings))


def default_store(folder: Path | None = None, *, entity: str | None = None, project: str | None = None) -> RunStore:
    """Return where a project reads runs: its files here, and the W&B server where somebody is logged in.

    Args:
        folder: Of the project, or in it; None for the working folder.
        entity: W&B entity; with it or `project`, only the server is asked.
        project: W&B project.

    Raises:
        UsageError: The state folder cannot be used, or a setting is wrong.
    """
    root = project_root(folder or Path.cwd())
    workspace = Workspace(root=root, state=state_dir(root), settings=load_settings(root))
    chosen = workspace.settings

    def online() -> OnlineStore | RelayStore:
        place = (entity or chosen.wandb_entity, project or chosen.wandb_project)
        if (socket := reader_socket()) is not None:
            return RelayStore(socket, "/".join(part or "" for part in place))
        from experiments.runs.server.store import OnlineStore

        return OnlineStore(*place, cache_dir=workspace.state / "cache" / "replays")

    if entity or project:
        return online()
    if chosen.wandb_mode == "offline" or not (online_is_relayed() or credentials_present()):
        return offline_store(workspace)
    return RoutedStore(offline_store(workspace), online)


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

    def columns(self, run: str, keys: Sequence[str]) -> tuple[Mapping[str, npt.NDArray[Any]], Origin]:
        """Return the same as arrays; see `runs.store.columns_of`."""
        return columns_of(self.place_of(run), run, keys)

    def settle(self) -> None:
        """Keep what was decoded here; see `runs.store.keep_decoded`."""
        self.offline.settle()

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the console lines of the run, oldest first."""
        lines = self.offline.logs(run, last=last)
        return lines or self.place_of(run).logs(run, last=last)

    def replays(self, run: str, metrics: Metrics | None = None) -> list[ReplayFile]:
        """Return the replays of the run, by step; see `RunStore.replays`."""
        return self.offline.replays(run, metrics) or self.place_of(run).replays(run, metrics)

    def place_of(self, run: str) -> RunStore:
        """Return the store that has a run; this machine's where neither is known to."""
        if self.offline.has(run):
            return self.offline
        return self._server() or self.offline

    def _server(self) -> OnlineStore | RelayStore | None:
        if self._online is None and self._make is not None:
            self._online = self._make()
        return self._online
