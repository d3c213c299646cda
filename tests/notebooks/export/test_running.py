"""Running a notebook for its log: a bad cell costs itself and what needs it, never the rest."""

from __future__ import annotations

import time

import pytest

from experiments.notebooks.export.run.loading import BrokenCell
from experiments.notebooks.export.run.running import MAX_CONSOLE, CellDidNotEnd, run_notebook
from experiments.project.errors import NotebookError
from tests.fakes.notebooks import write_notebook


@pytest.fixture
def run(tmp_path):
    """Run cells and return their records by name."""

    def run_cells(cells, *, setup="", deadline_s=30.0, failed=None):
        path = write_notebook(tmp_path / "odd_nb.py", cells, setup=setup)
        done = run_notebook(path, deadline_s=deadline_s, failed=failed)
        return {cell.name: cell for cell in done.cells}

    return run_cells


def test_a_cell_that_raises_stops_only_what_needs_it(run):
    cells = run({"a": "x = 1", "bad": "y = x / 0", "needs": "y + 1", "fine": "x + 1"})
    assert isinstance(cells["bad"].error, ZeroDivisionError)
    assert cells["needs"].skipped == "cell 'bad', which it needs, failed"
    assert cells["fine"].output == 2


def test_stopping_is_no_error(run):
    cells = run({"a": "mo.stop(True, 'enough')\nx = 1", "needs": "x"}, setup="import marimo as mo")
    assert (cells["a"].output, cells["a"].error) == ("enough", None)
    assert cells["needs"].skipped == "cell 'a', which it needs, stopped here"


def test_a_setup_that_raises_is_an_error_in_its_place(run):
    cells = run({"needs": "math.pi", "fine": "2"}, setup="import math\nraise RuntimeError('no')")
    assert str(cells["setup"].error) == "no"
    assert (cells["needs"].output, cells["fine"].output) == (None, 2)
    assert cells["needs"].skipped


def test_cells_that_marimo_would_refuse_are_errors_in_their_place(run):
    cells = run(
        {"one": "twice = 1", "two": "twice = 2", "circle": "p = q", "back": "q = p", "broken": "x ===", "fine": "5"}
    )
    assert sum(isinstance(cell.error, BrokenCell) for cell in cells.values()) == 5
    assert cells["fine"].output == 5


def test_what_a_cell_prints_is_its_own(run):
    cells = run({"a": "import sys\nprint('out')\nprint('err', file=sys.stderr)", "b": "print('other')"})
    assert (cells["a"].stdout, cells["a"].stderr) == ("out\n", "err\n")
    assert cells["b"].stdout == "other\n"


def test_endless_printing_is_cut_and_said(run):
    cells = run({"a": f"print('x' * {MAX_CONSOLE + 10})"})
    assert cells["a"].stdout.endswith("\n[11 more characters]")


def test_appended_output_counts_where_there_is_no_other(run):
    cells = run({"a": "mo.output.append(mo.md('seen'))"}, setup="import marimo as mo")
    assert "seen" in cells["a"].output.text


def test_functions_classes_and_await_work(run):
    cells = run({"a": "import asyncio\nawait asyncio.sleep(0)\nx = 3", "b": "x"})
    assert cells["b"].output == 3


def test_a_cell_that_hangs_is_interrupted_and_the_rest_not_started(run):
    started = time.monotonic()
    cells = run({"fine": "1", "slow": "import time\ntime.sleep(60)", "later": "2"}, deadline_s=0.3)
    assert time.monotonic() - started < 5
    assert cells["fine"].output == 1
    assert isinstance(cells["slow"].error, CellDidNotEnd)
    assert cells["later"].skipped == "the time was over"


def test_a_cell_that_catches_the_interrupt_is_interrupted_again(run):
    body = "import time\ntry:\n    time.sleep(60)\nexcept BaseException:\n    pass\ntime.sleep(60)"
    cells = run({"stubborn": body}, deadline_s=0.2)
    assert isinstance(cells["stubborn"].error, CellDidNotEnd)


def test_a_waiting_coroutine_is_interrupted_too(run):
    cells = run({"fine": "1", "slow": "import asyncio\nawait asyncio.sleep(60)"}, deadline_s=0.3)
    assert isinstance(cells["slow"].error, CellDidNotEnd)
    assert cells["fine"].output == 1


def test_a_cell_that_ended_an_earlier_try_is_not_run(run, tmp_path):
    touch = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\nx = 1"
    cells = run({"crash": touch, "needs": "x"}, failed={0: RuntimeError("the process died")})
    assert str(cells["crash"].error) == "the process died"
    assert cells["needs"].skipped
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "x = 1\n", "not python at all (", "\x00\x01"])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "other.py"
    path.write_text(text)
    with pytest.raises(NotebookError, match=r"other\.py"):
        run_notebook(path, deadline_s=5.0)
