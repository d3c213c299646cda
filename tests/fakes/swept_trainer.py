"""A trainer whose score is known: highest where its learning rate is 0.003, and noise of its seed on top.

`python swept_trainer.py --seed S --learning-rate X [--batch B] [--fails-above Y]`; a line in `started` for each start.
It waits while there is a file `hold` beside that, so that nothing ends before a test is ready.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from pathlib import Path

from tests.fakes.wandb_files import exit_record, offline_run, run


def score_of(rate: float, batch: int, seed: int) -> float:
    return 10 - 3 * abs(math.log10(rate / 0.003)) + (1.0 if batch == 512 else 0.0) + random.Random(seed).gauss(0, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--fails-above", type=float, default=math.inf)
    said = parser.parse_args()
    run_dir = Path(os.environ["EXPERIMENTS_RUN_DIR"])
    with (run_dir.parent.parent / "started").open("a") as file:
        file.write(f"{run_dir.name}\n")
    while (run_dir.parent.parent / "hold").exists():
        time.sleep(0.02)
    if said.learning_rate > said.fails_above:
        raise SystemExit(1)
    log = offline_run(run_dir.parent, run_dir.name).write(run(run_dir.name, {"learning_rate": said.learning_rate}))
    final = score_of(said.learning_rate, said.batch, said.seed)
    log.log(*({"step": step, "score": final * step / 100} for step in range(10, 101, 10)))
    log.write(exit_record(0))


if __name__ == "__main__":
    main()
