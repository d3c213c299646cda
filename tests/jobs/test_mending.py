"""A row that cannot be read costs that row only, is named with the command that mends it, and can be mended."""

from __future__ import annotations

import json

import pytest

from experiments import cli
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.mending import mend, rebuild
from experiments.launch import allow_launch, cancel, next_repeat, retry, start_next, submit
from experiments.monitoring import job_statuses, poll_once
from experiments.project.errors import LedgerError
from experiments.types import TrainingJob
from tests.fakes.answers import data_in
from tests.fakes.launching import (
    plan_in,
    shell,
    starts,
    wait_for_end,
    words_of,
    workspace_at,
)
from tests.fakes.poison import BAD, poison, spoil
from tests.fakes.waiting import wait_until


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    return workspace_at(tmp_path)


@pytest.fixture
def names(workspace):
    """Three planned jobs; the second has a row that cannot be read."""
    plan = plan_in(workspace, seeds=range(3))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    found = [job.run_name for job in plan.jobs]
    poison(workspace.state, found[1])
    return found


def test_a_bad_row_costs_that_row_only_and_is_named(workspace, names):
    with open_ledger(workspace, read_only=True) as ledger:
        assert [job.run_name for job in ledger.jobs()] == [names[0], names[2]]
        assert [row.run_name for row in ledger.rows()] == names
        [bad] = ledger.unreadable()
    assert bad.sentence() == (
        f"the ledger's row of job {names[1]!r} cannot be read (config.additional_args ['l\\x00r']: 'l\\x00r' holds a "
        "NUL, which ends a word of a command line. Leave it out). Mend it: experiments doctor --mend"
    )


def test_status_lists_every_job_names_the_bad_row_and_ends_with_1(workspace, names, monkeypatch, capsys):
    monkeypatch.chdir(workspace.root)
    assert cli.run(["status"]) == 1
    said = capsys.readouterr()
    assert [name for name in names if name in said.out] == names
    assert f"row of job {names[1]!r} cannot be read" in said.err
    assert "experiments doctor --mend" in said.err
    assert cli.run(["status", "--json"]) == 1
    assert [item["run_name"] for item in data_in(capsys.readouterr().out)["jobs"]] == names


def test_a_ledger_that_cannot_be_read_is_an_error_of_status_and_never_no_job(workspace, names, monkeypatch, capsys):
    monkeypatch.chdir(workspace.root)
    spoil(workspace.state, "ALTER TABLE jobs RENAME TO gone")
    assert cli.run(["status"]) == 1
    said = capsys.readouterr()
    assert "No job yet" not in said.out
    assert "is damaged" in said.err
    with pytest.raises(LedgerError, match="is damaged"):
        job_statuses(workspace.state)


def test_a_training_job_with_a_bad_row_is_seen_and_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = workspace_at(tmp_path, command=shell("echo started; sleep 600"))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    wait_until(lambda: words_of(workspace, [job.run_name])[job.run_name] == "RUNNING")
    poison(workspace.state, job.run_name)
    [status] = poll_once(workspace.state).jobs
    assert status.verdict == "running"
    assert "experiments doctor --mend" in status.reason
    assert mend(workspace).left == []
    poison(workspace.state, job.run_name)
    assert cli.run(["cancel", job.run_name, "--yes"]) == 0
    wait_for_end(workspace, [job.run_name])
    assert words_of(workspace, [job.run_name]) == {job.run_name: "CANCELLED"}


@pytest.mark.parametrize("command", ["note RUN seen", "tag odd RUN", "logs RUN", "cancel RUN --yes"])
def test_what_needs_only_the_name_works_on_a_bad_row(workspace, names, monkeypatch, command):
    monkeypatch.chdir(workspace.root)
    assert cli.run([names[1] if word == "RUN" else word for word in command.split()]) == 0


@pytest.mark.parametrize("command", ["show RUN", "retry RUN"])
def test_what_needs_the_config_says_that_the_row_is_bad(workspace, names, monkeypatch, capsys, command):
    monkeypatch.chdir(workspace.root)
    assert cli.run([names[1] if word == "RUN" else word for word in command.split()]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_bad_row_counts_as_unfinished_so_that_nothing_is_launched_twice(workspace):
    plan = plan_in(workspace, seeds=[0])
    with allow_launch() as permit:
        submit(plan, permit, workspace)
    wait_for_end(workspace, [plan.jobs[0].run_name])
    with open_ledger(workspace) as ledger:
        assert next_repeat(lambda number: plan_in(workspace, seeds=[0], repeat=number), ledger, workspace) == 2
    other = plan_in(workspace, seeds=[1])
    with open_ledger(workspace) as ledger:
        ledger.record_plan(other)
        poison(workspace.state, other.jobs[0].run_name)
        assert next_repeat(lambda number: plan_in(workspace, seeds=[1], repeat=number), ledger, workspace) == 1


def test_the_other_jobs_of_its_plan_are_launched_and_the_bad_row_is_named(workspace):
    plan = plan_in(workspace, seeds=range(3))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    names = [job.run_name for job in plan.jobs]
    poison(workspace.state, names[1])
    with allow_launch() as permit, pytest.raises(Exception, match=f"1 failed .*{names[1]}.*doctor --mend"):
        submit(plan, permit, workspace)
    wait_for_end(workspace, [names[0], names[2]])
    assert starts(workspace) == sorted([names[0], names[2]])


def test_a_waiting_job_with_a_bad_row_does_not_keep_the_others_from_starting(tmp_path):
    workspace = workspace_at(tmp_path, max_parallel=1)
    blocked = plan_in(workspace, seeds=range(3))
    names = [job.run_name for job in blocked.jobs]
    with open_ledger(workspace) as ledger:
        ledger.record_plan(blocked)
    with open_ledger(workspace) as ledger:
        spec = json.dumps({"command": ["/bin/true"], "env": {}, "unset": [], "cwd": str(tmp_path), "grace_s": 1.0})
        for name in names:
            spoil(workspace.state, "UPDATE jobs SET state = 'submitted', launcher_id = run_name, spec = ?", spec)
            (workspace.runs / name).mkdir(parents=True, exist_ok=True)
    poison(workspace.state, names[0])

    start_next(workspace)
    wait_for_end(workspace, names[1:], meanwhile=lambda: start_next(workspace))
    with open_ledger(workspace, read_only=True) as ledger:
        assert [row.state for row in ledger.rows()] == ["refused", "submitted", "submitted"]


def test_mending_leaves_the_argument_out_and_keeps_what_stood_there(workspace, names):
    found = mend(workspace)
    assert (len(found.done), found.left) == (2, [])
    with open_ledger(workspace, read_only=True) as ledger:
        assert [job.run_name for job in ledger.jobs()] == names
        mended = ledger.jobs(run_names=[names[1]])[0]
        assert (mended.config.additional_args, mended.command[-1]) == ((), BAD)
        assert ledger.plan(mended.plan_key).jobs[1].run_name == names[1]
        [event] = [event for event in ledger.events(run_name=names[1]) if event.kind == "mended"]
    assert '"l\\u0000r"' in event.data["row"]["config"]
    assert mend(workspace).done == []


def test_a_row_without_json_takes_its_config_from_the_plan(workspace, names):
    mend(workspace)
    spoil(workspace.state, "UPDATE jobs SET config = '{', command = '' WHERE run_name = ?", names[0])
    assert mend(workspace).done == [f"job {names[0]!r}: config and command are those of its plan"]
    with open_ledger(workspace, read_only=True) as ledger:
        assert ledger.jobs(run_names=names[:1])[0].config.curriculum == "arena"


@pytest.mark.parametrize(("state", "done"), [("planned", True), ("cancelled", True), ("submitting", False)])
def test_a_row_that_cannot_be_mended_is_taken_out_only_when_it_cannot_run(workspace, names, state, done):
    mend(workspace)
    spoil(workspace.state, "UPDATE jobs SET state = ?, config = '[]' WHERE run_name = ?", state, names[0])
    spoil(workspace.state, "UPDATE plans SET content = '[]'")
    found = mend(workspace)
    assert any("taken out of the ledger" in text for text in found.done) == done
    assert any(f"experiments cancel {names[0]}" in text for text in found.left) != done
    with open_ledger(workspace, read_only=True) as ledger:
        assert (names[0] in [row.run_name for row in ledger.rows()]) != done


def test_a_note_an_event_and_an_outcome_that_are_no_json_cost_themselves_only(workspace, names):
    with open_ledger(workspace) as ledger:
        ledger.annotate([names[0]], note="first", add_tags=["kept"])
        ledger.annotate([names[0]], note="second")
        ledger.settle({names[0]: {"word": "SUCCEEDED"}, names[2]: {"word": "FAILED"}})
    spoil(
        workspace.state, "UPDATE events SET data = 'x' WHERE id = (SELECT max(id) FROM events WHERE kind = 'annotated')"
    )
    spoil(workspace.state, "UPDATE jobs SET outcome = '{' WHERE run_name = ?", names[0])
    with open_ledger(workspace, read_only=True) as ledger:
        written = ledger.annotations(names)[names[0]]
        assert (written.note, written.tags, written.problem[:30]) == (
            "first",
            ("kept",),
            "a note or tag cannot be read (",
        )
        assert ledger.outcomes(names) == {names[2]: {"word": "FAILED"}}
        assert [event.kind for event in ledger.events(run_name=names[0])] == ["annotated", "annotated", "ended"]
        assert {(text.table, text.column) for text in ledger.damaged_texts()} == {
            *(("plans", "content"), ("jobs", "outcome"), ("events", "data")),
        }
    mend(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        assert ledger.damaged_texts() == []
        assert ledger.unreadable() == []


def test_doctor_names_what_cannot_be_read_and_mends_it(workspace, names, monkeypatch, capsys):
    monkeypatch.chdir(workspace.root)
    assert cli.run(["doctor"]) == 1
    assert "uv run experiments doctor --mend" in capsys.readouterr().out
    assert cli.run(["doctor", "--mend"]) == 0
    assert names[1] in capsys.readouterr().out
    assert cli.run(["status"]) == 0


def test_a_rebuild_keeps_the_jobs_whose_plan_has_a_bad_argument(workspace, names):
    [file] = (workspace.state / "plans").glob("*.json")
    content = json.loads(file.read_text())
    content["plan"]["jobs"][1]["config"]["additional_args"] = [BAD, "a=1"]
    file.write_text(json.dumps(content))
    found = rebuild(workspace.state)
    assert found.jobs == 3
    assert [problem for problem in found.problems if names[1] in problem and repr(BAD) in problem]
    with open_ledger(workspace, read_only=True) as ledger:
        assert ledger.jobs(run_names=[names[1]])[0].config.additional_args == ("a=1",)


def test_what_could_not_be_read_back_is_refused_before_it_is_written(workspace):
    plan = plan_in(workspace, seeds=range(2))
    job = plan.jobs[0]
    unchecked = TrainingJob.model_construct(
        **{name: getattr(job, name) for name in ("run_name", "arm", "seed", "command")},
        experiment="exp",
        launcher="local",
        plan_key=plan.key,
        config=type(job.config).model_construct(curriculum="x", additional_args=(BAD,)),
    )
    with open_ledger(workspace) as ledger:
        with pytest.raises(LedgerError, match=r"not recorded.*'l\\x00r'.*Nothing was launched"):
            ledger.add_attempt(unchecked)
        bad = plan.model_construct(**{**dict(plan), "jobs": (job.model_copy(update={"config": unchecked.config}),)})
        with pytest.raises(LedgerError, match="not recorded"):
            ledger.record_plan(bad)
        assert ledger.rows() == []
    assert list(workspace.state.glob("plans/*")) == []


def test_a_job_is_told_from_its_row_whatever_stands_in_it(workspace, names):
    spoil(workspace.state, "UPDATE jobs SET state = 'odd', command = '{', config = 'x' WHERE run_name = ?", names[2])
    with open_ledger(workspace, read_only=True) as ledger:
        row = ledger.rows(run_names=[names[2]])[0]
    assert isinstance(row, UnreadableJob)
    assert (row.state, row.ref().run, row.ref().launcher) == ("odd", names[2], "local")


def test_cancelling_a_bad_row_that_nobody_launched_keeps_it_from_being_launched(workspace, names):
    with allow_launch() as permit:
        assert cancel([names[1]], permit, workspace) == {names[1]: "cancelled before it was launched"}
        with pytest.raises(LedgerError, match="Then retry it"):
            retry(names[1], permit, workspace)
    mend(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        assert ledger.jobs(run_names=[names[1]])[0].state == "cancelled"
