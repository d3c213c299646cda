"""What each control of the replay viewer does, for the pages that show one."""

from __future__ import annotations

import re

from tests.browser.pressing import Press, Table, becomes, changes, clipboard, downloads

SHOWN = (
    "Path of the selection",
    "What agents carry",
    "Vision of the selection",
    "Fog over what is unseen",
    "Dim what nobody saw yet",
    "Where agents have been",
    "Grid",
    "Talk, vibes and targets",
    "Symbols instead of pictures",
)


def step(page):
    return page.get_by_role("slider", name="Step").last.get_attribute("aria-valuenow")


def map_of(page):
    return page.locator(".rv-map").first.evaluate(
        "map => (map.matches('canvas') ? map : map.querySelector('canvas')).toDataURL()"
    )


def button(page, name, *, exact=True):
    return page.get_by_role("button", name=name, exact=exact).first


def moves(name: str) -> Press:
    """Return a press of a button that leads to another step."""
    return lambda page: changes(page, lambda: step(page), button(page, name).click)


def redraws(name: str) -> Press:
    """Return a press of a button that shows the map in another way."""
    return lambda page: changes(page, lambda: map_of(page), button(page, name).click)


def play(page):
    changes(page, lambda: step(page), button(page, "Play (Space)").click)
    button(page, "Pause (Space)").click()
    button(page, "Play (Space)").wait_for()


def write_step(page):
    field = page.get_by_role("textbox", name="Step", exact=True)
    field.fill("4")
    field.press("Enter")
    becomes(page, lambda: step(page) == "4")


def slide(page):
    changes(page, lambda: step(page), lambda: page.get_by_role("slider", name="Step").last.press("ArrowRight"))


def choose_speed(page):
    page.get_by_role("combobox", name="Speed in steps a second").select_option("50")
    assert page.get_by_role("combobox", name="Speed in steps a second").input_value() == "50"


def choose_event(page):
    button(page, "First step (Home)").click()
    page.get_by_role("combobox", name="Event to jump to").select_option(label="death")
    button(page, "Next event (.)").click()
    becomes(page, lambda: step(page) == "9")


def find(page):
    field = page.get_by_role("combobox", name="Find type, item, agent")
    field.fill("agent 1")
    field.press("Enter")
    page.get_by_role("tab", name="Selected").click()
    page.get_by_role("region", name="Selected object").get_by_text(re.compile("agent", re.I)).first.wait_for()


def show_menu(page):
    page.locator("summary", has_text="Show").click()
    for name in SHOWN:
        box = page.get_by_role("checkbox", name=name)
        changes(page, box.is_checked, box.click)
    page.locator("summary", has_text="Show").click()


def shown_or_not(page):
    """Hold that the boxes of the menu are pressed: `show_menu` does it while the menu is open."""
    page.locator("summary", has_text="Show").click()
    assert page.get_by_role("checkbox", name=SHOWN[0]).is_visible()


def open_share(page):
    page.locator("summary", has_text="Share").click()
    page.get_by_role("button", name="Copy the place").wait_for()


def copy_place(page):
    button(page, "Copy the place").click()
    page.get_by_text("Copied", exact=True).wait_for()
    assert clipboard(page) == page.get_by_role("textbox", name="This place as text").input_value()


def go_to_place(page):
    button(page, "Copy the place").click()
    box = page.get_by_role("textbox", name="This place as text")
    place, now = box.input_value(), step(page)
    button(page, "First step (Home)").click()
    becomes(page, lambda: step(page) == "0")
    if not button(page, "Go to the place").is_visible():
        page.locator("summary", has_text="Share").click()
        becomes(page, lambda: now == "0" or box.input_value() != place)  # written once the menu is open
    box.fill(place)
    button(page, "Go to the place").click()
    becomes(page, lambda: step(page) == now)


def save_map(page):
    downloads(page, button(page, "Save the map as PNG"), r".*\.png", b"\x89PNG\r\n")
    page.locator("summary", has_text="Share").click()


def tab(name: str, region: str) -> Press:
    """Return a press of a tab beside the map."""

    def press(page):
        page.get_by_role("tab", name=name, exact=True).click()
        page.get_by_role("region", name=region).wait_for()

    return press


def about(page):
    """Press the tab, and see what it offers: the button is gone once it was pressed."""
    tab("About", "About this replay")(page)
    button(page, "Show the configuration").wait_for()


def show_configuration(page):
    page.get_by_role("tab", name="About", exact=True).click()
    about = page.get_by_role("region", name="About this replay")
    changes(page, about.inner_text, button(page, "Show the configuration").click)


def sort_agents(page):
    page.get_by_role("tab", name="Agents", exact=True).click()
    table = page.get_by_role("region", name="Agent table")

    def sorted_by():
        return table.locator("th").evaluate_all("all => all.map(one => one.getAttribute('aria-sort'))")

    for at in range(table.get_by_role("button").count()):
        changes(page, sorted_by, table.get_by_role("button").nth(at).click)


def choose_items(page):
    table = page.get_by_role("region", name="Agent table")
    field = page.get_by_role("combobox", name="Items")
    button(page, "First step (Home)").click()
    changes(page, table.inner_text, lambda: field.select_option(label="held at the end"))
    changes(page, table.inner_text, lambda: field.select_option(label="held now"))


def charts(name: str, option: str) -> Press:
    """Return a choice that draws the chart anew."""

    def press(page):
        chart = page.locator(".rv-timeline-canvas").first
        choice = page.get_by_role("combobox", name=name)
        changes(page, chart.screenshot, lambda: choice.select_option(label=option))

    return press


def leave_out(page):
    """Leave a team out of the chart, and take it in again."""
    page.get_by_role("tab", name="Agents", exact=True).click()
    chart = page.locator(".rv-timeline-canvas").first
    for box in page.locator(".rv-team-rows").get_by_role("checkbox").all():
        changes(page, chart.screenshot, box.click)


def press_actions(page):
    button(page, "First step (Home)").click()
    box = page.get_by_role("img", name=re.compile("What each agent did")).bounding_box()
    at = {"x": 150, "y": box["height"] / 2}
    changes(page, lambda: step(page), lambda: page.get_by_role("img", name=re.compile("What each")).click(position=at))


VIEWER: Table = {
    ("application", "Replay viewer: .*"): lambda page: changes(
        page, lambda: step(page), lambda: page.get_by_role("application").press("]")
    ),
    ("button", r"Last step \(End\)"): moves("Last step (End)"),
    ("button", r"One step back \(\[\)"): moves("One step back ([)"),
    ("button", r"First step \(Home\)"): moves("First step (Home)"),
    ("button", r"One step on \(\]\)"): moves("One step on (])"),
    ("button", r"(Play|Pause) \(Space\)"): play,
    ("button", r"Begin again at the end \(L\)"): lambda page: changes(
        page,
        lambda: button(page, "Begin again at the end (L)").get_attribute("aria-pressed"),
        button(page, "Begin again at the end (L)").click,
    ),
    ("textbox", "Step"): write_step,
    ("slider", "Step"): slide,
    ("combobox", "Speed in steps a second"): choose_speed,
    ("combobox", "Event to jump to"): choose_event,
    ("button", r"Previous event \(,\)"): lambda page: (
        page.get_by_role("combobox", name="Event to jump to").select_option(label="reward"),
        moves("Previous event (,)")(page),
    ),
    ("button", r"Next event \(\.\)"): lambda page: (
        button(page, "First step (Home)").click(),
        moves("Next event (.)")(page),
    ),
    ("button", "Zoom out"): redraws("Zoom out"),
    ("button", "Zoom in"): redraws("Zoom in"),
    ("button", r"Show the whole map \(0\)"): lambda page: (
        redraws("Zoom out")(page),
        redraws("Show the whole map (0)")(page),
    ),
    ("combobox", "Find type, item, agent"): find,
    ("button", r"\d+\S* (noop|move).*"): lambda page: (
        page.get_by_role("button", name=re.compile("^4 noop")).click(),
        becomes(page, lambda: step(page) == "4"),
    ),
    ("button", r"\d+ agent \d.*"): lambda page: (
        page.get_by_role("tab", name="Talk", exact=True).click(),
        page.get_by_role("button", name=re.compile("^4 agent 0")).click(),
        becomes(page, lambda: step(page) == "4"),
    ),
    ("button", r"Follow the selection \(F\)"): lambda page: changes(
        page,
        lambda: button(page, "Follow the selection (F)").get_attribute("aria-pressed"),
        button(page, "Follow the selection (F)").click,
    ),
    ("image", "What each agent did at each step; click to go there"): press_actions,
    ("button", "Show more steps"): lambda page: actions(page, "Show more steps"),
    ("button", "Show fewer steps"): lambda page: actions(page, "Show fewer steps"),
    ("checkbox", "blue|red"): leave_out,
    ("DisclosureTriangle", "Show"): show_menu,
    ("checkbox", "|".join(SHOWN)): shown_or_not,
    ("DisclosureTriangle", "Share"): open_share,
    ("button", "Copy the place"): copy_place,
    ("textbox", "This place as text"): go_to_place,
    ("button", "Go to the place"): go_to_place,
    ("button", "Save the map as PNG"): save_map,
    ("tab", "Selected"): tab("Selected", "Selected object"),
    ("tab", "Talk"): tab("Talk", "Talk and policy notes"),
    ("tab", "Rules"): tab("Rules", "Rules of the game"),
    ("tab", "About"): about,
    ("button", "(Show|Hide) the configuration"): show_configuration,
    ("tab", "Agents"): tab("Agents", "Agent table"),
    ("button", "(agent|doing|reward|total|final|ore|heart)[↑↓]?"): sort_agents,
    ("combobox", "Items"): choose_items,
    ("combobox", "Quantity of the chart"): charts("Quantity of the chart", "reward so far"),
    ("combobox", "Lines of the chart"): charts("Lines of the chart", "each agent"),
}


def actions(page, name):
    """Press what shows more or fewer steps in the picture of the actions, which is another picture then."""
    picture = page.get_by_role("img", name=re.compile("What each agent did"))
    changes(page, picture.screenshot, button(page, name).click)
