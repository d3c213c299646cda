"""From a job to a SkyPilot task: pure, and checked against SkyPilot's own schema in tests/slurm."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from experiments.jobs.launchers.base import JobSpec
from experiments.jobs.launchers.sky.task import Code, code_of, task_of, task_yaml, with_secrets
from experiments.project.errors import UsageError
from experiments.project.git import Tree
from experiments.project.settings import Settings
from experiments.types import TrainingJobConfig

PUSHED = Tree("clean", commit="c" * 40, pushed="yes")
UPLOAD = Code(None, None, Path("/home/ada/project"))


def job(name="ada.arena.base.s0.abcdefgh", mode="online", **config):
    env = {"WANDB_MODE": mode, "WANDB_RUN_ID": name, "EXPERIMENTS_RUN_DIR": f"/shared/{name}"}
    command = ("{python}", "-P", "-m", "experiments.trainer", f"run={name}", "trainer.note=it's $HOME")
    described = TrainingJobConfig(**{"curriculum": "arena", "gpus": 0, **config})
    return JobSpec(name, command, Path("/runs") / name, described, env, "arena", "plan-1", "ledger-1")


def task(settings=None, code=UPLOAD, **config):
    return task_of(job(**config), settings or Settings(), code)


def test_what_a_job_asks_for_becomes_resources():
    made = task(
        accelerator="H100:4", cpus="8+", memory="32+", disk_gb=200, infra="aws/us-east-1", spot=True,
        max_hourly_cost=20.0, recovery="FAILOVER", max_restarts_on_errors=3,
    )  # fmt: skip
    assert made["resources"] == {
        "infra": "aws/us-east-1",
        "accelerators": "H100:4",
        "cpus": "8+",
        "memory": "32+",
        "disk_size": 200,
        "use_spot": True,
        "max_hourly_cost": 20.0,
        "job_recovery": {"strategy": "FAILOVER", "max_restarts_on_errors": 3},
    }


def test_the_settings_fill_in_what_a_job_leaves_out():
    settings = Settings(sky_infra="slurm/lab", sky_accelerator="L4", sky_cpus="4", sky_memory="16+")
    assert task(settings, gpus=2)["resources"] == {
        "infra": "slurm/lab",
        "accelerators": "L4:2",
        "cpus": "4",
        "memory": "16+",
    }
    assert task(settings, gpus=0, cpus="2")["resources"] == {"infra": "slurm/lab", "cpus": "2", "memory": "16+"}


def test_gpus_of_no_kind_are_refused_with_the_setting_that_names_one():
    with pytest.raises(UsageError, match=r"4 GPU\(s\) of no kind.*EXPERIMENTS_SKY_ACCELERATOR=H100.*--gpus 0"):
        task(gpus=4)


def test_the_environment_marks_the_job_as_ours_and_holds_no_key(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    made = task()
    assert made["envs"]["EXPERIMENTS_LEDGER_ID"] == "ledger-1"
    assert made["envs"]["EXPERIMENTS_PLAN_KEY"] == "plan-1"
    told = with_secrets(made, {"WANDB_API_KEY": "k" * 40})
    assert told["secrets"] == {"WANDB_API_KEY": "k" * 40}
    assert "k" * 40 not in str(made) + task_yaml(made) + task_yaml(told)
    assert "secrets" not in task(mode="offline")


@pytest.mark.parametrize("temporary", ["", "/nowhere"])
def test_a_node_tells_wandb_the_rule_that_was_recorded_or_nothing_where_it_can_keep_no_file(temporary, tmp_path):
    design = "abc: b's $reward above a"
    described = dataclasses.replace(
        job(), command=("sh", "-c", 'cat "${WANDB_SWEEP_PARAM_PATH:-/dev/null}"'), design=design
    )
    made = task_of(described, Settings(), UPLOAD)
    env = {"PATH": os.environ["PATH"], **({"TMPDIR": temporary} if temporary else {})}
    done = subprocess.run(["bash", "-c", made["run"]], env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["experiments"]["value"] if done.stdout else {}
    assert found == ({} if temporary else {"design": design})
    assert "WANDB_SWEEP" not in task()["run"]


def test_the_command_is_quoted_and_runs_in_the_script_that_keeps_the_log():
    made = task(Settings(sky_node_python="/opt/py"), max_runtime_hours=1.5)
    command = "timeout --signal=TERM --kill-after=60 5400 /opt/py -P -m experiments.trainer run=ada.arena"
    assert command in made["run"]
    assert """'trainer.note=it'"'"'s $HOME'""" in made["run"]
    assert "train.log" in made["run"]


def test_a_pushed_commit_is_cloned_and_anything_else_uploaded():
    address = "https://ada:token@git.example/ada/project.git"
    cloned = code_of(Path("/p"), PUSHED, address, "auto", within="research")
    assert cloned.workdir() == {"url": "https://git.example/ada/project.git", "ref": "c" * 40}
    assert task(code=cloned)["setup"].startswith("cd research || exit 1\n")
    for tree, remote in [(Tree("dirty", commit="c"), address), (PUSHED, None), (PUSHED, "/srv/git/p.git")]:
        assert code_of(Path("/p"), tree, remote, "auto").workdir() == "/p"
    assert code_of(Path("/p"), PUSHED, address, "upload").workdir() == "/p"
    ssh = "git@git.example:ada/project.git"
    assert code_of(Path("/p"), PUSHED, ssh, "auto").workdir() == "/p"
    assert code_of(Path("/p"), PUSHED, ssh, "git").workdir() == {"url": ssh, "ref": "c" * 40}
    with pytest.raises(UsageError, match=r"sky_workdir='git', but.*EXPERIMENTS_SKY_WORKDIR=upload"):
        code_of(Path("/p"), Tree("dirty", commit="c"), address, "git")


@pytest.mark.parametrize(
    ("change", "told"),
    [({"name": "7up.arena.base.s0.abcdefgh"}, "has to start with a letter"), ({"nodes": 2}, "runs on one node")],
)
def test_what_skypilot_or_the_trainer_cannot_do_is_refused_before_anything_is_sent(change, told):
    with pytest.raises(UsageError, match=told):
        task(**change)


def test_the_yaml_is_read_back_as_the_very_task_and_shows_texts_as_blocks():
    settings = Settings(sky_setup="echo 'a: b # c'\n\n  indented\nyes", sky_cpus="8")
    made = task(settings, memory="1+", nodes=1)
    text = task_yaml(made)
    assert yaml.safe_load(text) == made
    assert "setup: |-\n  echo 'a: b # c'\n\n    indented\n  yes\n" in text


@pytest.mark.parametrize(
    "value", ["yes", "1e3", "a: b", "#c", "é\nü", " lead\nx", "tab\t\n", "x\n\n", "", "\n", "0x1", "~"]
)
def test_any_text_survives_the_yaml(value):
    assert yaml.safe_load(task_yaml({"setup": value, "envs": {"A": value}})) == {"setup": value, "envs": {"A": value}}


def test_a_task_is_made_without_a_network_or_skypilot(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    assert task()["name"] == "ada.arena.base.s0.abcdefgh"
