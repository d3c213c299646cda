"""Seeds until decided on a launcher whose jobs end at once, killed at random moments.

`python tests/fakes/decided.py FOLDER KILLS SEED WHOLE_S` prints one JSON object: how it ended, and what was handed
over.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from experiments.jobs.batches import Batched, courses, first_batch, open_batches
from experiments.jobs.designs import record_journal
from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.journal import Journal
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.rule import Rule
from experiments.jobs.submission import submit
from experiments.launch import allow_launch
from experiments.project.provenance import OwnCode
from experiments.results.steps import take_step
from experiments.types import KeptControl
from tests.fakes import stepped
from tests.fakes.launching import workspace_at
from tests.fakes.stepped import AtOnce, config_of, killed_at_random

COMMAND = ("python", "train.py")
LOOKS = tuple(range(3, 10))
RULE = Rule(metric="score", direction="higher", effect=0.0, arm="fast", baseline="slow", looks=LOOKS)


def scored(gap: float, spread: float = 0.5):
    """Return the score of a run by its settings: `gap` more at the faster rate, and noise of its own."""

    def score(rate: float, _batch: int, seed: int) -> float:
        return (gap if rate > 1e-3 else 0.0) + random.Random(f"{rate} {seed}").gauss(0, spread)

    return score


def begun(workspace, rule: Rule, *, batch: int = 1, jobs: int = 100, control: KeptControl | None = None) -> None:
    """Launch the first batch of a design, and record that it goes on until it is decided."""
    recorded = [RecordedJob("slow", config_of({"rate": 1e-4})), RecordedJob("fast", config_of({"rate": 1e-2}))]
    seeds = range(first_batch(rule, None, None))
    options = {"launcher": "skypilot", "repeat": 1, "has_own_code": True, "train_command": COMMAND}
    plan = prepare_plan(workspace, "study", recorded, seeds=seeds, control=control, **options)
    with allow_launch() as permit:
        record_journal(plan, Journal(hypothesis="fast is better", rule=rule), permit, workspace)
        batched = Batched(experiment="study", plan_key=plan.key, batch=batch, budget="study", train_command=COMMAND)
        with open_ledger(workspace) as ledger:
            ledger.grant("study", Limits(jobs=jobs), "test")
            open_batches(ledger, batched, "test")
            open_batches(ledger, batched, "test")
        submit(plan, permit, workspace, own=OwnCode())


def course(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        [found] = courses(ledger)
    return found


def to_the_end(workspace) -> list[str]:
    """Take steps until it has ended; return what they said."""
    said = []
    with allow_launch() as permit:
        while not course(workspace).ended:
            found = take_step(workspace, permit)
            assert not found.problems, found.problems
            said += found.done
    return said


def main(folder: str, kills: int, seed: int, whole_s: float) -> None:
    workspace = workspace_at(Path(folder), user="ada")
    cluster, stepped.score_of = AtOnce(workspace.state), scored(0.0)
    LAUNCHERS["skypilot"] = lambda _: cluster
    begun(workspace, RULE)
    done = killed_at_random(lambda: to_the_end(workspace), kills, seed, whole_s)
    jobs = [(job["said"]["rate"], job["seed"]) for job in cluster.jobs()]
    with open_ledger(workspace, read_only=True) as ledger:
        done |= {"drawn": ledger.budgets()[0].jobs}
    print(json.dumps({**done, "ended": course(workspace).ended, "jobs": jobs}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4]))
