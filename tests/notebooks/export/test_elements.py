from __future__ import annotations

import base64

import marimo as mo
import pytest

from experiments.notebooks.export.draw.html import MAX_DEPTH, safe_style
from experiments.notebooks.export.draw.sheet import words
from tests.notebooks.export.pages import drawn


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<a href='javascript:alert(1)'>x</a>",
        "<p onclick='alert(1)' style='position:fixed; background:url(https://evil.example/x)'>x</p>",
        "<iframe src='https://evil.example/'></iframe>",
        "<object data='x'></object><embed src='x'><base href='https://evil.example/'>",
        "<form action='https://evil.example/'><input name=a></form>",
        "</section></main></body><script>alert(1)</script>",
        "<style>@import 'https://evil.example/x.css'</style><link rel=stylesheet href='https://evil.example/'>",
        "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
        "<marimo-mime-renderer data-mime='\"text/html\"' data-data='\"<script>alert(1)</script>\"'>",
        "<div id='log-assets' name='vegaEmbed'>x</div>",
    ],
)
def test_hostile_html_is_only_text(hostile):
    html, _ = drawn(mo.Html(hostile))
    lower = html.lower()
    assert not any(
        bad in lower for bad in ("<script", "onerror", "onload", "onclick", "javascript:", "url(", "<iframe")
    )
    assert not any(
        bad in lower for bad in ('src="http', 'href="', "fixed", "<style", "<meta", "<base", "<form", " id=")
    )


def test_a_link_is_its_text_and_its_address():
    html, _ = drawn(mo.md("[the paper](https://example.org/paper?a=1&b=2)"))
    assert "the paper" in html
    assert "(https://example.org/paper?a=1&amp;b=2)" in html
    assert "<a" not in html


def test_markdown_keeps_its_structure():
    html, notes = drawn(mo.md("## Head\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n**bold** `code`"))
    assert all(
        part in html for part in ('<h2 id="part-1">', "<li>one</li>", "<td>1</td>", "<strong>bold</strong>", "<code>")
    )
    assert notes == []


def test_a_formula_becomes_mathml():
    html, notes = drawn(mo.md(r"Inline $\frac{a}{b}$ and" + "\n\n$$\\sum_t \\gamma^t r_t$$"))
    assert html.count("<math") == 2
    assert "<mfrac>" in html
    assert 'display="block"' in html
    assert notes == []


def test_a_formula_that_cannot_be_drawn_is_its_source():
    html, notes = drawn(mo.md(r"$\begin{nonsense} \left($"))
    assert "nonsense" in html
    assert "<math" in html or notes


def test_what_is_made_only_when_it_is_opened_says_that_it_was_not():
    html, _ = drawn(mo.accordion({"Open it all the same": lambda: mo.md("large")}, lazy=True))
    assert "Open it all the same" in html
    assert "Not opened when this was written" in html
    assert "large" not in html
    assert "off" not in html


def test_layouts_keep_what_they_hold():
    both = mo.hstack([mo.stat(3, label="runs"), mo.callout(mo.md("careful"), kind="warn")])
    html, _ = drawn(mo.accordion({"Open": mo.vstack([both])}))
    assert "<details" in html
    assert '<div class="stat"><small>runs</small><b>3</b></div>' in html
    assert '<aside class="callout warn">' in html


def test_tabs_stand_below_each_other_until_a_script_makes_them_tabs():
    html, _ = drawn(mo.ui.tabs({"One": mo.md("first"), "Two": mo.md("second")}))
    assert html.count('<section class="tab"') == 2
    assert 'aria-label="Two"' in html
    assert "second" in html


def test_tabs_that_hold_nothing_are_their_names():
    assert drawn(mo.ui.tabs({"One": mo.md(""), "Two": mo.Html("")}))[0] == '<span class="control">One · Two</span>'


def test_tabs_without_content_are_left_out_beside_those_with_some():
    html = drawn(mo.ui.tabs({"One": mo.md(""), "Two": mo.md("here")}))[0]
    assert html.count('<section class="tab"') == 1
    assert 'aria-label="Two"' in html


def test_inputs_are_read_as_text():
    controls = [
        mo.ui.dropdown({"One": 1, "Two": 2}, value="Two", label="Pick"),
        mo.ui.slider(1, 10, value=3, label="Rate"),
        mo.ui.checkbox(value=True, label="Check"),
        mo.ui.text("open sesame", kind="password", label="Password"),
    ]
    text = words(drawn(mo.vstack(controls))[0])
    assert all(part in text for part in ("Pick: Two", "Rate: 3", "Check: on", "Password: •••"))
    assert "sesame" not in text


def test_a_form_is_its_inputs():
    form = mo.md("Between {low} and {high}").batch(low=mo.ui.number(1, 5, label="Low"), high=mo.ui.text("x")).form()
    assert "Low: 1" in words(drawn(form)[0])


def test_an_svg_is_an_image_in_which_nothing_runs():
    html, _ = drawn(mo.Html("<svg width=40 height=20 viewBox='0 0 4 2'><rect width=4 height=2 onclick=x()/></svg>"))
    assert html.startswith('<img src="data:image/svg+xml;base64,')
    assert 'style="width: 40px; height: 20px"' in html


def test_elements_nested_without_end_are_read():
    html, _ = drawn(mo.Html("<div>" * 100_000 + "deep"))
    assert "deep" in html
    assert html.count("<div>") <= 100_000
    assert MAX_DEPTH < 1000


def test_only_harmless_styles_stay():
    assert safe_style("color: red; background: url(x); position: fixed; --x: 1; width: 3px") == "color: red; width: 3px"


def test_a_file_to_save_is_in_its_link_without_secrets(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", "a-planted-key-0123456789")
    html, _ = drawn(mo.download(b"run,a-planted-key-0123456789", filename="runs.csv", label="Save as CSV"))
    assert 'download="runs.csv"' in html
    assert base64.b64decode(html.partition("base64,")[2].partition('"')[0]) == b"run,***"


def test_an_element_of_no_known_kind_is_named():
    html, notes = drawn(mo.Html("<marimo-hologram data-x='1'></marimo-hologram>"))
    assert "hologram" in html
    assert len(notes) == 1
