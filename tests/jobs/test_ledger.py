from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import nullcontext
from typing import get_args

import pytest

from experiments.jobs import leases, permits
from experiments.jobs.ledger import Annotation, Ledger, bring_up_to_date, open_ledger
from experiments.jobs.ledger import schema as ledger_schema
from experiments.project.errors import LedgerError
from experiments.project.standing import Role
from experiments.project.values import replaced
from tests.fakes.launching import plan_in, workspace_at


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


@pytest.fixture
def ledger(workspace):
    with open_ledger(workspace) as opened:
        yield opened


def specs(names):
    return {name: {} for name in names}


def recorded(ledger, workspace, **options):
    plan = plan_in(workspace, **options)
    ledger.record_plan(plan)
    return plan, [job.run_name for job in plan.jobs]


def test_a_recorded_plan_comes_back_as_it_was(ledger, workspace):
    plan, names = recorded(ledger, workspace)
    assert ledger.plan(plan.key) == plan
    assert [job.run_name for job in ledger.jobs(plan_key=plan.key)] == names
    assert {job.state for job in ledger.jobs()} == {"planned"}
    assert ledger.plan("none") is None


def test_a_plan_is_recorded_once_with_its_first_provenance(ledger, workspace):
    plan = plan_in(workspace)
    assert ledger.record_plan(plan, provenance={"commit": "a"})
    assert not ledger.record_plan(plan, provenance={"commit": "b"})
    assert ledger.provenance(plan.key) == {"commit": "a"}
    assert len(ledger.jobs()) == 5


def test_an_intent_is_one_process_s_own(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with leases.tenure() as mine, leases.tenure() as theirs:
        assert ledger.intend(specs(names[:2]), "there", mine) == names[:2]
        assert ledger.intend(specs(names), "there", theirs) == names[2:]
        assert ledger.take_lease(names[0], theirs) == f"process {os.getpid()}"
        ledger.conclude(theirs, accepted={names[0]: "stolen"})
        assert ledger.jobs(run_names=[names[0]])[0].state == "submitting"


def test_what_came_of_an_intent_is_recorded_and_its_lease_is_free(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with leases.tenure() as owner:
        ledger.intend(specs(names[:3]), "there", owner)
        ledger.conclude(owner, accepted={names[0]: "1"}, refused={names[1]: "no room"}, returned=[names[2]])
    jobs = ledger.jobs()
    assert [job.state for job in jobs] == ["submitted", "refused", "planned", "planned", "planned"]
    assert (jobs[0].launcher_id, jobs[0].target, jobs[1].error) == ("1", "there", "no room")
    with leases.tenure() as other:
        assert ledger.take_lease(names[0], other) is None


def test_a_job_that_a_launcher_has_is_never_intended_again(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with leases.tenure() as owner:
        ledger.intend({names[0]: {}}, "there", owner)
        ledger.conclude(owner, accepted={names[0]: "1"})
        assert ledger.intend({names[0]: {}}, "there", owner) == []


@pytest.mark.parametrize(
    ("change", "free"),
    [
        ({}, False),
        ({"pid": 2**22 + 1}, True),
        ({"start": "1"}, True),
        ({"boot": "another"}, True),
        ({"namespace": "another container"}, False),
        ({"token": "of a block that ended"}, True),
    ],
)
def test_a_lease_is_held_as_long_as_its_owner_lives(ledger, change, free):
    with leases.tenure() as owner, leases.tenure() as other:
        assert ledger.take_lease("run", json.dumps({**json.loads(owner), **change})) is None
        assert (ledger.take_lease("run", other) is None) == free


def test_a_lease_of_another_container_ends_with_its_expiry(ledger, monkeypatch):
    with leases.tenure() as owner, leases.tenure() as other:
        far = json.dumps({**json.loads(owner), "namespace": "another container"})
        ledger.take_lease("run", far)
        now = leases.time.time()
        monkeypatch.setattr(leases.time, "time", lambda: now + leases.EXPIRY_S + 1)
        assert ledger.take_lease("run", other) is None


def test_notes_and_tags_are_kept_by_job(ledger, workspace):
    _, names = recorded(ledger, workspace)
    ledger.annotate(names[:2], note="odd", add_tags=["a", "b"])
    ledger.annotate(names[:1], remove_tags=["a"], add_tags=["c", "b"])
    ledger.annotate(names[1:2], note="")
    found = ledger.annotations(names)
    assert found == {names[0]: Annotation("odd", ("b", "c")), names[1]: Annotation("", ("a", "b"))}


def test_the_events_of_a_job_tell_its_story_in_order(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with leases.tenure() as owner:
        ledger.intend({names[0]: {}}, "there", owner)
        ledger.conclude(owner, accepted={names[0]: "1"})
    ledger.claimed([names[0]])
    ledger.claimed([names[0]])
    ledger.settle({names[0]: {"word": "SUCCEEDED"}})
    assert [event.kind for event in ledger.events(run_name=names[0])] == ["intent", "accepted", "claimed", "ended"]
    assert ledger.outcomes(names) == {names[0]: {"word": "SUCCEEDED"}}


def test_nothing_can_be_written_through_a_read_only_ledger(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with open_ledger(workspace, read_only=True) as reader:
        assert len(reader.jobs()) == 5
        for write in (
            lambda: reader.record_plan(plan_in(workspace, repeat=2)),
            lambda: reader.cancel_unlaunched(names[0]),
            lambda: reader.annotate(names, note="x"),
        ):
            with pytest.raises(LedgerError, match="reading only"):
                write()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM jobs")
    assert len(ledger.jobs()) == 5


def test_reading_needs_no_ledger(workspace):
    with open_ledger(workspace, read_only=True) as reader:
        assert reader.jobs() == []
    assert not (workspace.state / "ledger.sqlite").exists()


def test_a_locked_ledger_is_an_error_that_says_so(ledger, workspace, monkeypatch):
    monkeypatch.setattr(ledger_schema, "BUSY_S", 0.1)
    plan = plan_in(workspace)
    with (
        open_ledger(workspace) as mine,
        open_ledger(workspace) as other,
        other._writing(),
        pytest.raises(LedgerError, match="locked by another process"),
    ):
        mine.record_plan(plan)
    assert ledger.jobs() == []


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to be read as one" * 20, None])
def test_a_damaged_ledger_is_an_error_that_names_the_rebuild(workspace, damage):
    with open_ledger(workspace) as ledger:
        recorded(ledger, workspace)
    path = workspace.state / "ledger.sqlite"
    path.write_bytes(damage if damage is not None else path.read_bytes()[:5000])
    with pytest.raises(LedgerError, match="doctor --rebuild"), open_ledger(workspace) as ledger:
        ledger.jobs()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_ledger_whose_own_words_are_damaged_is_one_sentence(workspace, read_only):
    """SQLite quotes the bytes over which it fell, and Python takes them for text."""
    with open_ledger(workspace) as ledger:
        recorded(ledger, workspace)
    path = workspace.state / "ledger.sqlite"
    content = path.read_bytes()
    at = content.rindex(b" NOT NULL", 0, content.index(b'CREATE TABLE "jobs"') + 400)
    path.write_bytes(content[:at] + b" NOT \xdeUL\xde" + content[at + 9 :])
    with pytest.raises(LedgerError, match="doctor --rebuild"), open_ledger(workspace, read_only=read_only) as ledger:
        ledger.jobs()


@pytest.mark.parametrize("damage", ["empty", "gone"])
def test_a_lost_ledger_is_not_replaced_by_one_that_would_launch_all_again(workspace, damage):
    with open_ledger(workspace) as ledger:
        recorded(ledger, workspace)
    path = workspace.state / "ledger.sqlite"
    path.write_bytes(b"") if damage == "empty" else path.unlink()
    with pytest.raises(LedgerError, match=r"empty or gone.*doctor --rebuild"):
        open_ledger(workspace)


def test_a_ledger_of_a_later_version_is_left_alone(workspace):
    with open_ledger(workspace) as ledger:
        ledger._connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    for read_only in (False, True):
        with pytest.raises(LedgerError, match=r"later version.*schema 99"):
            open_ledger(workspace, read_only=read_only)


def test_a_ledger_of_an_earlier_version_is_migrated_when_it_may_be_written_and_read_as_a_migrated_copy_else(
    workspace, monkeypatch
):
    with open_ledger(workspace) as ledger:
        recorded(ledger, workspace)
    later = (*ledger_schema.MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN colour TEXT",))
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", later)
    with open_ledger(workspace, read_only=True) as ledger:
        assert [row["colour"] for row in ledger._rows("SELECT colour FROM jobs")] == [None] * 5
    with sqlite3.connect(workspace.state / "ledger.sqlite") as file:
        assert "colour" not in file.execute("SELECT sql FROM sqlite_master WHERE name = 'jobs'").fetchone()[0]
    file.close()
    with open_ledger(workspace) as ledger:
        assert ledger._rows("SELECT colour FROM jobs")[0]["colour"] is None
        assert len(ledger.jobs()) == 5


def test_a_ledger_of_an_earlier_version_is_brought_up_to_date_once_and_by_nobody_who_may_only_read(
    workspace, monkeypatch
):
    with open_ledger(workspace) as ledger:
        recorded(ledger, workspace)
    later = (*ledger_schema.MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN colour TEXT",))
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", later)

    with monkeypatch.context() as reader:
        reader.setattr(permits, "_latched", False)
        reader.setenv("EXPERIMENTS_READ_ONLY", "1")
        bring_up_to_date(workspace)
    assert ledger_schema.is_of_before(workspace.state)
    with monkeypatch.context() as refused:
        refused.setattr(ledger_schema, "locked", lambda *_, **__: nullcontext(False))  # another process has it
        bring_up_to_date(workspace)
    assert ledger_schema.is_of_before(workspace.state)

    bring_up_to_date(workspace)
    assert not ledger_schema.is_of_before(workspace.state)
    monkeypatch.setattr(ledger_schema, "_migrated_copy", None)  # so nothing is copied any more
    with open_ledger(workspace, read_only=True) as ledger:
        assert [row["colour"] for row in ledger._rows("SELECT colour FROM jobs")] == [None] * 5


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_what_is_no_ledger_is_neither_made_nor_changed_by_bringing_it_up_to_date(tmp_path, content):
    workspace = workspace_at(tmp_path)
    file = workspace.state / "ledger.sqlite"
    if content is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    bring_up_to_date(workspace)
    assert (file.read_bytes() if file.exists() else None) == content


def test_a_ledger_of_version_0_1_keeps_all_of_its_jobs_and_each_of_them_is_a_seed(tmp_path, monkeypatch):
    workspace = workspace_at(tmp_path)
    columns = {
        "run_name": "ada.exp.base.s3.aaaaaaaa", "plan_key": "k", "experiment": "exp", "arm": "base", "seed": 3,
        "attempt": 1, "repeat": 1, "launcher": "local", "target": "here", "launcher_id": "7", "state": "submitted",
        "config": '{"curriculum": "arena"}', "command": "[]", "tracker": "offline", "spec": '{"env": {}}',
        "claimed_at": 5.0, "outcome": '{"word": "SUCCEEDED"}', "created_at": 4.0,
    }  # fmt: skip
    with monkeypatch.context() as before:
        before.setattr(ledger_schema, "MIGRATIONS", ledger_schema.MIGRATIONS[:1])
        with open_ledger(workspace) as ledger, ledger._writing() as execute:
            marks = ", ".join("?" * len(columns))
            execute(f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))
    for read_only in (True, False):
        with open_ledger(workspace, read_only=read_only) as ledger:
            [job] = ledger.jobs()
            assert (job.run_name, job.seed, job.launcher_id) == ("ada.exp.base.s3.aaaaaaaa", 3, "7")
            assert (job.role, job.replicate, job.parent) == ("seed", 0, None)
            assert (ledger.spec(job.run_name), ledger.outcomes([job.run_name])) == (
                {"env": {}},
                {job.run_name: {"word": "SUCCEEDED"}},
            )
    with open_ledger(workspace) as ledger:
        [row] = ledger._rows("SELECT * FROM jobs")
        assert {name: row[name] for name in columns} == columns


def test_a_ledger_of_before_evaluations_keeps_its_jobs_and_takes_an_evaluation(tmp_path, monkeypatch):
    workspace = workspace_at(tmp_path)
    with monkeypatch.context() as before:
        before.setattr(ledger_schema, "MIGRATIONS", ledger_schema.MIGRATIONS[:2])
        before.setattr(Ledger, "_expire_budgets", lambda _: None)  # there were none
        with open_ledger(workspace) as ledger:
            recorded(ledger, workspace)
            kept = ledger._rows("SELECT * FROM jobs")
    with open_ledger(workspace) as ledger:
        assert [tuple(row) for row in ledger._rows("SELECT * FROM jobs")] == [tuple(row) for row in kept]
        job = replaced(ledger.jobs()[0], run_name="e", attempt=2, role="evaluation", parent="other")
        ledger.add_attempt(job)
        assert ledger.jobs(run_names=["e"])[0].role == "evaluation"


def test_what_a_job_is_to_its_seed_comes_back_as_it_was(ledger, workspace):
    plan = plan_in(workspace, seeds=(3,), same_seed=3)
    ledger.record_plan(plan)
    assert [(job.role, job.replicate) for job in ledger.jobs()] == [("seed", 0), ("replicate", 1), ("replicate", 2)]
    first = ledger.jobs()[0]
    for at, role in enumerate(get_args(Role)):
        number = 7 if role == "replicate" else 0
        job = replaced(first, run_name=f"r{at}", attempt=2 + at, role=role, replicate=number, parent="other")
        ledger.add_attempt(job)
        [found] = ledger.jobs(run_names=[job.run_name])
        assert found == replaced(job, created_at=found.created_at)
    assert [job.run_name for job in ledger.attempts(first)] == [first.run_name, "r0", "r2", "r3", "r4"]


def test_a_migration_that_fails_changes_nothing(workspace, monkeypatch):
    with open_ledger(workspace) as ledger:
        before = ledger.id
    later = (*ledger_schema.MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN colour TEXT", "DROP TABLE nowhere"))
    monkeypatch.setattr(ledger_schema, "MIGRATIONS", later)
    with pytest.raises(LedgerError, match="nowhere"):
        open_ledger(workspace)
    monkeypatch.undo()
    with open_ledger(workspace) as ledger:
        assert ledger.id == before
        assert "colour" not in ledger._rows("SELECT sql FROM sqlite_master WHERE name = 'jobs'")[0]["sql"]


def test_a_full_disk_at_the_record_of_a_plan_keeps_no_part_of_it(ledger, workspace):
    plan = plan_in(workspace, seeds=range(200))
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.record_plan(plan)
    assert (ledger.jobs(), ledger.plan(plan.key)) == ([], None)


def test_processes_that_make_the_ledger_at_once_get_the_same_one(tmp_path):
    code = (
        "import sys; from pathlib import Path; from experiments.jobs.ledger import Ledger\n"
        "print(Ledger.open(Path(sys.argv[1])).id)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_threads_share_one_ledger(ledger, workspace):
    _, names = recorded(ledger, workspace, seeds=range(40))
    threads = [threading.Thread(target=ledger.annotate, args=([name],), kwargs={"note": name}) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: note.note for name, note in ledger.annotations(names).items()} == {name: name for name in names}


def test_a_ledger_of_a_copied_folder_is_the_same_ledger(workspace, tmp_path):
    with open_ledger(workspace) as ledger:
        before = ledger.id
    shutil.copytree(workspace.state, tmp_path / "copy")
    with Ledger.open(tmp_path / "copy") as copy:
        assert copy.id == before


def being_made(state_dir):
    """Leave what a maker leaves between making the file and its tables."""
    connection = sqlite3.connect(state_dir / "ledger.sqlite")
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


@pytest.mark.parametrize("make", [lambda _: None, lambda folder: (folder / "ledger.sqlite").touch(), being_made])
def test_a_ledger_that_nobody_made_or_is_being_made_holds_no_job_and_is_not_damaged(tmp_path, make):
    maker = make(tmp_path)
    with Ledger.open(tmp_path, read_only=True) as ledger:
        assert ledger.jobs() == []
    if maker is not None:
        maker.close()
    with Ledger.open(tmp_path) as made, Ledger.open(tmp_path, read_only=True) as ledger:
        assert ledger.id == made.id


def without_ledger(ledger, workspace):
    """Record a plan, and lose the ledger's file; return where it was."""
    recorded(ledger, workspace)
    ledger.close()
    path = workspace.state / "ledger.sqlite"
    for file in path.parent.glob("ledger.sqlite*"):
        file.unlink()
    return path


def test_who_may_not_make_a_second_ledger_leaves_no_file_that_readers_take_for_one(ledger, workspace):
    path = without_ledger(ledger, workspace)
    with pytest.raises(LedgerError, match="is empty or gone"):
        open_ledger(workspace)
    assert not path.exists()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_ledger_that_had_jobs_and_lost_them_is_not_read_as_one_without_any(ledger, workspace, is_there):
    path = without_ledger(ledger, workspace)
    if is_there:
        path.touch()
    with pytest.raises(LedgerError, match=r"is empty or gone, but .* Rebuild it from its runs"):
        open_ledger(workspace, read_only=True)


def test_a_ledger_that_is_made_while_its_reader_looks_is_read(ledger, workspace, monkeypatch):
    _, names = recorded(ledger, workspace)
    first, version = [0], ledger_schema._version
    monkeypatch.setattr(ledger_schema, "_version", lambda found: first.pop() if first else version(found))
    with open_ledger(workspace, read_only=True) as reader:
        assert [job.run_name for job in reader.jobs()] == names
    assert not first
