"""What commands print: foreign text in it acts on no terminal, in whatever way it is printed."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest

from experiments.cli import terminal
from experiments.project.errors import UsageError

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b]0;title\x07\x1b[2J\x1b[31m\x9b1m\u202eend\x08\x00\ud800"
# Files that write to the standard streams themselves: what they print is their own, or goes into a file or a pipe.
OWN = {
    "apps/serving/server.py",
    "experiments/cli/export.py",
    "experiments/project/streams.py",
    "experiments/jobs/launchers/local/slots.py",
    "experiments/jobs/launchers/local/supervisor.py",
    "experiments/notebooks/charts/figures.py",
    "experiments/cli/terminal.py",
    "experiments/trainer/__main__.py",
}


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
