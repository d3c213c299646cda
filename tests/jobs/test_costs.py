"""Costs: a number only where there is a price."""

from __future__ import annotations

import pytest

from experiments.jobs.costs import NO_COST, UNKNOWN, cost_of, estimated, plan_cost
from experiments.jobs.launchers.base import SchedulerStatus
from tests.fakes.launching import plan_in, workspace_at

NOW = 10_000.0


def test_a_price_times_the_time_held_is_an_estimate():
    status = SchedulerStatus("RUNNING", started_at=NOW - 7200, duration_s=3600.0, price_per_hour=1.2)
    assert cost_of("skypilot", status, NOW).text == "about $1.20 (estimate)"
    assert cost_of("skypilot", SchedulerStatus("RUNNING", started_at=NOW - 7200, price_per_hour=1.2), NOW).usd == 2.4
    ended = SchedulerStatus("SUCCEEDED", started_at=0.0, ended_at=3600.0, price_per_hour=1000.0)
    assert cost_of("skypilot", ended, NOW).text == "about $1,000.00 (estimate)"
    assert cost_of("skypilot", SchedulerStatus("PENDING", price_per_hour=1.2), NOW).usd == 0.0


@pytest.mark.parametrize("price", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_without_a_price_nobody_knows(price):
    status = SchedulerStatus("RUNNING", duration_s=3600.0, price_per_hour=price)
    assert cost_of("skypilot", status, NOW) == UNKNOWN == cost_of("skypilot", None, NOW)


def test_this_machine_costs_nothing():
    assert cost_of("local", SchedulerStatus("RUNNING", started_at=1.0), NOW) == NO_COST == cost_of("dry-run", None, NOW)


def test_an_estimate_says_that_it_is_one():
    assert estimated(1.25).text == "about $1.25 (estimate)"
    assert estimated(0.002).text == "less than $0.01 (estimate)"


def test_a_plan_costs_what_its_limits_allow_and_nothing_here(tmp_path):
    workspace = workspace_at(tmp_path)
    limited = plan_in(workspace, seeds=[0, 1], nodes=2, max_hourly_cost=3.0, max_runtime_hours=2.0)
    assert plan_cost(limited) == NO_COST
    away = limited.model_copy(update={"launcher": "skypilot"})
    assert plan_cost(away).text.startswith("at most $24.00 without recoveries")
    unlimited = plan_in(workspace, max_hourly_cost=3.0).model_copy(update={"launcher": "skypilot"})
    assert plan_cost(unlimited) == UNKNOWN
