"""What the controls of marimo's own tables do, which stand on our pages: columns, menus of a column, and its panel.

Each press opens, uses and shuts what marimo opens over the page.
"""

from __future__ import annotations

import re

from tests.browser.pressing import Table, becomes, changes, clipboard
from tests.browser.study_controls import detail, offered, rows


def groups(page):
    """Open the table of groups, by arm."""
    detail(page, "Groups")
    if not page.locator("marimo-table").count():
        page.get_by_role("button", name="Group runs by").click()
        offered(page, "arm").click()
        page.keyboard.press("Escape")
    becomes(page, lambda: rows(page))


def headings(page):
    return page.locator("marimo-table").first.locator("thead th").all_inner_texts()


def named(page, name):
    return page.get_by_role("button", name=name, exact=True).first


def item(page, name, *, column=0):
    """Press one item of the menu of a column."""
    page.get_by_role("button", name="Column options").nth(column).click()
    page.get_by_role("menuitem", name=name).first.click()
    becomes(page, lambda: page.get_by_role("menu").count() == 0)


def menu(page):
    groups(page)
    changes(page, lambda: rows(page), lambda: item(page, re.compile("^Desc")))
    changes(page, lambda: rows(page), lambda: item(page, re.compile("^Asc")))
    item(page, "Clear sort")
    item(page, "Copy column name")
    becomes(page, lambda: clipboard(page) == "arm")
    for name in ("Freeze left", "Unfreeze", "Wrap text", "No wrap text"):
        item(page, name)
    changes(page, lambda: len(headings(page)), lambda: item(page, "Hide column", column=1))


def columns(page):
    groups(page)
    page.locator("marimo-table").get_by_role("button", name="Columns", exact=True).first.click()
    only = page.get_by_role("dialog").get_by_role("button", name="Show only this column").nth(1)
    changes(page, lambda: len(headings(page)), only.click)
    becomes(page, lambda: is_closed(page))


def is_closed(page):
    """Press Escape and tell whether no dialog is left: one press is lost while the table is made anew below."""
    page.keyboard.press("Escape")
    return page.get_by_role("dialog").count() == 0


def explore(page):
    groups(page)
    named(page, "Explore").click()
    page.get_by_text("Row 1 of 2").wait_for()
    named(page, "Next row").click()
    page.get_by_text("Row 2 of 2").wait_for()
    named(page, "Close selection panel").click()
    page.get_by_text("Row 2 of 2").wait_for(state="detached")


TABLES: Table = {
    ("button", "Explore"): explore,
    ("button", "Column options"): menu,
    ("button", "Columns"): columns,
}
