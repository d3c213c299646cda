from __future__ import annotations

import pytest

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.watch.verdicts import job_status
from experiments.project.trainers.value import Metrics
from experiments.runs.roles import Roles, roles_of, setting, steps_in_all
from experiments.runs.store import RunInfo
from experiments.types import JobRef

REFERENCE = ("metric/agent_step", "overview/reward", None)
BASELINES3 = ("time/total_timesteps", "rollout/ep_rew_mean", "time/fps")
CLEANRL = {"global_step": 5000, "charts/episodic_return": 41.0, "charts/SPS": 900.0, "_step": 12, "losses/v": 0.1}


def status(summary, metrics=None, state="finished", word="SUCCEEDED", config=None):
    run = RunInfo("r", state, summary=summary, config=config or {})
    return job_status(JobRef(run="r", metrics=metrics), SchedulerStatus(word), run, as_of=0.0)


@pytest.mark.parametrize(
    ("summary", "step", "reward", "speed"),
    [
        (CLEANRL, "global_step", "charts/episodic_return", "charts/SPS"),
        ({"_step": 3, "mean_return": 2.0, "eval/random_reward": 1.0}, "_step", "mean_return", None),
        (
            {"metric/agent_step": 3, "global_step": 1, "overview/reward": 2.0},
            "metric/agent_step",
            "overview/reward",
            None,
        ),
        (
            {"time/total_timesteps": 1, "rollout/ep_rew_mean": 2.0, "time/fps": 3},
            "time/total_timesteps",
            "rollout/ep_rew_mean",
            "time/fps",
        ),
        ({"loss": 1.0}, None, None, None),
    ],
)
def test_roles_that_are_not_named_are_found(summary, step, reward, speed):
    found = roles_of(summary)
    assert (found.step, found.reward, found.speed) == (step, reward, speed)
    assert found.found == {role for role, key in found.keys().items()}


def test_a_named_role_is_that_key_also_while_it_is_not_logged():
    roles = roles_of(CLEANRL, Metrics(step="frames", primary="score", direction="lower"))
    assert (roles.step, roles.reward, roles.speed) == ("frames", "score", "charts/SPS")
    assert roles.found == {"speed"}
    assert "reward score (named by the trainer), speed charts/SPS (found" in roles.sentence


def test_what_the_reference_trainer_logs_needs_no_words():
    assert Roles("metric/agent_step", "overview/reward", "overview/sps").is_usual
    assert status({"metric/agent_step": 1, "overview/reward": 2.0}).keys == {}


def test_status_reads_the_roles_and_says_which_were_found():
    found = status(
        CLEANRL, Metrics(primary="charts/episodic_return", direction="higher"), config={"total_steps": 10_000}
    )
    assert (found.step, found.reward, found.sps, found.total_steps) == (5000, 41.0, 900.0, 10_000)
    assert found.keys["reward"] == "charts/episodic_return"
    assert found.found == ("speed", "step")
    assert "keys" not in status({"metric/agent_step": 1}).model_dump(mode="json")


def test_a_primary_metric_that_is_never_logged_is_said_when_the_run_has_ended():
    metrics = Metrics(primary="charts/episodic_returns", direction="higher")
    assert status(CLEANRL, metrics).reason == (
        "the primary metric 'charts/episodic_returns' was never logged; it logged 'charts/episodic_return'"
    )
    assert status(CLEANRL, metrics, state="running", word="RUNNING").reason == ""


@pytest.mark.parametrize(
    ("config", "metrics", "total"),
    [
        ({"trainer": {"total_timesteps": 5}}, Metrics(), 5),
        ({"TrainTool": {"value": {"trainer": {"total_timesteps": 7}}}}, Metrics(total="trainer.total_timesteps"), 7),
        ({"TrainTool": {"trainer": {"total_timesteps": 7}}, "wandb": {"project": "x"}}, Metrics(), 7),
        ({"total_timesteps": {"value": 9}}, Metrics(), 9),
        ({"a.b": 3}, Metrics(total="a.b"), 3),
        ({}, Metrics(total=11), 11),
        ({"total_timesteps": 9}, Metrics(total="steps"), None),
        ({"A": {"x": {"n": 1}}, "B": {"x": {"n": 2}}}, Metrics(total="x.n"), None),
    ],
)
def test_the_steps_of_a_whole_run_are_read_nested_flat_or_under_a_tools_name(config, metrics, total):
    assert steps_in_all(config, metrics) == total


def test_a_setting_that_is_not_there_is_none():
    assert setting({"a": 1}, "a.b") is None
