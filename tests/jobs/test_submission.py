from __future__ import annotations

import subprocess
import sys

import pytest

from experiments.jobs import handover, specs
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.launch import (
    allow_launch,
    cancel,
    launcher_for,
    next_repeat,
    reconcile,
    retry,
    start_next,
    statuses,
    submit,
)
from experiments.project.errors import LaunchError, LaunchRefused, LedgerError, UsageError
from experiments.project.provenance import Provenance
from experiments.project.snapshots import is_there
from tests.fakes.launching import (
    FileCluster,
    plan_in,
    starts,
    trainer_command,
    wait_for_end,
    words_of,
    workspace_at,
)
from tests.fakes.waiting import wait_until


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path, command=trainer_command("count"))


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    made = FileCluster(tmp_path)
    monkeypatch.setitem(handover.LAUNCHERS, "skypilot", lambda _: made)
    return made


@pytest.fixture
def permit():
    with allow_launch() as issued:
        yield issued


def names_of(cluster):
    return sorted(job["name"] for job in cluster.jobs())


def test_without_a_permit_nothing_is_recorded_or_launched(workspace):
    plan = plan_in(workspace)
    for act in (
        lambda: submit(plan, None, workspace),
        lambda: cancel([plan.jobs[0].run_name], None, workspace),
        lambda: retry(plan.jobs[0].run_name, None, workspace),
    ):
        with pytest.raises(LaunchRefused):
            act()
    with open_ledger(workspace) as ledger:
        assert ledger.jobs() == []


def test_a_dry_run_needs_no_permit_and_leaves_no_trace(workspace):
    plan = plan_in(workspace, launcher="dry-run")
    jobs = submit(plan, None, workspace)
    assert [(job.run_name, job.state) for job in jobs] == [(job.run_name, "planned") for job in plan.jobs]
    with open_ledger(workspace) as ledger:
        assert ledger.jobs() == []
    assert list(workspace.runs.iterdir()) == []


def test_the_same_plan_again_gives_the_same_jobs_and_starts_none(workspace, permit):
    plan = plan_in(workspace)
    first = submit(plan, permit, workspace)
    wait_for_end(workspace, [job.run_name for job in first])
    second = submit(plan, permit, workspace)
    assert [(job.run_name, job.launcher_id) for job in second] == [(job.run_name, job.launcher_id) for job in first]
    assert starts(workspace) == sorted(job.run_name for job in first)


def test_eight_processes_that_submit_one_plan_at_once_launch_each_job_once(workspace, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.fakes.launching import *; from experiments.launch import *\n"
        "from experiments.jobs import handover; folder = Path(sys.argv[1])\n"
        "workspace = workspace_at(folder, command=trainer_command('count'))\n"
        "cluster = FileCluster(folder); handover.LAUNCHERS['skypilot'] = lambda _: cluster\n"
        "with allow_launch() as permit:\n"
        "    for launcher in ('local', 'skypilot'):\n"
        "        print(len(submit(plan_in(workspace, launcher=launcher), permit, workspace)))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert {process.communicate()[0] for process in started} == {"5\n5\n"}
    names = [job.run_name for job in plan_in(workspace).jobs]
    wait_for_end(workspace, names)
    assert starts(workspace) == sorted(names)
    cluster = FileCluster(tmp_path)
    assert len(names_of(cluster)) == len(set(names_of(cluster))) == 5


def test_what_a_launcher_refused_can_be_completed(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot")
    names = [job.run_name for job in plan.jobs]
    cluster.refuses = set(names[1:3])
    with pytest.raises(LaunchError, match=r"3 of 5 jobs launched, 2 failed.*no machine") as caught:
        submit(plan, permit, workspace)
    states = ["submitted", "refused", "refused", "submitted", "submitted"]
    assert [job.state for job in caught.value.jobs] == states
    assert {job.state for job in submit(plan, permit, workspace)} == {"submitted"}
    assert names_of(cluster) == sorted(names)


def test_an_error_that_nobody_foresaw_leaves_its_job_in_doubt_and_launches_the_rest(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot")
    doubtful = plan.jobs[2].run_name
    submit_one = cluster.submit
    cluster.submit = lambda job: submit_one(job) if job.run_name != doubtful else _launch_then_fail(submit_one, job)
    with pytest.raises(LaunchError, match="RuntimeError: no answer") as caught:
        submit(plan, permit, workspace)
    assert [job.state for job in caught.value.jobs].count("submitting") == 1
    cluster.submit = submit_one
    assert {job.state for job in submit(plan, permit, workspace)} == {"submitted"}
    assert names_of(cluster) == sorted(job.run_name for job in plan.jobs)


def test_an_interrupt_leaves_one_job_in_doubt_and_the_untried_planned(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot")
    submit_one = cluster.submit
    cluster.submit = lambda job: submit_one(job) if job != plan.jobs[1] and not cluster.jobs() else _interrupt()
    with pytest.raises(KeyboardInterrupt):
        submit(plan, permit, workspace)
    with open_ledger(workspace) as ledger:
        assert [job.state for job in ledger.jobs()] == ["submitted", "submitting", "planned", "planned", "planned"]
        assert reconcile(ledger, workspace).absent == [plan.jobs[1].run_name]


@pytest.mark.parametrize("there", [True, False])
def test_unknown_changes_nothing_whether_the_job_is_there_or_not(workspace, cluster, permit, there):
    plan, name = _in_doubt(workspace, cluster, there=there)
    cluster.unreachable = "the server is down"
    with open_ledger(workspace) as ledger:
        before = ledger.jobs()
        events = ledger.events()
        assert reconcile(ledger, workspace).unknown == {name: "the server is down"}
        assert (ledger.jobs(), ledger.events()) == (before, events)
    [job] = submit(plan, permit, workspace)
    assert (job.state, "the server is down" in job.error) == ("submitting", True)
    cluster.unreachable = ""
    assert submit(plan, permit, workspace)[0].state == "submitted"
    assert names_of(cluster) == [name]


@pytest.mark.parametrize(("there", "state"), [(True, "submitted"), (False, "planned")])
def test_a_look_at_the_jobs_settles_one_in_doubt_and_launches_nothing(workspace, cluster, permit, there, state):
    _, name = _in_doubt(workspace, cluster, there=there)
    before = names_of(cluster)
    assert start_next(workspace) == []
    with open_ledger(workspace) as ledger:
        assert [job.state for job in ledger.jobs(run_names=[name])] == [state]
    assert names_of(cluster) == before


def test_a_job_intended_for_another_target_is_left_alone(workspace, cluster, permit):
    plan, _ = _in_doubt(workspace, cluster, there=False, target="another cluster")
    assert submit(plan, permit, workspace)[0].state == "submitting"
    assert names_of(cluster) == []


def test_a_job_that_another_process_hands_over_is_left_to_it(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot", seeds=[0])
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan)
        assert ledger.intend({plan.jobs[0].run_name: {}}, cluster.target(), owner)
        assert submit(plan, permit, workspace)[0].state == "submitting"
        [reason] = reconcile(ledger, workspace).unknown.values()
        assert "handed over by process" in reason
    assert names_of(cluster) == []


def test_a_plan_for_a_place_that_is_not_in_use_any_more_is_refused(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot").model_copy(update={"target": "old-cluster"})
    with pytest.raises(LaunchError, match=r"'old-cluster'.*'file-cluster'"):
        submit(plan, permit, workspace)


def test_a_full_disk_at_the_intent_launches_nothing(workspace, cluster, permit, monkeypatch):
    plan = plan_in(workspace, launcher="skypilot", seeds=range(300))
    opened = open_ledger(workspace)
    pages = opened._connection.execute("PRAGMA page_count").fetchone()[0]
    opened._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    monkeypatch.setattr("experiments.jobs.submission.open_ledger", lambda _: opened)
    with pytest.raises(LedgerError, match=r"disk is full.*nothing is launched without a record"):
        submit(plan, permit, workspace)
    assert cluster.jobs() == []


def test_an_unknown_launcher_is_an_error_that_lists_the_others(workspace):
    with pytest.raises(LaunchError, match=r"'slurm' does not exist\. Launchers: local, skypilot, dry-run"):
        launcher_for("slurm", workspace)


def test_who_launched_and_with_what_code_is_recorded(workspace, permit):
    plan = plan_in(workspace)
    submit(plan, permit, workspace)
    with open_ledger(workspace) as ledger:
        recorded = Provenance.recorded(ledger.provenance(plan.key))
        assert recorded.own is not None
        assert is_there(workspace.state, recorded.own.snapshot.id)
        assert [event.data["by"] for event in ledger.events(plan_key=plan.key) if event.kind == "launch"] == [
            "allow_launch"
        ]
    wait_for_end(workspace, [job.run_name for job in plan.jobs])


def test_a_retry_is_a_further_attempt_of_the_same_arm_and_seed_once(tmp_path, permit):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "print:{run}", "sleep:2", "exit:1"))
    plan = plan_in(workspace, seeds=[3])
    [first] = submit(plan, permit, workspace)
    wait_for_end(workspace, [first.run_name])
    second = retry(first.run_name, permit, workspace)
    assert retry(first.run_name, permit, workspace).run_name == second.run_name
    assert (second.arm, second.seed, second.attempt, second.retry_of) == ("base", 3, 2, first.run_name)
    wait_for_end(workspace, [second.run_name])
    assert starts(workspace) == sorted([first.run_name, second.run_name])
    log = (workspace.runs / second.run_name / "train.log").read_text()
    assert log.strip() == second.run_name
    third = retry(second.run_name, permit, workspace)
    assert (third.attempt, third.retry_of) == (3, second.run_name)
    wait_for_end(workspace, [third.run_name])


def test_a_job_that_has_not_ended_is_not_retried(tmp_path, permit):
    workspace = workspace_at(tmp_path, command=trainer_command("wait"))
    [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    with pytest.raises(UsageError, match="has not ended"):
        retry(job.run_name, permit, workspace)
    cancel([job.run_name], permit, workspace)
    wait_for_end(workspace, [job.run_name])
    assert retry(job.run_name, permit, workspace).attempt == 2
    with open_ledger(workspace) as ledger:
        names = [job.run_name for job in ledger.jobs()]
    cancel(names, permit, workspace)
    wait_for_end(workspace, names)


def test_a_job_that_was_refused_is_launched_itself_by_a_retry(workspace, cluster, permit):
    plan = plan_in(workspace, launcher="skypilot", seeds=[0])
    name = plan.jobs[0].run_name
    cluster.refuses = {name}
    with pytest.raises(LaunchError):
        submit(plan, permit, workspace)
    assert retry(name, permit, workspace).run_name == name
    assert names_of(cluster) == [name]


def test_cancel_and_retry_name_the_job_that_does_not_exist(workspace, permit):
    for act in (cancel, lambda names, *rest: retry(names[0], *rest)):
        with pytest.raises(UsageError, match=r"no job 'nobody'.*experiments status"):
            act(["nobody"], permit, workspace)


def test_cancel_of_planned_and_doubtful_jobs_keeps_them_from_ever_being_launched(workspace, cluster, permit):
    plan, _ = _in_doubt(workspace, cluster, there=False, seeds=range(2))
    names = [job.run_name for job in plan.jobs]
    assert set(cancel(names, permit, workspace).values()) == {"cancelled before it was launched"}
    assert {job.state for job in submit(plan, permit, workspace)} == {"cancelled"}
    assert names_of(cluster) == []


def test_cancel_of_a_doubtful_job_that_is_there_ends_it(workspace, cluster, permit):
    _, name = _in_doubt(workspace, cluster, there=True)
    assert cancel([name], permit, workspace) == {name: "asked to end"}
    assert cluster.cancelled == [(name, "1")]


def test_the_next_repeat_starts_when_all_jobs_of_the_latest_have_ended(tmp_path, permit):
    workspace = workspace_at(tmp_path, command=trainer_command("print:up", "wait"), max_parallel=1)

    def planned(number):
        return plan_in(workspace, seeds=range(2), repeat=number)

    def repeat(**options):
        with open_ledger(workspace) as ledger:
            return next_repeat(planned, ledger, workspace, **options)

    assert repeat() == 1
    names = [job.run_name for job in submit(planned(1), permit, workspace)]
    assert (repeat(), repeat(again=True)) == (1, 2)
    cancel(names[:1], permit, workspace)
    wait_until(lambda: words_of(workspace, names)[names[0]] == "CANCELLED")
    assert repeat() == 1
    cancel(names, permit, workspace)
    wait_for_end(workspace, names)
    assert repeat() == 2


def test_a_repeat_whose_jobs_cannot_be_asked_for_is_attached_to(workspace, cluster, permit):
    submit(plan_in(workspace, launcher="skypilot"), permit, workspace)
    cluster.unreachable = "down"
    with open_ledger(workspace) as ledger:
        number = next_repeat(lambda n: plan_in(workspace, launcher="skypilot", repeat=n), ledger, workspace)
        assert statuses(ledger.jobs(), ledger, workspace) == {}
    assert number == 1


def _in_doubt(workspace, cluster, *, there, target="file-cluster", seeds=(0,)):
    """Record a plan whose first job was handed over by a process that was killed before it heard of the answer."""
    plan = plan_in(workspace, launcher="skypilot", seeds=seeds)
    name = plan.jobs[0].run_name
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
        with tenure() as owner:
            ledger.intend({name: {}}, target, owner)
        if there:
            spec = specs.job_specs(plan, plan.jobs, workspace)[plan.jobs[0].run_name]
            cluster.submit(specs.told(ledger.jobs()[0], spec, ledger.id, workspace))
    return plan, name


def _launch_then_fail(submit_one, job):
    submit_one(job)
    raise RuntimeError("no answer")


def _interrupt():
    raise KeyboardInterrupt
