"""The rules of alerts, each a function of what is known."""

from __future__ import annotations

import math

import pytest

from experiments.jobs.watch.alerts import (
    Limits,
    Progress,
    below_baseline,
    failed,
    not_a_number,
    one_line,
    stalled,
    too_dear,
)
from experiments.project.values import replaced
from experiments.types import JobStatus

NOW = 1_800_000_000.0


def status(run="u.exp.base.s0.aaaaaaaa", verdict="running", **more):
    return JobStatus(run_name=run, experiment="exp", **{"arm": "base", "verdict": verdict, "step": 5, **more})


def test_a_failure_is_told_with_its_reason_and_only_while_it_is_news():
    news = status("a", "failed", reason="exit code 1", ended_at=NOW - 60)
    old = status("b", "failed", ended_at=NOW - 200_000)
    assert [(alert.run, alert.text, alert.at) for alert in failed([news, old, status("c")], NOW)] == [
        ("a", "failed: exit code 1", NOW - 60)
    ]


def test_the_same_event_has_the_same_key_whenever_and_whoever_sees_it():
    first, later = (failed([status("a", "failed", reason=why)], now)[0] for why, now in (("x", NOW), ("y", NOW + 9)))
    assert first.key == later.key
    assert failed([status("b", "failed")], NOW)[0].key != first.key


def test_a_job_is_stalled_once_it_has_made_no_step_for_long_enough():
    progress, limits = Progress(), Limits(stalled_s=600)
    jobs = [status("a", step=7)]
    assert stalled(jobs, progress.update(jobs, NOW), limits, NOW) == []
    later = stalled(jobs, progress.update(jobs, NOW + 600), limits, NOW + 600)
    assert [alert.text for alert in later] == ["no step for 10 m"]


def test_a_step_ends_a_stall_and_the_next_one_is_another_event():
    progress, limits = Progress(), Limits(stalled_s=600)
    keys = []
    for step, at in ((7, NOW), (7, NOW + 700), (8, NOW + 800), (8, NOW + 1_500)):
        jobs = [status("a", step=step)]
        keys += [alert.key for alert in stalled(jobs, progress.update(jobs, at), limits, at)]
    assert len(keys) == len(set(keys)) == 2


def test_a_job_that_waits_or_has_ended_is_not_stalled():
    progress, limits = Progress(), Limits(stalled_s=1)
    for verdict in ("pending", "succeeded", "failed", "recovering", "unknown"):
        jobs = [status("a", verdict)]
        progress.update(jobs, NOW)
        assert stalled(jobs, progress.update(jobs, NOW + 99), limits, NOW + 99) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "NaN", "Infinity"])
def test_a_loss_that_is_no_number_is_told(value):
    found = not_a_number([status("a")], {"a": {"losses/policy_loss": value}}, NOW)
    assert [alert.text for alert in found] == ["losses/policy_loss is not a finite number"]


@pytest.mark.parametrize("summary", [{"losses/policy_loss": 0.1}, {"name": "NaN"}, {}, {"losses/x": None}])
def test_other_values_are_no_alert(summary):
    assert not_a_number([status("a")], {"a": summary}, NOW) == []


def study(values, *, seeds=5, verdict="running"):
    """Return jobs and curves: `seeds` runs of the baseline around 10, and one other run with `values`."""
    jobs = [status(f"b{seed}", arm="base", seed=seed) for seed in range(seeds)]
    jobs.append(status("other", verdict, arm="new"))
    steps = [float(100 * number) for number in range(len(values))]
    curves = {f"b{seed}": (steps, [10.0 + 0.1 * seed] * len(steps)) for seed in range(seeds)}
    return jobs, {**curves, "other": (steps, values)}


SO_FAR = " so far (interim: 0 of its 5 seeds have ended)"


def test_evaluations_below_the_baselines_band_are_told():
    jobs, curves = study([10.0, 3.0, 3.0, 3.0])
    found = below_baseline(jobs, curves, Limits(evaluations=3), NOW)
    assert [(alert.run, alert.text) for alert in found] == [("other", f"3 evaluations below the band of base{SO_FAR}")]


@pytest.mark.parametrize(
    "values", [[3.0, 3.0], [3.0, 3.0, 10.2], [10.2] * 4, [3.0, math.nan, 3.0], [99.0] * 5], ids=str
)
def test_fewer_or_better_evaluations_are_no_alert(values):
    jobs, curves = study(values)
    assert below_baseline(jobs, curves, Limits(evaluations=3), NOW) == []


def test_where_less_is_better_it_is_what_lies_above_the_band_that_is_told():
    jobs, curves = study([99.0] * 4)
    jobs = [replaced(job, lower_is_better=True) for job in jobs]
    [found] = below_baseline(jobs, curves, Limits(evaluations=3), NOW)
    assert found.text == f"3 evaluations above the band of base{SO_FAR}"
    jobs, curves = study([3.0] * 4)
    assert (
        below_baseline([replaced(job, lower_is_better=True) for job in jobs], curves, Limits(evaluations=3), NOW) == []
    )


def test_a_metric_that_a_trainer_is_about_is_watched_for_what_is_no_number():
    job = replaced(status("a"), keys={"reward": "charts/episodic_return"})
    [found] = not_a_number([job], {"a": {"charts/episodic_return": math.nan}}, NOW)
    assert "charts/episodic_return is not a finite number" in found.text


def test_one_seed_is_no_band_and_an_ended_run_is_nobodys_worry():
    jobs, curves = study([3.0] * 4, seeds=1)
    assert below_baseline(jobs, curves, Limits(), NOW) == []
    jobs, curves = study([3.0] * 4, verdict="succeeded")
    assert below_baseline(jobs, curves, Limits(), NOW) == []


def test_an_experiments_cost_above_the_limit_is_told_and_a_higher_limit_is_another_event():
    jobs = [status("a", cost_usd=7.0), status("b", cost_usd=4.0), status("c", cost_usd=None)]
    found = too_dear(jobs, Limits(cost=10), NOW)
    assert [alert.text for alert in found] == ["has cost $11.00, more than $10.00"]
    assert too_dear(jobs, Limits(cost=12), NOW) == too_dear(jobs, Limits(), NOW) == []
    assert too_dear(jobs, Limits(cost=10.5), NOW)[0].key != found[0].key


def test_a_text_is_one_line_without_controls_or_secrets(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef0123456789abcdef01234567")
    said = one_line("failed:\n\x1b[31m key 0123456789abcdef0123456789abcdef01234567\x00 " + "x" * 900)
    assert said.isprintable()
    assert "0123456789abcdef" not in said
    assert len(said) == 300


def test_a_band_whose_seeds_have_all_ended_is_not_interim():
    jobs, curves = study([10.0, 3.0, 3.0, 3.0])
    ended = [status(job.run_name, "succeeded", arm="base", seed=job.seed) for job in jobs if job.arm == "base"]
    [found] = below_baseline([*ended, jobs[-1]], curves, Limits(evaluations=3), NOW)
    assert found.text == "3 evaluations below the band of base"


def test_a_replicate_of_the_baseline_makes_no_band_and_is_no_seed_of_it():
    jobs, curves = study([10.0, 3.0, 3.0, 3.0], seeds=1)
    twin = replaced(jobs[0], run_name="twin", role="replicate", replicate=1)
    assert below_baseline([*jobs, twin], curves | {"twin": curves["b0"]}, Limits(evaluations=3), NOW) == []
    jobs, curves = study([10.0, 3.0, 3.0, 3.0])
    worse = (curves["b0"][0], [0.0] * 4)
    [found] = below_baseline([*jobs, twin], curves | {"twin": worse}, Limits(evaluations=3), NOW)
    assert found.text == f"3 evaluations below the band of base{SO_FAR}"
