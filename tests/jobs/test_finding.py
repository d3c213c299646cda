"""Jobs and runs by what people call them, in SkyPilot's queue too; what is none is refused with those nearest to it."""

from __future__ import annotations

import pytest

from experiments.jobs.called import find_rows
from experiments.jobs.finding import (
    find_refs,
    find_runs,
    known_runs,
    named_metrics,
    ref_of,
    refs_of,
    runs_of,
)
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import LaunchError, LedgerError, StoreError, UsageError
from experiments.results.sides import side_of, sides
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from experiments.types import JobRef
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.poison import spoil
from tests.fakes.skypilot import FakeSky, close_clients, sky_workspace
from tests.fakes.wandb_files import offline_run, run


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    yield FakeSky(tmp_path / "sky")
    close_clients()


def test_an_id_that_the_ledger_does_not_know_is_looked_up_in_skypilots_queue(sky, tmp_path):
    sky.add("eve.arena.base.s3.abcdefgh")
    sky.add("eve's own job")
    assert find_refs(sky_workspace(tmp_path), ["2", "1"]) == [
        JobRef(run="eve's own job", arm="eve's own job", launcher="skypilot", id="2"),
        JobRef(run="eve.arena.base.s3.abcdefgh", arm="base", seed=3, launcher="skypilot", id="1"),
    ]
    assert sky.calls()["queue_v2"] == 1


def test_an_id_that_nobody_knows_is_refused(sky, tmp_path):
    with pytest.raises(UsageError, match="job '77' is not in the ledger"):
        find_refs(sky_workspace(tmp_path), ["77"])


def test_a_skypilot_that_cannot_be_asked_is_the_reason(sky, tmp_path):
    sky.fault(down=True)
    with pytest.raises(
        LaunchError, match=r"job '2979' is not in the ledger, and SkyPilot cannot be asked: .* does not"
    ):
        find_refs(sky_workspace(tmp_path), ["2979", "2980"])


def test_somebody_who_does_not_use_skypilot_gets_none_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="job '2979' is not in the ledger"):
        find_refs(workspace_at(tmp_path), ["2979"])
    with pytest.raises(LaunchError, match="pip install uv"):
        find_refs(workspace_at(tmp_path), ["2979"], launcher="skypilot")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tag='arena", "is not a list of conditions: No closing quotation"),
        ("author=ada author=eve", "names author twice, 'ada' and 'eve'"),
        ("colour=red", "condition 'colour=red' is none of experiment=..., arm=..., tag="),
    ],
)
def test_conditions_that_cannot_hold_are_refused_in_words(tmp_path, text, reason):
    with pytest.raises(UsageError, match=reason):
        find_runs(workspace_at(tmp_path), text)


@pytest.fixture
def tagged(tmp_path):
    """Three runs: one tagged in W&B, one in the ledger, one in both."""
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, seeds=range(3))
    first, second, third = [job.run_name for job in plan.jobs]
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
        ledger.annotate([second, third], add_tags=["keep"])
    for number, (name, tags) in enumerate({first: ["keep"], second: [], third: ["arena"]}.items()):
        offline_run(workspace.runs, name).write(run(name, tags=tags, started_at=1_700_000_000 + number))
    return workspace, (first, second, third)


def test_a_run_is_found_by_a_tag_that_it_was_given_later(tagged):
    workspace, (first, second, third) = tagged
    store = OfflineStore(workspace.runs)
    assert [info.name for info in runs_of(workspace, RunQuery(tags_any=["keep"]), store)] == [third, second, first]
    assert [info.name for info in runs_of(workspace, RunQuery(tags_any=["keep"], limit=1), store)] == [third]
    [both] = runs_of(workspace, RunQuery(tags_all=("keep", "arena")), store)
    assert (both.name, both.tags) == (third, ("arena", "keep"))
    assert runs_of(workspace, RunQuery(tags_any=["keep"], author="eve"), store) == []


def test_who_names_an_experiment_an_arm_or_a_beginning_is_told_the_jobs_that_they_may_mean(tagged):
    workspace, (first, second, third) = tagged
    with open_ledger(workspace) as ledger:
        ledger.intend({name: {} for name in (first, second, third)}, "host", "me")
    _, experiment, arm, *_ = first.split(".")
    for wanted in (experiment, arm, first.rsplit(".", 2)[0]):
        with pytest.raises(UsageError, match=f"It may mean: {first}, {second}, {third}"):
            find_rows(workspace, [wanted])
    with pytest.raises(UsageError, match="Known jobs: "):
        find_rows(workspace, ["nobody"])


def test_a_tag_given_twice_means_either(tagged):
    workspace, (first, _, third) = tagged
    found = find_runs(workspace, "tag=arena tag=nobodys")
    assert [ref.run for ref in found] == [third]
    assert first in [ref.run for ref in find_runs(workspace, "tag=arena tag=keep")]


def test_runs_are_found_by_the_experiment_and_arm_that_launched_them(tagged):
    workspace, (first, second, third) = tagged
    offline_run(workspace.runs, "somebody-elses").write(run("somebody-elses"))
    with open_ledger(workspace) as ledger:
        [experiment, arm] = {(job.experiment, job.arm) for job in ledger.jobs()}.pop()
    names = [ref.run for ref in find_runs(workspace, f"experiment={experiment} arm={arm}")]
    assert names == [third, second, first]
    assert [ref.run for ref in find_runs(workspace, f"experiment={experiment} tag=keep limit=1")] == [third]
    with pytest.raises(UsageError, match=f"no job belongs to experiment 'nope'. There are: {experiment}"):
        find_runs(workspace, "experiment=nope")


def test_a_run_whose_jobs_row_cannot_be_read_is_not_taken_for_one_whose_trainer_names_nothing(tagged):
    workspace, (_, second, third) = tagged
    spoil(workspace.state, "UPDATE jobs SET config = '{' WHERE run_name = ?", second)
    with pytest.raises(LedgerError, match=f"row of job '{second}' cannot be read"):
        find_runs(workspace, "state=running")
    assert [ref.run for ref in find_runs(workspace, "tag=arena")] == [third]
    _, unread = named_metrics(workspace)
    assert list(unread) == [second]
    (workspace.state / "ledger.sqlite").write_text("no database")
    with pytest.raises(LedgerError):
        find_runs(workspace, "tag=arena")


@pytest.fixture
def store(tmp_path):
    for name in ("ada.exp.base.s0.abcdefg2", "ada.exp.base.s1.abcdefg3", "other"):
        offline_run(tmp_path, name).write(run(name))
    return OfflineStore(tmp_path)


def test_arm_and_seed_are_read_out_of_a_run_name_of_ours_only():
    assert ref_of("ada.exp.big-lr.s3.abcdefgh") == JobRef(run="ada.exp.big-lr.s3.abcdefgh", arm="big-lr", seed=3)
    assert ref_of("somebody-elses-run") == JobRef(run="somebody-elses-run", arm="somebody-elses-run")


def test_one_run_is_a_list_of_one_and_not_of_its_letters():
    assert [ref.run for ref in refs_of("abc")] == ["abc"]
    assert [ref.run for ref in refs_of(JobRef(run="abc"))] == ["abc"]
    assert [ref.run for ref in refs_of(["b", "a", "b"])] == ["b", "a"]


@pytest.mark.parametrize("thing", [None, 7, b"abc", [7], [None]])
def test_what_is_no_run_is_refused(thing):
    with pytest.raises(UsageError, match=r"is no run.*experiments runs"):
        refs_of(thing)


def test_names_that_are_no_run_are_all_named_with_the_nearest(store):
    with pytest.raises(StoreError) as told:
        known_runs(["other", "nope", "ada.exp.base.s1"], store)
    assert str(told.value) == (
        "runs 'nope', 'ada.exp.base.s1' are not known here. Nearest: 'ada.exp.base.s1.abcdefg3'. "
        "The runs that are: experiments runs"
    )
    with pytest.raises(StoreError, match=r"run 'nope' is not known here\. Known: ('[^']+'(, )?){3}\."):
        known_runs("nope", store)


def test_where_there_is_no_run_at_all_it_is_said(tmp_path):
    with pytest.raises(StoreError, match="No run is known yet"):
        known_runs("nope", OfflineStore(tmp_path))


def test_a_job_that_has_not_begun_to_log_is_known(tmp_path, store):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace)
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    waiting = plan.jobs[0].run_name
    assert list(known_runs([waiting, "other"], store, workspace)) == ["other"]
    assert list(known_runs([JobRef(run=waiting), "other"], store)) == ["other"]
    with pytest.raises(StoreError, match="'nope'"):
        known_runs([waiting, "nope"], store, workspace)


@pytest.fixture
def launched(tmp_path):
    """Return a project with three jobs that a launcher took, and their run names."""
    workspace = workspace_at(tmp_path)
    names = [job.run_name for job in plan_in(workspace, seeds=range(3)).jobs]
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan_in(workspace, seeds=range(3)))
        ledger.intend({name: {} for name in names}, "host", "me")
    return workspace, names


@pytest.mark.parametrize("wanted", [lambda name: name[-8:-4], lambda name: name[-8:], lambda name: name[:-4]])
def test_a_job_is_known_by_a_beginning_of_its_name_or_of_its_code_that_no_other_has(launched, wanted):
    workspace, names = launched
    for reading in (True, False):
        assert [row.run_name for row in find_rows(workspace, [wanted(names[1])], reading=reading)] == [names[1]]
    assert side_of(workspace, wanted(names[1])).name == names[1]
    assert [ref.run for ref in find_refs(workspace, [wanted(names[2]), names[0]])] == [names[2], names[0]]


def test_what_begins_one_job_alone_is_enough_to_look_at_it_and_too_little_to_act_on_it(launched):
    workspace, names = launched
    upto_seed = names[1].rpartition(".")[0]
    assert [row.run_name for row in find_rows(workspace, [upto_seed], reading=True)] == [names[1]]
    with pytest.raises(UsageError, match=rf"too little to act on.* last part: {names[1][-8:-4]}$"):
        find_rows(workspace, [upto_seed])
    assert sides(workspace, upto_seed, names[0])[0].name == names[1]
    with pytest.raises(UsageError, match="is neither a run nor an arm"):
        side_of(workspace, upto_seed)


def test_a_beginning_of_several_jobs_is_refused_with_them_and_one_of_three_characters_is_none(launched):
    workspace, names = launched
    shared = names[0].rsplit(".", 2)[0]
    with pytest.raises(UsageError, match=f"the beginning of 3 jobs. It may mean: {', '.join(names)}. Give more"):
        find_rows(workspace, [shared], reading=True)
    with pytest.raises(UsageError, match="is the beginning of 3 runs: "):
        sides(workspace, f"{shared}.", names[0])
    with pytest.raises(UsageError, match="is not in the ledger"):
        find_rows(workspace, [names[0][-8:-5]], reading=True)
