from __future__ import annotations

from typing import get_args

import pytest

from experiments import look
from experiments.terminal import state_text
from experiments.types import Verdict


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


@pytest.mark.parametrize(
    "printed",
    ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\x1b]8;;http://a\x1b\\red", "\x1b[2K\x1b[1;3Hred", "\x1bMred"],
)
def test_what_a_program_told_its_terminal_is_no_text(printed):
    assert look.without_escapes(printed) == "red"
