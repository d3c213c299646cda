from __future__ import annotations

import pytest

from experiments.jobs.launchers.base import Absent, JobSpec
from experiments.jobs.specs import job_specs
from experiments.launch import launcher_for
from experiments.project.errors import LaunchError
from tests.fakes.launching import plan_in, workspace_at


def test_a_dry_run_answers_everything_and_does_nothing(tmp_path):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, seeds=[0], launcher="dry-run")
    launcher = launcher_for("dry-run", workspace)
    told = job_specs(plan, plan.jobs, workspace)[plan.jobs[0].run_name]
    spec = JobSpec(plan.jobs[0].run_name, tuple(told["command"]), workspace.runs / "run", plan.jobs[0].config)
    assert launcher.submit(spec) == plan.jobs[0].run_name
    assert launcher.find(spec.run_name, launcher.target()) == Absent()
    assert (launcher.poll({spec.run_name: ""}), list(launcher.logs(spec.run_name, ""))) == ({}, [])
    launcher.cancel([(spec.run_name, "")])
    assert list(workspace.runs.iterdir()) == []


def test_a_launcher_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    with pytest.raises(LaunchError, match=r"launcher 'slurm' does not exist\. Launchers: local, skypilot, dry-run"):
        launcher_for("slurm", workspace_at(tmp_path))
