"""The verdict of a rule on data, and what is missing in words."""

from __future__ import annotations

import math

import pytest

from experiments.jobs.journal import BLANK, Journal, Rule
from experiments.project.errors import StoreError
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import judge
from experiments.types import JobStatus
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


MACHINE = {"verdict": "failed", "scheduler": "LOST", "exit_code": None}


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
