"""A study whose design was registered before its runs, which a launcher took and which some have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.jobs.designs import record_journal
from experiments.jobs.journal import Journal
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.jobs.rule import Rule
from experiments.project.files import write_json
from experiments.types import TrainingJobConfig
from tests.fakes.studies import REWARD, Study

RULE = Rule(metric=REWARD, direction="higher", effect=0.5, arm="b", baseline="a", looks=(3, 6))
STARTED, TOOK_S = 1e9, 3600.0
WRITTEN = Journal(hypothesis="b is better", rule=RULE)


def registered(
    root: Path,
    journal: Journal = WRITTEN,
    *,
    arms: Mapping[str, float] = {"a": 1.0, "b": 3.0},
    ended: int = 3,
    running: int = 3,
    values: Sequence[float] = (0.0, 0.5, 1.0, 1.0, 1.0),
) -> Study:
    """Register a design, and write what its runs logged.

    Args:
        arms: The height that the curves of each arm reach.
        ended: Seeds of each arm that have ended.
        running: Seeds of each arm, after these, that go on.
        values: A curve of height 1.
    """
    study = Study(root)
    configs = [
        RecordedJob(arm, TrainingJobConfig(curriculum="arena", additional_args=(f"trainer.height={height}",)))
        for arm, height in arms.items()
    ]
    with open_ledger(study.workspace) as ledger:
        target = {"launcher": "local", "target": "here", "train_command": ("true",)}
        placement = Placement(user="ada", ledger_id=ledger.id, **target)
    plan = make_plan("study", configs, placement, seeds=range(ended + running))
    record_journal(plan, journal, command_permit("test"), study.workspace)
    with open_ledger(study.workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan, tracker="offline", provenance={})
        taken = ledger.intend({job.run_name: {} for job in plan.jobs}, "here", owner)
        ledger.conclude(owner, accepted={name: name for name in taken})
    for job in plan.jobs:
        height = arms[job.arm] + 0.05 * job.seed * arms[job.arm]
        done = job.seed < ended
        curve = [height * value for value in (values if done else values[:1])]
        config = {"height": arms[job.arm], "anneal": arms[job.arm] > 1}
        verdict = "succeeded" if done else "running"
        study.add(job.arm, job.seed, curve, name=job.run_name, config=config, verdict=verdict)
        if done:  # as its supervisor wrote it, so that a launcher that is asked says the same
            record = {"run_name": job.run_name, "started_at": STARTED, "ended_at": STARTED + TOOK_S, "exit_code": 0}
            write_json(study.workspace.runs / job.run_name / "job.json", record)
    study.publish()
    return study
