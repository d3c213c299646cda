"""What commands print: foreign text in it acts on no terminal, in whatever way it is printed; tables fit any width."""

from __future__ import annotations

import ast
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from experiments.cli import terminal
from experiments.cli.status import progress_table
from experiments.cli.terminal import FittedColumn, FittedTable
from experiments.project.errors import UsageError
from experiments.types import JobStatus

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b]0;title\x07\x1b[2J\x1b[31m\x9b1m\u202eend\x08\x00\ud800"
# Files that write to the standard streams themselves: what they print is their own, or goes into a file or a pipe.
OWN = {
    "apps/serving/server.py",
    "experiments/cli/export.py",
    "experiments/project/environment/probe.py",
    "experiments/project/streams.py",
    "experiments/jobs/launchers/local/slots.py",
    "experiments/jobs/launchers/local/supervisor.py",
    "experiments/notebooks/charts/figures.py",
    "experiments/cli/terminal.py",
    "experiments/trainer/__main__.py",
    "experiments/trainer/evaluate_checkpoint.py",
}
NAME = "ada.a-study-with-a-name.long-learning-rate.s{seed}.abcdefgh"
REASON = "exit code 3: the reward became NaN at step 7"
HEADINGS = {
    40: ["run", "state"],
    60: ["run", "state", "steps", "left"],
    80: ["run", "state", "steps", "steps/s", "reward", "left"],
    100: ["run", "state", "progress", "steps", "steps/s", "reward", "left"],
    120: ["run", "state", "progress", "steps", "steps/s", "reward", "left"],
    200: ["run", "state", "progress", "steps", "steps/s", "reward", "left"],
}
SHOW = """
from experiments.cli.status import follow
from experiments.cli.terminal import console
from tests.cli.test_terminal import jobs
follow(lambda: jobs(), console())
"""


def test_a_hostile_text_is_harmless_however_it_is_printed(capsys):
    from rich.table import Table

    table = Table("name", "value")
    table.add_row(HOSTILE, terminal.state_text("failed"))
    terminal.say(HOSTILE)
    terminal.console().print(HOSTILE)
    terminal.console().print(table)
    terminal.report_error(UsageError(f"run {HOSTILE} is not known."))
    printed = "".join(capsys.readouterr())
    assert printed.count("end") == 4
    assert not set(printed) & set("\x1b\x07\x08\x00\x9b\u202e")


def test_what_an_encoding_cannot_show_ends_no_command(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    terminal.say("caf\xe9 \U0001f642")
    stream.flush()
    assert stream.buffer.getvalue() == b"caf? ?\n"


def _writes(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}:
            yield node.lineno


@pytest.mark.parametrize("folder", ["experiments", "apps"])
def test_nothing_is_printed_past_the_one_function(folder):
    files = [path for path in sorted((ROOT / folder).rglob("*.py")) if not {"scratch", "log"} & set(path.parts)]
    found = {path.relative_to(ROOT).as_posix() for path in files if any(_writes(path))}
    assert found <= OWN


def jobs():
    """Three jobs that have ended, and that had all there is to say."""
    some = {"step": 1_250_000, "total_steps": 10_000_000, "sps": 12_345.0, "reward": -1.234}
    name = NAME.format
    return [
        JobStatus(run_name=name(seed=0), verdict="succeeded", **some),
        JobStatus(
            run_name=name(seed=1), verdict="failed", reason="exit code 3: the reward became NaN at step 7", **some
        ),
        JobStatus(run_name=name(seed=2), verdict="cancelled", step=400),
    ]


def in_a_terminal(code, columns):
    """Return what a program prints in a real terminal of so many columns, line by line and without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "CI"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # the terminal's other end was closed
        pass
    os.close(ours)
    assert process.wait() == 0, told
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode())
    return [line.rstrip() for line in text.replace("\r", "\n").split("\n") if line.strip()]


def printed(table, width):
    out = Console(file=io.StringIO(), width=width)
    out.print(table)
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize("columns", HEADINGS)
def test_following_shows_whole_columns_in_a_terminal_of_any_width(columns):
    lines = in_a_terminal(SHOW, columns)
    assert lines[0].split() == HEADINGS[columns]
    assert max(map(cell_len, lines)) <= columns
    for state in ("✓ succeeded", "✕ failed", "▬ cancelled"):
        assert any(state in line for line in lines)
    # The run keeps its end, by which seeds differ, and a reason is all there, on lines of its own.
    assert all(any(f"s{seed}.abcdefgh" in line for line in lines) for seed in range(3))
    assert REASON in " ".join(" ".join(lines).split())
    assert not [line for line in lines if "…" in line[1:]]
    if "steps" in HEADINGS[columns]:
        assert "1.25M of 10M" in lines[1]
    if columns == 200:
        assert NAME.format(seed=0) in lines[1]


def test_where_the_total_is_unknown_there_is_no_bar_and_no_share():
    known, _, unknown = jobs()
    lines = printed(progress_table([known, unknown]), 200)
    assert "━━─" in lines[1]
    assert not set("━─") & set(lines[2])
    assert re.search(r" 400 +– +– +–$", lines[2])  # noqa: RUF001
    assert "progress" not in printed(progress_table([unknown]), 200)[0]


def test_what_is_worth_less_does_not_take_the_place_of_what_is_worth_more():
    table = FittedTable([FittedColumn(name) for name in "abcd"], worth="abdc")
    table.add("run", "state", "x", "a long text")
    assert printed(table, 12) == ["a    b", "run  state"]
    assert printed(table, 30)[0].split() == ["a", "b", "c", "d"]


def test_in_hardly_any_room_the_first_column_keeps_its_end():
    table = FittedTable([FittedColumn("run"), FittedColumn("state")], worth=("run", "state"))
    table.add("a.very.long.name", "failed", note="why it failed")
    assert printed(table, 16) == ["run       state", "…ng.name  failed", "  why it failed"]
    assert max(map(cell_len, printed(table, 9))) <= 9


def test_wide_characters_take_two_cells():
    table = FittedTable([FittedColumn("run"), FittedColumn("state")], worth=("run", "state"))
    table.add("実験-実験-s0", "failed")
    assert printed(table, 15)[1] == "…験-s0   failed"
    assert printed(table, 20)[1] == "実験-実験-s0  failed"


def test_markup_in_a_cell_is_text():
    table = FittedTable([FittedColumn("run"), FittedColumn("state")], worth=("run", "state"))
    table.add("[red]x[/red]", "failed", note="[bold]n")
    assert printed(table, 40)[1:] == ["[red]x[/red]  failed", "  [bold]n"]
