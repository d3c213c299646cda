"""Sections have one look: their HTML names classes of one sheet, in marimo's page and in the exported file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.notebooks import styles
from experiments.notebooks.export.assets import style_sheet
from experiments.notebooks.sheet import SHEET
from experiments.notebooks.styles import styled
from tests.notebooks.export.pages import page_of

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "experiments" / "notebooks"
SHEETED = sorted(
    path
    for folder in (NOTEBOOKS, NOTEBOOKS / "tables", ROOT / "apps", ROOT / "apps" / "parts")
    for path in folder.glob("*.py")
    if re.search(r"import .*\bstyled\b|mo\.Html\(", path.read_text(encoding="utf-8"))
)
# The colour of a verdict.
OWN = {"color: light-dark({line.light}, {line.dark})"}


@pytest.mark.parametrize("path", SHEETED, ids=lambda path: path.stem)
def test_the_html_of_a_section_has_no_style_of_its_own_but_what_its_data_decide(path):
    found = re.findall(r"""style=["']([^"']*)["']""", path.read_text(encoding="utf-8"))
    assert set(found) <= OWN


@pytest.mark.parametrize("path", SHEETED, ids=lambda path: path.stem)
def test_every_class_that_a_section_names_is_in_the_sheet(path):
    text = path.read_text(encoding="utf-8")
    named = [*re.findall(r"""class=["']([^"'{]*)""", text), *styles._CLASSES.values()]
    assert {each for names in named for each in names.split()} <= set(re.findall(r"\.([a-z]+)", SHEET))


def test_a_sheet_has_the_sizes_and_steps_of_the_look():
    assert set(re.findall(r"font-size: (\d+)px", SHEET)) <= {"12", "14", "16", "20", "28"}
    steps = re.findall(r"(?:margin|padding)[a-z-]*: ([^;]*);", SHEET)
    assert {length for text in steps for length in text.split()} <= {"0", "2px", "4px", "12px", "16px"}
    assert set(re.findall(r"system-ui[^;]*", SHEET)) == {"system-ui, sans-serif"}


def test_a_log_has_the_sheet_once_and_the_classes_of_its_sections():
    section = styled('<p class="small muted">told</p>')
    page = page_of(section, section).html.decode()
    assert page.count('<div class="xs"><p class="small muted">told</p></div>') == 2
    assert page.count(SHEET) == 1
    assert SHEET in style_sheet()
