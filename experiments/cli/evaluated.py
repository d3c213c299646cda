"""What evaluations found, as commands answer it."""

from __future__ import annotations

from experiments.cli.envelope import Shown


class EvaluatedCheckpoint(Shown):
    """One metric of one checkpoint over its maps.

    Attributes:
        sd_over_maps: Standard deviation; null for one map.
        replays: Files that the evaluation recorded.
    """

    checkpoint: str
    step: int
    value: float | None
    sd_over_maps: float | None
    episodes: int
    replays: tuple[str, ...]


class Evaluated(Shown):
    """One metric of a run over its checkpoints that were evaluated on so many maps.

    Attributes:
        metric: Key under which curves, scores and rules read it.
        said: All of it in a line.
        value: Mean over checkpoints.
    """

    run: str
    arm: str
    seed: int
    role: str
    metric: str
    maps: int
    said: str
    value: float | None
    sd_over_checkpoints: float | None
    sd_over_maps: float | None
    checkpoints: tuple[EvaluatedCheckpoint, ...]
    notes: tuple[str, ...]
