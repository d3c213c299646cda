"""A chart in a real browser: alone on a page, where a test plays Python's part."""

from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pytest

from experiments.notebooks.charts import (
    CurveOptions,
    improvement_chart,
    learning_curves,
    performance_profile,
    score_strip,
    setting_effects,
)
from experiments.notebooks.charts.trials import best_so_far, parallel_trials, trial_settings
from tests.browser.test_job_table import PAGE
from tests.browser.test_run_table import answer
from tests.fakes.serving import CHROMIUM
from tests.notebooks.test_charts import arms, run
from tests.notebooks.test_trial_charts import course
from widgets.charts import ChartWidget
from widgets.charts.bundle import vega_script
from widgets.charts.changes import change_of
from widgets.charts.chart import divided

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]
WORDS = ("spec", "datasets", "params", "caption", "summary", "description")
POINTS = """name => window.vegaViews.at(-1).data(name).map(({x, y, k}) => [k, x, y])"""


def curves(rows, selected=()):
    options = CurveOptions(arms=("base", "other"), selected=selected)
    return divided(learning_curves(arms(rows=rows), options).to_dict())


def alone(browser, tmp_path, shown, script):
    """Return a page with one chart, of which a test plays Python's part; `script` runs behind Vega's own."""
    page = browser.new_page()
    state = {name: shown[name] for name in WORDS} | {"colours": {}, "can_select": True, "zoom": [], "brush": {}}
    state |= {"clicked": {}, "version": 1, "piece": {}}
    html = PAGE.replace("STATE", json.dumps(state)).replace("<body>", '<body><script src="/vega.js"></script>')
    files = {
        "": ("text/html", html),
        "vega.js": ("text/javascript", gzip.decompress(vega_script(tmp_path)).decode() + script),
        "jobs.js": ("text/javascript", ChartWidget._esm),
        "jobs.css": ("text/css", ChartWidget._css),
    }
    page.route("http://table/**", lambda route: answer(route, files))
    page.goto("http://table/")
    return page


@pytest.mark.parametrize("ended", ["finished", "failed"])
def test_a_chart_that_is_slow_to_draw_says_so_in_the_room_that_it_will_take(browser, tmp_path, ended):
    runs = [*arms(), run("other", 3, rows=20, outcome=ended, state=ended if ended == "failed" else "")]
    wait = "const embed = vegaEmbed; window.vegaEmbed = (...all) => new Promise((go) => { window.go = go; })"
    wait += ".then(() => embed(...all));"
    page = alone(browser, tmp_path, divided(learning_curves(runs).to_dict()), wait)
    page.wait_for_function("() => Boolean(window.go)")
    height = "document.querySelector('.chart-root').offsetHeight"
    assert page.get_by_text("Drawing the chart").is_visible()
    before = page.evaluate(height)
    page.evaluate("window.go()")
    page.locator(".chart-root[data-drawn]").wait_for(timeout=60_000)
    assert page.get_by_text("Drawing the chart").is_hidden()
    assert abs(page.evaluate(height) - before) <= 12
    page.close()


def test_new_rows_go_into_the_drawing_that_is_there_before_and_after_a_selection(browser, tmp_path):
    chosen = (arms()[0].run,)
    states = [curves(3), curves(4), curves(5), curves(5, chosen), curves(6, chosen), curves(7, chosen), curves(8)]
    # As the page keeps them, so that the test sees what is in the drawing.
    keep = "const embed = vegaEmbed; window.vegaViews = []; window.vegaEmbed = async (...all) => {"
    keep += "const made = await embed(...all); window.vegaViews.push(made.view); return made; };"
    page = alone(browser, tmp_path, states[0], keep)
    page.locator(".chart-root[data-drawn]").wait_for(timeout=60_000)
    for at, (old, new) in enumerate(itertools.pairwise(states), 1):
        piece = {"at": at + 1, **change_of(old["datasets"], new["datasets"])}
        page.evaluate(
            "news => { for (const name in news) window.model.set(name, news[name]); }",
            {
                "params": new["params"],
                "piece": piece,
            },
        )
        page.locator(f'.chart-root[data-fed="{at}"][data-drawn="1"]').wait_for(timeout=60_000)
        held = new["datasets"]["k-x-y"]
        points = sorted(zip(held["k"], held["x"], held["y"], strict=True))
        assert sorted(map(tuple, page.evaluate(POINTS, "k-x-y"))) == points
    page.close()


LONG = ("baseline-with-the-usual-settings", "fast-learning-rate-and-a-large-batch", "big-network-with-four-layers")
OUTSIDE = """([spec]) => vegaEmbed("#chart", spec, {actions: false, renderer: "svg"}).then(() => {
  const svg = document.querySelector("svg"), page = svg.getBoundingClientRect(), found = [];
  const boxes = (selector) => [...svg.querySelectorAll(selector)].map((each) => [each, each.getBoundingClientRect()]);
  for (const [each, box] of boxes("text"))
    if (each.textContent && (box.left < page.left - 1 || box.right > page.right + 1))
      found.push(`cut: ${each.textContent}`);
  for (const axis of svg.querySelectorAll(".role-axis-label, .role-legend-label")) {
    const own = [...axis.querySelectorAll("text")].filter((each) => +getComputedStyle(each).opacity > 0);
    const each = own.map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [at, [text, one]] of each.entries())
      for (const [other, two] of each.slice(at + 1))
        if (Math.min(one.right, two.right) - Math.max(one.left, two.left) > 1 &&
            Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > 2)
          found.push(`over each other: ${text}, ${other}`);
  }
  return [found, Math.round(page.width)];
})"""


def drawn_charts():
    long = [*arms(LONG, 3), run(LONG[1], 3, rows=20, outcome="failed", state="failed")]
    large = [run(arm, seed, values=np.linspace(0, 1e6, 40)) for arm in LONG for seed in range(2)]
    for runs in (long, large, arms(tuple(f"arm-{number}" for number in range(8)), 2)):
        yield from (learning_curves(runs), score_strip(runs), improvement_chart(runs), performance_profile(runs))
    yield setting_effects(long, {"curriculum": {one.run: f"mettagrid.arena.with_{one.curve.arm}" for one in long}})
    trials = course([1.0, None, 3.0])
    yield from (parallel_trials(trials), best_so_far(trials), trial_settings(trials))


@pytest.mark.parametrize("width", [340, 1040])
def test_no_text_of_a_chart_is_cut_or_printed_over_another_on_a_phone_or_a_desk(browser, tmp_path, width):
    script = gzip.decompress(vega_script(tmp_path)).decode()
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_content('<body style="margin: 0"><div id="chart" style="width: 100%"></div>')
    page.add_script_tag(content=script)
    for chart in drawn_charts():
        spec = chart.to_dict()
        spec["title"] = None
        found, wide = page.evaluate(OUTSIDE, [spec])
        assert found == [], spec["description"]
        assert wide <= width or "concat" in spec  # whose columns the widget chooses
    page.close()
