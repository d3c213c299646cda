"""Ctrl-C at any moment of a command on a terminal: no traceback, and what was launched goes on."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.jobs.ledger import Ledger
from tests.fakes.project import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MOMENTS = 24
# Moments are counted in what Python does (imports, files, processes, ...), not in seconds: the same on any machine. The
# first is the one in which our package has begun to load; before it the traceback of Ctrl-C is Python's own.
SITE = """
import atexit, os, signal, sys

at, counts = int(os.environ.pop("INTERRUPT_AT")), os.environ.pop("INTERRUPT_COUNTS")
seen = 0

def count(event, arguments):
    global seen
    if sys.excepthook is not sys.__excepthook__:
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(count)
atexit.register(lambda: open(counts, "w").write(str(seen)))
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    return Project(tmp_path)


def on_a_terminal(project, command, at):
    """Run a command on a terminal, with Ctrl-C at its moment `at`; return what it printed and its exit code."""
    ours, its = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(project.root / "site"), str(Path(__file__).parents[2])]),
        "INTERRUPT_AT": str(at),
        "INTERRUPT_COUNTS": str(project.root / "counts"),
    }
    process = subprocess.Popen(command, cwd=project.root, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # a terminal whose other end is closed
        process.wait(60)
    finally:
        os.close(ours)
    return said.decode(errors="replace"), process.wait(60)


def moments(project, command):
    """Return moments of a command from its begin to its end, after it has run undisturbed."""
    said, code = on_a_terminal(project, command, 0)
    assert code == 0, said
    last = int((project.root / "counts").read_text())
    return [1 + (last - 1) * number // (MOMENTS - 1) for number in range(MOMENTS)]


def check(said, code, at):
    assert "Traceback" not in said, (at, said)
    assert "Exception ignored" not in said, (at, said)
    # A shell says 130 of both; a launch that was followed ends with 0, since nothing was cut short.
    assert code in {130, -signal.SIGINT} or (code == 0 and ("Detached" in said or "succeeded" in said)), (
        at,
        code,
        said,
    )


def test_a_launch_can_be_interrupted_at_any_moment(project):
    command = [sys.executable, str(project.recipe), "study", "--again", "--seeds", "2", "--wandb-mode", "offline"]
    for at in moments(project, command):
        before = jobs(project)
        said, code = on_a_terminal(project, command, at)
        check(said, code, at)
        if jobs(project) - before:
            assert "experiments status" in said or "Notebook:" in said, (at, said)
    project.run("--follow", "--seeds", "2")
    with Ledger.open(project.state, read_only=True) as ledger:
        assert ledger.jobs(state="submitting") == []
    assert len(project.started()) == len(set(project.started()))


@pytest.mark.parametrize("words", [["status"], ["runs"], ["--help"], ["doctor"]])
def test_a_command_can_be_interrupted_at_any_moment(project, words):
    project.run("study", "--seeds", "1", "--wandb-mode", "offline", "--follow")
    command = [sys.executable, "-m", "experiments.cli", *words]
    for at in moments(project, command)[:: MOMENTS // 8]:
        check(*on_a_terminal(project, command, at), at)


def jobs(project):
    with Ledger.open(project.state, read_only=True) as ledger:
        return {job.run_name for job in ledger.jobs(state="submitted")}
