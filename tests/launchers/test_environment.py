from __future__ import annotations

from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.launchers.environment import job_environment, tracker_of
from experiments.settings import Settings
from tests.fakes.launching import plan_in, workspace_at


def test_a_tag_that_wandb_would_split_is_refused(tmp_path):
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("a,b",))
    with pytest.raises(UsageError, match="'a,b'"):
        job_environment(plan, plan.jobs[0], Settings(), Path("run"))


def test_a_tag_that_holds_a_secret_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("by hunter2-hunter2",))
    with pytest.raises(UsageError, match=r"tag 'by \*\*\*' holds a secret"):
        job_environment(plan, plan.jobs[0], Settings(), Path("run"))


def test_the_users_own_number_of_threads_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    plan = plan_in(workspace_at(tmp_path))
    environment = job_environment(plan, plan.jobs[0], Settings(), Path("run"))
    assert (environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]) == ("4", "1")


def test_an_entity_is_set_only_where_there_is_one(tmp_path):
    plan = plan_in(workspace_at(tmp_path))
    assert "WANDB_ENTITY" not in job_environment(plan, plan.jobs[0], Settings(), Path("run"))
    named = job_environment(plan, plan.jobs[0], Settings(wandb_entity="team"), Path("run"))
    assert named["WANDB_ENTITY"] == "team"


def test_the_tracker_is_offline_or_the_project(tmp_path):
    plan = plan_in(workspace_at(tmp_path))
    assert tracker_of(plan, Settings()) == "offline"
    online = plan.model_copy(update={"wandb_mode": "online"})
    assert tracker_of(online, Settings(wandb_entity="team", wandb_project="p")) == "team/p"
