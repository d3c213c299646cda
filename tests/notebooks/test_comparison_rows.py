"""How arms compare, as lines of a page: a few as sentences, more as rows that are looked through."""

from __future__ import annotations

from experiments.notebooks.curves import _each


def sentences(number):
    return [f"arm{at} against base: undecided, difference {at}." for at in range(number)]


def test_three_comparisons_are_sentences_and_more_are_rows_by_arm_under_one_line():
    arms = ["base", *(f"arm{at}" for at in range(9))]
    assert [line.text for line in _each(sentences(3), arms)] == sentences(3)
    head, *rows, more = _each([*sentences(4), "and 5 arms more"], arms)
    assert (head.text, more.text, more.kind) == ("Against base:", "and 5 arms more", "line")
    assert [(row.kind, row.label, row.text) for row in rows] == [
        ("row", f"arm{at}", f"Undecided, difference {at}.") for at in range(4)
    ]
