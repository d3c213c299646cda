"""The process that hands jobs over in the background, for a launcher of files that takes its time.

`python tests/fakes/handed.py` is what `experiments.jobs.outbox.COMMAND` runs in a test. With arguments, `FOLDER JOBS
KILLS SEED WHOLE_S`, it puts jobs into an outbox and hands them over in forks that are killed at random moments; it
prints one JSON object: what was handed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from experiments.jobs import outbox
from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.launchers.base import JobSpec, UnreachableError
from experiments.jobs.ledger import open_ledger
from experiments.launch import allow_launch, submit
from experiments.project.provenance import OwnCode
from tests.fakes.launching import FileCluster, plan_in, workspace_at

COMMAND = (sys.executable, str(Path(__file__)))


class SlowCluster(FileCluster):
    """A launcher that takes several jobs at once and needs a moment for each; it notes how many it is at.

    Files in its folder say what it does: while `shut` is there it takes none and answers nobody's launch, while `down`
    is there it cannot be reached, and `refuses` holds names that it refuses.
    """

    at_once = 8

    def __init__(self, folder: Path, takes_s: float = 0.02) -> None:
        super().__init__(folder)
        self.folder, self._takes_s = folder, takes_s

    def submit(self, job: JobSpec) -> str:
        self._at_it(1)
        try:
            while (self.folder / "shut").exists():
                time.sleep(0.01)
            if (self.folder / "down").exists():
                raise UnreachableError("the file-cluster does not answer")
            with contextlib.suppress(FileNotFoundError):
                self.refuses = set((self.folder / "refuses").read_text().split())
            time.sleep(self._takes_s)
            with (self.folder / "ids.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return super().submit(job)
        finally:
            self._at_it(-1)

    def _at_it(self, change: int) -> None:
        """Count who is at it, by process: those of a killed one are none."""
        with (self.folder / f"at-it.{os.getpid()}").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            now, most = map(int, file.read().split() or (0, 0))
            file.truncate(0)
            file.write(f"{now + change} {max(most, now + change)}")

    def most_at_once(self) -> int:
        """Return how many jobs one process was at, at most."""
        found = (path.read_text().split() for path in self.folder.glob("at-it.*"))
        return max((int(words[1]) for words in found if words), default=0)


def use(cluster: FileCluster) -> None:
    LAUNCHERS["skypilot"] = lambda _: cluster


def filled(folder: Path, jobs: int):
    """Return a workspace whose outbox holds a plan of so many jobs that nobody hands over yet."""
    workspace = workspace_at(folder)
    plan = plan_in(workspace, launcher="skypilot", seeds=range(jobs))
    start, outbox.start = outbox.start, lambda _: None
    try:
        with allow_launch() as permit:
            submit(plan, permit, workspace, own=OwnCode(), in_background=True)
    finally:
        outbox.start = start
    return workspace, plan


def main(folder: Path, jobs: int, kills: int, seed: int, whole_s: float) -> None:
    from tests.fakes.stepped import killed_at_random

    cluster = SlowCluster(folder, takes_s=0.1)
    use(cluster)
    workspace, plan = filled(folder, jobs)
    done = killed_at_random(lambda: outbox.hand_over_all(workspace), kills, seed, whole_s)
    with open_ledger(workspace) as ledger:
        rows = {job.run_name: (job.state, job.launcher_id) for job in ledger.jobs()}
    ids = {job["name"]: job["id"] for job in cluster.jobs()}
    told_truly = rows == {name: ("submitted", job_id) for name, job_id in ids.items()}
    print(
        json.dumps(
            {
                **done,
                "names": [job["name"] for job in cluster.jobs()],
                "wanted": [job.run_name for job in plan.jobs],
                "told truly": told_truly,
                "most at once": cluster.most_at_once(),
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), float(sys.argv[5]))
    else:
        use(SlowCluster(Path.cwd()))
        outbox.PAUSES_S = (0.2, 0.5)
        sys.exit(outbox.main())
