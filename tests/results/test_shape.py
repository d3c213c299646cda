"""How an experiment learned: slopes, next runs, pairs, and runs in trouble with what they share."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.results.rows import RunRow
from experiments.results.shape import shape_of
from experiments.statistics import Curve, Summary
from tests.statistics.samples import learning

STEPS = np.linspace(0.0, 100_000.0, 101)


def falling(arm, seed, **options):
    """A curve that loses what it had learned."""
    values = np.where(STEPS < 70_000, STEPS / 70_000, 0.02)
    return Curve(STEPS, values, arm=arm, seed=seed, run=f"{arm}.{seed}", **options)


def rising(arm, seed, slope=1.0, **options):
    """A curve that rises by so much over its steps."""
    return Curve(STEPS, slope * STEPS / 100_000, arm=arm, seed=seed, run=f"{arm}.{seed}", **options)


def row(curve, **config):
    return RunRow(curve.run, curve.arm, curve.seed, "succeeded", config={"seed": curve.seed, **config})


def test_an_arm_says_whether_it_still_rises_and_where_a_next_run_will_lie():
    [arm] = shape_of([rising("a", seed, slope) for seed, slope in enumerate((0.5, 1.0, 0.7, 1.2, 0.6))]).arms
    assert arm.sentence == (
        "Still rising: 0.8 [0.438, 1.16] per 100k agent steps (n = 5). A next run: -0.0824 to 1.6, with 95 %."
    )


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ([rising("a", 0)], "(no interval: 1 seed). A next run: not known (1 seed; it needs 3)."),
        ([rising("a", 0, outcome="unfinished")], "not known yet: 0 of 1 finished, 1 unfinished."),
        ([rising("a", 0, outcome="failed")], "not known: 0 of 1 finished, 1 failed."),
        ([Curve(np.array([5.0]), np.array([1.0]), arm="a", seed=0)], "no finished run has 3 values there. A next run"),
        ([Curve(np.empty(0), np.empty(0), arm="a", seed=0)], "not known: 1 of 1 finished, 1 without a value"),
        ([rising("a", 0), Curve(STEPS, STEPS, arm="a", seed=1, unit="epochs")], "different step units"),
    ],
)
def test_where_data_is_too_little_it_is_said_what_is_missing(curves, said):
    [arm] = shape_of(curves).arms
    assert said in arm.sentence


def test_a_next_run_may_be_lost_as_others_were():
    curves = [rising("a", seed, 1 + seed / 10) for seed in range(4)]
    [arm] = shape_of([*curves, rising("a", 4, outcome="failed")]).arms
    assert arm.sentence.endswith("with 95 %, unless it is lost (1 failed of 5).")


def test_runs_in_trouble_are_told_by_seed_with_the_settings_that_they_alone_share():
    fell = [falling("fast", seed) for seed in range(3)]
    fine = [rising("slow", seed) for seed in range(3)]
    rows = [*(row(one, lr=0.1, anneal=True, batch=64) for one in fell)]
    rows += [row(one, lr=0.001, anneal=one.seed == 1, batch=64) for one in fine]
    found = shape_of([*fell, *fine], rows=lambda: rows)
    assert found.trouble_words == (
        "3 of 6 runs did not keep what was learned: seed 0 of fast collapsed: from 0.921 to 0.02; seed 1 of fast "
        "collapsed: from 0.921 to 0.02; seed 2 of fast collapsed: from 0.921 to 0.02. They share lr = 0.1 (0 of 3 "
        "others), anneal = yes (1 of 3 others): a hint, since some settings are shared by chance."
    )
    assert "could not be read" in shape_of([*fell, *fine]).trouble_words
    assert "share" not in shape_of([fell[0], *fine], rows=lambda: rows).trouble_words
    assert shape_of(fine, rows=lambda: rows).trouble_words == ""


def test_settings_that_no_others_lack_are_no_hint():
    curves = [falling("a", 0), falling("a", 1), rising("a", 2)]
    rows = [row(one, lr=0.1) for one in curves]
    assert "They share no setting that not all others have" in shape_of(curves, rows=lambda: rows).trouble_words


def test_nothing_collapses_by_a_metric_of_which_nobody_knows_which_way_is_better():
    lost = Curve(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, np.nan]), arm="a", seed=3)
    found = shape_of([falling("a", 0), lost], has_direction=False)
    assert [one.kind for one in found.troubles] == ["diverged"]


def test_a_loss_that_falls_has_not_collapsed_where_less_is_better():
    lower = Summary(higher_is_better=False)
    assert shape_of([falling("a", 0)]).troubles
    assert not shape_of([falling("a", 0)], lower).troubles


def test_pairs_are_told_once_all_seeds_of_both_arms_have_ended():
    base, other = learning("a", 1.0, noise=0.0), learning("b", 1.0, noise=0.0, seed=1)
    assert shape_of([*base, *other]).pairs["b"].n == 5
    assert "pairing" in shape_of([*base, *other]).pairs["b"].sentence
    out = Curve(STEPS[:3], STEPS[:3], arm="b", seed=5, outcome="unfinished")
    assert not shape_of([*base, *other, out]).pairs
    apart = [Curve(one.steps, one.values, arm="b", seed=100 + one.seed) for one in other]
    assert not shape_of([*base, *apart]).pairs


def test_the_notes_say_what_intervals_cover_and_which_scores_do_not_look_normal():
    curves = [rising("a", seed, 100.0 if seed == 9 else 1 + seed / 100) for seed in range(10)]
    notes = " ".join(shape_of(curves).notes)
    assert "Slopes are over the last 10 % of the steps" in notes
    assert "that of a slope covers 80 to 90 % on log-normal scores" in notes
    assert "that of a next run covers 90 to 95 %" in notes
    assert "The scores of a do not look normal (Shapiro-Francia, p = " in notes
    assert shape_of([]).notes == []


def test_of_many_arms_it_is_said_how_many_do_not_look_normal_and_how_many_do_so_by_chance():
    odd = [rising(f"odd-{n}", seed, 100.0 if seed == 9 else 1 + seed / 100) for n in range(4) for seed in range(10)]
    straight = [rising(f"fine-{n}", seed, 1 + seed / 100) for n in range(36) for seed in range(10)]
    [note] = [note for note in shape_of([*odd, *straight]).notes if "normal (" in note]
    assert note.startswith("The scores of 4 of 40 arms do not look normal (Shapiro-Francia, p below 0.05, ")
    assert note.endswith("as those of about 2 arms do by chance)")


def test_a_run_that_is_no_seed_has_no_part_in_it():
    curves = [rising("a", seed, 1 + seed / 10) for seed in range(3)]
    again = falling("a", 0, role="replicate", replicate=1)
    assert shape_of([*curves, again]).trouble_words == ""
    assert shape_of([*curves, again]).arms[0].sentence == shape_of(curves).arms[0].sentence
