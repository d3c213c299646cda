"""Jobs by what people call them, in SkyPilot's queue too."""

from __future__ import annotations

import pytest

from experiments.jobs.finding import find_refs, find_runs, runs_of, runs_query
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import LaunchError, UsageError
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from experiments.types import JobRef
from tests.fakes.launching import plan_in, workspace_at
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
def test_conditions_that_cannot_hold_are_refused_in_words(text, reason):
    with pytest.raises(UsageError, match=reason):
        runs_query(text)


def test_a_tag_given_twice_means_either():
    assert runs_query("tag=a tag=b").tags_any == ["a", "b"]


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
    assert [info.name for info in runs_of(workspace, runs_query("tag=keep"), store)] == [third, second, first]
    assert [info.name for info in runs_of(workspace, runs_query("tag=keep limit=1"), store)] == [third]
    [both] = runs_of(workspace, RunQuery(tags_all=("keep", "arena")), store)
    assert (both.name, both.tags) == (third, ("arena", "keep"))
    assert runs_of(workspace, runs_query("tag=keep author=eve"), store) == []


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
