from __future__ import annotations

import pytest

from experiments.project.standing import CHOOSING, chooses, seed_number, seed_words


@pytest.mark.parametrize(
    ("seed", "number", "words"),
    [
        (0, "0", "seed 0"),
        (CHOOSING - 1, "999999", "seed 999999"),
        (CHOOSING, "0 of the search", "seed 0 of the search"),
        (CHOOSING + 2, "2 of the search", "seed 2 of the search"),
    ],
)
def test_a_seed_that_chooses_is_called_by_its_number_within_its_search(seed, number, words):
    assert (seed_number(seed), seed_words(seed), chooses(seed)) == (number, words, "search" in words)
