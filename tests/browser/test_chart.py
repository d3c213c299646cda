"""A chart in a real browser: alone on a page, where a test plays Python's part."""

from __future__ import annotations

import gzip
import itertools
import json

import pytest

from experiments.notebooks.charts import CurveOptions, learning_curves
from tests.browser.test_job_table import PAGE
from tests.browser.test_run_table import answer
from tests.fakes.serving import CHROMIUM
from tests.notebooks.test_charts import arms
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


def test_new_rows_go_into_the_drawing_that_is_there_before_and_after_a_selection(browser, tmp_path):
    chosen = (arms()[0].run,)
    states = [curves(3), curves(4), curves(5), curves(5, chosen), curves(6, chosen), curves(7, chosen), curves(8)]
    page = browser.new_page()
    state = {name: states[0][name] for name in WORDS} | {"colours": {}, "can_select": True, "zoom": [], "brush": {}}
    state |= {"clicked": {}, "version": 1, "piece": {}}
    # As the page keeps them, so that the test sees what is in the drawing.
    keep = "const embed = vegaEmbed; window.vegaViews = []; window.vegaEmbed = async (...all) => {"
    keep += "const made = await embed(...all); window.vegaViews.push(made.view); return made; };"
    html = PAGE.replace("STATE", json.dumps(state)).replace("<body>", '<body><script src="/vega.js"></script>')
    files = {
        "": ("text/html", html),
        "vega.js": ("text/javascript", gzip.decompress(vega_script(tmp_path)).decode() + keep),
        "jobs.js": ("text/javascript", ChartWidget._esm),
        "jobs.css": ("text/css", ChartWidget._css),
    }
    page.route("http://table/**", lambda route: answer(route, files))
    page.goto("http://table/")
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
