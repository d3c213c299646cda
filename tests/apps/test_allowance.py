"""How much somebody may ask."""

from __future__ import annotations

from apps.serving.allowance import Allowance


def test_what_was_taken_comes_back_with_time_and_never_more_than_there_was():
    now = [0.0]
    allowance = Allowance(10, 2, lambda: now[0])
    allowance.take(7)
    assert allowance.left() == 3
    now[0] = 2.0
    assert allowance.left() == 7
    now[0] = 100.0
    assert allowance.left() == 10


def test_more_than_there_is_leaves_nothing_and_no_debt():
    now = [0.0]
    allowance = Allowance(10, 2, lambda: now[0])
    allowance.take(1_000)
    assert allowance.left() == 0
    now[0] = 1.0
    assert allowance.left() == 2
