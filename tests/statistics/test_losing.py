"""A rule with stated bounds confirms what is not so in at most 6 of 100 cases, whichever seeds are lost."""

from __future__ import annotations

import pytest

from tests.share import share
from tests.statistics.losing import LOSSES, SHAPES, SIZES, WAYS, confirmed

MOST = 0.06
TRIALS = share(2000, 75)
BOUNDS = WAYS[0]
EXCHANGEABLE = [losing for losing in LOSSES if losing.share and losing.kind != "crash"]


@pytest.mark.parametrize("losing", EXCHANGEABLE, ids=lambda losing: losing.name)
def test_lost_seeds_confirm_nothing_that_is_not_so(losing):
    assert confirmed("normal", (5, 5), losing, 100, [BOUNDS])[BOUNDS] <= MOST


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("losing", EXCHANGEABLE, ids=lambda losing: losing.name)
def test_bounds_of_the_rule_hold_where_seeds_are_lost(losing, sizes, shape):
    assert confirmed(shape, sizes, losing, TRIALS, [BOUNDS])[BOUNDS] <= MOST


@pytest.mark.slow
def test_the_worst_score_that_was_seen_is_no_bound():
    worse = confirmed("normal", (10, 10), LOSSES[-1], 200)
    assert worse["worst seen"] > 2 * MOST
    assert worse[BOUNDS] <= MOST
