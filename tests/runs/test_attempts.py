"""The starts that a trainer notes."""

from __future__ import annotations

import pytest

from experiments.runs.offline.attempts import FILE, note_attempt, read_attempts


def test_every_start_is_noted_with_the_step_it_went_on_from(tmp_path):
    note_attempt(tmp_path, 0)
    note_attempt(tmp_path, 6144)
    first, second = read_attempts(tmp_path)
    assert (first.step, second.step, first.host) == (0, 6144, second.host)
    assert 0 < first.at <= second.at


def test_a_torn_line_costs_only_itself(tmp_path):
    note_attempt(tmp_path, 0)
    with (tmp_path / FILE).open("a") as file:
        file.write('{"at": 17')
    note_attempt(tmp_path, 9)
    assert [attempt.step for attempt in read_attempts(tmp_path)] == [0, 9]


@pytest.mark.parametrize(
    "line", ["[]", "null", '{"at": "x", "step": 1}', '{"at": NaN, "step": 1}', '{"step": 1}', "\x00"]
)
def test_a_line_that_is_not_understood_is_left_out(tmp_path, line):
    (tmp_path / FILE).write_text(f'{line}\n{{"at": 5, "step": 3}}\n')
    assert [attempt.step for attempt in read_attempts(tmp_path)] == [3]


def test_a_folder_that_cannot_be_written_ends_no_training(tmp_path):
    note_attempt(tmp_path / "missing", 0)
    assert read_attempts(tmp_path / "missing") == []
