"""What can be given for a run, and what is said of a name that is none."""

from __future__ import annotations

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.jobs.run_names import known_runs, ref_of, refs_of
from experiments.project.errors import StoreError, UsageError
from experiments.runs.offline.store import OfflineStore
from experiments.types import JobRef
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.wandb_files import offline_run, run


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
