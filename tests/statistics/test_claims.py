"""Nothing is claimed before all planned seeds have ended, nor of arms that lost seeds; one function says so for all."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import Scores, SeedScore, compare, compare_arms, methods_sentence, summarise
from experiments.statistics.claims import claim_of, still_out
from experiments.statistics.values import SeedCount
from tests.statistics.samples import curve, learning

VERDICT_WORDS = ("better", "worse", "p =", "confirmed")


def scores(arm, level, outcomes):
    runs = [
        SeedScore(seed, level * (1 + 0.1 * seed) if outcome == "finished" else None, outcome, reason=f"{outcome} at 3")
        for seed, outcome in enumerate(outcomes)
    ]
    return Scores(arm, tuple(runs), metric="loss/x")


def arms(*outcomes):
    return scores("a", 1.0, ["finished"] * 3), scores("b", 2.0, ["finished"] * 3 + list(outcomes))


@pytest.mark.parametrize("outcome", ["unfinished", "unread"])
def test_while_seeds_are_out_a_comparison_is_interim_without_p_or_verdict_word(outcome):
    found = compare(*reversed(arms(*[outcome] * 7)))
    assert (found.verdict, found.p_adjusted, found.difference.p_value, found.difference.test) == (
        "interim",
        None,
        None,
        "",
    )
    assert found.difference.permutation.p_value is None
    assert found.difference.interval.bounds is found.improvement.interval.bounds is None
    assert not any(word in found.sentence for word in VERDICT_WORDS)
    assert "interim: 3 of 10 seeds of b and 3 of 3 of a have ended; 7 of b" in found.sentence
    assert compare(*reversed(arms())).verdict == "better"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("failed", "2 failed"),
        ("machine failed", "2 lost with the machine"),
        ("cancelled", "2 cancelled"),
        ("diverged", "2 diverged"),
        ("no value", "2 without a value of loss/x"),
        ("unscored", "2 without a score"),
    ],
)
def test_where_seeds_were_lost_a_comparison_is_undecided_and_says_how_many(outcome, words):
    found = compare(*reversed(arms(outcome, outcome)))
    assert (found.verdict, found.p_adjusted, found.claim.standing) == ("undecided", None, "lost")
    assert found.difference.interval.bounds is None
    became = "have no score: unscored at 3" if outcome == "unscored" else "were lost"  # a shorter run is not lost
    assert found.reason == f"2 of 5 seeds of b {became}."
    assert words in found.sentence
    assert "over the seeds with a score" in found.sentence
    assert not any(word in found.sentence for word in VERDICT_WORDS)


def test_a_lost_seed_that_was_given_a_score_is_not_lost_to_a_claim():
    base, other = arms("failed")
    assert claim_of(base, other).standing == "lost"
    filled = other.filled(0.0)
    assert claim_of(base, filled).is_final
    assert filled.runs[3].reason == "failed at 3, counted as 0"
    assert filled.count.failed == 1


def test_seeds_that_are_out_come_before_those_that_were_lost():
    assert claim_of(*arms("failed", "unfinished")).standing == "interim"


def test_a_metric_that_no_run_has_is_said_and_not_called_a_loss():
    nothing = [scores(arm, 1.0, ["no value"] * 5) for arm in "ab"]
    assert claim_of(*nothing).reason == "no seed of a and b has a value of loss/x"
    assert nothing[0].count.sentence == "5 of 5 finished, 5 without a value of loss/x"


def test_what_is_still_out_is_named_of_few_arms_and_counted_of_many():
    counts = [(name, SeedCount(finished=3, failed=1, unfinished=out)) for name, out in (("a", 1), ("b", 0))]
    assert still_out(counts) == "4 of 5 seeds of a and 4 of 4 of b have ended; 1 of a is still out"
    assert still_out([(str(arm), SeedCount(3, unfinished=2)) for arm in range(6)]) == (
        "18 of 30 seeds of 6 arms have ended; 12 of 6 arms are still out"
    )
    assert still_out(counts[1:]) == ""


def test_an_arm_that_is_out_still_counts_for_holm():
    rng = np.random.default_rng(0)
    final = [Scores.of(rng.normal(level, 1.0, 8), arm=arm) for arm, level in (("a", 0.0), ("b", 1.5), ("c", 1.5))]
    out = scores("c", 2.0, ["finished"] * 3 + ["unfinished"])
    whole, interim = compare_arms(final), compare_arms([*final[:2], out])
    assert [one.family for one in interim] == [2, 2]
    assert interim[0].p_adjusted >= whole[0].p_adjusted
    assert interim[1].p_adjusted is None


def test_the_methods_sentence_says_interim_first_and_what_was_lost():
    curves = [*learning("a", 5.0), *learning("b", 6.0, seeds=3), *learning("b", 6.0, seeds=5, outcome="unfinished")[3:]]
    found = list(summarise(curves).values())
    text = methods_sentence(found, compare_arms(found))
    assert text.startswith("Interim: 5 of 5 seeds of a and 3 of 5 of b have ended; 2 of b are still out.")
    assert "Compared with a, seed by seed." in text
    assert "p-value" not in text
    curves = [*learning("a", 5.0), *learning("b", 6.0, seeds=4), learning("b", 6.0, outcome="failed")[4]]
    found = list(summarise(curves).values())
    assert "Undecided: b against a: 1 of 5 seeds of b was lost." in methods_sentence(found, compare_arms(found))


def test_another_attempt_that_stands_for_a_seed_is_said_in_the_methods():
    lost = curve([1.0], arm="b", seed=0, outcome="machine failed")
    found = list(summarise([*learning("a", 5.0), lost, *learning("b", 6.0)]).values())
    assert "Attempts: seed 0 of b: attempt 2, after the machine failed." in methods_sentence(found)
    assert compare(found[1], found[0]).claim.is_final
