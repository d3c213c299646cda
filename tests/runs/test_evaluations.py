"""What evaluations of checkpoints found, as a metric of the run that has them."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from experiments.project.errors import StoreError
from experiments.project.files import write_json
from experiments.runs.evaluations import EVALUATIONS, REQUEST, ROWS, read_evaluations, signature
from experiments.runs.roles import likely_rewards
from experiments.runs.store import RunQuery
from tests.fakes.evaluated import write_evaluation
from tests.fakes.studies import REWARD, STEP, Study

KEY = "eval/2-maps/return"


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    made.add("a", 0, [1.0, 2.0, 3.0])  # at steps 100, 200 and 300
    return made


def folder_of(study, at=0):
    return study.workspace.runs / study.jobs[at].run


def values_of(study, key=KEY, *more):
    frame, origin = study.store.history(study.jobs[0].run, [STEP, key, *more])
    rows = frame[frame[key].notna()] if key in frame else frame[:0]
    return rows[STEP].tolist(), rows[key].tolist() if key in frame else [], origin


def test_evaluations_are_a_metric_at_the_steps_of_their_checkpoints(study):
    write_evaluation(folder_of(study), 250, {0: 4.0, 1: 6.0})
    write_evaluation(folder_of(study), 150, {0: 1.0, 1: 2.0})
    assert values_of(study)[:2] == ([150.0, 250.0], [1.5, 5.0])
    frame, origin = study.store.history(study.jobs[0].run, [STEP, REWARD, KEY])
    assert frame[STEP].tolist() == [100, 150, 200, 250, 300]
    assert frame["_step"].is_monotonic_increasing
    assert frame["_step"].dtype == np.int64
    assert frame[REWARD].dropna().tolist() == [1.0, 2.0, 3.0], "what the run logged is as it was"
    assert (origin.absent, origin.rows) == ((), 5)


def test_whoever_asks_for_all_that_a_run_logged_gets_no_evaluation(study):
    write_evaluation(folder_of(study), 150, {0: 1.0, 1: 2.0})
    frame, _ = study.store.history(study.jobs[0].run)
    assert len(frame) == 3
    assert KEY not in frame


def test_a_counter_that_was_not_asked_for_is_no_column_and_decides_the_place_all_the_same(study):
    write_evaluation(folder_of(study), 250, {0: 1.0, 1: 2.0})
    frame, _ = study.store.history(study.jobs[0].run, [KEY])
    assert STEP not in frame
    assert frame[KEY].notna().tolist() == [False, False, True, False]


def test_evaluations_on_other_maps_are_another_metric_and_one_that_nobody_asked_for_is_absent(study):
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 2.0})
    write_evaluation(folder_of(study), 100, {0: 5.0, 1: 6.0, 2: 7.0})
    assert values_of(study)[1] == [1.5]
    assert values_of(study, "eval/3-maps/return")[1] == [6.0]
    assert values_of(study, "eval/4-maps/return")[2].absent == ("eval/4-maps/return",)
    assert values_of(study, "eval/2-maps/length")[2].absent == ("eval/2-maps/length",)


def test_numbers_of_other_code_are_not_mixed_in_and_it_is_said(study):
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 2.0})
    write_evaluation(folder_of(study), 100, {0: 8.0, 1: 9.0}, code="other", is_own_code=False)
    _, values, origin = values_of(study)
    assert values == [8.5], "the last that was asked for"
    assert "1 evaluation on 2 maps by other code or another command left out" in origin.note
    assert "not known to be the run's own" in origin.note


def test_one_that_has_found_nothing_yet_is_no_value_and_what_is_no_result_is_none_either(study):
    write_evaluation(folder_of(study), 100, {}, maps=2)
    write_evaluation(folder_of(study), 200, {0: 1.0}, maps=2)
    assert values_of(study)[1] == []
    first, second = read_evaluations(folder_of(study)).held
    assert (first.rows, first.problem) == ((), "")
    assert "has rows of 1 map, and 2 were asked for" in second.problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "cannot be read"),
        ("[]", "no list of rows"),
        ('{"rows": 1}', "no list of rows"),
        ("[1, 2]", "no list of rows"),
        ('[{"return": 1}, {"return": 2}]', "do not say their 'map'"),
        ('[{"map": 0, "return": 1}, {"map": 0, "return": 2}]', "has rows of 1 map"),
        ('[{"map": 0, "task": "a"}, {"map": 1, "task": "b"}]', "no number"),
    ],
)
def test_what_a_command_wrote_that_is_no_result_says_why(study, text, says):
    request = write_evaluation(folder_of(study), 100, {}, maps=2)
    (folder_of(study) / EVALUATIONS / request.id / ROWS).write_text(text)
    [found] = read_evaluations(folder_of(study)).held
    assert says in found.problem
    assert found.rows == ()


def test_a_return_that_is_nan_is_a_value_and_not_a_gap(study):
    request = write_evaluation(folder_of(study), 300, {0: 1.0, 1: 2.0})
    rows = '[{"map": 0, "return": NaN}, {"map": 1, "return": 1}]'
    (folder_of(study) / EVALUATIONS / request.id / ROWS).write_text(rows)
    _, _, origin = values_of(study)
    assert set(origin.nan_steps) == {KEY}
    assert math.isnan(read_evaluations(folder_of(study)).latest()[KEY])


def test_a_request_that_cannot_be_read_is_named_and_takes_no_other_with_it(study):
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 3.0})
    broken = write_evaluation(folder_of(study), 200, {0: 1.0, 1: 2.0})
    (folder_of(study) / EVALUATIONS / broken.id / REQUEST).write_text("{")
    _, values, origin = values_of(study)
    assert values == [2.0]
    assert broken.id in origin.note


def test_a_folder_that_cannot_be_read_is_not_one_without_evaluations(study, monkeypatch):
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 3.0})
    monkeypatch.setattr("os.listdir", _refusing(os.listdir))
    with pytest.raises(StoreError, match="cannot be read"):
        values_of(study)


def _refusing(listed):
    def refused(path):
        if EVALUATIONS in Path(path).parts:
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    return refused


def test_a_trainer_that_names_no_counter_has_its_evaluations_on_no_axis_and_it_is_said(study):
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 3.0}, counter="")
    _, values, origin = values_of(study)
    assert values == []
    assert "names no counter. Name it" in origin.note


def test_a_run_that_left_w_and_b_nothing_has_its_evaluations_all_the_same(tmp_path):
    study = Study(tmp_path)
    study.add("a", 0)
    write_json(folder_of(study) / "job.json", {"run": study.jobs[0].run, "ended_at": 1.0, "exit_code": 0})
    write_evaluation(folder_of(study), 200, {0: 8.0, 1: 9.0})
    write_evaluation(folder_of(study), 100, {0: 1.0, 1: 2.0})
    steps, values, origin = values_of(study)
    assert (steps, values, origin.rows) == ([100.0, 200.0], [1.5, 8.5], 2)
    _, nothing = study.store.history(study.jobs[0].run, [STEP, "eval/3-maps/return"])
    assert nothing.absent == (STEP, "eval/3-maps/return")


def test_a_key_that_the_run_itself_logged_stays_the_runs(tmp_path):
    study = Study(tmp_path)
    study.add("a", 0, [1.0, 2.0], metric=KEY)
    write_evaluation(folder_of(study), 100, {0: 8.0, 1: 9.0})
    assert values_of(study)[1] == [1.0, 2.0]


def test_a_new_evaluation_is_seen_by_who_polls_and_stands_in_the_summary(study):
    store, run = study.store, study.jobs[0].run
    before = store.poll([run], [])[run].version
    assert signature(folder_of(study)) == ""
    write_evaluation(folder_of(study), 200, {0: 1.0, 1: 3.0})
    assert store.poll([run], [])[run].version != before
    [info] = store.find(RunQuery(names=[run]))
    assert (info.summary[KEY], info.summary[REWARD]) == (2.0, 3.0)


def test_a_run_is_never_taken_to_be_about_its_evaluations():
    assert likely_rewards([KEY, "train/reward"]) == ["train/reward"]
