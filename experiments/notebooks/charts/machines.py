"""What the machines did while runs trained: processor, memory and GPUs as W&B measured them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.notebooks.charts.runs import RunCurve
from experiments.project.errors import ExperimentsError
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import Origin, RunStore
from experiments.statistics import Curve
from experiments.types import JobRef

WORDS = {
    "cpu": "processor of the trainer (%)",
    "proc.memory.rssMB": "memory of the trainer (MB)",
    "memory_percent": "memory of the machine (%)",
    "gpu": "GPU busy (%)",
    "gpu.memory": "GPU memory (%)",
    "gpu.powerWatts": "GPU power (W)",
}
_GPU = re.compile(r"gpu\.\d+\.(gpu|memoryAllocated|powerWatts)$")
_OF_GPU = {"gpu": "gpu", "memoryAllocated": "gpu.memory", "powerWatts": "gpu.powerWatts"}


def machine_curves(jobs: Sequence[JobRef], store: RunStore) -> dict[str, list[RunCurve]]:
    """Return what was measured of each run's machine over its wall time, by what it is; nothing where nothing was.

    Several GPUs of one run are averaged. Only runs whose files are on this machine, or seen from it, can be read.
    """
    found: dict[str, list[RunCurve]] = {}
    here: Any = getattr(store, "offline", store)
    if not isinstance(here, OfflineStore):
        return {}
    for job in jobs:
        try:
            log = here.log(job.run)
            frame = log.system_metrics()
        except (ExperimentsError, OSError):
            continue
        if frame.empty:
            continue
        seconds = frame["_timestamp"].to_numpy(dtype=float)
        origin = Origin("W&B's system metrics", len(frame), len(frame), complete=True, as_of=log.modified or 0.0)
        for name, values in _measured(frame).items():
            known = ~np.isnan(values)
            hours = (seconds[known] - seconds[0]) / 3600
            curve = Curve(hours, values[known], arm=job.arm or job.run, seed=job.seed, unit="wall time", run=job.run)
            # Its rows do not say what became of the run.
            found.setdefault(WORDS[name], []).append(RunCurve(curve, state="", origin=origin))
    return {words: found[words] for words in WORDS.values() if words in found}


def _measured(frame: Any) -> dict[str, Any]:
    measured = {name: frame[name].to_numpy(dtype=float) for name in WORDS if name in frame}
    of_gpus: dict[str, list[Any]] = {}
    for column in frame.columns:
        match = _GPU.match(str(column))
        if match is not None:
            of_gpus.setdefault(_OF_GPU[match[1]], []).append(frame[column].to_numpy(dtype=float))
    for name, columns in of_gpus.items():
        rows = np.vstack(columns)
        counts = (~np.isnan(rows)).sum(axis=0)
        with np.errstate(invalid="ignore"):
            measured[name] = np.where(counts > 0, np.nansum(rows, axis=0) / np.maximum(counts, 1), np.nan)
    return measured
