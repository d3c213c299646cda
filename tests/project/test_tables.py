"""Tables for other programs: whatever a cell holds is text there."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.project.tables import csv_text, escaped, latex_table

ROOT = Path(__file__).parents[2]


@given(st.text(max_size=60))
def test_no_text_is_a_command_or_leaves_its_cell(text):
    found = escaped(text)
    bare = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl)\{\}", "", found
    )
    bare = re.sub(r"\\[{}$&#_%]", "", bare).replace("$-$", "")
    assert not set(bare) & set("\\{}$&#_%~^\n\r\x00")


def test_a_table_holds_names_as_they_are():
    made = latex_table(
        ["arm", "score"], [["rate_0.1 & <b>", "1.5"]], numeric=[False, True], caption="5 % of", label="a_b:c"
    )
    assert r"rate\_0.1 \& \textless{}b\textgreater{} & 1.5 \\" in made
    assert r"\begin{tabular}{lr}" in made
    assert r"\caption{5 \% of}" in made
    assert r"\label{ab:c}" in made


def test_an_empty_table_is_a_table():
    assert latex_table(["a"], []).count("rule") == 3


def read_back(value):
    [[found]] = csv.reader(io.StringIO(csv_text([[value]]), newline=""))
    return found


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "=HYPERLINK(0)", "+cmd|' /C calc'!A0", "-1+1", "-arm", "@SUM(1)", "\t=1", "\r=1", "\n=1", "=", "-"),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "+1e5x", "--1", "1\n=2"[1:]),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_begins_with_a_quotation_mark(text):
    assert read_back(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *(
            (-1, "-1"),
            (-0.1, "-0.1"),
            (1e-300, "1e-300"),
            (-1e22, "-1e+22"),
            (2**63, str(2**63)),
            (float("-inf"), "-inf"),
        ),
        *(("-1", "-1"), ("+0.5", "+0.5"), ("-1e-5", "-1e-5"), ("-.5", "-.5"), ("arm-1", "arm-1"), ("a=b", "a=b")),
        *((None, ""), ("", ""), ('say "x", y', 'say "x", y'), ("é", "é")),
    ],
)
def test_numbers_and_other_texts_are_as_they_were(value, cell):
    assert read_back(value) == cell


def test_what_no_file_can_hold_is_a_replacement_sign():
    assert read_back("a\x00b\udcffc\u202e") == "a\ufffdb\ufffdc\ufffd"


def test_every_file_for_a_spreadsheet_is_made_by_this_one_function():
    """Also the file that marimo's own tables offer is made elsewhere, so none offers it."""
    for path in [*(ROOT / "experiments").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]:
        text = path.read_text()
        if path != ROOT / "experiments/project/tables.py":
            assert not re.search(r"csv\.(writer|DictWriter)|to_csv|write_csv", text), path
        tables = len(re.findall(r"mo\.ui\.(table|dataframe|data_editor|data_explorer)\(", text))
        assert text.count("show_download=False") == tables, path
