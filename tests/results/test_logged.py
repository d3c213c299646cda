"""What an experiment is about where nobody says is found in few runs where it can be, and in all where it must."""

from __future__ import annotations

import pytest

from experiments.results.logged import found_metric
from experiments.runs.store import REWARD_KEY
from experiments.types import JobRef, Metrics
from tests.fakes.job_sources import info

JOBS = [JobRef(run=f"r{number}") for number in range(50)]


@pytest.mark.parametrize(
    ("logged", "found", "looked_at"),
    [
        ({"r3": REWARD_KEY}, REWARD_KEY, 20),
        ({"r3": "episodic_return", "r45": REWARD_KEY}, REWARD_KEY, 50),
        ({"r3": "loss", "r45": "my_return"}, "my_return", 50),
        ({}, REWARD_KEY, 50),
    ],
)
def test_other_runs_are_looked_at_only_where_the_first_have_not_what_is_looked_for_first(logged, found, looked_at):
    asked = []

    def infos_of(some):
        asked.extend(some)
        return [info(job.run, summary={logged[job.run]: 1.0} if job.run in logged else {}) for job in some]

    assert found_metric(JOBS, infos_of) == found
    assert len(asked) == looked_at


def test_no_run_is_looked_at_where_a_trainer_says_what_it_is_about():
    jobs = [*JOBS, JobRef(run="named", metrics=Metrics(primary="score", direction="higher"))]
    assert found_metric(jobs, lambda some: pytest.fail("a run was looked at")) == "score"
