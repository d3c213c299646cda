"""The verdict of a rule on data, and what is missing in words."""

from __future__ import annotations

import math

import pytest

from experiments.journal import BLANK, Journal, Rule
from experiments.judging import judge
from experiments.scoring import scored_runs, summary_of
from tests.fakes.studies import REWARD, Study

RULE = Rule(metric=REWARD, direction="higher", effect=1.0, arm="b", baseline="a")
SPREAD = (0.0, 0.1, -0.1, 0.05, -0.05)


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
    assert found.decision == "undecided"
    assert "1 run of b and a not finished" in found.reason


def test_a_failed_seed_is_counted_not_dropped(study):
    filled(study, a=1.0, b=3.0)
    study.add("b", 5, verdict="failed")
    study.add("a", 5, [0.8] * 4)
    study.add("b", 6, [3.3] * 4)
    study.add("a", 6, [1.0] * 4)
    assert "6 of 7 finished, 1 failed" in verdict(study).reason


def test_all_seeds_failed_one_seed_or_no_spread_are_undecided_with_the_reason(study):
    for seed in range(3):
        study.add("a", seed, [1.0] * 4)
        study.add("b", seed, verdict="failed")
    assert "No interval of the difference" in verdict(study).reason
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
        ({"metric": "<b>no.such[metric]:'"}, "No interval"),
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


def test_without_a_monitor_the_trackers_word_counts(study):
    filled(study, a=1.0)
    study.add("b", 0, [3.0] * 4, verdict="running")
    runs = scored_runs(study.jobs, REWARD, study.store)
    assert runs.scores["a"].count.finished == 5
    assert runs.scores["a"].count.total == 5
