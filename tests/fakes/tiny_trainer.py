"""A trainer that does what files in its run folder say: `row` logs one more, `finish` and `die` end it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.fakes.wandb_files import exit_record, offline_run, run


def main(lifetime_s: float = 60.0) -> None:
    run_dir = Path(os.environ["EXPERIMENTS_RUN_DIR"])
    log = offline_run(run_dir.parent, run_dir.name)
    log.write(run(run_dir.name, {"trainer": {"total_timesteps": 1000}}))
    step, end = 0, time.monotonic() + lifetime_s
    while time.monotonic() < end:
        for asked in sorted(run_dir.glob("row*")):
            asked.unlink()
            step += 100
            log.log({"metric/agent_step": step, "overview/reward": step / 100, "overview/sps": 50.0})
        if (run_dir / "die").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if (run_dir / "finish").exists():
            log.write(exit_record(0))
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main()
