"""What names a run without the ledger."""

from __future__ import annotations

from pydantic import Field

from experiments.project.standing import Standing, seed_words
from experiments.project.trainers.value import Metrics
from experiments.project.values import is_none


class JobRef(Standing):
    """What a notebook file keeps of a job: enough to read its run without the ledger.

    Attributes:
        run: Run name, which is also the W&B run id.
        arm: Named configuration that the job belongs to.
        seed: Random seed of the run.
        launcher: Where the job ran.
        id: The launcher's id of the job; None where it has none.
        tracker: Where the metrics are: `offline`, or `entity/project` on the W&B server in use.
        metrics: Under which names its trainer logs what; None where it names nothing.

    Example:
        >>> from experiments import JobRef
        >>> ref = JobRef(run="ada.arena.fast.s1.abcdefgh", arm="fast", seed=1)
        >>> ref.launcher, ref.tracker, ref.counts
        ('local', 'offline', True)
    """

    run: str
    arm: str = ""
    seed: int = 0
    launcher: str = "local"
    id: str | None = None
    tracker: str = "offline"
    metrics: Metrics | None = Field(None, exclude_if=is_none)

    @property
    def label(self) -> str:
        """Arm and seed, as a person calls the run, and what it is where it is no seed."""
        return " ".join(filter(None, [self.arm, seed_words(self.seed), self.role_words]))
