"""What recorded criteria say of runs: met, excluded or undecided, and never by what was written after the data."""

from __future__ import annotations

import math
import time

import pytest

from experiments.jobs.criteria import Criterion, Stated, check_arms, record_criteria
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import command_permit
from experiments.jobs.ran import Mark
from experiments.project.errors import LedgerError, UsageError
from experiments.project.standing import CHOOSING
from experiments.results.acceptance import acceptance_of
from experiments.results.accepted_by import asked_of
from experiments.results.scores import scored_runs
from experiments.types import KeptControl, Plan, PlannedJob, TrainingJobConfig
from tests.fakes.studies import REWARD, Study, two_arms

CONFIG = TrainingJobConfig(curriculum="arena/basic")
AT_LEAST_TWO = Criterion(REWARD, ">=", 2)


@pytest.fixture
def study(tmp_path):
    return two_arms(tmp_path)


def launch(study, *criteria, jobs=None, key="k", family="f", repeat=1, late=False, control=None):
    """Record the runs of a study as launched together, with criteria before or after the first job."""
    jobs = study.jobs if jobs is None else jobs
    planned = [PlannedJob(run_name=j.run, arm=j.arm, seed=j.seed, config=CONFIG, command=("true",)) for j in jobs]
    fields = {"experiment": "study", "user": "ada", "launcher": "local", "target": "here", "control": control}
    plan = Plan(**fields, repeat=repeat, key=key, family=family, jobs=tuple(planned))

    def record():
        record_criteria(plan, Stated(tuple(criteria)), command_permit("test"), study.workspace)

    if not late:
        record()
    with open_ledger(study.workspace) as ledger:
        ledger.record_plan(plan)
    if late:
        time.sleep(0.01)
        record()


def judged(study, codes=None):
    asked = asked_of(study.workspace, "study")

    def score(jobs, metric, summary):
        return scored_runs(jobs, metric, study.store, statuses=study.statuses, summary=summary, codes=codes)

    return acceptance_of(asked, score, study.store)


def states(found):
    return {(row.criterion.asked, row.arm): row.state for row in found.rows}


def test_every_arm_is_held_to_a_criterion_that_names_none(study):
    launch(study, AT_LEAST_TWO, Criterion(REWARD, "<", 2, arm="a"))
    found = judged(study)
    assert states(found) == {
        ("at least 2", "a"): "excluded",
        ("at least 2", "b"): "met",
        ("less than 2", "a"): "met",
    }
    assert found.verdict == "excluded"
    assert "None of the interval is at least 2 (95 % Student t interval, n = 3, which assumes" in found.rows[0].reason


def test_a_level_widens_the_interval_until_it_holds_the_bound(study):
    launch(study, Criterion(REWARD, ">=", 2.7, arm="b"), Criterion(REWARD, ">=", 2.7, arm="b", level=0.01))
    found = judged(study)
    assert [row.state for row in found.rows] == ["met", "undecided"]
    assert [row.estimate.interval.level for row in found.rows] == [0.95, 0.99]
    assert found.verdict == "undecided"
    assert found.sentence.startswith("Undecided: 1 of 2 met, by the criteria recorded on ")


def test_seeds_that_are_out_decide_nothing_however_clear_it_looks(study):
    study.add("b", 3, verdict="running")
    launch(study, AT_LEAST_TWO)
    reasons = {row.arm: row.reason for row in judged(study).rows}
    assert "Seeds are still out: 3 of 4 finished, 1 unfinished" in reasons["b"]


def test_one_seed_and_seeds_without_spread_have_no_interval_and_so_no_answer(tmp_path):
    study = Study(tmp_path)
    study.add("one", 0, [3.0])
    for seed in range(3):
        study.add("same", seed, [3.0])
    launch(study, AT_LEAST_TWO)
    found = judged(study)
    assert {row.state for row in found.rows} == {"undecided"}
    assert "No interval over the seeds: 1 seed" in found.rows[0].reason


def test_lost_seeds_count_as_the_criterion_says_and_else_leave_it_open(study):
    study.add("b", 3, [3.0], verdict="failed")
    launch(
        study, AT_LEAST_TWO, Criterion(REWARD, ">=", 0.1, arm="b", lost=0), Criterion(REWARD, ">=", 9, arm="b", lost=3)
    )
    _, silent, counted, below = judged(study).rows
    assert silent.state == "undecided"
    assert "1 of 4 seeds (1 failed) were lost" in silent.reason
    assert counted.reason.startswith("1 of 4 seeds (1 failed) count as 0, as the criterion says. ")
    assert counted.estimate.value == pytest.approx((3 + 3.15 + 3.3) / 4)
    assert below.state == "excluded"


def test_a_score_beyond_what_lost_seeds_count_as_shows_that_they_may_be_worse(study):
    study.add("a", 3, [1.0], verdict="failed")
    launch(study, Criterion(REWARD, ">=", 9, arm="a", lost=1.04))
    [row] = judged(study).rows
    assert row.state == "undecided"
    assert row.reason.startswith("Seed 0 scored 1, which is worse than the 1.04 that lost seeds count as")


def test_a_window_of_steps_is_what_a_criterion_looks_at(tmp_path):
    study = Study(tmp_path)
    for seed in range(3):
        study.add("a", seed, [1 + seed / 100, 5 + seed / 100, 9 + seed / 100])
    launch(study, Criterion(REWARD, ">", 8), Criterion(REWARD, ">", 8, window=(100, 200)))
    rows = judged(study).rows
    assert [row.state for row in rows] == ["met", "excluded"]
    assert rows[1].summary == "mean over steps 100 to 200"


def test_a_window_that_ends_after_the_runs_has_no_score_and_meets_nothing(study):
    launch(study, Criterion(REWARD, ">", 0, window=(100, 9_000)))
    assert {row.state for row in judged(study).rows} == {"undecided"}


def test_seeds_that_a_search_chose_by_accept_nothing(tmp_path):
    study = Study(tmp_path)
    for seed in (0, 1, CHOOSING):
        study.add("a", seed, [5 + (seed % 7) / 100])
    launch(study, Criterion(REWARD, ">", 1))
    [row] = judged(study).rows
    assert row.state == "undecided"
    assert row.reason.startswith("1 seed from 1,000,000 upward")


def test_runs_of_different_code_are_not_pooled_unless_the_criterion_does(study):
    launch(study, AT_LEAST_TWO, Criterion(REWARD, ">=", 2, arm="b", pool_codes=True))
    codes = {job.run: Mark(str(job.seed), run=job.run) for job in study.jobs}
    rows = judged(study, codes).rows
    assert [row.state for row in rows] == ["undecided", "undecided", "met"]
    assert "3 codes in b" in rows[1].reason
    assert "does not pool them" in rows[1].reason


def test_a_metric_that_no_run_logs_is_said_with_the_nearest(study):
    launch(study, Criterion("overview/rewards", ">", 1))
    reasons = {row.reason for row in judged(study).rows}
    nearest = "Metric 'overview/rewards' was logged by none of 6 runs. Nearest: 'overview/reward'"
    assert all(reason.startswith(nearest) for reason in reasons)


def test_criteria_written_after_the_launch_accept_nothing(study):
    launch(study, Criterion(REWARD, ">", 0), late=True)
    found = judged(study)
    assert {row.state for row in found.rows} == {"met"}
    assert found.verdict == "undecided"
    assert found.notes[0].startswith("Exploratory: the first runs were launched on")


def test_a_clock_that_was_set_back_makes_no_criteria_older_than_the_runs(study, monkeypatch):
    launch(study, AT_LEAST_TWO)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86_400)
    launch(study, Criterion(REWARD, ">=", 0.5))
    more = [study.add("b", seed, [3.0 + seed / 50] * 3) for seed in (3, 4)]
    launch(study, Criterion(REWARD, ">=", 0.5), jobs=more, key="l", family="g")
    assert {row.criterion.bound for row in judged(study).rows} == {2.0}


def test_criteria_recorded_after_the_jobs_accept_nothing_whatever_the_clock_says(study, monkeypatch):
    launch(study)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86_400)
    launch(study, Criterion(REWARD, ">", 0))
    assert judged(study).verdict == "undecided"


def test_later_seeds_are_judged_by_what_stood_before_the_first_and_other_criteria_are_said(study):
    launch(study, AT_LEAST_TWO)
    more = [study.add("b", seed, [3.0 + seed / 50] * 3) for seed in (3, 4)]
    launch(study, Criterion(REWARD, ">=", 1), jobs=more, key="l", family="g")
    found = judged(study)
    assert {row.criterion.bound for row in found.rows} == {2.0}
    assert found.rows[1].seeds == "5 of 5 finished"
    assert any(note.startswith("Other criteria were recorded on") for note in found.notes)


def test_seeds_that_are_added_until_the_bound_is_kept_leave_less_of_the_level_each_time(study):
    """An arm that lies at its bound would else be accepted in one of eight studies that add seeds until it is."""
    launch(study, Criterion(REWARD, ">=", 2.7, arm="b"))
    [before] = judged(study).rows
    assert (before.state, before.estimate.interval.level) == ("met", 0.95)
    more = [study.add("b", seed, [3.0 + seed / 50] * 3) for seed in (3, 4)]
    launch(study, Criterion(REWARD, ">=", 2.7, arm="b"), jobs=more, key="l", family="g")
    [after] = judged(study).rows
    assert after.estimate.interval.level == pytest.approx(1 - 0.05 * 6 / math.pi**2 / 4)
    assert after.estimate.interval.n == 5
    assert "Its seeds were launched at 2 times" in after.reason


def test_the_newest_repeat_is_judged_and_lends_no_seed_from_those_before(study):
    launch(study, AT_LEAST_TWO)
    again = [study.add("b", seed, [3.0], name=f"ada.study.b.s{seed}.zzzzzzzz", verdict=verdict) for seed, verdict in
             ((0, "succeeded"), (1, "failed"))]  # fmt: skip
    launch(study, AT_LEAST_TWO, jobs=again, key="l", repeat=2)
    found = judged(study)
    assert {job.run for job in found.asked.jobs} == {job.run for job in again}
    assert "were lost" in found.rows[0].reason
    assert any("1 earlier repeat of them left aside" in note for note in found.notes)


@pytest.mark.parametrize("bound", [2, 1.5])
def test_a_bound_that_was_moved_since_the_repeat_before_is_said(study, bound):
    launch(study, AT_LEAST_TWO)
    again = [study.add("b", seed, [3.0 + seed / 50], name=f"ada.study.b.s{seed}.zzzzzzzz") for seed in (0, 1)]
    launch(study, Criterion(REWARD, ">=", bound), jobs=again, key="l", repeat=2)
    said = [note for note in judged(study).notes if note.startswith("The repeat before was held to")]
    assert bool(said) == (bound != 2)
    assert all(AT_LEAST_TWO.words in note for note in said)


def test_an_experiment_without_criteria_or_without_jobs_or_with_unreadable_ones_says_so(study):
    with pytest.raises(UsageError, match="no job"):
        asked_of(study.workspace, "study")
    launch(study)
    assert asked_of(study.workspace, "study") is None
    with open_ledger(study.workspace) as ledger:
        ledger.add_event("criteria", plan_key="k", criteria="none")
    with pytest.raises(LedgerError, match="cannot be read by this version"):
        asked_of(study.workspace, "study")


def beside(study):
    """Record the runs of arm b as launched beside arm a, which was kept."""
    kept = [job for job in study.jobs if job.arm == "a"]
    control = KeptControl(name="kept", version="1", arm="a", config=CONFIG, runs=tuple(kept))
    launch(study, AT_LEAST_TWO, jobs=[job for job in study.jobs if job.arm == "b"], control=control)


def test_a_kept_control_is_shown_beside_what_it_was_launched_beside_and_decides_nothing(study):
    beside(study)
    found = judged(study)
    assert states(found) == {("at least 2", "a"): "excluded", ("at least 2", "b"): "met"}
    assert [(row["arm"], row["control"]) for row in found.as_json()["criteria"]] == [("a", "kept"), ("b", "")]
    assert found.rows[0].reason.startswith("Control kept: its runs had ended before the criteria were recorded")
    assert (found.verdict, found.sentence.split(",")[0]) == ("accepted", "Accepted: 1 of 1 met")


def test_a_criterion_about_a_control_is_refused_before_the_launch(study):
    beside(study)
    with open_ledger(study.workspace, read_only=True) as ledger:
        plan = ledger.plan("k")
    with pytest.raises(UsageError, match="about arm 'a', which is control kept: what it scored is known already"):
        check_arms([Criterion(REWARD, ">=", 1, arm="a")], plan, study.workspace)


def test_the_document_has_what_the_table_has(study):
    launch(study, AT_LEAST_TWO)
    document = judged(study).as_json()
    assert document["verdict"] == "excluded"
    row = document["criteria"][1]
    assert (row["arm"], row["state"], row["bound"], row["comparison"]) == ("b", "met", 2.0, ">=")
    assert row["interval"][0] < row["value"] < row["interval"][1]
    assert row["seeds"] == "3 of 3 finished"
