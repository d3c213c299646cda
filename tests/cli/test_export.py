"""The command `experiments export`: what it takes, what it says, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli import run
from experiments.cli.export import parse_size, report
from experiments.notebooks.export.exporting import Exported
from experiments.project.errors import UsageError
from experiments.project.files import locked
from experiments.project.workspace import Workspace
from tests.fakes.notebooks import write_notebook
from tests.fakes.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(folder, *arguments):
    command = [sys.executable, "-P", "-m", "experiments.cli", "export", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize(("text", "size"), [("25MB", 25_000_000), ("1.5 mb", 1_500_000), ("2000k", 2_000_000)])
def test_a_size_is_read_as_people_write_it(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "25", "lots", "-1MB", "1e9", "10TB", "9" * 400, "9" * 16 + "GB"])
def test_what_is_no_size_or_too_small_for_a_page_is_refused(text):
    with pytest.raises(UsageError, match="at least 1MB"):
        parse_size(text)


def test_a_time_that_is_none_is_refused_before_anything_runs(folder, capsys):
    assert run(["export", "x.py", "--deadline", "0"]) == 2
    assert "--deadline 600" in capsys.readouterr().err


def test_the_report_names_what_a_person_should_know(folder):
    done = Exported(
        path=folder / "a.html",
        kept=folder / "a.old.html",
        same=False,
        size=1_250_000,
        changes=("1 cell changed: a",),
        problems=("a: ValueError: no",),
        launches=("a",),
        hung="cell 'b' did not end within 3 s",
        dropped=("the replay of step 0",),
        notes=tuple(f"note {i}" for i in range(9)),
        logbook=None,
    )
    assert report(done, Workspace.find(folder)) == [
        "a.html (1.2 MB)",
        "the log before is a.old.html",
        "changed since then:",
        "  1 cell changed: a",
        "left out: the replay of step 0",
        "failed: a: ValueError: no",
        *(f"not shown: note {i}" for i in range(5)),
        "not shown: 4 more, each named in the log",
        "refused: cell 'a' tried to launch; a log launches nothing",
        "the time was over: cell 'b' did not end within 3 s. More time: --deadline SECONDS",
    ]
    assert done.exit_code == 1


@pytest.mark.slow
def test_ctrl_c_ends_the_notebook_and_leaves_the_folder_as_it_was(folder):
    cells = {"slow": "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)"}
    process = start(folder, str(write_notebook(folder / "odd_nb.py", cells)))
    wait_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), timeout_s=60)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (130, False)
    wait_until(lambda: not Path(f"/proc/{(folder / 'pid').read_text()}").exists(), timeout_s=30)
    assert list((folder / "experiments" / "log").iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_export_left_goes_with_the_next(folder):
    left = folder / "experiments" / "log" / ".odd.html.123.tmp"
    left.parent.mkdir(parents=True)
    left.write_text("half a page")
    process = start(folder, str(write_notebook(folder / "odd_nb.py", {"a": "1"})))
    assert process.wait(60) == 0
    process.communicate()
    assert sorted(path.name for path in left.parent.iterdir()) == ["index.html", "odd.html"]


def test_one_export_of_a_project_runs_at_a_time(folder, capsys):
    state = Workspace.find(folder).state
    with locked(state / "export.lock", wait_s=0.0) as mine:
        assert mine
        assert run(["export", str(write_notebook(folder / "odd_nb.py", {"a": "1"})), "--deadline", "0.05"]) == 1
    assert "another export of this project" in capsys.readouterr().err
    assert list((folder / "experiments" / "log").iterdir()) == []
