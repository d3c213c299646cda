"""Tables in terminals of every width, drawn by real terminals: nothing is cut, and what goes first is worth least."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from rich.cells import cell_len
from rich.console import Console

from experiments.cli.fitting import FittedColumn, FittedTable
from experiments.cli.follow import progress_table
from experiments.types import JobStatus
from tests.fakes.serving import ROOT

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
from experiments.cli.follow import follow
from experiments.cli.terminal import console
from tests.cli.test_fitting import jobs
follow(lambda: jobs(), console())
"""


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
