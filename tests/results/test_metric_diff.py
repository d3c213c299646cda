"""What running a seed twice says of a difference, beside arms and beside single runs."""

from __future__ import annotations

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.project.workspace import Workspace
from experiments.results.diff import diff_of
from experiments.results.sides import sides
from experiments.runs.offline.store import OfflineStore
from tests.fakes.launching import plan_in
from tests.fakes.studies import REWARD, STEP, Study
from tests.fakes.trained import trained_project
from tests.fakes.wandb_files import exit_record, offline_run, run


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    for arm, mean in (("low", 1.0), ("high", 1.2)):
        for seed in range(4):
            study.add(arm, seed, [mean + seed * 0.1 + seed * mean / 100] * 3)
    return study


def differ(study, a, b):
    study.publish()
    first, second = sides(study.workspace, a, b, study.jobs)
    return diff_of(study.workspace, first, second, study.store, statuses=study.statuses, metrics=[REWARD])


def test_a_difference_of_arms_that_one_seed_gives_twice_is_called_noise(study):
    [before] = differ(study, "low", "high").metrics
    assert "noise" not in before.change
    study.add("low", 1, [1.5] * 3, role="replicate", replicate=1)
    found = differ(study, "low", "high")
    [line] = found.metrics
    assert line.change == f"{before.change}, noise"
    said = " ".join(found.notes)
    assert "4 of 4 finished, 1 replicate not counted" in said
    assert f"{REWARD}: Noise floor: two runs of one seed differ by up to 0.39" in said


def test_seeds_that_came_back_the_same_are_said_to_and_call_nothing_noise(study):
    study.add("low", 0, [1.0] * 3, role="replicate", replicate=1)
    found = differ(study, "low", "high")
    assert "noise" not in found.metrics[0].change
    assert "runs of one seed are identical here (2 runs of 1 seed)" in " ".join(found.notes)


def launched(folder, values):
    """A plan of one arm with two seeds of two runs each, whose last values are these."""
    workspace = Workspace.find(folder)
    plan = plan_in(workspace, seeds=(0, 1), same_seed=2)
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    for job, value in zip(plan.jobs, values, strict=True):
        writer = offline_run(workspace.runs, job.run_name)
        writer.write(run(job.run_name, {}))
        writer.log({STEP: 100, REWARD: value})
        writer.write(exit_record(0))
    with open_ledger(workspace) as ledger, ledger._writing() as execute:
        execute("UPDATE jobs SET state = 'submitted', launcher_id = run_name")
    return workspace, [job.run_name for job in plan.jobs]


@pytest.mark.parametrize(("second", "is_noise"), [(1.2, True), (2.0, False)])
def test_a_difference_of_two_runs_stands_beside_what_their_arm_s_seeds_give_twice(tmp_path, second, is_noise):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace, (zero, _, one, _) = launched(tmp_path, (1.0, 1.3, second, second))
    found = diff_of(workspace, *sides(workspace, zero, one), OfflineStore(workspace.runs), metrics=[REWARD])
    [line] = found.metrics
    assert line.change.endswith(", noise") == is_noise
    assert "two runs of one seed differ by up to 0.3" in " ".join(found.notes)
    assert "4 runs of 2 seeds" in " ".join(found.notes)


@pytest.mark.slow
def test_runs_of_one_seed_of_our_own_trainer_are_identical_and_seeds_of_edited_code_are_not_pooled(tmp_path):
    """By construction, on one kernel of one machine: all numbers but the times."""
    project = trained_project(tmp_path)
    project.run("--same-seed", "2", "--seeds", "1", "--arms", "2", "--follow")
    said = " ".join(project.command("diff", "arm-0", "arm-1").stdout.split())
    assert "1 of 1 finished, 1 replicate not counted" in said
    assert "runs of one seed are identical in" in said
    assert "by construction: 0 on one kernel" in said
    assert "overview/reward: Noise floor" not in said
    assert "nothing is claimed" not in said
    project.recipe.write_text(project.recipe.read_text() + "# edited\n")
    project.run("--seeds", "1..1", "--arms", "2", "--follow")
    said = " ".join(project.command("diff", "arm-0", "arm-1").stdout.split())
    assert "nothing is claimed of the metrics: 2 codes in arm-0 (experiments diff tester.study.arm-0.s0." in said
    assert "; 2 codes in arm-1 (experiments diff" in said
    assert "2 of 2 finished, 1 replicate not counted" in said
