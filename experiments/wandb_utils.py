"""Runs and their metrics, for notebooks and scripts: what W&B knows, offline or from its server.

Every frame of metrics carries where it comes from: `frame.attrs["origin"]` is an `experiments.runs.store.Origin`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.jobs.finding import Run, Runs, here, known_runs, ref_of, refs_of
from experiments.project.errors import StoreError, UsageError
from experiments.project.state_words import TRACKER_WORDS
from experiments.project.workspace import Workspace
from experiments.runs.opening import default_store
from experiments.runs.store import Origin, RunInfo, RunQuery, RunStore

if TYPE_CHECKING:
    import pandas as pd

Moment = float | str | datetime


def get_run(name: Run, *, store: RunStore | None = None, runs_dir: Path | str | None = None) -> RunInfo:
    """Return what is known of a run: state, tags, config, latest value of each metric.

    Args:
        name: Run name, which is the W&B run id; or its job.
        store: Where to look; the runs of this project, here and on its W&B server, where None.
        runs_dir: Folder of runs (or a `wandb` folder) to look in instead.

    Raises:
        StoreError: There is no such run, it has not begun to log, or the server cannot be reached.
    """
    run = ref_of(name).run
    found = known_runs(name, _store(store, runs_dir), _project(store, runs_dir))
    if run not in found:
        raise StoreError(f"run {run!r} has not begun to log. See how it is: experiments status")
    return found[run]


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
        state: W&B's word (`running`, `finished`, `failed`, `crashed`, `killed`), or several.
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
        UsageError: A state that W&B does not have, a limit below 1, a time or an order that cannot be read.

    Example:
        >>> from experiments import find_training_jobs
        >>> sorted(find_training_jobs(state="finished"))[:2]
        ['ada.study.a.s0.abcdefgh', 'ada.study.a.s1.abcdefgh']
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit!r} finds nothing. Allowed: 1 or more, or None for all.")
    if wrong := [word for word in _texts(state) if word not in TRACKER_WORDS]:
        raise UsageError(f"state {wrong[0]!r} is none of W&B's. Allowed: {', '.join(TRACKER_WORDS)}.")
    query = RunQuery(
        author=author or None,
        tags_any=_texts(wandb_tags),
        state=_texts(state) or None,
        created_after=_unix(created_after),
        created_before=_unix(created_before),
        order=order_by,
        limit=limit,
    )
    return [info.name for info in _store(store, runs_dir, entity, project).find(query)]


def fetch_metrics(
    names: Runs,
    samples: int | None = 1000,
    keys: str | Sequence[str] | None = None,
    min_step: int | None = None,
    max_step: int | None = None,
    *,
    store: RunStore | None = None,
    runs_dir: Path | str | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the history of each run.

    Args:
        names: One run or several: names, or jobs as `launch_training` returns them.
        samples: At most about so many rows of each run, evenly chosen with the first and the last; None for all.
        keys: Metrics; None for all.
        min_step: First W&B step, inclusive.
        max_step: Last W&B step, inclusive.
        store: Where to look.
        runs_dir: Folder of runs to look in.

    Returns:
        `{run name: frame}`, in the order given. Columns: `_step` (int64, W&B's step, ascending), `_timestamp` (float64,
        Unix seconds) and `_runtime` (float64, seconds since the start) where the run has them, then one column a
        metric: float64, NaN where a row lacks it; objects where it is not a number. `frame.attrs["origin"]` says how
        many rows of how many these are; keys that the run has not logged are no columns, and stand in its `absent`. A
        job that has not begun to log has a frame without rows.

    Raises:
        StoreError: A name is no run; names all that are none. Or the server cannot be reached.

    Example:
        >>> from experiments import fetch_metrics
        >>> frames = fetch_metrics("ada.study.a.s0.abcdefgh", keys="overview/reward")
        >>> frames["ada.study.a.s0.abcdefgh"]["overview/reward"].tolist()
        [1.0, 1.0, 1.0]
    """
    from experiments.runs.frames import sampled

    place, keys = _store(store, runs_dir), None if keys is None else _texts(keys)
    known = known_runs(names, place, _project(store, runs_dir))
    wanted = [ref.run for ref in refs_of(names)]
    found = histories(place, [name for name in wanted if name in known], keys, complete=samples is None)
    read = {name: found[name] if name in found else _nothing_yet(keys) for name in wanted}
    return {
        name: sampled(frame, origin, samples=samples, min_step=min_step, max_step=max_step)
        for name, (frame, origin) in read.items()
    }


fetch_metrics_data = fetch_metrics


def get_run_config(name: Run, *, store: RunStore | None = None, runs_dir: Path | str | None = None) -> dict[str, Any]:
    """Return the config of a run as nested JSON values.

    Raises:
        StoreError: There is no such run, it has not begun to log, or the server cannot be reached.
    """
    return dict(get_run(name, store=store, runs_dir=runs_dir).config)


def get_training_logs(
    name: Run,
    log_type: Literal["all", "stdout", "stderr"] = "all",
    *,
    last: int | None = None,
    store: RunStore | None = None,
    runs_dir: Path | str | None = None,
) -> list[str]:
    """Return the lines that a run printed, oldest first, without newlines.

    Args:
        name: Run name, or its job; one that has printed nothing has no lines.
        log_type: `stdout` and `stderr` are told apart only where W&B recorded the console of an offline run.
        last: At most so many, from the end.
        store: Where to look.
        runs_dir: Folder of runs to look in.

    Raises:
        UsageError: No such `log_type`, or this store cannot tell the streams apart.
        StoreError: There is no such run, or the server cannot be reached.
    """
    if log_type not in ("all", "stdout", "stderr"):
        raise UsageError(f"log_type {log_type!r}. Allowed: 'all', 'stdout', 'stderr'.")
    place, run = _store(store, runs_dir), ref_of(name).run
    if log_type == "all":
        printed = place.logs(run, last=last)
        if not printed:
            known_runs(name, place, _project(store, runs_dir))
        return printed
    from experiments.runs.offline.store import OfflineStore
    from experiments.runs.opening import RoutedStore

    source = place.place_of(run) if isinstance(place, RoutedStore) else place
    if not isinstance(source, OfflineStore):
        raise UsageError(f"log_type {log_type!r}: the {source.name} store keeps both streams as one. Ask for 'all'.")
    lines = [line.text for line in source.log(run).console() if line.stream == log_type]
    return lines if last is None else lines[max(0, len(lines) - last) :]


def histories(
    place: RunStore, names: Sequence[str], keys: Sequence[str] | None, *, complete: bool
) -> dict[str, tuple[pd.DataFrame, Origin]]:
    """Return the history of each run; those of one server in one request, unless every row is wanted.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    from experiments.runs.opening import RoutedStore
    from experiments.runs.server.store import OnlineStore

    found = {}
    for name in names:
        source = place.place_of(name) if isinstance(place, RoutedStore) else place
        if isinstance(source, OnlineStore):
            if keys is not None and not complete and name not in found:
                together = [
                    other for other in names if not isinstance(place, RoutedStore) or not place.offline.has(other)
                ]
                found.update(source.histories(together, keys))
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
) -> RunStore:
    if store is not None:
        return store
    if runs_dir is not None:
        from experiments.runs.offline.store import OfflineStore

        return OfflineStore(Path(runs_dir))
    return default_store(entity=entity, project=project)


def _project(store: RunStore | None, runs_dir: Path | str | None) -> Workspace | None:
    """Return the project whose ledger knows runs too; None where somebody named another place to look in."""
    return here() if store is None and runs_dir is None else None


def _nothing_yet(keys: Sequence[str] | None) -> tuple[pd.DataFrame, Origin]:
    from experiments.runs.frames import frame_of_rows

    return frame_of_rows([]), Origin("offline", 0, 0, complete=True, as_of=time.time(), absent=tuple(keys or ()))


def _texts(value: str | Sequence[str] | None) -> list[str]:
    if not value:
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
