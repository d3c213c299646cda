"""A study's page by keyboard alone: Tab comes to every part in its order, shows where it is, and leaves again."""

from __future__ import annotations

import pytest

from tests.fakes.charted import study
from tests.fakes.serving import marimo_server, scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SECONDS = 1_000.0
MOST = 150
# What has the focus, by its name; and whether it, what is close around it or its current row is marked.
STOP = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (at === document.body) return null;
  const marked = (each) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(each);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow.includes("inset");
  };
  const near = [at, at.parentElement, ...at.querySelectorAll("[data-at] td")];
  const name = at.ariaLabel || at.labels?.[0]?.innerText || at.placeholder || at.innerText || at.tagName;
  return [name, near.some((each) => each && marked(each))];
}"""
RUN = ["Rule and log", "Metric", "log scale", "Drag zooms", "Filter jobs", "Started", "Read the log again"]
RUN += ["Replay viewer: ", "Play (Space)", "Agents", "Search runs", "Columns", "Runs", "Sort by State", "For a paper"]
EDIT = ["Rule, log and notes", *RUN[1:], "curriculum", "More settings", "Runs of each seed", "Launch 1 job"]
EDIT += ["Write the log"]


def stops(page, key="Tab"):
    """Yield what Tab comes to, until it leaves the page."""
    for _ in range(MOST):
        page.keyboard.press(key)
        found = page.evaluate(STOP)
        if found is None:
            return
        yield found
    raise AssertionError(f"{key} has not left the page after {MOST} stops")


@pytest.mark.parametrize(("mode", "order"), [("run", RUN), ("edit", EDIT)])
def test_tab_comes_to_every_part_of_a_page_in_order_and_shows_where_it_is(browser, mode, order):
    with scratch_folder() as folder:
        project, _ = study(folder, seeds=2)
        with marimo_server(mode, project.notebook(), cwd=folder) as url:
            page = browser.new_page(viewport={"width": 1280, "height": 9000})
            page.goto(url)
            page.locator(".chart-root[data-drawn]").nth(1).wait_for(timeout=150 * SECONDS)
            page.get_by_label("Search runs").wait_for(timeout=60 * SECONDS)
            page.locator(".rv-timeline").wait_for(timeout=60 * SECONDS)
            if mode == "edit":
                page.get_by_role("button", name="Launch 1 job").wait_for(timeout=60 * SECONDS)
                page.keyboard.press("Control+.")  # marimo's own: its code editors take Tab for themselves
                page.locator(".cm-content").first.wait_for(state="hidden")
            found = list(stops(page))
            page.close()
    assert [name for name, is_marked in found if not is_marked] == []
    names = iter(name for name, _ in found)
    for wanted in order:
        assert any(name.startswith(wanted) for name in names), f"{wanted!r} is not reached in its place: {found}"
