"""How quickly the reference trainer learns, in CPU seconds of one core.

Run it alone: `python -m tests.benchmarks trainer`. It takes about three minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]
SEEDS = (0, 1, 2)

# Trains with the defaults and evaluates after 20 CPU seconds of the process, and after 60 or at the end of the budget.
CHILD = """
import json, pathlib, sys, time
from experiments.trainer.config import parse
from experiments.trainer.environments import Environments
from experiments.trainer.evaluation import evaluate
from experiments.trainer.training import Training

simulating = 0.0

def counted(work):
    def measured(*arguments):
        global simulating
        began = time.process_time()
        try:
            return work(*arguments)
        finally:
            simulating += time.process_time() - began
    return measured

Environments.step, Environments.start = counted(Environments.step), counted(Environments.start)
settings = parse(["run=bench", *sys.argv[1:]])
training = Training(settings, pathlib.Path(), lambda: None)
training.start_episodes()
name, maps = settings.trainer.curriculum, settings.trainer.evaluation.maps
random, measured, aside, learning, alone = None, [], 0.0, 0.0, 0.0
for limit in (20, 60):
    while not training.done and time.process_time() - aside < limit:
        began, before = time.process_time(), simulating
        training.advance()
        learning += time.process_time() - began
        alone += simulating - before
    spent = time.process_time() - aside
    random = random or evaluate(None, name, episodes=maps).reward
    reward = evaluate(training.network, name, episodes=maps).reward
    measured.append({"spent": spent, "step": training.agent_step, "reward": reward, "ratio": reward / random})
    aside = time.process_time() - spent
print(json.dumps({"measured": measured, "sps": training.agent_step / learning, "alone": alone / learning}))
"""


def learn(seed: int) -> tuple[list[dict[str, float]], float, float]:
    """Return what a run learnt at the two limits, its agent-steps per CPU second, and these over the simulator's."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    output = subprocess.check_output([sys.executable, "-P", "-c", CHILD, f"seed={seed}"], cwd=ROOT, env=environment)
    result = json.loads(output)
    return result["measured"], result["sps"], result["alone"]


def run() -> list[Bar]:
    """Measure the default curriculum with seeds 0, 1 and 2."""
    bars = []
    for seed in SEEDS:
        measured, sps, alone = learn(seed)
        for seconds, limit, found in zip((20, 60), (4, 8), measured, strict=True):
            bars.append(
                Bar(
                    f"held-out return over random's within {seconds} CPU s, seed {seed}",
                    found["ratio"],
                    limit,
                    higher_is_better=True,
                    note=f"return {found['reward']:.2f} after {found['step']:,} steps and {found['spent']:.1f} CPU s",
                )
            )
        bars.append(Bar(f"agent-steps per CPU second, seed {seed}", sps, 25_000, unit="steps/s", higher_is_better=True))
        alone_over_all = f"agent-steps a CPU second over the simulator's, seed {seed}"
        bars.append(Bar(alone_over_all, alone, 0.6, higher_is_better=True))
    return bars
