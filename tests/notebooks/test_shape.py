"""The lines of a page that say how the arms learned."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.notebooks import Journal
from experiments.notebooks.shape import shape_lines
from experiments.notebooks.study import Study as Page
from experiments.project.standing import CHOOSING
from tests.fakes.studies import REWARD, Study

RISE = np.linspace(0.1, 1.0, 60)


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    for arm, height in (("slow", 1.0), ("fast", 2.0)):
        for seed in range(3):
            fell = arm == "fast" and seed
            values = height * RISE * (1 + seed / 10) * np.where(fell and RISE > 0.7, 0.05, 1.0)
            made.add(arm, seed, list(values), config={"lr": 0.1 if arm == "fast" else 0.001})
    made.publish()
    return made


def page_of(study):
    return Page(study.context, study.jobs, Journal(hypothesis="", rule=None))


def shown(study, **chosen):
    page = page_of(study)
    lines = shape_lines(study.context, study.jobs, page.curve_section.controls if not chosen else Chosen(page, chosen))
    return [(line.kind, line.label, line.text) for line in lines]


class Chosen:
    """What a reader chose, with something else in it."""

    def __init__(self, page, chosen):
        self.value = {**page.curve_section.controls.value, **chosen}


def test_below_the_scores_stands_a_row_an_arm_and_what_went_wrong(study):
    lines = shown(study)
    assert [label for kind, label, _ in lines if kind == "row"] == ["slow", "fast"]
    assert lines[0][0] == "strong"
    assert "seed 1 of fast collapsed" in lines[0][2]
    assert "They share lr = 0.1 (1 of 4 others)" in lines[0][2]
    assert "Still rising" in lines[1][2]
    still = page_of(study).scores(page_of(study).chosen()).still().text
    assert "Still rising" in still
    assert "A next run: " in still


def test_arms_of_which_the_same_is_missing_share_a_row(tmp_path):
    made = Study(tmp_path)
    for arm in ("a", "<b>"):
        made.add(arm, 0, verdict="pending", name=f"ada.study.{len(arm)}.s0.abcdefgh")
    made.publish()
    assert shown(made) == [
        ("row", "a, <b>", "Slope at the end and next run not known yet: 0 of 1 finished, 1 unfinished.")
    ]
    assert shape_lines(made.context, [], page_of(made).chosen()) == []


def test_a_metric_without_a_known_direction_never_collapses(study):
    assert not any("collapsed" in text for _, _, text in shown(study, metric="overview/sps"))
    assert any("collapsed" in text for _, _, text in shown(study, metric=REWARD))


def test_many_arms_are_cut(tmp_path):
    made = Study(tmp_path)
    for at in range(12):
        made.add(f"a{at}", 0, list(RISE * (1 + at)))
    made.publish()
    rows = [text for kind, _, text in shown(made) if kind == "row"]
    assert len(rows) == 9
    assert rows[-1] == "and 4 arms more"


def test_of_trials_of_a_search_only_the_trouble_is_told(tmp_path):
    made = Study(tmp_path)
    for at, lr in enumerate((0.1, 0.001)):
        for seed in range(2):
            values = RISE * (1 + seed) * (np.where(RISE > 0.7, 0.05, 1.0) if not at else 1.0)
            made.add(f"t{at}", CHOOSING + seed, list(values), config={"lr": lr})
    made.publish()
    [(kind, _, text)] = shown(made)
    assert kind == "strong"
    assert "They share lr = 0.1 (0 of 2 others)" in text
