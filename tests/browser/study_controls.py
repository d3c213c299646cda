"""What each control of a study's parts does, for the pages that show them: compare, and a notebook."""

from __future__ import annotations

import re

from tests.browser.pressing import Press, Table, becomes, changes, downloads
from tests.browser.runs_controls import RUNS
from tests.browser.viewer_controls import step

PARTS = {
    "More charts": ("tab", re.compile("^Speed$")),
    "Groups": ("button", re.compile("^Group runs by")),
    "Differences": ("button", re.compile("^a$")),
    "For a paper": ("button", re.compile("^Figure and files$")),
}
TABS = ("Small charts", "Settings", "Performance profile", "Probability of improvement", "Machines", "Speed")
FIRST, SECOND = "arm-0 seed 0", "arm-1 seed 2"


def charts(page):
    """Return all that the charts of a page show: pictures and captions."""
    roots = page.locator(".chart-root")
    pictures = roots.locator("canvas").evaluate_all("all => all.map(one => one.toDataURL().length)")
    return pictures, roots.all_inner_texts()


def chooses(label: str, option: str) -> Press:
    """Return a press that chooses in a list above the charts, which changes them, and takes it back."""

    def press(page):
        field = page.get_by_label(label, exact=True)
        before = field.locator("option:checked").inner_text()
        changes(page, lambda: charts(page), lambda: field.select_option(label=option))
        changes(page, lambda: charts(page), lambda: field.select_option(label=before))

    return press


def ticks(label: str) -> Press:
    """Return a press that ticks a box above the charts, which changes them, and takes it back."""

    def press(page):
        for _ in range(2):
            changes(page, lambda: charts(page), page.get_by_role("checkbox", name=label).click)

    return press


def smooth(page):
    page.get_by_role("slider", name=re.compile("Smoothing")).focus()
    page.keyboard.press("ArrowRight")
    page.locator(".chart-root", has_text="smoothed for display only").first.wait_for()
    page.keyboard.press("ArrowLeft")
    page.locator(".chart-root", has_text="Nothing is smoothed").first.wait_for()


def drag(page, start, end):
    box = page.locator(".chart-root").first.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 0.73 * box["height"], steps=5)
    page.mouse.up()


def drags(mode: str, back: str) -> Press:
    """Return a press of what says what dragging does, with a drag and the way back from it."""

    def press(page):
        curves = page.locator(".chart-root").first
        curves.get_by_role("button", name=mode).click()
        assert curves.get_by_role("button", name=mode).get_attribute("aria-pressed") == "true"
        changes(page, lambda: charts(page), lambda: drag(page, 0.3, 0.9))
        curves.get_by_role("button", name=back).click()
        curves.get_by_role("button", name=back).wait_for(state="hidden")

    return press


def detail(page, part):
    """Open one of the details, and wait for what is chosen with in it."""
    page.get_by_role("radio", name=part).click()
    role, name = PARTS[part]
    page.get_by_role(role, name=name).first.wait_for()


def open_details(page):
    for part in PARTS:
        detail(page, part)
        for other in set(PARTS) - {part}:
            role, name = PARTS[other]
            page.get_by_role(role, name=name).first.wait_for(state="detached")


def press_tabs(page):
    detail(page, "More charts")
    for name in TABS:
        tab = page.get_by_role("tab", name=name, exact=True)
        changes(page, lambda: charts(page), tab.click)
        assert tab.get_attribute("aria-selected") == "true"


def write_small_charts(page):
    changes(page, lambda: charts(page), page.get_by_role("tab", name="Small charts", exact=True).click)
    page.wait_for_timeout(500)  # the field is made anew with the charts
    field = page.get_by_role("textbox", name="Small charts of")
    field.fill("overview/*")
    changes(page, lambda: charts(page), lambda: field.press("Enter"))


def rows(page):
    """Return the first cells of the rows of the table of groups as they stand."""
    found = page.locator("marimo-table").first.locator("tbody tr")
    return [" ".join(row.locator("td").all_inner_texts()[:3]) for row in found.all()]


def search(page):
    detail(page, "Groups")
    field = page.get_by_role("textbox", name="Search...").first
    field.fill("arm-1")
    becomes(page, lambda: rows(page) and all("arm-1" in row for row in rows(page)))
    field.fill("")
    becomes(page, lambda: any("arm-0" in row for row in rows(page)))


def sort(page):
    for heading in range(page.get_by_role("button", name=re.compile("^Sort column")).count()):
        button = page.locator("[data-testid=data-table-sort-button], button[aria-label^='Sort column']").nth(heading)
        button.click()
        page.get_by_role("button", name=re.compile("^Sorted ascending")).wait_for()
        for name in ("ascending", "descending"):
            page.get_by_role("button", name=re.compile(f"^Sorted {name}")).click()
        page.get_by_role("button", name=re.compile("^Sorted")).wait_for(state="hidden")


def saves(label: str, name: str, begins: bytes) -> Press:
    """Return a press of every link that saves such a file."""

    def press(page):
        for link in page.get_by_role("link", name=label, exact=True).all():
            downloads(page, link, name, begins)

    return press


def offered(page, words):
    """Return what an open list offers with such words; the lists of the browser's own are not open."""
    return page.locator("[role=option]:visible", has_text=words).first


def group(page):
    detail(page, "Groups")
    page.get_by_role("button", name="Group runs by").click()
    changes(page, lambda: rows(page), offered(page, "arm").click)
    page.keyboard.press("Escape")


def choose_two(page, arms=("arm-0", "arm-1")):
    detail(page, "Differences")
    for name, arm in zip("ab", arms, strict=True):
        page.get_by_role("button", name=name, exact=True).click()
        page.get_by_role("option", name=arm, exact=True).click()
        page.keyboard.press("Escape")
    page.get_by_role("heading", name=re.compile(r"^Settings \d+ differs?, \d+ the same")).wait_for()


def unfold(page):
    detail(page, "For a paper")
    page.get_by_role("button", name="Figure and files").click()
    page.get_by_role("img", name=re.compile("Figure: ")).wait_for()


def replay_shown(page, label):
    page.get_by_role("application", name=re.compile(label)).wait_for()


def choose_run(page):
    page.get_by_label("Run", exact=True).select_option(
        label=page.get_by_label("Run", exact=True).locator("option", has_text=SECOND).inner_text()
    )
    replay_shown(page, f"{SECOND} at 120,000")


def choose_step(page):
    page.get_by_label("Step", exact=True).and_(page.locator("select")).select_option(label="40k agent steps")
    replay_shown(page, "at 40,000")


def choose_other(page):
    field = page.get_by_label("Compare with", exact=True)
    field.select_option(label=field.locator("option", has_text=FIRST).inner_text())
    page.get_by_role("application", name="Two replays compared").wait_for()
    changes(page, lambda: step(page), page.get_by_role("button", name="One step on (])").click)
    beside = page.get_by_label("at step", exact=True)
    beside.select_option(label="40k agent steps")
    page.locator(".rv-half", has_text="at 40,000").first.wait_for()
    field.select_option(label="no other run")
    replay_shown(page, "Replay viewer")


def unfold_captions(page):
    """Open every caption, and leave it open: what the charts say is read by the others."""
    for summary in page.locator(".chart-root summary").all():
        details = summary.locator("xpath=..")
        changes(page, lambda details=details: details.get_attribute("open"), summary.click)


CAPTIONS: Table = {("DisclosureTriangle", ".* UTC"): unfold_captions}
CHART: Table = {
    **CAPTIONS,
    ("button", "Drag zooms|Whole range"): drags("Drag zooms", "Whole range"),
    ("button", "Drag selects runs|All runs"): drags("Drag selects runs", "All runs"),
}
UNPRESSED: Table = {("button", "no interval: .*"): lambda page: None}
"""What no test of this folder presses yet: a cell whose text is long."""

WITHIN: Table = {("textbox", "Small charts of"): write_small_charts}
"""It stands in one of the tabs, and is pressed with them."""

ANALYSIS: Table = {
    **CAPTIONS,
    ("combobox", "Metric"): chooses("Metric", "losses/entropy"),
    ("combobox", "over"): chooses("over", "wall time"),
    ("slider", "Smoothing .*"): smooth,
    ("checkbox", "log scale"): ticks("log scale"),
    ("checkbox", "scale fits outliers"): ticks("scale fits outliers"),
    ("checkbox", "single runs, no average"): ticks("single runs, no average"),
    ("combobox", "Over seeds"): chooses("Over seeds", "median"),
    ("combobox", "Score"): chooses("Score", "best value"),
    **CHART,
    **RUNS,
    ("radio", "|".join(PARTS)): open_details,
    ("tab", "|".join(TABS)): lambda page: (press_tabs(page), write_small_charts(page)),
    ("textbox", r"Search\.\.\."): search,
    ("button", "(Sort column|Sorted) .*"): sort,
    ("link", "Save as CSV"): saves("Save as CSV", r"study-(runs|groups)\.csv", b""),
    ("link", "Save as LaTeX"): saves("Save as LaTeX", r"study-(runs|groups)\.tex", b"\\begin{table}"),
    ("button", "Group runs by"): group,
    ("button", "a|b"): choose_two,
    ("button", "Figure and files"): unfold,
    ("link", r"Save figure \(SVG\)"): saves("Save figure (SVG)", r"study-.*\.svg", b"<svg"),
    ("link", r"Save figure \(PNG\)"): saves("Save figure (PNG)", r"study-.*\.png", b"\x89PNG\r\n"),
    ("link", r"Save table \(LaTeX\)"): saves("Save table (LaTeX)", r"study-.*\.tex", b"\\begin{table}"),
    ("link", r"Save table \(CSV\)"): saves("Save table (CSV)", r"study-.*\.csv", b"metric,arm"),
    ("combobox", "Run"): choose_run,
    ("combobox", "Step"): choose_step,
    ("combobox", "Compare with"): choose_other,
}
