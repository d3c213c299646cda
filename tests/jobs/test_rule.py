"""Rules that can decide something: contradictions are refused when they are written, and their hash is kept."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from experiments.jobs.journal import Journal
from experiments.jobs.rule import Rule

PLAIN = {"metric": "overview/reward", "direction": "higher", "effect": 0.5, "arm": "b", "baseline": "a"}
BOUNDED = {**PLAIN, "floor": 0.0, "ceiling": 10.0}


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({**PLAIN, "looks": (5, 4)}, "do not rise"),
        ({**PLAIN, "looks": (5, 5)}, "do not rise"),
        ({**PLAIN, "looks": (2, 5)}, "greater than or equal to 3"),
        ({**PLAIN, "looks": ()}, "are none"),
        ({**PLAIN, "looks": (5, 10), "seeds": 20}, "has to be at all of them"),
        ({**PLAIN, "looks": (5, 10, 25), "seeds": 20}, "25 of 20 seeds"),
        ({**PLAIN, "looks": (5, 10), "statistic": "iqm"}, "compare means in pairs"),
        ({**PLAIN, "looks": (5, 10), "paired": False}, "compare means in pairs"),
        ({**PLAIN, "looks": "any time", "seeds": 20}, "need floor and ceiling"),
        ({**BOUNDED, "looks": "any time"}, "need the number of seeds"),
        ({**BOUNDED, "looks": "often", "seeds": 20}, "any time"),
        ({**PLAIN, "window": (200.0, 100.0)}, "no stretch of steps"),
        ({**PLAIN, "window": (0.0, float("inf"))}, "finite number|no stretch of steps"),
        ({**PLAIN, "window": (0.0, 9.0), "score": "best"}, "no best value"),
        ({**PLAIN, "last_values": 0}, "greater than or equal to 1"),
        ({**PLAIN, "last_values": 5, "window": (0.0, 9.0)}, "last_values 5 and a window are two ways"),
        ({**PLAIN, "last_values": 5, "score": "area"}, "last_values 5 and score 'area' are two ways"),
        ({**PLAIN, "floor": 1.0, "ceiling": 1.0}, "is not below ceiling"),
        ({**PLAIN, "level": 0.0}, "greater than 0"),
        ({**PLAIN, "seeds": 1}, "greater than or equal to 3"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_in_one_sentence(stated, said):
    with pytest.raises(ValidationError, match=said):
        Rule(**stated)


def test_a_rule_that_states_nothing_new_has_the_hash_that_it_had_before_there_were_designs():
    assert set(Rule(**PLAIN).model_dump(mode="json")) == {*PLAIN, "score", "statistic"}
    assert Journal(hypothesis="x", rule=Rule(**PLAIN)).digest == (
        Journal(hypothesis="x", rule=Rule(**PLAIN, level=0.05, one_sided=False)).digest
    )
    assert Journal(hypothesis="x", rule=Rule(**PLAIN)).digest != (
        Journal(hypothesis="x", rule=Rule(**PLAIN, seeds=10)).digest
    )


def test_the_last_look_is_at_all_planned_seeds():
    assert Rule(**PLAIN, looks=(4, 8, 12)).planned == 12
    assert Rule(**PLAIN, seeds=7).planned == 7
    assert Rule(**PLAIN).planned is None


def test_a_rule_that_looks_says_what_its_looks_spend_by_so_that_no_later_default_moves_them():
    assert Rule(**PLAIN, looks=(4, 8)).model_dump(mode="json")["spending"] == "kim-demets"
    assert Rule(**PLAIN, looks=(4, 8), spending="pocock").spending == "pocock"
    assert Rule(**PLAIN, seeds=8).spending is None


def test_a_one_sided_rule_spends_its_whole_level_on_one_side():
    assert Rule(**PLAIN).confidence() == pytest.approx(0.95)
    assert Rule(**PLAIN, one_sided=True).confidence() == pytest.approx(0.90)
    assert Rule(**PLAIN).confidence(0.0076) == pytest.approx(0.9924)


def test_a_rule_says_in_words_what_decides_and_when():
    looked = Rule(**BOUNDED, looks=(4, 8, 12), window=(100_000, 400_000)).sentence
    assert "mean over steps 100k to 400k" in looked
    assert "Looked at after 4, 8 and 12 seeds of each arm in their order" in looked
    assert "Decided once, by 10 seeds of each arm." in Rule(**PLAIN, seeds=10).sentence
    assert "Decided at any time, by up to 20 seeds" in Rule(**BOUNDED, looks="any time", seeds=20).sentence
