"""The tutorial, typed word for word in an empty folder: from a script and a question to a verdict, a note and a log."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from tests.fakes.answers import data_in
from tests.tutorial import LOG, NOTEBOOK, TEXT, make

SCRIPT, RECIPE = re.findall(r"^```python\n(.*?)^```", TEXT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_its_script_and_its_recipe_are_forty_lines_at_most():
    assert len(SCRIPT.splitlines()) <= 40
    assert len(RECIPE.splitlines()) <= 40
    assert "experiments" not in {name for node in ast.walk(ast.parse(SCRIPT)) for name in _imported(node)}


def _imported(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []


@pytest.fixture(scope="module")
def typist(tmp_path_factory):
    return make(tmp_path_factory.mktemp("tutorial") / "cliff")


def printed(typist, command):
    return next(said for line, said in typist.said if line.startswith(command))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_goes_from_a_script_to_a_registered_verdict_and_a_note(typist):
    assert "learning_rate, epsilon, walks" in printed(typist, "experiments new")
    assert printed(typist, "experiments wait") == "cliff: 10 succeeded\n"
    verdict = data_in(typist.run("experiments verdict cliff --json"))
    assert (verdict["decision"], verdict["kind"]) == ("confirmed", "registered")
    assert "still falls now and then" in typist.run(f"experiments show {typist.newest()}")
    assert "experiments bundle cliff" in printed(typist, "experiments next")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_notebook_is_clean_and_holds_the_text_between_its_cells(typist):
    path = typist.folder / NOTEBOOK
    checked = [sys.executable, "-m", "marimo", "check", "--strict", str(path)]
    done = subprocess.run(checked, capture_output=True, text=True, cwd=typist.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    text = path.read_text(encoding="utf-8")
    places = [text.index(words) for words in ("# From a question", "## 4 The verdict", "def study(", "def verdict(")]
    assert places == sorted(places)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_log_shows_every_command_with_what_it_printed_and_the_same_verdict_as_the_page(typist):
    text = (typist.folder / LOG).read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]*>", "", text)
    for line, _ in typist.said:
        assert line.split()[1] in shown, line
    assert shown.count("Confirmed") >= 2
    assert "data-cell-error" not in text
