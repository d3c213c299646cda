"""A process that watches a state folder; `python -m tests.fakes.watching_process STATE_DIR LOG`.

Each poll of its launcher and each change of its role is one line in LOG: `<pid> poll` or `<pid> holds`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from experiments.jobs.watch.monitor import Monitor
from tests.fakes.job_sources import FakeLauncher, FakeStore, info, job, sources


class CountingLauncher(FakeLauncher):
    def __init__(self, log: Path) -> None:
        super().__init__(a="RUNNING")
        self.log = log

    def poll(self, jobs):
        note(self.log, "poll")
        return super().poll(jobs)


def note(log: Path, what: str) -> None:
    with log.open("a") as file:
        file.write(f"{os.getpid()} {what}\n")


def main(state_dir: Path, log: Path) -> None:
    parts = sources([job("a", created_at=time.time())], CountingLauncher(log), FakeStore(info("a", step=os.getpid())))
    monitor = Monitor(state_dir, parts, paces_s={"ledger": 0.1, "local": 0.1, "offline": 0.1, "online": 1.0})
    subscription = monitor.subscribe(lambda snapshot: None)
    held = False
    while subscription.is_open:
        if monitor.is_polling != held:
            held = monitor.is_polling
            note(log, "holds" if held else "follows")
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
