from __future__ import annotations

import pytest

from experiments.project.workspace import Workspace
from experiments.recipes.learning_rate_study import LearningRateStudy, LearningRateStudyConfig, arm_of


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_USER", "ada")
    found = LearningRateStudy("study", LearningRateStudyConfig())
    found.workspace = Workspace.find(tmp_path)
    return found


def test_every_rate_gets_the_same_five_seeds_and_the_baseline_comes_first(study):
    plan = study.plan(launcher="dry-run")
    assert [job.seed for job in plan.jobs] == [10, 11, 12, 13, 14] * 4
    assert list(dict.fromkeys(job.arm for job in plan.jobs)) == ["rate-0_001", "rate-0_003", "rate-0_01", "rate-0_03"]
    assert "trainer.optimizer.learning_rate=0.01" in plan.jobs[10].command


def test_seeds_that_are_asked_for_take_the_place_of_the_recipes_own(study):
    assert {job.seed for job in study.plan(launcher="dry-run", seeds=[3]).jobs} == {3}


def test_the_rule_names_arms_of_the_study(study):
    arms = {job.arm for job in study.plan(launcher="dry-run").jobs}
    assert {study.rule.arm, study.rule.baseline} <= arms
    assert study.journal().is_written


def test_a_rate_of_any_size_has_an_arm_of_its_own():
    assert [arm_of(rate) for rate in (1e-5, 0.1, 1.0)] == ["rate-1e-05", "rate-0_1", "rate-1"]
