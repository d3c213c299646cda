"""What the trainer of this checkout learns in so many CPU seconds, beside that of another checkout, seed by seed.

`python -m tests.benchmarks.paired_learning CHECKOUT [SEEDS [SECONDS]]`, where CHECKOUT is a folder with the other
`experiments`. The two are run in turn, so that both see the same machine. It is no worse where the interval of the
difference lies above a twentieth of what the other learnt, with a minus.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy import stats

ROOT = Path(__file__).parents[2]
MARGIN = 0.05

# Counts the CPU of training alone: imports and evaluations are the same on both sides.
CHILD = """
import json, pathlib, sys, time
seed, seconds = sys.argv[1:]
from experiments.trainer.config import parse
from experiments.trainer.evaluation import evaluate
from experiments.trainer.training import Training

settings = parse(["run=bench", f"seed={seed}"])
training = Training(settings, pathlib.Path(), lambda: None)
training.start_episodes()
began = time.process_time()
while time.process_time() - began < float(seconds):
    training.advance()
maps = settings.trainer.evaluation.maps
print(json.dumps([training.agent_step, evaluate(training.network, settings.trainer.curriculum, episodes=maps).reward]))
"""


def learnt(checkout: Path, seed: int, seconds: float) -> tuple[int, float]:
    """Return the agent-steps that a checkout's trainer makes in so many CPU seconds, and its held-out return then."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-P", "-c", CHILD, str(seed), str(seconds)]
    steps, reward = json.loads(subprocess.check_output(command, cwd=checkout, env=environment))
    return int(steps), float(reward)


def main() -> int:
    """Print each pair and the difference; return 1 where it may be worse."""
    other = Path(sys.argv[1]).absolute()
    seeds, seconds = (int(sys.argv[2]) if len(sys.argv) > 2 else 10), (float(sys.argv[3]) if len(sys.argv) > 3 else 20)
    pairs = []
    for seed in range(seeds):
        there, here = (learnt(checkout, seed, seconds) for checkout in (other, ROOT))
        pairs.append((there[1], here[1]))
        print(f"seed {seed}: {there[1]:6.2f} after {there[0]:,} steps -> {here[1]:6.2f} after {here[0]:,}", flush=True)
    before, after = np.array(pairs).T
    difference = after - before
    half = stats.t.ppf(0.975, seeds - 1) * difference.std(ddof=1) / np.sqrt(seeds)
    low, high = difference.mean() - half, difference.mean() + half
    print(f"difference {difference.mean():.2f}, 95 % interval {low:.2f} to {high:.2f}; before {before.mean():.2f}")
    return int(low < -MARGIN * before.mean())


if __name__ == "__main__":
    sys.exit(main())
