"""`experiments doctor`: every line is true, none hangs, none tells a secret."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from experiments import cli
from experiments.cli.doctor import Check, Finding, all_checks, examine, report
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import submit
from experiments.project.workspace import Workspace
from tests.fakes.answers import data_in
from tests.fakes.launching import plan_in
from tests.fakes.wandb_server import KEY, FakeWandb


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def levels(folder):
    return {finding.name: finding.level for finding in examine(all_checks(folder))}


def found(folder, name):
    return next(finding for finding in examine(all_checks(folder)) if finding.name == name)


def test_a_folder_with_nothing_set_up_has_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert levels(tmp_path) == {
        **dict.fromkeys(("settings", "state", "disk", "packages"), "ok"),
        **dict.fromkeys(("ledger", "W&B key", "W&B server", "run_root", "SkyPilot", "chromium"), "off"),
        **dict.fromkeys(("git", "uv"), "warn"),
    }
    assert not (tmp_path / ".experiments").exists()


def test_a_project_with_jobs_is_well(project, capsys):
    workspace = Workspace.find(project)
    with allow_launch() as permit:
        submit(plan_in(workspace, launcher="dry-run"), permit, workspace)
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan_in(workspace))
    assert found(project, "ledger").text == "5 jobs of 1 experiment"
    assert cli.run(["doctor"]) == 0
    assert "! warn  git" in capsys.readouterr().out


def test_a_damaged_ledger_is_a_failure_with_the_command_that_mends_it(project, capsys):
    (Workspace.find(project).state / "ledger.sqlite").write_bytes(b"not a database, and longer than a header" * 50)
    assert cli.run(["doctor", "--json"]) == 1
    [finding] = [each for each in data_in(capsys.readouterr().out)["findings"] if each["name"] == "ledger"]
    assert (finding["level"], finding["mend"]) == ("fail", "uv run experiments doctor --rebuild")


def test_a_wrong_setting_is_one_failure_and_the_rest_is_looked_at(project):
    (project / "pyproject.toml").write_text("[tool.experiments]\nlauncher = 'slurm'\n")
    assert (levels(project)["settings"], levels(project)["packages"]) == ("fail", "ok")


def test_a_state_folder_that_cannot_be_made_says_how_to_name_another(project, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_HOME", "/dev/null/state")
    finding = found(project, "state")
    assert (finding.level, finding.mend) == ("fail", "export EXPERIMENTS_HOME=DIR")


@pytest.mark.parametrize(("key", "level"), [(KEY, "ok"), ("b" * 40, "fail")])
def test_the_wandb_server_is_asked_and_the_key_is_never_shown(project, monkeypatch, capsys, key, level):
    with FakeWandb() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.base_url)
        monkeypatch.setenv("WANDB_API_KEY", key)
        assert [found(project, name).level for name in ("W&B key", "W&B server")] == ["ok", level]
        cli.run(["doctor"])
        cli.run(["doctor", "--json"])
    printed = capsys.readouterr()
    assert key not in printed.out + printed.err


def test_a_secret_in_what_a_check_stumbles_over_is_masked(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "planted-secret-value")

    def stumble():
        raise RuntimeError("refused planted-secret-value at https://user:pass99word@host/x")

    [finding] = examine([Check("x", stumble)])
    text = "".join(report([finding])) + repr(finding)
    assert finding.level == "fail"
    assert not [secret for secret in ("planted-secret-value", "pass99word") if secret in text]


def test_without_a_network_nothing_waits_long(project, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    began = time.monotonic()
    finding = found(project, "W&B server")
    assert (finding.level, "EXPERIMENTS_WANDB_MODE=offline" in finding.mend) == ("warn", True)
    assert time.monotonic() - began < 8


def test_a_check_that_hangs_is_given_up_and_the_others_are_shown():
    gate = threading.Event()
    checks = [
        Check("hangs", lambda: gate.wait(60) and Finding("hangs", "ok", ""), 0.2),
        Check("works", lambda: Finding("works", "ok", "well"), 0.2),
        Check("slow", lambda: gate.wait(0.4) or Finding("slow", "ok", "late but allowed"), 5.0),
    ]
    findings = examine(checks)
    gate.set()
    assert [(finding.name, finding.level) for finding in findings] == [
        ("hangs", "warn"),
        ("works", "ok"),
        ("slow", "ok"),
    ]
    assert findings[0].text == "no answer within 0.2 s"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pipes of a child that was ended
def test_a_skypilot_interpreter_without_skypilot_says_how_to_install_it(project, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_SKY_PYTHON", sys.executable)
    finding = found(project, "SkyPilot")
    assert (finding.level, "skypilot==0.14" in finding.mend) == ("warn", True)
    monkeypatch.setenv("EXPERIMENTS_LAUNCHER", "skypilot")
    assert found(project, "SkyPilot").level == "fail"


def test_a_run_root_is_looked_at(project, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPERIMENTS_RUN_ROOT", str(tmp_path))
    assert found(project, "run_root").level == "ok"
    monkeypatch.setenv("EXPERIMENTS_RUN_ROOT", "/nowhere/runs")
    assert found(project, "run_root").level == "warn"
    assert not list(tmp_path.glob(".doctor*"))
