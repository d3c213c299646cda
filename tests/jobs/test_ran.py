"""Which code a job ran that runs in the working tree: real supervisors in a real repository.

Jobs that run from a snapshot: see `test_isolation`.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from experiments.jobs import ran
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.once_more import retry_job
from experiments.jobs.plan import config_text
from experiments.jobs.preparation import launch_plan
from experiments.jobs.ran import Mark, code_line, code_words, codes_of, marks_of
from experiments.launch import allow_launch, start_next, submit
from experiments.project.provenance import CodeRecord, Provenance, capture
from experiments.types import TrainingJob
from tests.fakes.launching import plan_in, wait_for_end, workspace_at

AS_RECORDED = "as recorded for its plan; code not fixed: it ran in the working tree"


def git(folder, *arguments):
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "train.py").write_text("one\n")
    (tmp_path / ".gitignore").write_text(".experiments/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return workspace_at(tmp_path, command=("/bin/sh", "-c", "exit 3"), in_place=True)


def launched(workspace, seeds=(0,)):
    with allow_launch() as permit:
        jobs = launch_plan(plan_in(workspace, seeds=seeds), permit, workspace)
    names = [job.run_name for job in jobs]
    wait_for_end(workspace, names)
    return names


def retried(workspace, name):
    with allow_launch() as permit:
        attempt, notes = retry_job(name, permit, workspace)
    wait_for_end(workspace, [attempt.run_name])
    return attempt, notes


def words(workspace, name):
    return codes_of(workspace, [name])[name].words(workspace.root)


def test_the_code_at_the_start_is_recorded_and_is_the_plans_where_nothing_changed(workspace):
    [name] = launched(workspace)
    assert words(workspace, name) == AS_RECORDED
    assert marks_of(workspace, [name])[name].identity


def test_a_retry_says_what_changed_and_records_the_code_that_it_ran(workspace):
    [first] = launched(workspace)
    second, notes = retried(workspace, first)
    assert (notes, words(workspace, second.run_name)) == ([], AS_RECORDED)
    (workspace.root / "new_recipe.py").write_text("x = 1\n")
    third, notes = retried(workspace, first)
    changed = "changes on top of the commit differ: 1 file: new_recipe.py"
    assert notes == [f"THE CODE IS NOT THAT OF {second.run_name}: {changed}"]
    assert words(workspace, third.run_name) == (
        f"its code differed from the plan's record: {changed}; code not fixed: it ran in the working tree"
    )
    assert words(workspace, second.run_name) == AS_RECORDED
    ran = codes_of(workspace, [third.run_name])[third.run_name].provenance()
    assert (ran.state, ran.files, ran.command) == ("dirty", ("new_recipe.py",), capture(workspace.root).command)


def test_another_commit_is_another_code_and_is_named(workspace):
    [first] = launched(workspace)
    (workspace.root / "train.py").write_text("two\n")
    git(workspace.root, "commit", "-qam", "second")
    second, notes = retried(workspace, first)
    assert "is now" in notes[0]
    assert notes[0].endswith("1 file changed: train.py")
    marks = marks_of(workspace, [first, second.run_name])
    assert code_words(("base", mark) for mark in marks.values()) == [
        f"2 codes in arm base (experiments diff {first} {second.run_name})",
        "1 of 2 runs of base ran another code than the plan's record",
    ]


def test_the_code_outlives_the_runs_folder(workspace):
    [name] = launched(workspace)
    start_next(workspace)
    (workspace.runs / name / "job.json").unlink()
    assert words(workspace, name) == AS_RECORDED


def test_a_plans_record_of_an_earlier_version_is_compared_as_far_as_it_goes(workspace):
    old = Provenance.recorded(capture(workspace.root).model_dump(mode="json", exclude={"tree"}))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace, code=old)
    wait_for_end(workspace, [job.run_name])
    assert words(workspace, job.run_name) == AS_RECORDED
    (workspace.root / "new.py").touch()
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[1]), permit, workspace, code=old)
    wait_for_end(workspace, [job.run_name])
    assert words(workspace, job.run_name).startswith("whether its code was the plan's is not known")


def test_a_job_without_a_record_of_its_start_claims_no_code(workspace):
    with open_ledger(workspace) as ledger:
        plan = plan_in(workspace, launcher="skypilot", seeds=[0])
        ledger.record_plan(plan, provenance=capture(workspace.root).model_dump(mode="json"))
        from experiments.jobs.leases import tenure

        with tenure() as owner:
            ledger.intend({plan.jobs[0].run_name: {}}, plan.target, owner)
            ledger.conclude(owner, accepted={plan.jobs[0].run_name: "1"})
    name = plan.jobs[0].run_name
    code = codes_of(workspace, [name])[name]
    assert (code.provenance(), code.identity) == (None, None)
    assert code.words() == "not known which code ran: nothing was recorded at its start"
    other = "of another machine"
    asked = config_text(plan.jobs[0].config)
    assert marks_of(workspace, [name, other]) == {
        name: Mark("", run=name, asked=asked),
        other: Mark("", run=other),
    }


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([("a", Mark("x")), ("a", Mark("x")), ("b", Mark("y"))], []),
        (
            [("a", Mark("x", run="r")), ("a", Mark("y", run="s")), ("b", Mark("y", run="t"))],
            ["2 codes in arm a (experiments diff r s)"],
        ),
        (
            [
                ("a", Mark("x", run="r", packages="p")),
                ("a", Mark("x", run="s", packages="q")),
                ("a", Mark("x", run="t")),
            ],
            ["2 package sets in arm a (experiments diff r s)"],
        ),
        (
            [("a", Mark("x", run="r", machine="m")), ("a", Mark("x", run="s", machine="n"))],
            ["2 machines in arm a (experiments diff r s)"],
        ),
        ([("a", Mark("x", differed=True))], ["1 of 1 run of a ran another code than the plan's record"]),
        (
            [("a", Mark("x", differed=True)), ("b", Mark("x", differed=True)), ("c", Mark("x"))],
            ["2 of 2 runs of a and b ran another code than the plan's record"],
        ),
        (
            [("a", Mark("x", differed=True)), ("a", Mark("x")), ("b", Mark("x", differed=True))],
            ["2 of 3 runs of a (1 of 2) and b (1 of 1) ran another code than the plan's record"],
        ),
        (
            [(arm, Mark(code, run=arm + code)) for arm in "ab" for code in "xy"],
            ["several codes in arms a (2) and b (2) (experiments diff ax ay)"],
        ),
        ([("a", Mark("x")), ("b", Mark(""))], ["not known which code 1 run ran"]),
        ([("a", Mark("")), ("b", Mark(""))], ["not known which code these runs ran"]),
    ],
)
def test_captions_say_two_codes_other_codes_and_unknown_codes(marks, said):
    assert code_words(marks) == said


def test_what_is_said_of_the_code_of_many_arms_is_one_sentence_whatever_their_number():
    [said] = code_words((f"arm-{number}", Mark("x", differed=True)) for number in range(50))
    assert said.startswith("50 of 50 runs of arm-0, arm-1,")
    assert said.endswith("arm-7 and 42 more arms ran another code than the plan's record")


def test_a_line_has_room_for_what_is_not_plain_of_the_code():
    marks = [("a", Mark("x", differed=True)), ("a", Mark("y", differed=True)), ("b", Mark(""))]
    assert code_line(marks) == ["several codes in 1 arm", "2 of 3 runs ran other code", "code of 1 of 3 runs not known"]
    assert code_line([("a", Mark("")), ("b", Mark(""))]) == ["code not known"]
    assert code_line([("a", Mark("x"))]) == []


def test_a_record_of_the_code_that_ran_can_be_read_back(workspace):
    [name] = launched(workspace)
    ran = codes_of(workspace, [name])[name].provenance()
    assert Provenance.model_validate_json(ran.model_dump_json()) == ran


@pytest.fixture
def many(workspace):
    """Names of runs that were recorded as started from one snapshot, each at its own time."""
    plan = plan_in(workspace, seeds=range(30))
    names = [job.run_name for job in plan.jobs]
    record = {**capture(workspace.root).model_dump(mode="json")["tree"], "sha256": "a" * 64, "packages": {"numpy": "1"}}
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan, tracker="offline", provenance=capture(workspace.root).model_dump(mode="json"))
        ledger.intend({name: {} for name in names}, plan.target, owner)
        for at, name in enumerate(names):
            ledger.add_event("code", run_name=name, **record | {"at": float(at)})
    return names


def test_code_that_many_runs_share_is_judged_once(workspace, many, monkeypatch):
    judged, really = [], ran._facts
    monkeypatch.setattr(ran, "_facts", lambda code: judged.append(code) or really(code))
    marks = marks_of(workspace, many)
    assert len(judged) == 1
    assert len({mark.identity for mark in marks.values()}) == 1
    assert [marks[name].run for name in many] == many
    assert [code.started.at for code in codes_of(workspace, many).values()] == list(map(float, range(30)))


def test_asking_again_reads_no_row_and_no_record_anew(workspace, many, monkeypatch):
    marks = marks_of(workspace, many)
    read = []
    for model in (TrainingJob, CodeRecord):
        monkeypatch.setattr(model, "model_validate", read.append)
    assert marks_of(workspace, many) == marks
    assert read == []


def test_a_record_that_was_noted_since_is_seen(workspace, many):
    before = marks_of(workspace, many)
    with open_ledger(workspace) as ledger:
        record = json.loads(ledger.latest_texts("code", many[:1])[many[0]])
        ledger.add_event("code", run_name=many[0], **record | {"sha256": "b" * 64})
    after = marks_of(workspace, many)
    assert after[many[0]].identity.startswith("b" * 64)
    assert {name for name in many if after[name] != before[name]} == {many[0]}
