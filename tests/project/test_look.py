from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import get_args

import pytest

from experiments.cli.status import progress_table
from experiments.cli.terminal import state_text
from experiments.jobs.watch.verdicts import job_status
from experiments.notebooks.monitoring import job_row
from experiments.notebooks.tables import groups
from experiments.notebooks.tables import runs as run_table
from experiments.project import look
from experiments.runs.store import REWARD_KEY, RunInfo
from experiments.statistics import shown
from experiments.types import JobRef, Verdict
from tests.notebooks.export.pages import head, page_of

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
TOOLTIP_FORM = re.compile(r"""Tooltip\([^)]*format=["']([^"']*)""")


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [look.LIGHT, look.DARK])
def test_text_has_contrast_4_5_and_lines_3_against_the_page(palette):
    assert contrast(palette.text, palette.page) >= 4.5
    assert contrast(palette.muted, palette.raised) >= 4.5
    assert min(contrast(arm, palette.page) for arm in palette.arms) >= 3


@pytest.mark.parametrize("state", get_args(Verdict))
def test_every_state_has_a_mark_of_its_own_and_a_colour_that_can_be_read(state):
    sign = look.STATES[state]
    assert [other.mark for other in look.STATES.values()].count(sign.mark) == 1
    assert contrast(sign.light, look.LIGHT.page) >= 4.5
    assert contrast(sign.dark, look.DARK.page) >= 4.5
    assert state_text(state).plain == f"{sign.mark} {state}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12, "12 s"), (185, "3 m 05 s"), (8040, "2 h 14 m"), (None, "–"), (float("nan"), "–")],  # noqa: RUF001
)
def test_durations_read_as_people_say_them(seconds, text):
    assert look.duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(1_250_000, "1.25M"), (999, "999"), (0.12345, "0.123"), (None, "–")])  # noqa: RUF001
def test_quantities_have_three_significant_digits(value, text):
    assert look.quantity(value) == text


@pytest.mark.parametrize(("value", "text"), json.loads((CASES / "quantities.json").read_text(encoding="utf-8")))
def test_terminals_tables_and_logs_write_each_digit_of_a_number_as_a_page_does(value, text):
    """`tests/js/page.test.js` holds the page's own function to the same list."""
    assert look.quantity(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_has_no_digits(value):
    assert look.quantity(value) == look.MISSING


@pytest.mark.parametrize("value", [2.5, 12_345.678, 999.96, 0.000012])
def test_a_reward_has_the_same_digits_in_every_place(value):
    """Terminal, job table, log, tables of runs and of groups, verdict."""
    job = JobRef(run="ada.exp.a.s0.abcdefgh", arm="a", seed=0)
    info = RunInfo(job.run, "running", summary={REWARD_KEY: value})
    status = job_status(job, None, info, as_of=1.0)
    said = look.quantity(value)
    assert said in str(vars(progress_table([status])))
    assert f">{said}<" in page_of(head=head(jobs=(job_row(status),))).html.decode()
    assert [run_table._three_digits(value), groups._shown(value), shown(value)] == [said] * 3


def test_no_chart_writes_a_number_in_digits_of_its_own():
    """Shares are whole per cents; all else is written by `look.quantity` before it comes into a chart's tooltip."""
    folder = ROOT / "experiments" / "notebooks" / "charts"
    forms = {form for path in folder.glob("*.py") for form in TOOLTIP_FORM.findall(path.read_text(encoding="utf-8"))}
    assert forms == {".0%"}


@pytest.mark.parametrize(
    "printed",
    ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\x1b]8;;http://a\x1b\\red", "\x1b[2K\x1b[1;3Hred", "\x1bMred"],
)
def test_what_a_program_told_its_terminal_is_no_text(printed):
    assert look.without_escapes(printed) == "red"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("10%\r50%\r100%", "100%"),
        ("100%\r\n", "100%\n"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("bell\x07", "bell\ufffd"),
        ("\x9b31mC1", "\ufffd31mC1"),
        ("\u202eturned\u2066", "\ufffdturned\ufffd"),
        ("half \ud83d", "half \ufffd"),
        (
            "tab\tstays, \u05e9\u05dc\u05d5\u05dd and \U0001f642 too",
            "tab\tstays, \u05e9\u05dc\u05d5\u05dd and \U0001f642 too",
        ),
    ],
)
def test_foreign_text_is_shown_as_a_terminal_would_leave_it_and_acts_on_none(line, shown):
    assert look.plain_text(line) == shown


def test_a_text_that_is_too_long_ends_in_dots_and_is_no_longer_than_it_may_be():
    assert look.shortened("as it is", 8) == "as it is"
    assert look.shortened("not as it is", 8) == "not as…"
