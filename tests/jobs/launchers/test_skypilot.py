"""The SkyPilot launcher: every job exactly once, statuses from one request; the real bridge on a fake SkyPilot."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from experiments.jobs.handover import launcher_for
from experiments.jobs.launchers.base import Absent, Unknown
from experiments.jobs.launchers.sky import words as sky_words
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import cancel, reconcile, statuses, submit
from experiments.monitoring import job_statuses, sources_of
from experiments.project.errors import LaunchError
from experiments.types import TrainingJobConfig
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.skypilot import PAYLOADS, sky_workspace

KEY = "k" * 40


@pytest.fixture(autouse=True)
def no_settling(monkeypatch):
    monkeypatch.setattr(sky_words, "SETTLE_S", 0.0)


@pytest.fixture
def workspace(sky, tmp_path):
    return sky_workspace(tmp_path)


def plan_of(workspace, seeds=(0,), **fields):
    return plan_in(workspace, launcher="skypilot", seeds=list(seeds)).model_copy(update=fields)


def launched(workspace, plan):
    with allow_launch() as permit:
        return submit(plan, permit, workspace)


def test_a_job_is_launched_with_its_marks_and_its_whole_way_is_recorded(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    assert (job.state, job.launcher_id) == ("submitted", "1")
    [queued] = sky.jobs()
    assert queued["name"] == job.run_name
    with open_ledger(workspace) as ledger:
        assert queued["envs"]["EXPERIMENTS_LEDGER_ID"] == ledger.id
        kinds = [event.kind for event in ledger.events(run_name=job.run_name)]
    assert kinds == ["intent", "asking", "code", "request", "accepted"]
    assert (workspace.runs / job.run_name / "task.yaml").read_text().startswith(f"name: {job.run_name}\n")
    assert [path.name for path in (workspace.runs / job.run_name).iterdir()] == ["task.yaml"]


def test_the_key_of_wandb_goes_to_skypilot_alone(workspace, sky, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    launched(workspace, plan_of(workspace, wandb_mode="online"))
    assert sky.jobs()[0]["secrets"] == {"WANDB_API_KEY": KEY}
    kept = [path for path in workspace.state.rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


def test_a_node_that_shall_log_in_without_a_key_here_is_refused_before_anything_is_sent(workspace, sky):
    with pytest.raises(LaunchError, match="no API key is found here"):
        launched(workspace, plan_of(workspace, wandb_mode="online"))
    assert sky.calls() == {}


@pytest.mark.parametrize("step", ["before-post", "after-post", "in-get"])
def test_a_bridge_that_dies_in_a_submission_leaves_exactly_one_job(workspace, sky, step):
    plan = plan_of(workspace)
    sky.fault(die=step)
    # Where nothing was sent that is found out, and the job is refused; else it is found again.
    told = pytest.raises(LaunchError) if step == "before-post" else contextlib.nullcontext()
    with told:
        launched(workspace, plan)
    [job] = launched(workspace, plan)
    assert (job.state, len(sky.jobs())) == ("submitted", 1)


@pytest.mark.parametrize("fault", [{"down": True}, {"login": True}, {"refuse": "no such partition"}])
def test_a_launch_that_skypilot_refuses_leaves_no_job_and_can_be_made_again(workspace, sky, fault):
    plan = plan_of(workspace)
    sky.fault(**fault)
    with pytest.raises(LaunchError) as error:
        launched(workspace, plan)
    assert error.value.jobs[0].state == "refused"
    sky.heal()
    assert launched(workspace, plan)[0].state == "submitted"
    assert len(sky.jobs()) == 1


def in_doubt(workspace, plan):
    """Leave the plan's job as a process leaves it that is killed right after it told the ledger what it would do."""
    [job] = plan.jobs
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan)
        ledger.intend({job.run_name: {}}, plan.target, owner)
        return job.run_name, ledger.id


def test_a_job_in_doubt_while_the_server_is_down_stays_in_doubt(workspace, sky):
    name, _ = in_doubt(workspace, plan_of(workspace))
    sky.fault(down=True)
    with open_ledger(workspace) as ledger:
        assert "does not answer" in reconcile(ledger, workspace).unknown[name]
        assert ledger.jobs()[0].state == "submitting"
    sky.heal()
    with open_ledger(workspace) as ledger:
        assert reconcile(ledger, workspace).absent == [name]


def test_a_job_in_doubt_is_found_by_its_name_and_our_own_double_is_ended_and_told(workspace, sky):
    plan = plan_of(workspace)
    name, ledger_id = in_doubt(workspace, plan)
    ours = {"EXPERIMENTS_LEDGER_ID": ledger_id, "EXPERIMENTS_PLAN_KEY": plan.key}
    sky.add(f"{name}x", **ours)  # the queue's filter finds parts of names
    sky.add(name, EXPERIMENTS_LEDGER_ID="another", EXPERIMENTS_PLAN_KEY=plan.key)
    first, second = sky.add(name, **ours), sky.add(name, **ours)
    with open_ledger(workspace) as ledger:
        assert reconcile(ledger, workspace).found == [name]
        [job] = ledger.jobs(run_names=[name])
    assert job.launcher_id == str(first)
    assert sky.calls()["jobs.cancel"] == 1
    reason = SkyPilotLauncher(workspace).poll({name: str(first)})[name].reason
    assert f"{first} is used, beside {second}; asked {second} to end; job 2 has this name too" in reason


def test_a_job_without_marks_is_taken_for_ours_but_no_double_is_ended_on_its_strength(workspace, sky):
    name, _ = in_doubt(workspace, plan_of(workspace))
    sky.add(name)
    sky.add(name)
    with open_ledger(workspace) as ledger:
        assert reconcile(ledger, workspace).found == [name]
    assert sky.calls()["jobs.cancel"] == 0


def test_another_server_or_another_user_of_skypilot_tells_nothing(workspace, sky):
    name, _ = in_doubt(workspace, plan_of(workspace))
    launcher = SkyPilotLauncher(workspace)
    assert isinstance(launcher.find(name, "http://other:1"), Unknown)
    assert launcher.find(name, launcher.target()) == Absent()
    launcher._note("asking", name, server="http://fake:1", user="somebody-else", client="0.14.1")
    answer = launcher.find(name, launcher.target())
    assert isinstance(answer, Unknown)
    assert "somebody-else" in answer.reason


def test_twenty_jobs_cost_one_question_to_the_queue(workspace, sky):
    jobs = launched(workspace, plan_of(workspace, range(20)))
    before = sky.calls()["queue_v2"]
    found = SkyPilotLauncher(workspace).poll({job.run_name: job.launcher_id for job in jobs})
    assert len(found) == 20
    assert sky.calls()["queue_v2"] == before + 1


def test_a_poll_tells_of_recoveries_and_asks_for_a_history_once_for_each_state(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    recovered = {**PAYLOADS["recovered"], "status": "RUNNING", "job_name": job.run_name, "job_id": 1, "end_at": None}
    sky.change(1, **recovered)
    launcher = SkyPilotLauncher(workspace)
    for _ in range(3):
        status = launcher.poll({job.run_name: "1"})[job.run_name]
    assert (status.word, status.recoveries) == ("RUNNING", 1)
    assert "RECOVERING" in [word for word, _, _ in status.events]
    assert sky.calls()["/jobs/events"] == 1


def test_how_a_job_ended_is_recorded_so_that_nobody_asks_again(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    sky.change(1, **{**PAYLOADS["failed"], "job_name": job.run_name, "job_id": 1})
    SkyPilotLauncher(workspace).poll({job.run_name: "1"})
    asked = sky.calls()["queue_v2"]
    with open_ledger(workspace) as ledger:
        [status] = statuses([job], ledger, workspace).values()
    assert (status.word, status.exit_code) == ("FAILED", 127)
    assert sky.calls()["queue_v2"] == asked


def test_a_known_end_stays_known_when_the_server_is_down_and_its_silence_is_said_of_the_others(workspace, sky):
    first, second = launched(workspace, plan_of(workspace, seeds=(0, 1)))
    number = int(first.launcher_id)  # which of two that are handed over at once comes first, nobody knows
    sky.change(number, **{**PAYLOADS["failed"], "job_name": first.run_name, "job_id": number})
    asked = dataclasses.replace(sources_of(workspace.state), launcher=lambda _: SkyPilotLauncher(workspace))
    assert [status.verdict for status in job_statuses(workspace.state, sources=asked)][:1] == ["failed"]
    sky.fault(down=True)
    ended, other = job_statuses(workspace.state, sources=asked)
    assert (ended.run_name, ended.verdict, ended.scheduler, ended.exit_code) == (
        first.run_name,
        "failed",
        "FAILED",
        127,
    )
    assert (other.run_name, other.verdict) == (second.run_name, "unknown")
    assert other.reason == "skypilot has not answered yet"


def test_an_id_that_became_another_job_is_not_shown_as_ours_and_not_cancelled(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    sky.change(1, job_name="somebody.else")
    assert SkyPilotLauncher(workspace).poll({job.run_name: "1"})[job.run_name].word == "UNKNOWN"
    with (
        pytest.raises(LaunchError, match=r"not cancelled.*job 1 is called 'somebody\.else' there"),
        allow_launch() as permit,
    ):
        cancel([job.run_name], permit, workspace)
    assert sky.calls()["jobs.cancel"] == 0


def test_a_cancelled_job_is_asked_to_end_and_is_not_called_cancelled_yet(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    with allow_launch() as permit:
        assert cancel([job.run_name], permit, workspace) == {job.run_name: "asked to end"}
    assert SkyPilotLauncher(workspace).poll({job.run_name: "1"})[job.run_name].word == "CANCELLING"


def test_a_log_is_read_within_a_deadline(workspace, sky):
    [job] = launched(workspace, plan_of(workspace))
    launcher = SkyPilotLauncher(workspace)
    lines = list(launcher.logs(job.run_name, "1"))
    assert lines[1] == "bash: ./node-python: No such file or directory"
    assert list(launcher.logs(job.run_name, "1", last=1)) == lines[-1:]
    sky.fault(slow_s={"tail_logs": 20})
    with pytest.raises(LaunchError, match=r"no answer to 'logs' within 0\.2 s"):
        launcher.read_log("1", deadline_s=0.2)


def test_the_launcher_is_found_by_its_name_and_starts_nothing_by_itself(workspace, sky):
    assert launcher_for("skypilot", workspace).target() == "http://fake:1"
    assert launcher_for("skypilot", sky_workspace(workspace.root, sky_infra="aws")).target() == "http://fake:1 aws"
    assert sky.calls() == {}


def test_only_what_is_asked_of_skypilot_enters_a_plans_key():
    assert set(TrainingJobConfig(curriculum="a").model_dump()) == {
        *("curriculum", "gpus", "nodes", "spot", "skip_git_check", "wandb_tags", "additional_args")
    }
    assert TrainingJobConfig(curriculum="a", memory="8+").model_dump()["memory"] == "8+"


def test_a_page_with_a_colleagues_job_asks_no_skypilot_where_nobody_uses_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SKYPILOT_API_SERVER_ENDPOINT", raising=False)
    with pytest.raises(LaunchError, match=r"not used here.*EXPERIMENTS_LAUNCHER=skypilot"):
        SkyPilotLauncher(workspace_at(tmp_path)).poll({"eve.arena.base.s0.abcdefgh": "12"})
