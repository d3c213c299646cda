"""A search on a cluster goes on while somebody watches: no supervisor of ours is there to take a step."""

from __future__ import annotations

import shlex

import pytest

from experiments.jobs.launchers.sky import words as sky_words
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.sweeps.search import choosing_seeds, open_search
from experiments.jobs.watch import stepping
from experiments.jobs.watch.poller import PACES_S
from experiments.launch import allow_launch
from experiments.monitoring import following
from experiments.results.steps import take_step
from tests.fakes.skypilot import SETTINGS, FakeSky, close_clients, sky_workspace
from tests.fakes.stepped import course, search_of
from tests.fakes.waiting import wait_until


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    monkeypatch.setenv("SKYPILOT_API_SERVER_ENDPOINT", "http://ada:hunter2@fake:1")
    monkeypatch.setenv("EXPERIMENTS_SKY_PYTHON", shlex.join(SETTINGS["sky_python"]))  # for the child
    monkeypatch.setenv("EXPERIMENTS_USER", "ada")
    monkeypatch.setattr(sky_words, "SETTLE_S", 0.0)
    monkeypatch.setitem(PACES_S, "skypilot", 0.5)
    monkeypatch.setattr(stepping, "GRACE_S", 0.5)
    yield FakeSky(tmp_path / "sky")
    close_clients()


def told(workspace):
    return sum(trial.is_told for trial in course(workspace).trials)


def the_budget(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        [budget] = ledger.budgets()
    return budget


def test_the_next_trial_is_launched_by_whoever_watches_and_no_command_is_typed(sky, tmp_path):
    workspace = sky_workspace(tmp_path, wandb_mode="offline", user="ada")
    shared = 'wandb_mode = "offline"\nrun_root = "/shared/runs"\nsky_accelerator = "H100"\n'
    (tmp_path / "pyproject.toml").write_text(f"[tool.experiments]\n{shared}")
    search = search_of(trials=2, at_once=1, seeds=choosing_seeds(1), budget="study")
    with allow_launch() as permit:
        with open_ledger(workspace) as ledger:
            ledger.grant("study", Limits(jobs=2), "test")
            open_search(ledger, search, permit)
        assert take_step(workspace, permit).problems == []
    assert len(sky.jobs()) == 1
    with following(workspace.state):
        for number in (1, 2):
            sky.change(number, status="FAILED")
            wait_until(lambda number=number: told(workspace) == number, timeout_s=60)
        wait_until(lambda: not the_budget(workspace).is_open, timeout_s=60)  # the end of the same step
    assert len(sky.jobs()) == 2
    assert not course(workspace).is_open
    budget = the_budget(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        launches = [event.data["by"] for event in ledger.events(kind="launch")]
    assert (budget.jobs, budget.reserved) == (2, 0)
    assert launches[-1] == "command: experiments step, while somebody watched"
