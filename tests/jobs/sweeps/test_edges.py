"""A best trial at the edge of what was tried asks for more, and gets it from what was recorded."""

from __future__ import annotations

from experiments.jobs.sweeps.edges import edges_of, wider_searches, wider_words
from experiments.jobs.sweeps.ranges import Choices, Range
from experiments.jobs.sweeps.search import Course, Trial
from experiments.project.values import replaced
from tests.fakes.stepped import SPACE, search_of


def course(rate, search=None, **values):
    trial = Trial(0, {"rate": rate, "batch": 512, **values}, "key", True, 1.0, {"1000000": 1.0})
    return Course(search or search_of(), (trial,))


def said(found):
    return [edge.words for edge in edges_of(found)]


def test_a_value_at_either_end_of_a_range_asks_for_the_wider_one():
    assert said(course(2e-5)) == [
        (
            "rate 2e-05 of the best trial is at the low end of log:1e-05..0.1. Expand it to log:1e-06..0.1: "
            "experiments sweep expand study"
        )
    ]
    assert wider_words([course(0.09)]) == "rate=log:1e-05..1"
    assert (said(course(0.003)), said(Course(search_of()))) == ([], [])


def test_an_end_that_the_field_does_not_allow_to_move_says_so_and_offers_nothing():
    space = {**SPACE, "rate": replaced(SPACE["rate"], at_most=0.1)}
    found = course(0.09, search_of(space=space))
    assert said(found) == [
        ("rate 0.09 of the best trial is at the high end of log:1e-05..0.1, and the field allows nothing beyond")
    ]
    assert wider_searches([found], "study-2") == []


def test_a_list_of_numbers_is_only_longer_with_the_recipe_for_no_config_is_recorded():
    space = {**SPACE, "batch": Choices(values=(128, 256, 512))}
    found = course(0.003, replaced(search_of(), space=space))
    assert said(found) == [
        (
            "batch 512 of the best trial is at the high end of 128,256,512. Expand it with the recipe, under a new "
            "name: --search batch=128,256,512,1024"
        )
    ]
    assert wider_searches([found], "study-2") == []


def test_a_wider_search_is_the_recorded_one_under_another_name_and_makes_its_configs():
    before = course(0.09)
    [after] = wider_searches([before], "study-2")
    assert (after.experiment, after.space["rate"]) == ("study-2", Range(low=1e-5, high=1.0, log=True))
    assert after == replaced(before.search, experiment="study-2", space=after.space)
    assert after.id != before.search.id
    words = after.template.config({"rate": 0.5, "batch": 512}).additional_args
    assert words == ("--rate", "0.5", "--batch", "512")


def test_all_arms_get_the_ranges_that_any_of_them_asks_for():
    low, high = course(2e-5, search_of(arm="a")), course(0.09, search_of(arm="b"))
    found = wider_searches([low, high], "study-2")
    assert [search.space["rate"].text for search in found] == ["log:1e-06..1", "log:1e-06..1"]
