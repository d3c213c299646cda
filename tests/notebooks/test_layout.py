from __future__ import annotations

from pathlib import Path

import pytest

from experiments.notebooks.layout import canonical, parse, read_text, render
from experiments.project.errors import NotebookError
from tests.notebooks.specs import GOLDEN

EVERYTHING = canonical('''# /// script
# requires-python = ">=3.11"
# ///
"""A docstring."""

import marimo

__generated_with = "0.0.1"
app = marimo.App(
    width="full",
    app_title="é",
)

with app.setup(hide_code=True):
    import asyncio

    # kept
    LIMIT = 3


@app.function
def double(x):
    """Doubled."""
    return 2 * x


@app.class_definition
class Thing:
    value = LIMIT


@app.cell(
    hide_code=True,
    disabled=True,
)
def named(*, x):
    if x:
        a_name_that_is_long_1 = a_name_that_is_long_2 = a_name_that_is_long_3 = """
        kept
        """
    # trailing
    return


@app.cell
async def _():
    x = await asyncio.sleep(0, 1)
    return (x,)


@app.cell
def _(a_name_that_is_long_1, a_name_that_is_long_2, a_name_that_is_long_3, double, x):
    import re

    print(a_name_that_is_long_1, a_name_that_is_long_2, a_name_that_is_long_3, double(x), Thing)

    def helper():
        return x

    def helper2():
        return helper
    return


@app.cell
def _():
    # only a comment
    return


@app.cell
def _():
    return


app._unparsable_cell(
    r"""
    x = (
    """
)


if __name__ == "__main__":
    app.run()
''')


@pytest.mark.parametrize("text", [EVERYTHING, GOLDEN.read_text()], ids=["everything", "golden"])
def test_reading_and_writing_what_the_editor_saved_changes_nothing(text):
    assert render(parse(text, Path("a_nb.py"))) == text


def test_the_parts_of_a_notebook_are_told_apart():
    notebook = parse(EVERYTHING, Path("a_nb.py"))
    assert [(cell.name, cell.kind) for cell in notebook.cells] == [
        ("double", "function"),
        ("Thing", "class_definition"),
        ("named", "cell"),
        ("_", "cell"),
        ("_", "cell"),
        ("_", "cell"),
        ("_", "cell"),
        ("_", "unparsable"),
    ]
    assert notebook.setup_names == ("asyncio", "LIMIT")
    assert '"""A docstring."""' in notebook.header
    assert notebook.cells[2].options == "(disabled=True, hide_code=True)"
    assert notebook.cells[3].names.reads == {"asyncio"}


def test_nothing_in_a_notebook_is_executed_when_it_is_read(capsys):
    parse('import marimo\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    print("ran")\n    1 / 0\n', Path("a_nb.py"))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("line", ["x = 1", "# mine", "import os", "print('a')", "class A: pass"])
def test_text_that_marimo_would_drop_is_said_with_its_line(line):
    text = f"import marimo\napp = marimo.App()\n\n\n@app.cell\ndef a():\n    x = 1\n    return\n\n\n{line}\n"
    with pytest.raises(NotebookError, match=r"outside its cells at line 11, which marimo drops"):
        parse(text, Path("a_nb.py"))


def test_a_cell_on_one_line_is_said():
    with pytest.raises(NotebookError, match="one line at line 5"):
        parse("import marimo\napp = marimo.App()\n\n@app.cell\ndef a(): x = 1\n", Path("a_nb.py"))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_the_mark_of_other_editors_make_no_difference(tmp_path, ends, mark):
    file = tmp_path / "a_nb.py"
    file.write_bytes(mark + EVERYTHING.replace("\n", ends).encode())
    assert read_text(file) == EVERYTHING


@pytest.mark.parametrize(
    ("line", "words"),
    [("# -*- coding: latin-1 -*-", "its encoding is iso-8859-1"), ("# coding: nonsense", "is not UTF-8 text")],
)
def test_a_notebook_that_says_it_is_not_utf_8_is_refused(tmp_path, line, words):
    file = tmp_path / "a_nb.py"
    file.write_text(f"{line}\n{EVERYTHING}")
    with pytest.raises(NotebookError, match=words):
        read_text(file)


def test_a_notebook_indented_with_tabs_is_refused_with_its_line_and_tabs_in_texts_are_not():
    cell = 'import marimo\napp = marimo.App()\n\n\n@app.cell\ndef a():\n    x = """\n\ty"""\n    return\n'
    assert len(parse(cell, Path("a_nb.py")).cells) == 1
    with pytest.raises(NotebookError, match=r"indented with tabs \(line 7\)"):
        parse(cell.replace("    ", "\t"), Path("a_nb.py"))
