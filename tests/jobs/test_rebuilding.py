"""A ledger that is gone or damaged is made again from the files beside it, and loses nothing that these have."""

from __future__ import annotations

import pytest

from experiments import cli
from experiments.jobs.designs import record_journal
from experiments.jobs.journal import Journal, Rule, add_tag, kept_notes, recorded_journals, write_entry
from experiments.jobs.ledger import open_ledger, told
from experiments.jobs.ledger.mending import rebuild
from experiments.launch import allow_launch, cancel, reconcile, retry, start_next, submit
from experiments.project.errors import LedgerError
from experiments.project.snapshots import unneeded
from experiments.project.standing import standing
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


def launched(workspace, **options):
    plan = plan_in(workspace, **options)
    with allow_launch() as permit:
        submit(plan, permit, workspace)
    return plan, [job.run_name for job in plan.jobs]


def damage(workspace):
    path = workspace.state / "ledger.sqlite"
    path.write_bytes(b"\x00" * 8192)


def test_a_rebuilt_ledger_has_the_same_identity_plans_and_jobs(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    plan, names = launched(workspace)
    wait_for_end(workspace, names)
    with open_ledger(workspace) as ledger:
        before, jobs = ledger.id, ledger.jobs()
    damage(workspace)
    result = rebuild(workspace.state)
    assert (result.jobs, result.waiting, result.problems) == (5, [], [])
    assert result.kept_as.exists()
    with open_ledger(workspace) as ledger:
        assert (ledger.id, ledger.plan(plan.key)) == (before, plan)
        assert [(job.run_name, job.state, job.launcher_id) for job in ledger.jobs()] == [
            (job.run_name, "submitted", job.run_name) for job in jobs
        ]


def test_what_runs_as_the_ledger_is_rebuilt_keeps_its_checkout_and_its_packages(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("wait"))
    _, [name] = launched(workspace, seeds=[0])
    wait_until(lambda: words_of(workspace, [name])[name] == "RUNNING")
    with open_ledger(workspace) as ledger:
        before = ledger.snapshots_in_use(), ledger.programs_in_use()
        told_of_it = ledger.spec(name)
    damage(workspace)
    rebuild(workspace.state)
    with open_ledger(workspace) as ledger:
        assert (ledger.snapshots_in_use(), ledger.programs_in_use()) == before
        assert ledger.spec(name)["env"] == told_of_it["env"]
    assert unneeded(workspace.state, before[0]) == []
    with allow_launch() as permit:
        cancel([name], permit, workspace)
    wait_for_end(workspace, [name])


def test_a_ledger_that_is_gone_loses_no_hypothesis_and_no_note(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    plan = plan_in(workspace, seeds=[0])
    journal = Journal(hypothesis="It learns.", rule=Rule(metric="reward", direction="higher", effect=0.1))
    with allow_launch() as permit:
        record_journal(plan, journal, permit, workspace)
        submit(plan, permit, workspace)
        write_entry("exp", "Looks odd.", permit, workspace)
        add_tag([plan.jobs[0].run_name], "odd", permit, workspace)
    wait_for_end(workspace, [plan.jobs[0].run_name])
    notes = kept_notes(workspace, "exp")
    with (workspace.state / told.FILE).open("a") as file:
        file.write('[1.0, "jou')  # whoever wrote this was killed
    for file in workspace.state.glob("ledger.sqlite*"):
        file.unlink()
    assert [f"{told.FILE}, line" in problem for problem in rebuild(workspace.state).problems] == [True]
    [recorded] = recorded_journals(workspace, [plan.key])
    assert recorded.journal == journal
    assert kept_notes(workspace, "exp") == notes
    with open_ledger(workspace) as ledger:
        assert ledger.annotations([plan.jobs[0].run_name])[plan.jobs[0].run_name].tags == ("odd",)
        add_entry = len(ledger.events())
    with allow_launch() as permit:
        write_entry("exp", "Mended.", permit, workspace)
    rows, problems = told.read(workspace.state)
    assert (len(problems), rows[-1][1]) == (1, "journal_note")
    with open_ledger(workspace) as ledger:
        assert len(ledger.events()) == add_entry + 1


def test_a_rebuilt_ledger_knows_which_runs_are_no_seeds_and_which_attempt_each_is(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    _, names = launched(workspace, seeds=[3], same_seed=2)
    wait_for_end(workspace, names)
    with allow_launch() as permit:
        names.append(retry(names[1], permit, workspace).run_name)
    wait_for_end(workspace, names)
    with open_ledger(workspace) as ledger:
        before = ledger.jobs()
    assert [(job.role, job.replicate, job.attempt) for job in before] == [
        ("seed", 0, 1),
        ("replicate", 1, 1),
        ("replicate", 1, 2),
    ]
    damage(workspace)
    assert rebuild(workspace.state).problems == []
    with open_ledger(workspace) as ledger:
        assert [(job.run_name, standing(job), job.attempt) for job in ledger.jobs()] == [
            (job.run_name, standing(job), job.attempt) for job in before
        ]


def test_after_a_rebuild_what_ran_does_not_run_again_and_what_waited_can_be_launched(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:0.5"), max_parallel=1)
    plan, names = launched(workspace, seeds=range(3))
    with allow_launch() as permit:
        cancel(names[1:2], permit, workspace)
        damage(workspace)
        assert rebuild(workspace.state).waiting == [names[2]]
        assert start_next(workspace) == []
        submit(plan, permit, workspace)
    wait_for_end(workspace, names)
    assert starts(workspace) == sorted([names[0], names[2]])
    assert words_of(workspace, names)[names[1]] == "CANCELLED"


def test_what_another_launcher_may_have_is_in_doubt_until_it_is_asked(tmp_path, monkeypatch):
    workspace, cluster = workspace_at(tmp_path), FileCluster(tmp_path)
    monkeypatch.setitem(__import__("experiments.jobs.handover").jobs.handover.LAUNCHERS, "skypilot", lambda _: cluster)
    _, names = launched(workspace, launcher="skypilot")
    damage(workspace)
    rebuild(workspace.state)
    with open_ledger(workspace) as ledger:
        assert {job.state for job in ledger.jobs()} == {"submitting"}
        assert reconcile(ledger, workspace).found == names
        assert [job.launcher_id for job in ledger.jobs()] == [job["id"] for job in cluster.jobs()]


def test_notes_of_a_ledger_that_can_still_be_read_are_kept(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command())
    _, names = launched(workspace)
    with open_ledger(workspace) as ledger:
        ledger.annotate(names[:1], note="keep me")
    wait_for_end(workspace, names)
    rebuild(workspace.state)
    with open_ledger(workspace) as ledger:
        assert ledger.annotations(names)[names[0]].note == "keep me"


def test_damaged_files_are_named_and_the_rest_is_kept(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    _, names = launched(workspace, seeds=range(2))
    wait_for_end(workspace, names)
    (workspace.runs / names[0] / "job.json").write_text("{")
    damage(workspace)
    result = rebuild(workspace.state)
    assert result.jobs == 2
    assert len(result.problems) == 1
    assert names[0] in result.problems[0]
    assert start_next(workspace) == []
    assert starts(workspace) == sorted(names)


def test_a_rebuild_that_was_killed_half_way_can_be_repeated(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command())
    _, names = launched(workspace)
    wait_for_end(workspace, names)
    (workspace.state / "ledger.sqlite").unlink()
    (workspace.state / "ledger.rebuild").mkdir()
    (workspace.state / "ledger.rebuild" / "ledger.sqlite").write_bytes(b"half")
    with pytest.raises(LedgerError, match="rebuild"):
        open_ledger(workspace)
    assert rebuild(workspace.state).jobs == 5
    assert not (workspace.state / "ledger.rebuild").exists()


def test_a_status_of_a_damaged_ledger_does_not_say_that_there_is_no_job(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPERIMENTS_HOME", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.sqlite").write_text("not a database, and long enough to be read as one" * 40)
    assert cli.run(["status"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "is damaged" in said.err
    assert "experiments doctor --rebuild" in said.err
