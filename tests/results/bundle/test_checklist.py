"""REPRODUCE.md says what the record says, and leaves to the authors what it cannot know."""

from __future__ import annotations

import pytest

from experiments.jobs.criteria import Criterion
from experiments.jobs.designs import Registration
from experiments.jobs.families import level_of
from experiments.jobs.journal import Journal, Rule
from experiments.project.environment.records import Blas, Machine
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import Snapshot
from experiments.project.values import replaced
from experiments.results.bundle.archive import Content
from experiments.results.bundle.checklist import reproduce_text
from experiments.results.bundle.gathering import Gathered
from experiments.results.bundle.records import BundleRecord, RunRecord, SnapshotRecord
from experiments.runs.store import RunInfo
from experiments.types import TrainingJob, TrainingJobConfig


def job(arm, seed, **more):
    return TrainingJob(
        run_name=f"ada.study.{arm}.s{seed}.abcdefg{len(more)}",
        experiment="study",
        arm=arm,
        seed=seed,
        config=TrainingJobConfig(curriculum="arena/basic"),
        launcher="local",
        **more,
    )


@pytest.fixture
def gathered():
    """Two arms of two seeds that differ in one setting, one of which failed, and a replicate."""
    found = Gathered(contents={"code/abc/LICENSE": Content(b"MIT")})
    machine = Machine(cpu="Some CPU", blas=(Blas(library="openblas", kernel="Zen"),), cores_allowed=2, gpus=())
    jobs = [job(arm, seed) for arm in ("low", "high") for seed in (0, 1)]
    for one in [*jobs, job("low", 0, role="replicate", replicate=1)]:
        found.runs[one.run_name] = RunRecord(job=one, code=CodeRecord(machine=machine))
        rate = 0.001 if one.arm == "low" else 0.01
        state = "failed" if (one.arm, one.seed) == ("high", 1) else "finished"
        config = {"trainer": {"rate": rate, "size": 64}}
        found.infos[one.run_name] = RunInfo(one.run_name, state, config=config, created_at=0.0, heartbeat_at=90.0)
    found.record = BundleRecord(experiment="study", plans=(), runs=tuple(found.runs), checkpoints="last")
    return found


def text(found):
    return reproduce_text(found, "study.bundle.tar.gz").decode()


def test_seeds_ranges_compute_and_hardware_are_told_with_what_failed(gathered):
    said = text(gathered)
    assert "| low | 0, 1 | 1 replicate | 3 | none |" in said
    assert "| high | 0, 1 | none | 1 | 1 failed |" in said
    assert "- `trainer.rate`: 0.001, 0.01" in said
    assert "trainer.size" not in said
    assert "In all 7 m 30 s of 5 runs" in said
    assert "- 5 runs: Some CPU, 2 processors allowed, BLAS kernel Zen, no GPU" in said
    assert "`code/abc/LICENSE`" in said


def test_the_rule_that_was_recorded_is_told_and_without_one_it_is_exploratory(gathered):
    assert "exploratory" in text(gathered)
    gathered.journal = Journal(
        hypothesis="High is better.", rule=Rule(metric="eval/reward", direction="higher", effect=1.0)
    )
    said = text(gathered)
    assert "High is better." in said
    assert gathered.journal.rule.sentence in said
    assert "The rule above, written before the launch" in said


def test_whether_the_claim_is_registered_and_what_had_to_be_reached_are_told(gathered):
    gathered.journal = Journal(
        hypothesis="High is better.", rule=Rule(metric="eval/reward", direction="higher", effect=1.0)
    )
    gathered.registration = Registration("Unchanged.", number=2, level=level_of(2))
    gathered.criteria = (Criterion("overview/sps", ">=", 23_000, unit="steps a second"),)
    said = text(gathered)
    assert "Registered: design 2 of its family, level 0.0076." in said
    assert "- overview/sps at least 23,000 steps a second" in said


def test_what_is_missing_makes_it_incomplete(gathered):
    assert "Nothing is known to be missing." in text(gathered)
    gathered.notes.append("snapshot abc is gone")
    said = text(gathered)
    assert "- snapshot abc is gone" in said
    assert "| Experimental result reproducibility | In part" in said
    assert "See What is not in here." in said


def test_a_gpu_that_nobody_could_ask_for_is_not_called_none(gathered):
    for name, run in gathered.runs.items():
        gathered.runs[name] = RunRecord(job=run.job, code=CodeRecord(machine=Machine(cpu="Some CPU", gpus=None)))
    assert "- 5 runs: Some CPU, GPU not known" in text(gathered)


def test_what_no_metrics_tell_is_not_answered_with_yes(gathered):
    assert "| Experimental setting and details | Yes" in text(gathered)
    assert "| Compute resources | Yes" in text(gathered)
    gathered.infos = {name: info for name, info in gathered.infos.items() if ".low." in name}
    said = text(gathered)
    assert "The settings of 1 more arm are not known: high." in said
    assert "nothing was searched" not in said
    assert "| Experimental setting and details | In part" in said
    assert "| Compute resources | In part" in said


def test_it_is_whole_where_the_code_is_in_it_and_nothing_is_noted(gathered):
    snapshot = Snapshot(id="a" * 40, commit="b" * 40)
    kept = {snapshot.id: SnapshotRecord(snapshot=snapshot, modes={})}
    assert "| Experimental result reproducibility | In part" in text(gathered)
    gathered.record = replaced(gathered.record, snapshots=kept)
    assert "| Experimental result reproducibility | Yes" in text(gathered)
