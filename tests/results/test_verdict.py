"""The verdict of a rule on data, and what is missing in words."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from experiments.jobs.designs import Registration
from experiments.jobs.journal import BLANK, Journal, Rule
from experiments.jobs.ran import Mark
from experiments.project.errors import StoreError
from experiments.project.values import replaced
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import judge
from experiments.types import JobStatus, Metrics
from tests.fakes.evaluated import write_evaluation
from tests.fakes.studies import REWARD, Study

RULE = Rule(metric=REWARD, direction="higher", effect=1.0, arm="b", baseline="a")
SPREAD = (0.0, 0.1, -0.1, 0.05, -0.05)


class Unreachable:
    """A store that answers nothing, or nothing of one run."""

    def __init__(self, store, only=""):
        self._store, self._only = store, only

    def find(self, query):
        if self._only:
            return self._store.find(query)
        raise StoreError("the server is down")

    def history(self, run, keys):
        if run == self._only:
            raise StoreError("the server is down")
        return self._store.history(run, keys)


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def filled(study, **means):
    for arm, mean in means.items():
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [mean + off * (1 if arm == "a" else 1.5)] * 4)
    return study


def verdict(study, rule=RULE, hypothesis="b is better"):
    runs = scored_runs(study.jobs, rule.metric, study.store, statuses=study.statuses, summary=summary_of(rule))
    return judge(Journal(hypothesis=hypothesis, rule=rule), runs)


@pytest.mark.parametrize(
    ("means", "changes", "decision"),
    [
        ({"a": 1.0, "b": 3.0}, {}, "confirmed"),
        ({"a": 3.0, "b": 1.0}, {}, "rejected"),
        ({"a": 3.0, "b": 1.0}, {"direction": "lower"}, "confirmed"),
        ({"a": 1.0, "b": 1.5}, {}, "rejected"),
        ({"a": 1.0, "b": 2.0}, {"effect": 0.0}, "confirmed"),
    ],
)
def test_the_whole_interval_of_the_difference_decides(study, means, changes, decision):
    filled(study, **means)
    found = verdict(study, RULE.model_copy(update=changes))
    assert found.decision == decision
    assert "95 %" in found.reason
    assert "5 of 5 finished" in found.reason


def test_an_interval_on_both_sides_of_the_effect_decides_nothing(study):
    for seed, off in enumerate((0.0, 2.0, -2.0, 1.5, -1.0)):
        study.add("a", seed, [1.0] * 4)
        study.add("b", seed, [2.0 + off] * 4)
    assert verdict(study).decision == "undecided"


def with_codes(study, codes, rule=RULE):
    """Return the verdict where the runs of `codes` ran these codes, and all others `x`."""
    marks = {job.run: Mark(codes.get(job.run, "x"), run=job.run) for job in study.jobs}
    runs = scored_runs(study.jobs, rule.metric, study.store, statuses=study.statuses, codes=marks)
    return judge(Journal(hypothesis="b is better", rule=rule), runs)


def test_runs_of_different_code_decide_nothing_and_the_way_to_the_difference_is_said(study):
    filled(study, a=1.0, b=3.0)
    first, *_, last = (job.run for job in study.jobs if job.arm == "b")
    found = with_codes(study, {last: "y"})
    assert (found.decision, found.comparison.difference.interval.bounds) == ("undecided", None)
    assert found.reason.startswith(f"2 codes in b (experiments diff {first} {last}); ")
    assert "pool_codes=True in the rule" in found.reason
    other = with_codes(study, {job.run: "y" for job in study.jobs if job.arm == "b"})
    assert other.decision == "undecided"
    assert other.reason.startswith("B and a ran different code")
    assert with_codes(study, {}).decision == "confirmed"


def test_a_rule_that_pools_codes_decides_and_says_that_it_did(study):
    filled(study, a=1.0, b=3.0)
    found = with_codes(study, {study.jobs[-1].run: "y"}, replaced(RULE, pool_codes=True))
    assert found.decision == "confirmed"
    assert "Pooled as the rule says: 2 codes in b" in found.reason


def test_code_that_nobody_knows_keeps_a_verdict_where_none_is_known_and_takes_it_beside_one_that_is(study):
    """Every run of 0.1, and every run of another machine: nothing says that they differ."""
    filled(study, a=1.0, b=3.0)
    unknown = {job.run: "" for job in study.jobs}
    assert with_codes(study, unknown).decision == "confirmed"
    found = with_codes(study, {study.jobs[-1].run: ""})
    assert found.decision == "undecided"
    assert "2 codes in b, that of 1 run not known; " in found.reason


def test_lost_seeds_of_different_code_are_decided_by_no_bound(study):
    filled(study, a=1.0, b=3.0)
    study.add("b", 9, verdict="failed")
    rule = replaced(RULE, floor=0.0, ceiling=4.0)
    assert with_codes(study, {study.jobs[0].run: "y"}, rule).decision == "undecided"
    assert "2 codes in a" in with_codes(study, {study.jobs[0].run: "y"}, rule).reason


@pytest.mark.parametrize(("role", "replicate"), [("replicate", 1), ("reproduction", 0), ("fork", 0)])
def test_a_run_that_is_no_seed_decides_nothing_whatever_it_scored(study, role, replicate):
    filled(study, a=1.0, b=3.0)
    before = verdict(study)
    for seed in range(3):
        study.add("b", seed, [-50.0] * 4, role=role, replicate=replicate)
        study.add("a", 7 + seed, verdict="running", role=role, replicate=replicate)
    found = verdict(study)
    assert found.decision == before.decision == "confirmed"
    assert found.comparison.difference == before.comparison.difference
    assert f"5 of 5 finished, 3 {role}s not counted" in found.reason


def test_a_rule_that_does_not_pool_has_the_hash_that_it_had():
    assert "pool_codes" not in RULE.model_dump(mode="json")
    journal = Journal(hypothesis="b is better", rule=RULE)
    assert journal.digest != Journal(hypothesis="b is better", rule=replaced(RULE, pool_codes=True)).digest


def test_nothing_is_decided_while_runs_go_on(study):
    filled(study, a=1.0, b=3.0)
    study.add("b", 5, [3.0], verdict="running")
    found = verdict(study)
    assert found.decision == "interim"
    assert "5 of 6 seeds of b and 5 of 5 of a have ended; 1 of b is still out" in found.reason


@pytest.mark.parametrize("standing", ["pending", "unknown", "recovering", None])
def test_seeds_that_wait_or_that_nobody_knows_are_waited_for(study, standing):
    filled(study, a=1.0, b=3.0)
    for seed in range(5, 10):
        job = study.add("b", seed, verdict=standing or "unknown")
        if standing is None:
            del study.statuses[job.run]
    found = verdict(study)
    assert found.decision == "interim"
    assert "5 of 10 seeds of b and 5 of 5 of a have ended; 5 of b are still out" in found.reason


@pytest.mark.parametrize(
    ("tracker", "word", "since_s", "decision"),
    [
        ("ada/lab", "running", 20, "interim"),
        ("ada/lab", "running", 3600, "confirmed"),
        ("ada/lab", "finished", 20, "confirmed"),
        ("offline", "running", 20, "confirmed"),
    ],
)
def test_a_run_that_a_server_still_receives_is_waited_for_though_its_job_has_ended(
    study, tracker, word, since_s, decision
):
    filled(study, a=1.0, b=3.0)
    last = study.jobs[-1]
    study.jobs[-1] = replaced(last, tracker=tracker)
    ended = {"tracker": word, "ended_at": time.time() - since_s}
    study.statuses[last.run] = replaced(study.statuses[last.run], **ended)
    assert verdict(study).decision == decision


def test_a_tracker_that_cannot_be_asked_is_waited_for_and_said(study):
    filled(study, a=1.0, b=3.0)
    found = scored_runs(study.jobs, REWARD, Unreachable(study.store))
    assert "what became of 10 runs could not be read" in found.notes[0]
    assert "5 of b and 5 of a could not be read" in judge(Journal(hypothesis="x", rule=RULE), found).reason


def test_values_that_cannot_be_read_are_waited_for_and_not_called_missing(study):
    filled(study, a=1.0, b=3.0)
    broken = Unreachable(study.store, only=study.jobs[0].run)
    found = scored_runs(study.jobs, REWARD, broken, statuses=study.statuses)
    assert found.scores["a"].count.sentence == "4 of 5 finished, 1 not read"
    assert judge(Journal(hypothesis="x", rule=RULE), found).decision == "interim"
    assert "is down" in found.notes[0]


@pytest.mark.parametrize("word", ["failed", "cancelled"])
@pytest.mark.parametrize(("arm", "of"), [("b", "2 of 7 seeds of b"), ("a", "2 of 7 seeds of a")])
def test_lost_seeds_leave_it_undecided_where_the_rule_states_no_bounds(study, word, arm, of):
    filled(study, a=1.0, b=3.0)
    for seed in (5, 6):
        study.add(arm, seed, [0.2] * 2, verdict=word)
    found = verdict(study)
    assert found.decision == "undecided"
    assert found.reason.startswith(f"{of} were lost. {arm}: 5 of 7 finished, 2 {word}.")
    assert f"experiments retry ada.study.{arm}.s5.abcdefgh" in found.reason
    assert found.comparison.p_adjusted is None


@pytest.mark.parametrize(
    ("means", "direction", "lost", "bounds", "decision"),
    [
        ({"a": 1.0, "b": 3.0}, "higher", "b", {"floor": 0.8}, "confirmed"),
        ({"a": 1.0, "b": 3.0}, "higher", "b", {"floor": -3.0}, "undecided"),
        ({"a": 1.0, "b": 3.0}, "higher", "b", {"ceiling": 3.2}, "undecided"),
        ({"a": 1.0, "b": 3.0}, "higher", "a", {"ceiling": 3.2}, "confirmed"),
        ({"a": 1.0, "b": 3.0}, "higher", "a", {"ceiling": 7.0}, "undecided"),
        ({"a": 1.0, "b": 3.0}, "higher", "a", {"floor": 0.8}, "undecided"),
        ({"a": 3.0, "b": 1.0}, "lower", "b", {"ceiling": 3.2}, "confirmed"),
        ({"a": 3.0, "b": 1.0}, "lower", "b", {"floor": 0.8}, "undecided"),
        ({"a": 3.0, "b": 1.0}, "lower", "a", {"floor": 0.8}, "confirmed"),
        ({"a": 3.0, "b": 1.0}, "lower", "a", {"ceiling": 3.2}, "undecided"),
    ],
)
def test_a_lost_seed_counts_as_the_rules_bound_against_the_claim(study, means, direction, lost, bounds, decision):
    filled(study, **means)
    study.add(lost, 5, verdict="failed")
    study.add("ab".replace(lost, ""), 5, [means["ab".replace(lost, "")]] * 4)
    rule = Rule(metric=REWARD, direction=direction, effect=0.5, arm="b", baseline="a", **bounds)
    assert verdict(study, rule).decision == decision


def test_nothing_is_rejected_for_what_a_lost_seed_might_have_scored(study):
    for seed, off in enumerate((0.0, 0.01, -0.01, 0.02)):
        study.add("a", seed, [1.0 + off] * 4)
        study.add("b", seed, [1.1 - 2 * off] * 4)
    study.add("a", 4, [1.0] * 4)
    study.add("b", 4, verdict="failed")
    rule = Rule(metric=REWARD, direction="higher", effect=0.5, arm="b", baseline="a", floor=0.5, ceiling=9.0)
    assert "against the hypothesis it would be rejected, with them for it undecided" in verdict(study, rule).reason
    assert verdict(study, rule.model_copy(update={"ceiling": 1.5})).decision == "rejected"


def test_a_score_beyond_the_bounds_that_a_rule_states_is_said(study):
    filled(study, a=1.0, b=3.0)
    study.add("b", 5, verdict="failed")
    rule = RULE.model_copy(update={"floor": 0.0, "ceiling": 2.5})
    found = verdict(study, rule)
    assert found.decision == "undecided"
    assert "Seed 0 of b scored 3, above the ceiling of 2.5" in found.reason


MACHINE = {"verdict": "failed", "scheduler": "RESTARTED", "exit_code": None}


def test_a_retry_takes_a_seeds_place_only_where_the_machine_failed_and_that_is_said(study):
    filled(study, a=1.0, b=3.0)
    failed = study.add("b", 5, [0.1], verdict="failed")
    study.add("b", 5, [3.0] * 4, name="ada.study.b.s5.retry000")
    study.add("a", 5, [1.0] * 4)
    assert verdict(study).reason.startswith("1 of 6 seeds of b was lost")
    study.statuses[failed.run] = JobStatus(run_name=failed.run, **MACHINE)
    found = verdict(study)
    assert found.decision == "confirmed"
    assert "seed 5 of b: attempt 2, after the machine failed" in found.reason


def test_a_seed_lost_with_its_machine_is_offered_again(study):
    filled(study, a=1.0, b=3.0)
    failed = study.add("b", 5, [0.1], verdict="failed")
    study.statuses[failed.run] = JobStatus(run_name=failed.run, **MACHINE)
    found = verdict(study)
    assert "b: 5 of 6 finished, 1 lost with the machine" in found.reason
    assert f"the new attempts take their place: experiments retry {failed.run}." in found.reason


def test_all_seeds_failed_one_seed_or_no_spread_are_undecided_with_the_reason(study):
    for seed in range(3):
        study.add("a", seed, [1.0] * 4)
        study.add("b", seed, verdict="failed")
    assert verdict(study).reason.startswith("3 of 3 seeds of b were lost")
    alone = Study(study.root)
    alone.add("c", 0, [1.0] * 4)
    alone.add("d", 0, [2.0] * 4)
    found = verdict(alone, RULE.model_copy(update={"arm": "d", "baseline": "c"}))
    assert found.decision == "undecided"
    assert "No interval" in found.reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "zz"}, "has no run"),
        ({"baseline": "zz"}, "has no run"),
        ({"arm": "a"}, "with itself"),
        ({"metric": "<b>no.such[metric]:'"}, "No seed of b and a has a value of <b>no.such[metric]:'"),
    ],
)
def test_a_rule_that_fits_no_arm_or_metric_is_said(study, changes, said):
    filled(study, a=1.0, b=3.0)
    found = verdict(study, RULE.model_copy(update=changes))
    assert found.decision == "undecided"
    assert said in found.reason


def test_a_rule_without_arms_takes_the_only_other_one_and_asks_where_there_are_more(study):
    filled(study, a=1.0, b=3.0)
    open_rule = RULE.model_copy(update={"arm": "", "baseline": ""})
    assert verdict(study, open_rule).reason.startswith("b minus a")
    filled(study, c=2.0)
    assert "names no arm" in verdict(study, open_rule).reason


def test_no_runs_no_hypothesis_and_no_rule_are_sentences(study):
    assert verdict(study).reason == "No run yet."
    assert "No hypothesis" in verdict(study, hypothesis=" ").reason
    runs = scored_runs([], REWARD, study.store)
    assert "No rule" in judge(Journal(hypothesis="x", rule=None), runs).reason
    assert judge(BLANK, runs).decision == "undecided"


def test_nan_and_infinity_are_diverged_and_words_are_no_numbers(study):
    filled(study, a=1.0)
    for seed, last in enumerate((math.nan, math.inf, "a word", None, 3.0)):
        study.add("b", seed, [1.0, last])
    found = verdict(study)
    assert found.decision == "undecided"
    assert "diverged" in found.reason


def test_a_run_that_turns_to_nan_at_its_very_end_has_diverged_and_has_no_score(study):
    filled(study, a=1.0)
    for seed in range(5):
        study.add("b", seed, [3.0] * 99 + [math.nan if seed == 4 else 3.0])
    study.add("b", 5, [math.nan] * 100)
    runs = scored_runs(study.jobs, REWARD, study.store, statuses=study.statuses)
    assert (runs.scores["b"].count.finished, runs.scores["b"].count.diverged) == (4, 2)


def test_without_a_monitor_the_trackers_word_counts(study):
    filled(study, a=1.0)
    study.add("b", 0, [3.0] * 4, verdict="running")
    runs = scored_runs(study.jobs, REWARD, study.store)
    assert runs.scores["a"].count.finished == 5
    assert runs.scores["a"].count.total == 5


@pytest.mark.parametrize(
    ("named", "decision", "says"),
    [
        (None, "undecided", "global_step, which was found among what the runs logged: no trainer had named its steps"),
        ("global_step", "confirmed", "All of it is on the side of the hypothesis"),
        ("frames", "undecided", "Name them for the runs to come: Trainer(metrics=Metrics(step='global_step'), ...)"),
    ],
)
def test_steps_that_were_only_found_carry_no_claim(study, named, decision, says):
    metrics = Metrics(step=named) if named else None
    for arm, mean in (("a", 1.0), ("b", 3.0)):
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [mean + off * (1 if arm == "a" else 1.5)] * 4, step="global_step", metrics=metrics)
    found = verdict(study)
    assert (found.decision, says in found.reason) == (decision, True), found.reason


def looked(study, *, looks=(3, 5, 8), registration=None, **stated):
    """Return the verdict of a rule that looks before the end."""
    rule = replaced(RULE, looks=looks, **stated)
    runs = scored_runs(study.jobs, rule.metric, study.store, statuses=study.statuses, summary=summary_of(rule))
    return judge(Journal(hypothesis="b is better", rule=rule), runs, registration)


def grown(study, pairs, *, ended=None, gap=3.0):
    """Add pairs of seeds whose differences are about `gap`; those from `ended` on still run."""
    rng = np.random.default_rng(1)
    for seed in range(pairs):
        for arm, mean in (("a", 1.0), ("b", 1.0 + gap)):
            values = [mean + float(rng.normal(0, 0.1))] * 4
            is_out = ended is not None and seed >= ended
            study.add(arm, seed, values, verdict="running" if is_out else "succeeded")


def test_the_first_look_that_decides_stands_and_spares_the_seeds_behind_it(study):
    grown(study, 4, ended=3)
    found = looked(study)
    assert (found.decision, found.spared) == ("confirmed", (3, 4, 5, 6, 7))
    assert found.reason.startswith("Look after 3 of 8 planned seeds.")
    assert "5 seeds of each arm need not run." in found.reason
    assert "repeated" in found.reason


def test_a_look_takes_the_seeds_in_their_order_so_that_those_that_end_first_decide_nothing(study):
    for seed in (1, 2, 3, 4):
        for arm, mean in (("a", 1.0), ("b", 4.0)):
            study.add(arm, seed, [mean + 0.1 * seed] * 4)
    for arm in "ab":
        study.add(arm, 0, [1.0], verdict="running")
    found = looked(study)
    assert found.decision == "interim"
    assert found.reason.startswith("A look is due after 3 of 8 planned seeds.")


def test_between_two_looks_nothing_is_decided_and_the_look_before_is_said(study):
    grown(study, 5, ended=4, gap=1.02)
    found = looked(study)
    assert found.decision == "interim"
    assert "A look is due after 5 of 8 planned seeds." in found.reason
    assert "The look before: Look after 3 of 8 planned seeds." in found.reason


def test_planned_seeds_that_nobody_launched_yet_are_waited_for(study):
    grown(study, 4, gap=1.02)
    found = verdict(study, replaced(RULE, seeds=6))
    assert found.decision == "interim"
    assert "4 of 6 seeds of b" in found.reason


def test_seeds_beyond_the_design_are_no_part_of_it_and_said(study):
    grown(study, 6)
    study.add("b", 6, [-100.0] * 4)
    found = verdict(study, replaced(RULE, seeds=5))
    assert found.decision == "confirmed"
    assert found.comparison.counts[0].total == 5
    assert "Beside the design, and no part of it: 2 seeds of b and 1 seed of a." in found.reason


def test_a_look_counts_a_lost_seed_by_the_rules_bounds(study):
    grown(study, 8)
    study.jobs = [job for job in study.jobs if (job.arm, job.seed) != ("b", 1)]
    study.add("b", 1, verdict="failed", name="ada.study.b.s1.bbbbbbbb")
    without = looked(study)
    assert without.decision == "undecided"
    assert "does not state what they count as" in without.reason
    bounded = looked(study, floor=0.0, ceiling=10.0)
    assert "They count as 0 in b, as the rule says." in bounded.reason


def test_a_design_that_looks_at_any_time_decides_at_the_first_seed_that_does(study):
    grown(study, 8)
    found = looked(study, looks="any time", seeds=20, floor=0.0, ceiling=10.0)
    assert found.decision == "confirmed"
    assert found.reason.startswith("Look after ")
    assert len(found.spared) >= 12


def test_a_smaller_level_of_a_late_design_asks_for_a_wider_interval(study):
    grown(study, 5, gap=1.2)
    first = judged(study, Registration("", number=1, level=0.03))
    late = judged(study, Registration("", number=20, level=0.03 / 400))
    assert first.decision == "confirmed"
    assert late.decision == "undecided"
    assert "97.3 % paired" in first.reason


def judged(study, registration):
    runs = scored_runs(study.jobs, RULE.metric, study.store, statuses=study.statuses, summary=summary_of(RULE))
    return judge(Journal(hypothesis="b is better", rule=RULE), runs, registration)


def test_a_window_of_steps_scores_the_mean_inside_it_and_waits_for_runs_that_reach_its_end(study):
    for seed in range(3):
        study.add("a", seed, [9.0, 1.0 + 0.01 * seed, 1.0, 9.0])
        study.add("b", seed, [0.0, 5.0 + 0.03 * seed, 5.0, 0.0])
    rule = replaced(RULE, window=(200, 300))
    found = verdict(study, rule)
    assert found.decision == "confirmed"
    assert found.comparison.difference.value == pytest.approx(4.01, abs=0.01)
    beyond = verdict(study, replaced(RULE, window=(200, 900)))
    assert beyond.decision == "undecided"
    assert "no value after 400 of 900" in beyond.reason


def test_an_interquartile_mean_decides_nothing_at_a_level_that_resampling_cannot_resolve(study):
    grown(study, 8)
    rule = replaced(RULE, statistic="iqm")
    runs = scored_runs(study.jobs, rule.metric, study.store, statuses=study.statuses, summary=summary_of(rule))
    journal = Journal(hypothesis="b is better", rule=rule)
    assert judge(journal, runs, Registration("", number=1, level=0.03)).decision == "confirmed"
    late = judge(journal, runs, Registration("", number=3, level=0.003))
    assert late.decision == "undecided"
    assert "which cannot resolve a level of 0.0027; a mean can" in late.reason


def test_arms_that_were_evaluated_at_unlike_numbers_of_checkpoints_decide_nothing(study):
    """The best of ten evaluations is higher than the only one, and how many there are is chosen afterwards."""
    for arm, mean in (("a", 1.0), ("b", 3.0)):
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [0.0] * 4)
            write_evaluation(study.workspace.runs / study.jobs[-1].run, 400, {0: mean + off * mean, 1: mean})
    rule = replaced(RULE, metric="eval/2-maps/return", score="best")
    assert verdict(study, rule).decision == "confirmed"
    write_evaluation(study.workspace.runs / study.jobs[-1].run, 300, {0: 3.1, 1: 3.1})
    found = verdict(study, rule)
    assert found.decision == "undecided"
    assert found.reason.startswith("Some runs were evaluated at 1 checkpoint and some at 2")


def test_more_evaluations_of_some_runs_change_nothing_where_the_rule_says_how_many_of_the_last_count(study):
    for arm, mean in (("a", 1.0), ("b", 3.0)):
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [0.0] * 4)
            for step in (300, 400):
                write_evaluation(study.workspace.runs / study.jobs[-1].run, step, {0: mean + off * mean, 1: mean})
    rule = replaced(RULE, metric="eval/2-maps/return", last_values=2)
    before = verdict(study, rule)
    assert before.decision == "confirmed"
    write_evaluation(study.workspace.runs / study.jobs[-1].run, 200, {0: 99.0, 1: 99.0})
    assert verdict(study, rule).comparison.difference.value == before.comparison.difference.value
    found = verdict(study, replaced(rule, last_values=3))
    assert found.decision == "undecided"
    assert "2 values, and the score is the mean of 3" in found.reason


@pytest.mark.parametrize(
    ("codes", "decision"), [(("x", "x"), "confirmed"), (("own", "x"), "undecided"), (("x", "y"), "undecided")]
)
def test_arms_that_were_evaluated_by_unlike_code_decide_nothing(study, codes, decision):
    """The code of a run is its own; what evaluates it may be other code, on easier maps."""
    for (arm, mean), code in zip((("a", 1.0), ("b", 3.0)), codes, strict=True):
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [0.0] * 4)
            folder = study.workspace.runs / study.jobs[-1].run
            write_evaluation(folder, 400, {0: mean + off * mean, 1: mean}, code=code, is_own_code=code == "own")
    found = verdict(study, replaced(RULE, metric="eval/2-maps/return"))
    assert found.decision == decision
    assert ("by other code than others" in found.reason) == (decision == "undecided")


EVALUATED = replaced(RULE, metric="eval/2-maps/return", last_values=2)


def evaluated(study, *ways, steps=(300, 400)):
    """Return the verdict on arms that were evaluated in each of some ways, the last of which was asked for last."""
    for arm, mean in (("a", 1.0), ("b", 3.0)):
        for seed, off in enumerate(SPREAD):
            study.add(arm, seed, [0.0] * 4)
            for way in ways:
                for step in steps[arm] if isinstance(steps, dict) else steps:
                    folder = study.workspace.runs / study.jobs[-1].run
                    write_evaluation(folder, step, {0: mean + off * mean, 1: mean}, **way)
    return verdict(study, EVALUATED)


OWN, OTHER, EASIER = {}, {"code": "other", "is_own_code": False}, {"command": ("play", "--easier")}


@pytest.mark.parametrize(
    ("ways", "decision"),
    [
        ([OWN], "confirmed"),
        ([OTHER, OWN], "confirmed"),
        ([OWN, OTHER], "undecided"),
        ([OTHER, {**OTHER, "code": "again"}], "undecided"),
        ([OWN, EASIER], "undecided"),
    ],
)
def test_runs_that_were_evaluated_until_a_way_was_liked_decide_nothing(study, ways, decision):
    found = evaluated(study, *ways)
    assert found.decision == decision
    assert ("by several codes or commands" in found.reason) == (decision == "undecided")


@pytest.mark.parametrize(("steps", "decision"), [((200, 250), "undecided"), ((200, 300), "confirmed")])
def test_evaluations_that_end_where_it_looked_best_decide_nothing(study, steps, decision):
    """Runs of 400 steps: from 300 there may be no further checkpoint, from 250 there are."""
    found = evaluated(study, OWN, steps=steps)
    assert found.decision == decision
    assert ("was evaluated up to 250 of 400" in found.reason) == (decision == "undecided")


def test_last_checkpoints_of_another_stretch_of_steps_decide_nothing(study):
    """Late ones beat those that are spread over a run, while it still learns."""
    found = evaluated(study, OWN, steps={"a": (100, 400), "b": (390, 400)})
    assert found.decision == "undecided"
    assert "begin at 100 agent steps and those of others at 390" in found.reason
