"""Charts of our own sections in a log: they zoom together, and runs selected in one are marked in tables."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from tests.fakes.serving import chromium
from tests.notebooks.export.pages import page_of

pytestmark = pytest.mark.browser

RUNS = ["ada.arena.a.s0.abcdefgh", "ada.arena.b.s0.ijklmnop"]


def pointed_at(title):
    points = [{"k": k, "x": x, "y": x * (k + 1)} for k in range(2) for x in range(11)]
    runs = [{"k": k, "run": run, "label": run, "state": "succeeded"} for k, run in enumerate(RUNS)]
    domain = alt.Scale(
        domainMin=alt.ExprRef("x_from === null ? 0 : x_from"), domainMax=alt.ExprRef("x_to === null ? 10 : x_to")
    )
    lines = (
        alt.Chart({"values": points}).mark_line(clip=True).encode(x=alt.X("x:Q", scale=domain), y="y:Q", detail="k:N")
    )
    named = alt.Chart({"values": runs}).mark_point(opacity=0).encode(detail="k:N")
    params = [alt.param(name=name, value=value) for name, value in (("x_from", None), ("x_to", None), ("hovered", -1))]
    pick = {"points": "k-x-y", "runs": "k-label-run-state", "x": "agent steps", "y": title}
    return (
        alt.layer(lines, named)
        .add_params(*params)
        .properties(width="container", height=200, description=title, usermeta={"pick": pick, "caption": f"{title}."})
    )


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "log.html"
    table = pd.DataFrame({"run": RUNS, "score": [1, 2]})
    path.write_bytes(page_of(pointed_at("return"), pointed_at("speed"), table).html)
    with chromium() as browser:
        page = browser.new_context(offline=True, viewport={"width": 1200, "height": 1000}).new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-charts=drawn]")
        yield page


def drag(page, figure, start, end):
    box = figure.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * start[0], box["y"] + box["height"] * start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end[0], box["y"] + box["height"] * end[1], steps=4)
    page.mouse.up()


def test_a_zoom_in_one_chart_is_a_zoom_in_all(page):
    first, second = page.locator("figure.chart").nth(0), page.locator("figure.chart").nth(1)
    assert first.get_by_text("return.", exact=True).is_visible()
    assert not second.get_by_role("button", name="Whole range").is_visible()
    drag(page, first, (0.3, 0.5), (0.6, 0.5))
    second.get_by_role("button", name="Whole range").wait_for()
    second.get_by_role("button", name="Whole range").click()
    first.get_by_role("button", name="Whole range").wait_for(state="hidden")


def test_runs_selected_in_a_chart_are_marked_in_tables(page):
    chart = page.locator("figure.chart").first
    chart.get_by_role("button", name="Drag selects runs").click()
    drag(page, chart, (0.85, 0.06), (0.98, 0.3))
    page.locator("tr.picked").wait_for()
    assert page.locator("tr.picked").text_content().startswith(RUNS[1])
    assert chart.get_by_text(f"1 selected and marked in the tables: {RUNS[1]}").is_visible()


def test_what_stands_beneath_a_chart_opens_by_keyboard_and_is_printed_open(tmp_path):
    path = tmp_path / "log.html"
    words = {"summary": "n = 2, complete", "caption": "One line a run. Nothing is smoothed."}
    charts = [
        pointed_at("return").properties(usermeta=words | more)
        for more in ({}, {"pick": pointed_at("return").usermeta["pick"]})
    ]
    path.write_bytes(page_of(*charts).html)
    with chromium() as browser:
        page = browser.new_context(offline=True, viewport={"width": 1000, "height": 1000}).new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-charts=drawn]")
        for figure in page.locator("figure.chart").all():
            line, text = figure.get_by_text("n = 2, complete"), figure.get_by_text("Nothing is smoothed")
            assert (line.count(), text.count()) == (1, 1)
            assert not text_shown(figure)
            line.focus()
            page.keyboard.press("Enter")
            assert text_shown(figure)
            page.keyboard.press("Enter")
            assert not text_shown(figure)
            page.emulate_media(media="print")
            assert text_shown(figure)
            page.emulate_media(media="screen")


def text_shown(figure):
    """Tell whether the folded text is drawn: its element lies beneath the line."""
    return figure.locator("figcaption").bounding_box()["height"] > 50
