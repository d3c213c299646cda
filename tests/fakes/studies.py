"""A small finished study on disk: arms and seeds with curves, in a project of its own, written in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.jobs.plan import Name
from experiments.jobs.watch.snapshots import Snapshot, write_live
from experiments.notebooks.context import NotebookContext
from experiments.project.standing import Role
from experiments.project.workspace import Workspace
from experiments.runs.offline.store import OfflineStore
from experiments.types import BaseExperimentConfig, JobRef, JobStatus, Metrics
from tests.fakes.wandb_files import exit_record, offline_run, run

REWARD, STEP = "overview/reward", "metric/agent_step"


@dataclass
class Study:
    """Runs that were written, and what is known of them.

    Attributes:
        root: The project's folder.
        jobs: In the order in which they were written.
    """

    root: Path
    jobs: list[JobRef] = field(default_factory=list)
    statuses: dict[str, JobStatus] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.root / "pyproject.toml").write_text('[tool.experiments]\nwandb_mode = "offline"\n')
        self.workspace = Workspace.find(self.root)

    @property
    def store(self) -> OfflineStore:
        return OfflineStore(self.workspace.runs)

    @property
    def context(self) -> NotebookContext:
        return NotebookContext("study", self.root / "study_nb.py", self.workspace, BaseExperimentConfig())

    def add(
        self,
        arm: str,
        seed: int,
        values: Sequence[object] = (),
        *,
        config: Mapping[str, object] | None = None,
        verdict: str = "succeeded",
        metric: str = REWARD,
        name: str | None = None,
        log: Sequence[str] = (),
        reason: str = "",
        role: Role = "seed",
        replicate: int = 0,
        step: str = STEP,
        metrics: Metrics | None = None,
    ) -> JobRef:
        """Write one run; without values and config it never started.

        Args:
            step: Its counter of steps.
            metrics: What its trainer names.
        """
        part = Name(arm, seed, replicate, role).seed_part
        run_name = name or f"ada.study.{arm}.{part}.abcdefgh"
        job = JobRef(run=run_name, arm=arm, seed=seed, role=role, replicate=replicate, metrics=metrics)
        folder = self.workspace.runs / job.run
        folder.mkdir(parents=True, exist_ok=True)
        if log:
            (folder / "train.log").write_text("\n".join(log))
        if values or config is not None:
            writer = offline_run(self.workspace.runs, job.run)
            writer.write(run(job.run, {"seed": seed, "run": job.run, **(config or {})}))
            for at, value in enumerate(values):
                writer.log({step: 100 * (at + 1), metric: value, "overview/sps": 50.0})
            if verdict in {"succeeded", "failed"}:
                writer.write(exit_record(0 if verdict == "succeeded" else 1))
        self.jobs.append(job)
        self.statuses[job.run] = JobStatus(
            run_name=job.run,
            arm=arm,
            seed=seed,
            role=role,
            replicate=replicate,
            verdict=verdict,
            reason=reason,
            exit_code=1 if verdict == "failed" else 0,
        )
        return job

    def publish(self) -> None:
        """Tell pages of the states, as a Monitor does."""
        write_live(self.workspace.state / "live", Snapshot(jobs=tuple(self.statuses.values())), with_metrics=False)


def two_arms(root: Path) -> Study:
    """Write a study in which arm b is better than arm a by two, three seeds each."""
    study = Study(root)
    for arm, mean in (("a", 1.0), ("b", 3.0)):
        for seed in range(3):
            study.add(arm, seed, [mean + seed * mean / 20] * 3)
    study.publish()
    return study
