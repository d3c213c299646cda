"""How jobs ended that are too old to be watched: kept by experiment in `live/earlier/`, so that nobody asks anew.

A page watches what goes on and the newest jobs, and what is published tells of these alone. Who asks about an
experiment of ten thousand runs asks about the others too, each time, and how they ended does not change.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from experiments.jobs.ledger import UnreadableJob
from experiments.jobs.watch.snapshots import Snapshot
from experiments.project.files import stamp_of, write_bytes
from experiments.project.names import NAME_PATTERN
from experiments.project.values import Frozen, replaced
from experiments.types import JobStatus, TrainingJob

FOLDER = "earlier"
FEW = 50
"""To ask about so many costs no more than to read how all of their experiment ended."""


class EarlierEnds(Frozen):
    """Jobs of one experiment that have ended for good, as a file of the folder has them.

    Attributes:
        settled: The key of each job's row in the ledger, by run name; another row is another job.
        versions: Data version of each run.
    """

    jobs: tuple[JobStatus, ...] = ()
    settled: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)


def with_earlier(live: Path, published: Snapshot, jobs: Sequence[TrainingJob | UnreadableJob]) -> Snapshot:
    """Return what was published, with how those of some jobs ended that it does not tell of."""
    told = {job.run_name: key for job in published.jobs if (key := published.settled.get(job.run_name)) is not None}
    missing = [job for job in jobs if job.run_name not in told]
    if len(missing) <= FEW:
        return published
    held = [_read(live, experiment) for experiment in sorted({job.experiment for job in missing})]
    return replaced(
        published,
        jobs=(*published.jobs, *(job for each in held for job in each.jobs if job.run_name not in told)),
        settled={run: key for each in held for run, key in each.settled.items()} | told,
        versions={run: version for each in held for run, version in each.versions.items()} | published.versions,
    )


def keep_earlier(live: Path, found: Snapshot, watched: Collection[str]) -> None:
    """Keep how those jobs ended that are not among the watched, where the folder can be written."""
    ends: dict[str, list[JobStatus]] = {}
    for job in found.jobs:
        if job.run_name in found.settled and job.run_name not in watched:
            ends.setdefault(job.experiment, []).append(job)
    for experiment, jobs in ends.items():
        path, known = _path(live, experiment), _read(live, experiment)
        settled = {job.run_name: found.settled[job.run_name] for job in jobs}
        if path is None or settled.items() <= known.settled.items():
            continue
        versions = {run: found.versions[run] for run in settled if run in found.versions}
        whole = EarlierEnds(
            jobs=(*(job for job in known.jobs if job.run_name not in settled), *jobs),
            settled=known.settled | settled,
            versions=known.versions | versions,
        )
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, whole.model_dump_json().encode(), mode=0o666, lasting=False)


def _path(live: Path, experiment: str) -> Path | None:
    """Return the file of an experiment; None for a name that none has, which could lead elsewhere."""
    return live / FOLDER / f"{experiment}.json" if re.fullmatch(NAME_PATTERN, experiment) else None


def _read(live: Path, experiment: str) -> EarlierEnds:
    path = _path(live, experiment)
    return _read_file(path, stamp_of(path)) if path is not None else EarlierEnds()


@functools.lru_cache(maxsize=4)  # an agent's server is asked about the same experiment again and again
def _read_file(path: Path, _stamp: object) -> EarlierEnds:
    with suppress(OSError, ValidationError):
        return EarlierEnds.model_validate_json(path.read_bytes())
    return EarlierEnds()
