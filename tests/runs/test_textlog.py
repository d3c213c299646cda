"""Lines of a text log: the last ones are those of all, whatever the file holds, and a bar's past is not held."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.jobs.watch.logs import FILE, keep_log
from experiments.project.errors import StoreError
from experiments.project.look import last_state
from experiments.runs import textlog
from experiments.runs.textlog import complete_lines, line_of, read_lines

ODD_BYTES = st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"\xff", "é".encode()]), max_size=40).map(b"".join)


def lines_of(data):
    lines = data.decode("utf-8", errors="replace").split("\n")
    return [last_state(line) for line in (lines if lines[-1] else lines[:-1])]


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(textlog, "_STEP", 3)
    return tmp_path / "train.log"


@pytest.mark.parametrize("last", [None, 0, 1, 2, 5, 100])
def test_the_last_lines_are_the_last_of_all_lines(log, last):
    @given(ODD_BYTES)
    def check(data):
        log.write_bytes(data)
        every = lines_of(data)
        assert read_lines(log, last=last) == (every if last is None else every[-last:] if last else [])

    check()


def test_a_log_that_cannot_be_read_is_neither_empty_nor_missing_and_is_never_written_over(tmp_path):
    (tmp_path / "train.log").mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        read_lines(tmp_path / "train.log")
    (tmp_path / FILE).symlink_to(tmp_path / FILE)  # no way to read it, for root either
    with pytest.raises(StoreError, match="cannot be read"):
        keep_log(tmp_path, ["a line"])
    assert (tmp_path / FILE).is_symlink()


def test_a_log_that_is_not_there_is_no_empty_one(tmp_path):
    assert read_lines(tmp_path / "none.log") is None
    assert read_lines(tmp_path / "none.log", last=3) is None


@given(ODD_BYTES, ODD_BYTES)
def test_a_line_that_was_half_there_goes_on_where_it_ended(before, after):
    torn = bytearray()
    found = [*complete_lines(io.BytesIO(before), torn), *complete_lines(io.BytesIO(after), torn)]
    assert found + ([line_of(torn)] if torn else []) == lines_of(before + after)


def test_of_a_bar_only_its_newest_states_are_held():
    torn = bytearray()
    states = b"".join(b"\r%d%%" % state for state in range(200_000))
    assert list(complete_lines(io.BytesIO(states), torn)) == []
    assert len(torn) < 100
    assert line_of(torn) == "199999%"
