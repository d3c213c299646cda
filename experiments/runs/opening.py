"""Where a project reads its runs: this machine's files, its W&B server, or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.project.credentials import credentials_present
from experiments.project.run_root import cluster_root
from experiments.project.settings import load_settings, project_root, state_dir
from experiments.project.workspace import Workspace
from experiments.runs.relay import RelayStore, online_is_relayed, reader_socket
from experiments.runs.store import RunStore

if TYPE_CHECKING:
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
    from experiments.runs.routed import RoutedStore

    return RoutedStore(offline_store(workspace), online)
