from __future__ import annotations

import io

import marimo as mo
import numpy as np
import pytest

from experiments.notebooks.export.draw import pictures
from tests.notebooks.export.pages import drawn

PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)


class Shows:
    """Shows itself by one of the methods on which notebooks agree."""

    def __init__(self, name, *answer):
        setattr(self, name, lambda *_: answer[0] if len(answer) == 1 else answer)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("<b>text</b>", "&lt;b&gt;text&lt;/b&gt;"),
        (0, "<pre"),
        (np.float64(1.5), "1.5"),
        ({"a": [1, {"b": None}]}, "<dt>b</dt><dd>None</dd>"),
        ({"b", "a"}, "&#x27;a&#x27;"),
        (Shows("_repr_html_", "<em>hi</em>"), "<em>hi</em>"),
        (Shows("_repr_markdown_", "**hi**"), "<strong>hi</strong>"),
        (Shows("_repr_png_", PIXEL), "data:image/png;base64,"),
        (Shows("_repr_latex_", "$x^2$"), "<msup>"),
        (Shows("_mime_", "text/plain", "as text"), "as text"),
        (Shows("_repr_mimebundle_", {"text/plain": "p", "text/html": "<em>h</em>"}), "<em>h</em>"),
        (Shows("_display_", mo.md("*inner*")), "<em>inner</em>"),
        (mo.image(io.BytesIO(PIXEL), alt="a pixel"), 'alt="a pixel"'),
        (mo.plain_text("a\n  b"), "a\n  b"),
        (str, "&lt;class &#x27;str&#x27;&gt;"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown(value, part):
    assert part in drawn(value)[0]


def test_what_cannot_be_shown_is_named():
    html, notes = drawn(Shows("_mime_", "application/x-unknown", "zzz"))
    assert notes == ["shown: Data of type 'application/x-unknown' cannot be shown in a log."]
    assert "application/x-unknown" in html


def test_a_value_that_raises_when_it_is_shown_is_named():
    class Broken:
        def __repr__(self):
            raise ValueError("no words")

    html, notes = drawn([1, Broken()])
    assert "cannot be shown (ValueError: no words)" in html
    assert len(notes) == 1


def test_a_value_that_holds_itself_is_shown_to_some_depth():
    endless: list[object] = []
    endless.append(endless)
    assert "tree" in drawn(endless)[0]


def test_a_picture_too_large_is_named():
    html, notes = drawn(Shows("_repr_png_", PIXEL + bytes(50_000_000)))
    assert "<img" not in html
    assert "50.0 MB" in notes[0]
    assert pictures.MAX_BYTES < 50_000_000


def test_a_figure_like_matplotlibs_is_saved_as_a_picture():
    class Figure:
        __module__ = "matplotlib.figure"

        def savefig(self, target, **_):
            target.write(PIXEL)

    assert "data:image/png" in drawn(Figure())[0]


def test_a_long_text_loses_its_middle_and_says_so():
    html, notes = drawn("x" * 300_000)
    assert len(html) < 120_000
    assert "300,000 characters" in notes[0]
