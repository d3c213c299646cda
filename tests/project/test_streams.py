"""Whatever the three streams of a command are: an answer and the right exit code, never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.project import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMMANDS = {
    "a table": ["-m", "experiments.cli", "status"],
    "JSON": ["-m", "experiments.cli", "status", "--json"],
    "help": ["-m", "experiments.cli", "--help"],
    "a recipe": ["study.py", "other", "--dry-run"],
    "a recipe's help": ["study.py", "--help"],
}
each_command = pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("project"))
    project.run("study", "--seeds", "1", "--wandb-mode", "offline", "--skip-git-check", "--follow")
    return project


def ran(project, words, *, closed=(), env=None, **streams):
    """Run a command with some of its streams closed; return its exit code and what it said."""

    def close():
        for number in closed:
            os.close(number)

    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})}
    done = subprocess.run(
        [sys.executable, *words], cwd=project.root, env=environment, preexec_fn=close, timeout=120, check=False, **given
    )
    said = (done.stdout or b"") + (done.stderr or b"")
    assert b"Traceback" not in said, said
    assert b"Exception ignored" not in said, said
    return done.returncode, done.stdout, done.stderr


@each_command
@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]], ids=["stdin", "stdout", "stderr", "all"])
def test_a_closed_stream_is_one_at_which_nobody_listens(project, words, closed):
    code, out, err = ran(project, words, closed=closed)
    assert code == 0
    assert bool(out) == (1 not in closed)
    assert 2 not in closed or err == b""


@each_command
def test_output_that_a_full_disk_did_not_take_is_said_and_no_success(project, words):
    with Path("/dev/full").open("wb") as full:
        code, _, err = ran(project, words, stdout=full)
        assert code == 1
        assert err.count(b"error: ") == 1, err
        assert b"No space left on device" in err
        assert ran(project, words, stdout=full, stderr=full)[0] == 1


@each_command
def test_a_reader_that_leaves_is_no_failure(project, words):
    read, write = os.pipe()
    os.close(read)
    code, _, err = ran(project, words, stdout=write)
    os.close(write)
    assert code == 0
    assert b"error" not in err


@each_command
@pytest.mark.parametrize("encoding", ["ascii", "latin-1:strict"])
def test_what_an_encoding_lacks_is_a_question_mark(project, words, encoding):
    code, out, _ = ran(project, words, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert code == 0
    assert out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'Metrics(primary="return")',
            r"recipe.py:3: Metrics is refused: primary metric 'return' has no direction.* Add direction = ",
        ),
        (
            'Trainer(command="train {seed}", style="--key")',
            r"recipe.py:3: Trainer is refused: style '--key': .*'--key value' or",
        ),
    ],
)
def test_what_a_recipe_says_that_cannot_be_is_one_line_with_its_place(tmp_path, line, said):
    recipe = tmp_path / "recipe.py"
    recipe.write_text(f"from experiments.types import Metrics, Trainer\nclass Recipe:\n    made = {line}\n")
    done = subprocess.run([sys.executable, recipe], capture_output=True, text=True)
    assert done.returncode == 1
    [told] = done.stderr.splitlines()
    assert re.search(said, told)


def test_an_error_in_what_a_recipe_calls_is_shown_with_its_way_there(tmp_path):
    (tmp_path / "mine.py").write_text("from experiments.types import Metrics\ndef made(): Metrics(primary='x')\n")
    (tmp_path / "recipe.py").write_text("import mine\nmine.made()\n")
    done = subprocess.run([sys.executable, tmp_path / "recipe.py"], capture_output=True, text=True)
    assert "mine.py" in done.stderr
    assert done.stderr.startswith("Traceback")


LATE = """
import atexit, io, threading, time
import pyarrow.csv
from experiments.project.streams import run_to_end

class Slow(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, buffer):
        time.sleep(0.05)
        buffer[:2] = b"a\\n"
        return 2

def command():
    atexit.register(print, "put away")
    threading.Thread(target=lambda: pyarrow.csv.read_csv(Slow()), daemon=True).start()
    time.sleep(0.5)
    print("done")
    return 3

run_to_end(command)
"""


def test_a_thread_that_is_late_in_the_code_of_a_library_does_not_abort_what_is_done():
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "done\nput away\n", "")
