"""The charts of a notebook in a real marimo server: what a reader points at, drags over and clicks."""

from __future__ import annotations

import re

import pytest

from tests.browser.study_controls import choose_two
from tests.fakes.charted import study
from tests.fakes.serving import marimo_server, scratch_folder
from tests.fakes.waiting import wait_on

pytestmark = pytest.mark.browser
SECONDS = 1_000.0
INKED = """(canvas, [red, green, blue]) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    found += data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] > 200;
  }
  return found;
}"""


@pytest.fixture
def project():
    with scratch_folder() as folder:
        made, _ = study(folder)
        yield made


def open_page(browser, url):
    # As tall as the notebook, so that every cell is drawn and nothing has to be scrolled.
    page = browser.new_page(viewport={"width": 1280, "height": 9000})
    page.goto(url, timeout=120 * SECONDS)
    page.locator(".chart-root[data-drawn]").first.wait_for(timeout=240 * SECONDS)
    return page


def curves(page):
    return page.locator(".chart-root").first


def fed(page):
    return int(curves(page).get_attribute("data-fed") or 0)


def drag(page, start, end):
    """Drag over the curves, from and to places given as shares of the chart."""
    box = curves(page).locator("canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=5)
    page.mouse.up()


def walk(page):
    """Zoom, smooth, click, brush and pick another metric, and look each time at what the page makes of it."""
    drawn = curves(page).get_attribute("data-drawn")
    before = fed(page)
    drag(page, (0.3, 0.4), (0.7, 0.45))
    curves(page).get_by_role("button", name="Whole range").wait_for(timeout=20 * SECONDS)
    wait_on(page, lambda: fed(page) > before)
    assert curves(page).get_attribute("data-drawn") == drawn

    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    method = curves(page).get_by_text("smoothed for display only")
    method.wait_for(state="attached", timeout=60 * SECONDS)
    assert not method.is_visible()
    line = curves(page).locator("summary")
    assert re.fullmatch(r"mean, 95 % Student t interval, n = 3, .*\d\d:\d\d UTC", line.inner_text())
    line.focus()
    page.keyboard.press("Enter")
    method.wait_for(timeout=20 * SECONDS)
    assert curves(page).get_by_role("button", name="Whole range").is_visible()

    box = curves(page).locator("canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.55)
    note = page.get_by_text(re.compile(r"Clicked: .* at step"))
    note.wait_for(timeout=60 * SECONDS)
    arm, seed, at = re.match(r"Clicked: (\S+) seed (\d) at step ([\d,]+)", note.inner_text()).groups()
    page.get_by_text(f"{arm} seed {seed} (abcdefg").first.wait_for(timeout=60 * SECONDS)
    near = min((40, 80, 120), key=lambda step: abs(step - int(at.replace(",", "")) / 1000))
    page.get_by_label("Step", exact=True).locator("option:checked", has_text=f"{near}k").wait_for(state="attached")

    page.get_by_text("3 arms, 9 runs", exact=True).wait_for(timeout=60 * SECONDS)
    curves(page).get_by_role("button", name="Drag selects runs").click()
    drag(page, (0.2, 0.2), (0.9, 0.32))
    curves(page).get_by_role("button", name="All runs").wait_for(timeout=20 * SECONDS)
    page.locator(".runs-count", has_text=re.compile(r"\b[1-8] runs?$")).wait_for(timeout=60 * SECONDS)
    curves(page).get_by_role("button", name="All runs").click()
    page.get_by_text("3 arms, 9 runs", exact=True).wait_for(timeout=60 * SECONDS)

    # The text that was opened stays open through every drawing, until its line is pressed again.
    assert curves(page).get_by_text("smoothed for display only").is_visible()
    line.focus()
    page.keyboard.press("Space")
    curves(page).get_by_text("smoothed for display only").wait_for(state="hidden")

    page.get_by_label("Metric", exact=True).select_option(label="losses/entropy")
    wait_on(page, lambda: "losses/entropy" in (page.locator(".chart-stage").first.get_attribute("aria-label") or ""))


@pytest.mark.parametrize("mode", ["run", "edit"])
def test_a_reader_zooms_smooths_clicks_brushes_and_picks(browser, project, mode):
    with marimo_server(mode, project.notebook(), cwd=project.root) as url:
        page = open_page(browser, url)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        walk(page)
        assert page.get_by_text("could not be drawn").count() == 0
        page.close()
    assert errors == []


def test_two_arms_that_are_chosen_from_their_lists_are_told_apart(browser, project):
    with marimo_server("run", project.notebook(), cwd=project.root) as url:
        page = open_page(browser, url)
        choose_two(page, ("baseline", "fast-lr"))
        page.close()


WIDTHS = """() => {
  const found = [];
  const look = (place) => {
    for (const each of place.children) {
      const box = each.getBoundingClientRect();
      if (box.width && box.right > innerWidth + 1) found.push(`${each.tagName}.${each.className} ${box.right}`);
      look(each);
      if (each.shadowRoot) look(each.shadowRoot);
    }
  };
  look(document.querySelector("#App"));
  return found;
}"""


def test_a_printed_page_is_as_wide_as_its_paper(browser, project):
    with marimo_server("run", project.notebook(), cwd=project.root) as url:
        page = open_page(browser, url)
        page.get_by_text("3 arms, 9 runs", exact=True).wait_for(timeout=60 * SECONDS)
        page.set_viewport_size({"width": 1240, "height": 5000})
        page.locator(".runs-curve svg").first.wait_for(timeout=60 * SECONDS)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
        wait_on(page, lambda: page.evaluate(WIDTHS) == [])
        page.close()


# Of every button and link with words, also in shadow roots: its words, how light its background is (0 to 1), and the
# contrast of the words to it.
BUTTONS = """() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const parse = (text) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (each) => {
    for (let at = each; at; at = at.parentElement ?? at.getRootNode().host) {
      const found = parse(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return light(found);
    }
    return 1;
  };
  const found = [];
  const look = (place) => {
    for (const each of place.querySelectorAll("*")) {
      if (each.shadowRoot) look(each.shadowRoot);
      if (!each.matches("button, a") || !each.innerText?.trim() || !each.offsetWidth || each.disabled) continue;
      const [ground, ink] = [behind(each), light(parse(getComputedStyle(each).color))];
      const [high, low] = [Math.max(ground, ink), Math.min(ground, ink)];
      found.push([each.innerText.trim(), ground, (high + 0.05) / (low + 0.05)]);
    }
  };
  look(document);
  return found;
}"""


def test_a_dark_page_has_dark_charts_and_dark_buttons_that_can_be_read(browser, project):
    settings = project.root / "pyproject.toml"
    settings.write_text(settings.read_text() + '\n[tool.marimo.display]\ntheme = "dark"\n')
    with marimo_server("run", project.notebook(), cwd=project.root) as url:
        page = open_page(browser, url)
        colour = curves(page).evaluate("element => getComputedStyle(element).color")
        inked = curves(page).locator("canvas").evaluate(INKED, [86, 180, 233])
        page.get_by_text("Save as CSV").wait_for(timeout=60 * SECONDS)
        buttons = page.evaluate(BUTTONS)
        ground = "each => getComputedStyle(each).backgroundColor.match(/[0-9.]+/g).map(Number)"
        table, body = (page.locator(place).first.evaluate(ground) for place in (".runs-grid td", "body"))
        page.close()
    assert table == [20, 23, 28]
    assert [round(255 * each) if max(body) <= 1 else each for each in body[:3]] == table
    assert {"Read the log again", "Save as CSV", "Drag zooms"} <= {words for words, _, _ in buttons}
    assert [each for each in buttons if each[1] > 0.1 or each[2] < 4.5] == []
    assert colour == "rgb(230, 237, 243)"
    assert inked > 20
