"""What the controls of the table of runs do, on the pages that show a study of two arms of three runs."""

from __future__ import annotations

import re

from tests.browser.pressing import Table, becomes, changes, clipboard


def lines(page):
    return page.locator(".runs-row td.runs-run").all_inner_texts()


def search_runs(page):
    field = page.get_by_role("searchbox", name="Search runs")
    field.fill("arm-1 s2")
    becomes(page, lambda: len(lines(page)) == 2)
    field.fill("")
    becomes(page, lambda: len(lines(page)) == 8)


def turn(page):
    for count in (6, 8):
        page.get_by_role("button", name="By arm").click()
        becomes(page, lambda count=count: len(lines(page)) == count)


def fold_arms(page):
    for name, count in (("Close all", 2), ("Open all", 8)):
        page.locator(".runs-table").get_by_role("button", name=name).click()
        becomes(page, lambda count=count: len(lines(page)) == count)


def move(page):
    grid = page.get_by_role("treegrid", name="Runs")
    grid.focus()
    for key in ("End", "Home", "ArrowDown"):
        changes(page, lambda: grid.get_attribute("aria-activedescendant"), lambda key=key: grid.press(key))
    grid.press("Enter")
    page.locator(".runs-row[aria-selected=true]").wait_for()
    grid.press("Escape")
    page.locator(".runs-row[aria-selected=true]").wait_for(state="detached")


def hide(page):
    curves = page.locator(".chart-root").first
    page.get_by_role("button", name="Draw arm-0", exact=True).click()
    curves.get_by_text("3 runs hidden by hand").wait_for(state="attached")
    page.get_by_role("button", name=re.compile(r"^Draw \S+\.s1\.")).first.click()
    curves.get_by_text("2 runs hidden by hand").wait_for(state="attached")
    page.get_by_role("button", name="Show all").click()
    curves.get_by_text("hidden by hand").wait_for(state="detached")


def copy(page):
    button = page.get_by_role("button", name=re.compile("^Copy ")).first
    button.click()
    becomes(page, lambda: f"Copy {clipboard(page)}" == button.get_attribute("aria-label"))


def choose_columns(page):
    heads = lambda: page.locator(".runs-grid thead th").all_inner_texts()  # noqa: E731
    summary = page.locator(".runs-columns summary")
    summary.click()
    field = page.get_by_role("searchbox", name="Find settings and metrics")
    field.fill("losses/*")
    changes(page, heads, page.locator(".runs-choices").get_by_role("checkbox", name="losses/entropy", exact=True).click)
    assert any("losses/" in head for head in heads())
    page.get_by_role("button", name="Usual columns").click()
    becomes(page, lambda: not any("losses/" in head for head in heads()))
    field.press("Escape")
    assert not field.is_visible()


def sort_runs(page):
    for heading in page.locator(".runs-grid").get_by_role("button", name=re.compile("^Sort by")).all():
        for _ in range(3):
            head = heading.locator("xpath=..")
            changes(page, lambda head=head: head.get_attribute("aria-sort"), heading.click)


RUNS: Table = {
    ("searchbox", "Search runs"): search_runs,
    ("button", "By arm"): turn,
    ("button", "(Open|Close) all"): fold_arms,
    ("treegrid", "Runs"): move,
    ("button", "Draw .*"): hide,
    ("button", "Copy .*"): copy,
    ("button", "Sort by .*"): sort_runs,
    ("DisclosureTriangle", "Columns"): choose_columns,
}
