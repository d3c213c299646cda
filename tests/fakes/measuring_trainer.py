"""A trainer that logs for its seed what a file says: a number as speed of every step, nothing, or a failure."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.fakes.wandb_files import exit_record, offline_run, run


def main(file: str, seed: str) -> int:
    """Log and end.

    Args:
        file: JSON with a value for each seed: a number, null for a run that logs another metric, "fail".
    """
    value = json.loads(Path(file).read_text())[seed]
    run_dir = Path(os.environ["EXPERIMENTS_RUN_DIR"])
    log = offline_run(run_dir.parent, run_dir.name)
    log.write(run(run_dir.name, {"trainer": {"total_timesteps": 300}}))
    for step in (100, 200, 300):
        speed = {"overview/sps": value} if isinstance(value, float) else {"overview/speed": 1.0}
        log.log({"metric/agent_step": step, "overview/reward": step / 100, **speed})
    code = 1 if value == "fail" else 0
    log.write(exit_record(code))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
