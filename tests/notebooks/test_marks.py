from __future__ import annotations

import pytest

from experiments.notebooks.marks import FILE, hash_of, is_published, published, unpublished
from experiments.notebooks.template import DATA, template


def test_every_text_of_the_template_is_published():
    """After a wanted change: python -m experiments.notebooks.marks"""
    assert unpublished() == []


def test_the_data_of_a_notebook_is_its_own_and_never_published():
    assert not set(DATA) & set(published())
    assert not any(is_published(cell) for cell in template().cells if cell.name in DATA)


def test_no_line_is_there_twice():
    lines = [line.split()[1:] for line in FILE.read_text().splitlines()]
    assert len(lines) == len({tuple(line) for line in lines})


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
