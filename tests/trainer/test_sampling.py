from itertools import pairwise

import numpy as np
import pytest

from experiments.trainer.arena import load_curriculum
from experiments.trainer.progress import Progress, crossed
from experiments.trainer.sampling import EXPLORE, TaskSampler


@pytest.fixture
def sampler():
    return TaskSampler(load_curriculum("arena/learning_progress"))


def test_tasks_are_equal_until_each_was_played_and_one_has_moved(sampler):
    assert sampler.probabilities() == pytest.approx([1 / 3] * 3)
    sampler.record(sampler.tasks[0], 1.0)
    assert sampler.probabilities() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("second", [5.0, 1.0], ids=["rising", "falling"])
def test_the_task_whose_return_changes_is_drawn_most(sampler, second):
    for task in sampler.tasks:
        sampler.record(task, 3.0)
    sampler.record(sampler.tasks[1], second)
    assert sampler.probabilities() == pytest.approx([EXPLORE / 3, 1 - 2 * EXPLORE / 3, EXPLORE / 3])
    drawn = [sampler.draw(rng) for rng in [np.random.default_rng(0)] for _ in range(300)]
    assert drawn.count(sampler.tasks[1]) > 200


def test_a_random_curriculum_ignores_progress():
    sampler = TaskSampler(load_curriculum("arena/random"))
    for value in (1.0, 9.0):
        sampler.record(sampler.tasks[0], value)
    assert sampler.probabilities() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(("total", "count", "batch"), [(1000, 10, 30), (1000, 3, 1), (20, 10, 7), (1, 1, 5)])
def test_points_are_passed_once_each_and_the_last_at_the_end(total, count, batch):
    steps = list(range(0, total + batch, batch))
    passed = [now for before, now in pairwise(steps) if crossed(before, now, total, count)]
    assert passed[-1] >= total
    assert len(passed) <= count
    if batch * count <= total:
        assert len(passed) == count


def test_no_points_where_none_are_asked_for():
    assert not crossed(0, 1000, 1000, 0)


def test_progress_says_first_and_last_but_not_each_row():
    lines = []
    progress = Progress(1000, lines.append)
    for step in range(0, 1001, 10):
        progress.report(step, {"overview/reward": step / 100, "overview/sps": 500.0})
    assert len(lines) == 2
    assert lines[0].startswith("    0 of 1,000 agent-steps")
    assert "1,000 of 1,000 agent-steps 100%" in lines[-1]
    assert "reward 10.00" in lines[-1]
