"""Jobs with odd arguments and odd output, launched as a stranger would; what each command then shows of them."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.launch import allow_launch, submit
from tests.fakes.answers import data_in
from tests.fakes.cases import case_copy
from tests.fakes.launching import plan_in, shell, wait_for_end, workspace_at
from tests.fakes.waiting import wait_until

odd = [pytest.mark.slow, pytest.mark.timeout(300)]

PEAK_MB = 110
"""A command takes 50 to 65 MB to start, and a line of 5 MB is there several times as it is printed; the 100 MB log
alone, read whole, came to 171."""
CPU_S = 20
"""All of the 100 MB log takes 5 s; with a look at every variable for secrets, at every line, it took over 30."""

# It says what a process took itself: `ru_maxrss` counts what its parent held as it started it.
MEASURED = """
import atexit, re, sys, time
from pathlib import Path

def write():
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    Path(report).write_text(f"{int(peak) / 1024} {time.process_time()}")

report = sys.argv.pop(1)
atexit.register(write)
from experiments.cli import main
main()
"""


@dataclass(frozen=True)
class Shown:
    text: str
    peak_mb: float
    cpu_s: float


class Stranger:
    """A project of somebody who has nothing but the case's files and a shell.

    Attributes:
        refused: What came of launching what no process can be given.
    """

    refused: subprocess.CompletedProcess[bytes]

    def __init__(self, folder: Path) -> None:
        self.root = case_copy("launch/odd-args", folder / "project")
        self.out, self._report = folder / "out", folder / "report"
        (folder / "home").mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        self._environment = {**kept, "HOME": str(folder / "home"), "WANDB_ERROR_REPORTING": "false"}
        self._environment["EXPERIMENTS_USER"] = "tester"
        self._environment |= {f"OF_A_SHELL_{number}": "some value" for number in range(60)}
        subprocess.run(["git", "init", "-q", "."], cwd=self.root, check=True)

    def tried(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return self._ran(sys.executable, *words, stdout=subprocess.PIPE)

    def launch(self, *words: str) -> None:
        done = self.tried(*words)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr

    def command(self, *words: str) -> Shown:
        """Run `experiments ...`; its output lies in `out`, for it may be large."""
        with self.out.open("wb") as out:
            done = self._ran(sys.executable, "-c", MEASURED, str(self._report), *words, stdout=out)
        assert (done.returncode, done.stderr) == (0, b""), (words, done.stderr)
        peak_mb, cpu_s = map(float, self._report.read_text().split())
        return Shown(self.out.read_text() if self.out.stat().st_size < 10_000_000 else "", peak_mb, cpu_s)

    def jobs(self) -> dict[str, dict]:
        """Return what `status` says of each job, by its arm."""
        return {job["arm"]: job for job in data_in(self.command("status", "--json").text)["jobs"]}

    def log(self, arm: str, *words: str) -> Shown:
        return self.command("logs", self.run(arm), *words)

    def run(self, arm: str) -> str:
        [folder] = self._runs.glob(f"tester.*.{arm}.s0.*")
        return folder.name

    def printed(self, arm: str) -> Path:
        return self._runs / self.run(arm) / "train.log"

    @property
    def _runs(self) -> Path:
        return self.root / ".experiments" / "runs"

    def _ran(self, *command: str, stdout) -> subprocess.CompletedProcess[bytes]:
        streams = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
        return subprocess.run(command, cwd=self.root, env=self._environment, check=False, timeout=120, **streams)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    made = Stranger(folder)
    made.launch("recipe.py", "pub", "--no-follow")
    made.refused = made.tried("big.py", "big", "--no-follow")
    big = made.root / "big.py"
    big.write_text(re.sub(r'self\.launch_training_run_from_config\("toolong".*?\)\), ', "", big.read_text()))
    made.launch("big.py", "big", "--no-follow")
    deadline = time.monotonic() + 180
    while {job["verdict"] for job in made.jobs().values()} & {"pending", "running"}:
        assert time.monotonic() < deadline, made.jobs()
        time.sleep(2)
    yield made
    shutil.rmtree(folder)  # the log of 100 MB, and what was shown of it


def is_plain(text: str) -> bool:
    return all(line.replace("\t", "").isprintable() for line in text.split("\n"))


class TestOddArguments:
    pytestmark = odd

    def test_each_reaches_the_trainer_and_the_record_byte_for_byte(self, stranger):
        given = runpy.run_path(str(stranger.root / "recipe.py"))["NASTY"]
        [line] = stranger.printed("nasty").read_text().splitlines()
        run = stranger.run("nasty")
        assert json.loads(line.removeprefix("ARGV ")) == [f"run={run}", "seed=0", *given]
        shown = data_in(stranger.command("show", run, "--json").text)
        assert shown["job"]["config"]["additional_args"] == given
        assert shown["job"]["command"][2:] == [f"run={run}", "seed=0", *given]

    def test_one_that_no_process_can_take_is_refused_before_anything_is_launched(self, stranger):
        said = stranger.refused.stderr.decode()
        assert (stranger.refused.returncode, len(said.splitlines())) == (2, 1)
        assert "a word would have more than 131,071 bytes. Put it into a file and name the file" in said
        assert "toolong" not in stranger.jobs()


class TestOddOutput:
    pytestmark = odd

    @pytest.mark.parametrize(
        ("arm", "lines"),
        [
            ("bin", ["\ufffd\ufffd\ufffdred ", "\ufffd("]),
            ("tqdm", ["100%|####  | 4999/5000 [00:01<00:02, 99it/s]", "DONE"]),
            ("big", ["x" * 199] * 199 + ["THE END"]),
            ("longline", ["y" * 5000 + " … [4,990,000 characters left out] … " + "y" * 5000, "AFTER"]),
            ("buf", ["first", "second"]),
        ],
    )
    def test_the_end_of_any_log_is_plain_and_takes_little_memory_and_time(self, stranger, arm, lines):
        for words in ((), ("--follow",)):
            shown = stranger.log(arm, *words)
            # The first line of a log is its trainer's command line; that of the large one is out of sight.
            first, rest = shown.text.split("\n", 1)
            found = rest.split("\n") if first.startswith("ARGV ") else shown.text.split("\n")
            assert found == [*lines, ""]
            assert (shown.peak_mb < PEAK_MB, shown.cpu_s < CPU_S) == (True, True), shown
        assert stranger.log(arm, "--lines", "1").text == f"{lines[-1]}\n"

    @pytest.mark.parametrize("arm", ["big", "longline", "nasty"])
    def test_all_of_a_log_is_all_of_it_and_takes_little_memory_and_time(self, stranger, arm):
        shown = stranger.log(arm, "--lines", "0")
        assert filecmp.cmp(stranger.out, stranger.printed(arm), shallow=False)
        assert (shown.peak_mb < PEAK_MB, shown.cpu_s < CPU_S) == (True, True), shown

    def test_no_command_shows_anything_that_acts_on_a_terminal_or_takes_much(self, stranger):
        for arm in stranger.jobs():
            for words in (["show", stranger.run(arm)], ["logs", stranger.run(arm)]):
                shown = stranger.command(*words)
                assert is_plain(shown.text), words
                assert shown.peak_mb < PEAK_MB, words
        for words in (["status"], ["status", "--last", "3"], ["status", "big", "--arm", "hours"]):
            shown = stranger.command(*words)
            assert is_plain(shown.text), words
            assert shown.peak_mb < PEAK_MB, words

    def test_each_end_is_called_what_it_was(self, stranger):
        jobs = stranger.jobs()
        failed = {arm for arm, job in jobs.items() if job["verdict"] == "failed"}
        assert failed == {"oom", "code3", "code256", "hours"}
        assert {job["verdict"] for arm, job in jobs.items() if arm not in failed} == {"succeeded"}
        assert "killed by signal 9 (SIGKILL)" in jobs["oom"]["reason"]
        assert [jobs[arm]["exit_code"] for arm in ("code3", "code256", "orphan")] == [3, 255, 0]

    def test_a_job_ends_after_its_max_runtime_hours_and_every_command_says_so(self, stranger):
        job = stranger.jobs()["hours"]
        said = "ended after 0.0001 h, its max_runtime_hours"
        assert (job["scheduler"], job["reason"]) == ("TIMED_OUT", said)
        assert job["ended_at"] - job["started_at"] < 8  # it would have slept so long
        assert said in stranger.command("show", stranger.run("hours")).text
        assert said in stranger.command("status", "--last", "1").text
        assert stranger.log("hours").text.splitlines()[1:] == ["first"]


def test_a_line_that_is_half_written_when_it_is_followed_is_shown_whole(tmp_path):
    script = "printf half; while [ ! -e \"$EXPERIMENTS_RUN_DIR/go\" ]; do sleep 0.05; done; echo ' a line'; printf end"
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = workspace_at(tmp_path, command=shell(script))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    log = workspace.runs / job.run_name / "train.log"
    wait_until(lambda: log.exists() and log.read_text() == "half")
    command = [sys.executable, "-m", "experiments.cli", "logs", "-f", job.run_name]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as shown:
        wait_until(lambda: log in files_open_in(shown.pid))
        time.sleep(0.3)
        (log.parent / "go").touch()
        assert shown.communicate(timeout=60)[0] == b"half a line\nend\n"
    wait_for_end(workspace, [job.run_name])


def files_open_in(pid):
    """Return the files that a process has open; one that it closes meanwhile is left out."""
    files = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.add(entry.readlink())
    return files


def test_fewer_lines_than_none_are_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = workspace_at(tmp_path)
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    command = [sys.executable, "-m", "experiments.cli", "logs", job.run_name, "--lines=-1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--lines -1" in done.stderr
