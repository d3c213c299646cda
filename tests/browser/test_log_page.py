"""A log in a browser without a network: charts, tables, replays and other people's widgets are alive in it."""

from __future__ import annotations

import altair as alt
import anywidget
import marimo as mo
import pandas as pd
import pytest
import traitlets

from tests.notebooks.export.pages import page_of
from tests.widgets.replays import shipped_named
from widgets.replay import ReplayCompare, ReplayViewer

pytestmark = pytest.mark.browser

TABLE = pd.DataFrame({"step": [1, 2, 3] * 2, "value": [3.0, 1.0, 2.0, 5.0, 4.0, 6.0], "arm": list("aaabbb")})


class Dial(anywidget.AnyWidget):
    """Counts its clicks, and tries to reach the page and the network."""

    _esm = """export default { render({ model, el }) {
      const button = document.createElement("button");
      const say = () => { button.textContent = `turned ${model.get("turns")}`; };
      button.onclick = () => { model.set("turns", model.get("turns") + 1); model.save_changes(); };
      model.on("change:turns", say);
      say();
      el.append(button);
      try { parent.document.title = "taken over"; } catch { el.append(" kept in"); }
      fetch("https://evil.example/").catch(() => el.append(" and offline"));
    } }"""
    turns = traitlets.Int(3).tag(sync=True)


class Leak(anywidget.AnyWidget):
    """Tries every way out of its frame."""

    _esm = """export default { render({ el }) {
      el.textContent = "trying";
      const add = (tag, values) => el.append(Object.assign(document.createElement(tag), values));
      add("img", { src: "https://evil.example/image" });
      add("iframe", { src: "https://evil.example/frame" });
      add("link", { rel: "prefetch", href: "https://evil.example/prefetch" });
      add("script", { src: "https://evil.example/script" });
      fetch("https://evil.example/fetch").catch(() => {});
      navigator.sendBeacon("https://evil.example/beacon");
      for (const leave of [() => { top.location = "https://evil.example/top"; }, () => open("https://evil.example/open"),
        () => eval("1"), () => { top.document.body.remove(); }]) {
        try { leave(); } catch { el.append(" refused"); }
      }
      setTimeout(() => { location.href = "https://evil.example/navigate"; }, 200);
    } }"""


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    brush = alt.selection_interval(name="picked", encodings=["x"])
    points = alt.Chart(TABLE).mark_point().encode(x="step", y="value", color="arm", tooltip=["value"]).add_params(brush)
    bars = alt.Chart(TABLE).mark_bar().encode(x="count()", y="arm").transform_filter(brush)
    replay = shipped_named("default.json.z")
    path = tmp_path_factory.mktemp("log") / "log.html"
    hostile = "</script><img src=x onerror='window.hit = 1'>"
    page = page_of(
        mo.md(f"# A log\n\n$x^2$ {hostile}"),
        points | bars,
        pd.DataFrame({"name": [f"run{n:02}" for n in range(20)], "score": [n * 7 % 20 for n in range(20)]}),
        mo.ui.tabs({"One": mo.md("first"), "Two": mo.md("second")}),
        ReplayViewer(replay, label=f"alone {hostile}"),
        ReplayCompare(replay, replay, labels=("left", "right")),
        Dial(),
        source="import marimo",
    )
    path.write_bytes(page.html)
    return path


@pytest.fixture
def page(browser, log_file):
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.goto(log_file.as_uri())
    page.wait_for_selector("html[data-charts=drawn]")
    yield page
    assert [url for url in asked if not url.startswith(("blob:", "data:", "about:"))] == [log_file.as_uri()]
    assert [line for line in wrong if "evil.example" not in line] == []
    assert page.evaluate("window.hit") is None
    context.close()


def test_charts_are_drawn_and_brush_each_other(page):
    assert page.locator("figure.chart.drawn").count() == 1
    bars = page.locator("figure.chart svg .mark-rect.role-mark path")
    before = bars.first.get_attribute("d")
    plot = page.locator("figure.chart svg .background").first.bounding_box()
    page.mouse.move(plot["x"] + 2, plot["y"] + 50)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] * 0.4, plot["y"] + 90, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "([node, before]) => node.getAttribute('d') !== before", arg=[bars.first.element_handle(), before]
    )


def test_a_table_sorts_and_is_searched(page):
    table = page.locator("table", has_text="run00")
    heading = table.get_by_role("button", name="score")
    heading.click()
    assert table.locator("tbody td").nth(1).text_content() == "0"
    heading.click()
    assert table.locator("tbody td").nth(1).text_content() == "19"
    page.get_by_placeholder("Search this table").fill("run07")
    assert table.locator("tbody tr:visible").count() == 1
    assert page.get_by_text("1 of 20 rows").is_visible()


def test_a_replay_plays_and_two_play_together(page):
    for name in ("alone", "left"):
        figure = page.locator("figure.replay", has_text=name)
        figure.scroll_into_view_if_needed()
        figure.locator("canvas").first.wait_for()
        step = figure.get_by_label("Step", exact=True).first
        before = step.input_value()
        figure.get_by_role("button", name="Play").first.click()
        page.wait_for_function("([node, before]) => node.value !== before", arg=[step.element_handle(), before])


def test_others_widgets_run_in_a_frame_that_reaches_nothing(page):
    figure = page.locator("figure.widget")
    figure.scroll_into_view_if_needed()
    inside = page.frame_locator("figure.widget iframe")
    inside.get_by_role("button").click()
    inside.get_by_text("turned 4").wait_for()
    inside.get_by_text("kept in and offline").wait_for()
    assert page.title() == "A log"


def test_the_theme_follows_the_button(page):
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(colour) == "rgb(20, 23, 28)"
    page.wait_for_selector("figure.chart svg .role-axis-label text[fill='#a0a8b3']")


def test_tabs_show_one_at_a_time_and_all_on_paper(page):
    assert page.get_by_text("first", exact=True).is_visible()
    assert not page.get_by_text("second", exact=True).is_visible()
    page.get_by_role("tab", name="Two").click()
    assert page.get_by_text("second", exact=True).is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text("first", exact=True).is_visible()
    assert page.locator("img.still").is_visible()
    assert page.get_by_role("button", name="score").is_visible()


def test_without_scripts_all_but_the_replays_can_be_read(browser, log_file):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(log_file.as_uri())
    assert page.locator("img.still").is_visible()
    assert page.locator("tbody tr:visible").count() == 20
    assert page.get_by_text("second", exact=True).is_visible()
    assert page.locator("math").count() == 1
    assert page.locator("figure.replay").first.is_visible()
    context.close()


def test_a_hostile_widget_reaches_neither_the_page_nor_a_network(browser, tmp_path):
    path = tmp_path / "log.html"
    path.write_bytes(page_of(mo.md("# A log"), Leak()).html)
    context = browser.new_context()
    asked = []
    context.route("https://**", lambda route: (asked.append(route.request.url), route.abort()))
    page = context.new_page()
    refused = []
    page.on("console", lambda line: refused.append(line.text) if "evil.example/navigate" in line.text else None)
    page.on("framenavigated", lambda frame: refused.append(frame.url) if frame != page.main_frame else None)
    page.goto(path.as_uri())
    page.wait_for_selector("figure.widget.drawn")
    for _ in range(100):
        if any("chrome-error" in line for line in refused):
            break
        page.wait_for_timeout(50)
    assert any("chrome-error" in line for line in refused)
    assert (asked, len(context.pages), page.url) == ([], 1, path.as_uri())
    assert page.get_by_role("heading", name="A log", level=1).is_visible()
    context.close()
