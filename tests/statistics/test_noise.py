"""Runs of one seed, with codes and roles: what counts, what is claimed, and how far they lie apart."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.statistics import (
    align,
    band,
    compare,
    compare_arms,
    count_of,
    describe,
    different_code,
    floor_of,
    methods_sentence,
    noise_floor,
    standing_curves,
    summarise,
)
from tests.statistics.samples import curve, learning

STEPS = np.arange(11.0)


def flat(value, **options):
    return curve(np.full(11, float(value)), STEPS, **options)


def replicates(of, values):
    return [
        replace(flat(value, arm=of.arm, seed=of.seed, role="replicate", replicate=at), code=of.code)
        for at, value in enumerate(values, 1)
    ]


def scores(*curves):
    return summarise(list(curves))


NO_SEEDS = [("replicate", 1), ("reproduction", 0), ("reproduction", 2), ("fork", 0)]


@pytest.mark.parametrize(("role", "replicate"), NO_SEEDS)
def test_a_run_that_is_no_seed_changes_no_statistic_and_is_said(role, replicate):
    seeds = [flat(value, arm="a", seed=at) for at, value in enumerate((1, 2, 4))]
    other = flat(99, arm="a", seed=1, role=role, replicate=replicate)
    for curves in ([*seeds, other], [other, *seeds]):
        assert [one.curve.values[-1] for one in standing_curves(curves)] == [1, 2, 4]
        assert describe(scores(*curves)["a"]).value == describe(scores(*seeds)["a"]).value
        assert scores(*curves)["a"].count.sentence == f"3 of 3 finished, 1 {role} not counted"
        assert count_of(curves).sentence == f"3 of 3 finished, 1 {role} not counted"
        assert align(curves).values.tolist() == align(seeds).values.tolist()
        drawn, alone = band(curves), band(seeds)
        assert (drawn.value.tolist(), drawn.low.tolist()) == (alone.value.tolist(), alone.low.tolist())
        assert f"1 {role} not counted" in methods_sentence([scores(*curves)["a"]])


@pytest.mark.parametrize(("role", "replicate"), NO_SEEDS)
def test_what_is_no_seed_takes_no_lost_seeds_place_and_keeps_no_claim_waiting(role, replicate):
    lost = flat(1, arm="a", seed=0, outcome="machine failed")
    other = flat(5, arm="a", seed=0, role=role, replicate=replicate)
    assert [run.outcome for run in scores(lost, other)["a"].runs] == ["machine failed"]
    running = replace(other, outcome="unfinished")
    assert scores(flat(1, arm="a"), running)["a"].waiting == 0


def test_an_arm_without_a_seed_has_no_statistic_and_no_claim():
    found = scores(flat(1, arm="a"), flat(2, arm="a", seed=1), flat(9, arm="b", role="reproduction"))
    assert describe(found["b"]).value is None
    assert found["b"].count.sentence == "0 of 0 finished, 1 reproduction not counted"
    assert compare(found["b"], found["a"]).verdict == "undecided"


def test_counts_of_what_is_no_seed_add_up():
    both = count_of([flat(1), *replicates(flat(1), [2])]) + count_of([flat(1, role="fork"), flat(2, role="fork")])
    assert both.sentence == "1 of 1 finished, 1 replicate and 2 forks not counted"


def test_the_noise_floor_is_the_pooled_spread_within_seeds_beside_that_between_them():
    first, second = flat(1.0, arm="a", seed=0), flat(3.0, arm="a", seed=1)
    found = noise_floor(
        list(scores(first, second, *replicates(first, [1.3]), *replicates(second, [2.9, 3.1])).values())
    )
    assert found is not None
    assert (found.seeds, found.runs) == (2, 5)
    assert found.largest == pytest.approx(0.3)
    within = (2 * 0.15**2 + 0.0 + 2 * 0.1**2) / (1 + 2)
    assert found.deviation == pytest.approx(math.sqrt(within))
    assert found.between == pytest.approx(math.sqrt(2))
    assert found.sentence().startswith(
        "Noise floor: two runs of one seed differ by up to 0.3, so less than that is noise"
    )
    assert "a difference of 0.2 is noise whatever n" in found.sentence(-0.2)
    assert "0.4" not in found.sentence(0.4)
    assert "ISO 5725-2; 5 runs of 2 seeds" in found.sentence()


def test_runs_of_one_seed_that_are_the_same_have_a_floor_of_0_which_calls_nothing_noise():
    own = flat(0.1 + 0.2, arm="a")
    found = noise_floor(list(scores(own, *replicates(own, [0.1 + 0.2])).values()))
    assert found is not None
    assert (found.largest, found.deviation, found.between) == (0.0, 0.0, None)
    assert found.sentence() == "Noise floor: runs of one seed are identical here (2 runs of 1 seed)"
    assert not found.covers(0.0)


def test_without_a_seed_that_ran_twice_there_is_no_floor():
    assert noise_floor(list(scores(flat(1, seed=0), flat(2, seed=1)).values())) is None
    assert noise_floor([]) is None
    assert floor_of({}) is None


def test_a_fork_another_code_another_config_and_a_run_without_a_score_are_no_repeats():
    own = flat(1, arm="a", code="x")
    longer = replace(replicates(own, [2])[0], asked="more steps")
    forked, other = flat(2, arm="a", role="fork", code="x"), replace(replicates(own, [2])[0], code="y")
    failed = replace(replicates(own, [2])[0], outcome="failed")
    assert noise_floor(list(scores(own, forked, other, longer, failed).values())) is None


def test_a_reproduction_and_a_seed_that_was_launched_again_are_repeats():
    own = flat(1, arm="a")
    for other in (flat(1.5, arm="a", role="reproduction"), flat(1.5, arm="a")):
        found = noise_floor(list(scores(own, other).values()))
        assert found is not None
        assert found.largest == 0.5


def pair(gain, code_a, code_b, *, last=None):
    a, b = learning("a", 1.0, code=code_a), learning("b", gain, code=code_b)
    if last is not None:
        b = [*b[:-1], replace(b[-1], code=last)]
    return list(summarise([replace(one, run=f"{one.arm}{one.seed}") for one in (*a, *b)]).values())


def test_nothing_is_claimed_over_runs_of_different_code_unless_a_rule_allows_it():
    same = compare_arms(pair(30.0, "x", "x"))[0]
    assert same.verdict == "better"
    for mixed, words in (
        (pair(30.0, "x", "x", last="y"), "2 codes in b"),
        (pair(30.0, "x", "y"), "B and a ran different code"),
    ):
        found = compare_arms(mixed)[0]
        assert (found.verdict, found.p_adjusted, found.difference.interval.bounds) == ("undecided", None, None)
        assert found.improvement.interval.bounds is None
        assert found.difference.value == same.difference.value
        assert words in found.reason
        assert "pool_codes=True" in found.reason
        assert "experiments diff " in found.reason
        allowed = compare_arms(mixed, pool_codes=True)[0]
        assert (allowed.verdict, allowed.p_adjusted) == (same.verdict, same.p_adjusted)


def test_the_command_that_tells_two_codes_apart_names_a_run_of_each():
    assert "(experiments diff b0 b4)" in different_code(pair(1.0, "x", "x", last="y")[1])


def test_a_code_that_nobody_knows_is_a_code_of_its_own():
    assert different_code(*pair(1.0, "", "")) == ""
    assert different_code(*pair(1.0, None, None)) == ""
    assert compare_arms(pair(30.0, "", ""))[0].verdict == "better"
    beside = pair(30.0, "x", "x", last="")
    assert different_code(*beside) == "2 codes in b, that of 1 run not known"
    assert compare_arms(beside)[0].verdict == "undecided"


def test_the_code_of_a_run_without_a_score_and_of_a_replicate_keeps_nobody_from_a_claim():
    a, b = learning("a", 1.0, code="x"), learning("b", 30.0, code="x")
    twin = replace(b[0], role="replicate", replicate=1, code="y")
    found = list(summarise([*a, *b, twin]).values())
    assert compare_arms(found)[0].verdict == "better"
