"""What a supervisor is told of a job with a `stop_when`: a real ledger, and a tracker that does not answer."""

from __future__ import annotations

import dataclasses
import json

from experiments.cli import stopping
from experiments.jobs.permits import allow_launch
from experiments.launch import submit
from experiments.monitoring import sources_of
from experiments.project.errors import StoreError
from experiments.types import StopWhen
from tests.fakes.launching import plan_in, wait_for_end, workspace_at
from tests.fakes.wandb_files import offline_run, run, summary


def test_a_step_is_told_where_the_tracker_has_the_run_and_answers(tmp_path, monkeypatch, capsys):
    workspace = workspace_at(tmp_path, in_place=True, wandb_mode="offline")
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=(0,)), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    arguments = [str(workspace.state), job.run_name, StopWhen(idle_minutes=1).model_dump_json()]
    assert stopping.main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"step": None, "is_told": False, "reason": ""}
    offline_run(workspace.runs, job.run_name).write(run(job.run_name), summary({"metric/agent_step": 5}))
    assert stopping.main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"step": 5, "is_told": True, "reason": ""}

    def silent(_tracker):
        raise StoreError("the server does not answer")

    monkeypatch.setattr(stopping, "sources_of", lambda state: dataclasses.replace(sources_of(state), store=silent))
    assert stopping.main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {"step": None, "is_told": False, "reason": ""}
