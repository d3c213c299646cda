from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import NotebookError
from experiments.notebooks.header import Header, hash_of, read_header, replace_header, write_header

HEADER = Header("arena", "recipes/arena.py", "uv run recipes/arena.py arena", {"setup": "0" * 12, "title": "1" * 12})
SCRIPT = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["polars"]\n# ///'


def test_a_header_is_comments_that_read_back():
    text = write_header(HEADER)
    assert all(line.startswith("#") for line in text.split("\n"))
    assert read_header(text) == HEADER


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_header(recipe, command):
    header = Header("arena", recipe, command, {"título": "2" * 12})
    text = write_header(header)
    assert text.isascii()
    assert all(line.startswith("#") for line in text.splitlines())
    assert read_header(f"{SCRIPT}\n\n{text}\n") == header


def test_what_stands_beside_our_block_is_kept():
    comments = f'{SCRIPT}\n#\n{write_header(HEADER)}\n\n"""A docstring."""\n'
    changed = replace_header(comments, Header("arena", "b.py", "c"))
    assert changed.startswith(f"{SCRIPT}\n#\n# /// experiments\n")
    assert changed.endswith('# ///\n\n"""A docstring."""\n')
    assert read_header(changed) == Header("arena", "b.py", "c")


def test_a_file_without_a_block_has_no_header():
    assert read_header(f"{SCRIPT}\n# hello\n") is None


@pytest.mark.parametrize("line", ["# recipe = ", '# experiment = "a"', "# [cells", "# cells = 3"])
def test_a_damaged_block_is_an_error(line):
    with pytest.raises(NotebookError, match="block is damaged"):
        read_header(f"# /// experiments\n{line}\n# ///\n")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x = f(1, 2)", "x = f(\n        1,\n        2,\n    )"),
        ("x = f(1)", "x = f(\n        1,\n    )"),
        ("x = [1, 2]", "x=[1,2,]"),
        ("x = {1: 2}", "x = {\n        1: 2,\n    }"),
        ("x = 'a'", 'x = "a"'),
        ("x = 1\n    y = 2", "x = 1\n\n\n    y = 2"),
        ("x = 1  # why", "x = 1 # why  "),
    ],
)
def test_formatting_does_not_change_a_hash(left, right):
    assert hash_of(f"    {left}") == hash_of(f"    {right}")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x = (1,)", "x = (1)"),
        ("x = y[1,]", "x = y[1]"),
        ("x = 'a'", "x = 'b'"),
        ("x = 'a b'", "x = 'a  b'"),
        ("x = 1  # why", "x = 1"),
        ("if x:\n        y\n    z", "if x:\n        y\n        z"),
        ("x = f'{y}'", "x = f'{z}'"),
        ("x = 'y'", "x = y"),
    ],
)
def test_a_change_of_meaning_or_comment_changes_a_hash(left, right):
    assert hash_of(f"    {left}") != hash_of(f"    {right}")


def test_what_is_not_python_still_has_a_hash():
    assert len(hash_of("    x = (")) == 12
    assert hash_of("    x = (") != hash_of("    x = [")


def test_a_hash_does_not_depend_on_the_version_of_python():
    assert hash_of('    mo.md(f"a {b!r:>{c}} {{d}}")\n    x = [1, "é"]') == "7cd37bcb1000"
