from __future__ import annotations

import pytest

from experiments.jobs.durations import estimate, time_words
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from tests.fakes.launching import plan_in, workspace_at

STEPS = "trainer.total_timesteps=1000"


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


def ended(workspace, seconds, *, word="SUCCEEDED", **options):
    """Leave the jobs of a plan as ended after so many seconds."""
    plan = plan_in(workspace, **{"launcher": "skypilot", "seeds": [0, 1, 2], **options})
    names = [job.run_name for job in plan.jobs]
    outcome = {"word": word, "started_at": 100.0, "ended_at": 100.0 + seconds}
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan)
        ledger.intend({name: {} for name in names}, plan.target, owner)
        ledger.conclude(owner, accepted={name: name for name in names})
        ledger.settle(dict.fromkeys(names, outcome))


def plan(workspace, **options):
    return plan_in(workspace, **{"launcher": "skypilot", "repeat": 2, "seeds": [0, 1], **options})


def test_nothing_is_guessed_before_a_job_like_it_has_succeeded(workspace):
    assert estimate(plan(workspace), workspace) == "cost unknown, time unknown"
    ended(workspace, 600, word="FAILED", additional_args=(STEPS,))
    assert time_words(plan(workspace, additional_args=(STEPS,)), workspace) == "time unknown"


def test_equal_jobs_give_their_time_and_say_how_many_they_were(workspace):
    ended(workspace, 600)
    assert time_words(plan(workspace), workspace) == "about 10 m a job (estimate from 3 ended jobs like them)"


def test_more_steps_take_longer_at_the_same_speed(workspace):
    ended(workspace, 600, additional_args=(STEPS,))
    more = plan(workspace, additional_args=("trainer.total_timesteps=3000",))
    assert time_words(more, workspace).startswith("about 30 m a job")
    assert time_words(plan(workspace), workspace) == "time unknown"


def test_another_arm_with_other_settings_tells_nothing(workspace):
    ended(workspace, 600, additional_args=(STEPS,))
    other = plan(workspace, arms=("base", "wide"), additional_args=(STEPS,))
    assert time_words(other, workspace).startswith("about 10 m a job (estimate from 3 ended jobs")
    wide = plan(workspace, arms=("wide",), additional_args=(STEPS, "trainer.hidden_size=512"))
    assert time_words(wide, workspace) == "time unknown"


def test_a_run_that_goes_on_from_another_has_no_estimate_and_gives_none(workspace):
    ended(workspace, 600, additional_args=(STEPS, "trainer.resume_from=x"))
    assert time_words(plan(workspace, additional_args=(STEPS,)), workspace) == "time unknown"


def test_a_dry_run_tells_what_this_machine_would_need_with_its_slots(workspace):
    ended(workspace, 600, launcher="local")
    dry = plan(workspace, launcher="dry-run", seeds=range(4))
    assert estimate(dry, workspace) == "no cost, about 10 m a job, 20 m in all (estimate from 3 ended jobs like them)"
