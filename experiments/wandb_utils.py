"""Runs and their metrics, for notebooks and scripts: what W&B knows, offline or from its server.

Every frame of metrics carries where it comes from: `frame.attrs["origin"]` is an `experiments.runs.store.Origin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.errors import StoreError, UsageError
from experiments.run_root import cluster_root
from experiments.runs.credentials import credentials_present
from experiments.runs.relay import RelayStore, online_is_relayed, reader_socket
from experiments.runs.store import Origin, RunInfo, RunQuery, RunStore
from experiments.settings import load_settings, project_root, state_dir

if TYPE_CHECKING:
    import pandas as pd

    from experiments.runs.online import OnlineStore

Moment = float | str | datetime


def get_run(name: str, *, store: RunStore | None = None, runs_dir: Path | str | None = None) -> RunInfo:
    """Return what is known of a run: state, tags, config, latest value of each metric.

    Args:
        name: Run name, which is the W&B run id.
        store: Where to look; the runs of this project, here and on its W&B server, where None.
        runs_dir: Folder of runs (or a `wandb` folder) to look in instead.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    found = _store(store, runs_dir).find(RunQuery(names=[name], limit=1))
    if not found:
        raise StoreError(f"run {name!r} is not known here. The runs that are: experiments runs")
    return found[0]


def find_training_jobs(
    wandb_tags: Sequence[str] | None = None,
    author: str | None = None,
    state: str | Sequence[str] | None = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    *,
    entity: str | None = None,
    project: str | None = None,
    order_by: str = "-created_at",
    limit: int | None = 50,
    store: RunStore | None = None,
    runs_dir: Path | str | None = None,
) -> list[str]:
    """Return the names of the runs that match every condition given.

    Args:
        wandb_tags: Any of these tags.
        author: User name.
        state: W&B's word (`running`, `finished`, `failed`, `crashed`), or several.
        created_after: Unix seconds, a datetime (UTC where it has no zone) or ISO 8601 text; that moment counts.
        created_before: The same; that moment does not count.
        entity: W&B entity; with it or `project`, only the server is asked.
        project: W&B project.
        order_by: `-created_at`, `heartbeat_at`, `summary_metrics.<key>`, `config.<key>`; a minus is descending.
        limit: At most so many; None for all.
        store: Where to look.
        runs_dir: Folder of runs to look in.

    Raises:
        StoreError: The server cannot be reached.
        UsageError: A time or an order that cannot be read.
    """
    query = RunQuery(
        author=author,
        tags_any=_texts(wandb_tags),
        state=state,
        created_after=_unix(created_after),
        created_before=_unix(created_before),
        order=order_by,
        limit=limit,
    )
    return [info.name for info in _store(store, runs_dir, entity, project).find(query)]


def fetch_metrics(
    names: str | Sequence[str],
    samples: int | None = 1000,
    keys: Sequence[str] | None = None,
    min_step: int | None = None,
    max_step: int | None = None,
    *,
    store: RunStore | None = None,
    runs_dir: Path | str | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the history of each run that exists.

    Args:
        names: One run name or several.
        samples: At most about so many rows of each run, evenly chosen with the first and the last; None for all.
        keys: Metrics; None for all.
        min_step: First W&B step, inclusive.
        max_step: Last W&B step, inclusive.
        store: Where to look.
        runs_dir: Folder of runs to look in.

    Returns:
        `{run name: frame}`. Columns: `_step` (int64, W&B's step, ascending), `_timestamp` (float64, Unix seconds) and
        `_runtime` (float64, seconds since the start) where the run has them, then one column a metric: float64, NaN
        where a row lacks it; objects where it is not a number. `frame.attrs["origin"]` says how many rows of how many
        these are. A run without rows has the same columns and none of the rows.

    Raises:
        StoreError: The server cannot be reached.
    """
    from experiments.runs.sampling import sampled

    place = _store(store, runs_dir)
    wanted = _texts(names)
    known = {info.name for info in place.find(RunQuery(names=wanted, limit=None, order="name"))}
    present = [name for name in dict.fromkeys(wanted) if name in known]
    found = _histories(place, present, keys, complete=samples is None)
    return {
        name: sampled(frame, origin, samples=samples, min_step=min_step, max_step=max_step)
        for name, (frame, origin) in found.items()
    }


fetch_metrics_data = fetch_metrics


def get_run_config(name: str, *, store: RunStore | None = None, runs_dir: Path | str | None = None) -> dict[str, Any]:
    """Return the config of a run as nested JSON values.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    return dict(get_run(name, store=store, runs_dir=runs_dir).config)


def get_training_logs(
    name: str,
    log_type: Literal["all", "stdout", "stderr"] = "all",
    *,
    last: int | None = None,
    store: RunStore | None = None,
    runs_dir: Path | str | None = None,
) -> list[str]:
    """Return the lines that a run printed, oldest first, without newlines.

    Args:
        name: Run name.
        log_type: `stdout` and `stderr` are told apart only where W&B recorded the console of an offline run.
        last: At most so many, from the end.
        store: Where to look.
        runs_dir: Folder of runs to look in.

    Raises:
        UsageError: No such `log_type`, or this store cannot tell the streams apart.
        StoreError: The server cannot be reached.
    """
    if log_type not in ("all", "stdout", "stderr"):
        raise UsageError(f"log_type {log_type!r}. Allowed: 'all', 'stdout', 'stderr'.")
    place = _store(store, runs_dir)
    if log_type == "all":
        return place.logs(name, last=last)
    from experiments.runs.offline import OfflineStore
    from experiments.runs.routed import RoutedStore

    source = place.place_of(name) if isinstance(place, RoutedStore) else place
    if not isinstance(source, OfflineStore):
        raise UsageError(f"log_type {log_type!r}: the {source.name} store keeps both streams as one. Ask for 'all'.")
    lines = [line.text for line in source.log(name).console() if line.stream == log_type]
    return lines if last is None else lines[max(0, len(lines) - last) :]


def default_store(folder: Path | None = None) -> RunStore:
    """Return where a project reads runs: its files here, and the W&B server where somebody is logged in.

    Args:
        folder: Of the project, or in it; None for the working folder.

    Raises:
        UsageError: The state folder cannot be used, or a setting is wrong.
    """
    return _store(None, None, folder=folder)


def _histories(
    place: RunStore, names: Sequence[str], keys: Sequence[str] | None, *, complete: bool
) -> dict[str, tuple[pd.DataFrame, Origin]]:
    """Return the history of each run; those of one server in one request, unless every row is wanted."""
    from experiments.runs.online import OnlineStore
    from experiments.runs.routed import RoutedStore

    found = {}
    for name in names:
        source = place.place_of(name) if isinstance(place, RoutedStore) else place
        if isinstance(source, OnlineStore):
            if keys is not None and not complete and name not in found:
                here = [other for other in names if not isinstance(place, RoutedStore) or not place.offline.has(other)]
                found.update(source.histories(here, keys))
            elif name not in found:
                found[name] = source.history(name, keys, complete=complete)
        else:
            found[name] = source.history(name, keys)
    return {name: found[name] for name in names if name in found}


def _store(
    store: RunStore | None,
    runs_dir: Path | str | None,
    entity: str | None = None,
    project: str | None = None,
    *,
    folder: Path | None = None,
) -> RunStore:
    if store is not None:
        return store
    from experiments.runs.offline import OfflineStore

    if runs_dir is not None:
        return OfflineStore(Path(runs_dir))
    root = project_root(folder or Path.cwd())
    chosen = load_settings(root)

    state = state_dir(root)

    def online() -> OnlineStore | RelayStore:
        place = (entity or chosen.wandb_entity, project or chosen.wandb_project)
        if (socket := reader_socket()) is not None:
            return RelayStore(socket, "/".join(part or "" for part in place))
        from experiments.runs.online import OnlineStore

        return OnlineStore(*place, cache_dir=state / "cache" / "replays")

    if entity is not None or project is not None:
        return online()
    offline = OfflineStore(state / "runs", run_root=cluster_root(chosen))
    if chosen.wandb_mode == "offline" or not (online_is_relayed() or credentials_present()):
        return offline
    from experiments.runs.routed import RoutedStore

    return RoutedStore(offline, online)


def _texts(value: str | Sequence[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _unix(moment: Moment | None) -> float | None:
    if moment is None or isinstance(moment, (int, float)):
        return moment
    from experiments.runs.filters import unix_time

    seconds = unix_time(moment if isinstance(moment, str) else moment.isoformat())
    if seconds is None:
        raise UsageError(f"time {moment!r} cannot be read. Write ISO 8601 ('2026-03-07' or '2026-03-07T17:00:00Z').")
    return seconds
