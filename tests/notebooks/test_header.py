from __future__ import annotations

import pytest

from experiments.notebooks.header import read_header, without_header
from experiments.project.errors import NotebookError
from tests.notebooks.specs import VERSION_0_1

SCRIPT = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["polars"]\n# ///'
BLOCK = '# /// experiments\n# experiment = "arena"\n#\n# [cells]\n# config = "0a1b2c3d4e5f"\n# ///'


def test_the_header_of_version_0_1_is_read():
    header = read_header(VERSION_0_1.read_text())
    assert (header.experiment, len(header.cells)) == ("version_0_1", 58)


def test_what_stands_beside_our_block_is_kept():
    comments = f'{SCRIPT}\n#\n{BLOCK}\n\n"""A docstring."""\n'
    assert read_header(comments).cells == {"config": "0a1b2c3d4e5f"}
    left = without_header(comments)
    assert left.startswith(SCRIPT)
    assert left.endswith('"""A docstring."""')
    assert "experiments" not in left


def test_a_file_without_a_block_has_no_header():
    assert read_header(f"{SCRIPT}\n# hello\n") is None


@pytest.mark.parametrize("line", ["# recipe = ", '# experimant = "a"', "# [cells", "# cells = 3"])
def test_a_damaged_block_is_an_error(line):
    with pytest.raises(NotebookError, match="block is damaged"):
        read_header(f"# /// experiments\n{line}\n# ///\n")
