"""Whole exports of real notebooks, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.jobs.ledger import Ledger
from experiments.notebooks.export.exporting import export_notebook
from experiments.notebooks.export.record import read_record
from experiments.notebooks.export.run.loading import load_cells
from experiments.notebooks.export.run.process import child_environment
from experiments.notebooks.template import FILE
from experiments.project.errors import NotebookError, UsageError
from tests.fakes.notebooks import write_notebook

ROOT = Path(__file__).parents[3]
SETUP = "import marimo as mo"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795356300")
    monkeypatch.chdir(tmp_path)
    # What marimo says of code that pytest runs is not what it says in an export.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    return tmp_path


def log_of(project, name="odd"):
    return project / "experiments" / "log" / f"{name}.html"


def test_a_plain_marimo_notebook_becomes_a_log(project):
    notebook = write_notebook(project / "odd_nb.py", {"text": "mo.md('# A title')", "b": "1 + 1"}, setup=SETUP)
    told = []
    done = export_notebook(notebook, progress=told.append)
    assert [item.name for item in told if item.what == "cell"] == ["setup", "text", "b"]
    assert (done.exit_code, done.path, done.changes) == (0, log_of(project), None)
    record = read_record(done.path)
    assert (record.title, record.experiment, record.notebook) == ("A title", "odd", "odd_nb.py")
    assert record.created == "2026-11-22T14:05:00+00:00"
    assert done.logbook.read_text().count('href="./odd.html"') == 1


def test_the_example_that_came_with_a_notebook_is_left_out_until_somebody_changes_it(project):
    example = {cell.name: cell.code for cell in load_cells(FILE)}["scratch"]
    study = "types.SimpleNamespace(frame=lambda news: frame_of, colour='arm:N', draw=lambda _, chart: chart)"
    given = f"news = lambda: 0\nstudy = {study}"
    frame_of = "frame_of = pd.DataFrame({'step': [1], 'value': [2.0], 'arm': ['a'], 'run': ['r']})"
    setup = "import types\nimport altair as alt\nimport marimo as mo\nimport pandas as pd"
    cells = {"frame_of": frame_of, "given": given, "scratch": example}
    done = export_notebook(write_notebook(project / "odd_nb.py", cells, setup=setup))
    assert (done.exit_code, "<figure" in done.path.read_text()) == (0, False)
    write_notebook(project / "odd_nb.py", cells | {"scratch": example.replace("mark_line", "mark_point")}, setup=setup)
    assert "<figure" in export_notebook(project / "odd_nb.py").path.read_text()


def test_a_cell_that_raises_is_exported_with_its_error(project):
    notebook = write_notebook(project / "odd_nb.py", {"bad": "1 / 0", "fine": "'all the same'"})
    done = export_notebook(notebook)
    assert (done.exit_code, done.problems) == (1, ("bad: ZeroDivisionError: division by zero",))
    page = done.path.read_text()
    assert "ZeroDivisionError" in page
    assert "all the same" in page
    assert str(project) not in page


def test_a_cell_that_launches_is_refused_and_launches_nothing(project):
    body = "from experiments import launch_training\nlaunch_training('run', 'arena/basic')"
    means = "from experiments import allow_launch\nwith allow_launch():\n    print('allowed')"
    notebook = write_notebook(project / "odd_nb.py", {"launches": body, "allows": means, "fine": "2"})
    done = export_notebook(notebook)
    assert (done.launches, done.exit_code) == (("launches", "allows"), 1)
    with Ledger.open(project / ".experiments", read_only=True) as ledger:
        assert ledger.jobs() == []


def test_a_process_that_only_shows_gets_no_key_of_a_cloud():
    before = {"AWS_SECRET_ACCESS_KEY": "x", "SKYPILOT_API": "x", "GOOGLE_APPLICATION_CREDENTIALS": "x", "DATA": "kept"}
    found = child_environment(before)
    assert (found["DATA"], found["EXPERIMENTS_READ_ONLY"]) == ("kept", "1")
    assert found["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert not {name for name, value in found.items() if value == "x"}


@pytest.mark.slow
def test_a_log_of_another_experiment_is_kept_but_not_compared_with(project):
    export_notebook(write_notebook(project / "one_nb.py", {"a": "1"}), output=project / "page.html")
    done = export_notebook(write_notebook(project / "two_nb.py", {"b": "1"}), output=project / "page.html")
    assert done.changes is None
    assert read_record(done.kept).experiment == "one"


def test_the_same_input_gives_the_same_bytes(project):
    notebook = write_notebook(project / "odd_nb.py", {"a": "mo.ui.slider(1, 5)", "b": "{'x': [1]}"}, setup=SETUP)
    first = export_notebook(notebook).path.read_bytes()
    again = export_notebook(notebook)
    assert again.same
    assert again.path.read_bytes() == first
    assert [path.name for path in log_of(project).parent.glob("odd*")] == ["odd.html"]


def test_a_change_keeps_the_log_before_and_is_said(project, monkeypatch):
    notebook = write_notebook(project / "odd_nb.py", {"a": "1"})
    first = export_notebook(notebook).path.read_bytes()
    write_notebook(notebook, {"a": "2", "b": "3"})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795356400")
    done = export_notebook(notebook)
    assert done.changes == ("1 cell changed: a", "1 cell added: b")
    assert done.kept.name == "odd.2026-11-22T140500Z.html"
    assert done.kept.read_bytes() == first
    assert read_record(done.path).previous == done.kept.name


@pytest.mark.slow
def test_other_output_alone_is_a_change_too(project):
    (project / "value").write_text("1")
    notebook = write_notebook(project / "odd_nb.py", {"a": "import pathlib\npathlib.Path('value').read_text()"})
    assert [export_notebook(notebook).same for _ in range(2)] == [False, True]
    (project / "value").write_text("2")
    done = export_notebook(notebook)
    assert (done.same, done.changes) == (False, ("what the cells show",))


@pytest.mark.slow
def test_a_file_of_another_origin_in_its_place_is_kept(project):
    log_of(project).parent.mkdir(parents=True)
    log_of(project).write_text("<html>by hand</html>")
    done = export_notebook(write_notebook(project / "odd_nb.py", {"a": "1"}))
    assert done.kept.read_text() == "<html>by hand</html>"


@pytest.mark.slow
def test_a_cell_that_hangs_ends_at_the_deadline_and_is_named(project):
    cells = {"fine": "'finished before'", "slow": "import time\ntime.sleep(600)", "later": "1"}
    done = export_notebook(write_notebook(project / "odd_nb.py", cells), deadline_s=3.0)
    assert (done.exit_code, done.hung) == (1, "cell 'slow' did not end within 3 s")
    assert "finished before" in done.path.read_text()


@pytest.mark.slow
def test_a_cell_that_ends_its_process_costs_itself_alone(project):
    crash = "import os\nos.kill(os.getpid(), 11)\nx = 1"
    done = export_notebook(write_notebook(project / "odd_nb.py", {"crash": crash, "fine": "'still here'", "n": "x"}))
    assert done.problems == ("crash: the process ended while this cell ran (signal SIGSEGV)",)
    assert "still here" in done.path.read_text()


@pytest.mark.slow
def test_a_cell_that_cannot_be_interrupted_is_ended_with_its_process(project):
    stuck = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\ntime.sleep(600)"
    done = export_notebook(write_notebook(project / "odd_nb.py", {"stuck": stuck, "fine": "'fine'"}), deadline_s=3.0)
    assert done.hung == "cell 'stuck' did not end within 3 s"
    assert "could not be interrupted" in done.path.read_text()


@pytest.mark.slow
def test_what_a_notebook_starts_ends_with_it(project):
    body = "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)\nprint('done')"
    export_notebook(write_notebook(project / "odd_nb.py", {"a": body}))
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _command(path) == b"sleep\x00600\x00"]
    assert [path for path in left if _folder(path) == project] == []


def _command(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _folder(path):
    try:
        return (path.parent / "cwd").readlink()
    except OSError:
        return None


@pytest.mark.parametrize("text", ["x = 1\n", "", "import marimo\n(("])
def test_what_is_no_notebook_is_refused_and_leaves_nothing(project, text):
    path = project / "other.py"
    path.write_text(text)
    with pytest.raises(NotebookError, match=r"other\.py"):
        export_notebook(path)
    assert list(log_of(project).parent.iterdir()) == []


def test_a_notebook_that_is_not_there_is_refused(project):
    with pytest.raises(NotebookError, match="No such file"):
        export_notebook(project / "none_nb.py")


def test_a_time_that_is_none_is_refused(project, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(UsageError, match="'yesterday' is not a time"):
        export_notebook(write_notebook(project / "odd_nb.py", {"a": "1"}))
