"""Fingers, keys and pointers on the replay viewer, in a real browser."""

from __future__ import annotations

import pytest

from tests.browser.replay_page import STEP, box_of, encoded, sample, settle
from tests.fakes.serving import CHROMIUM
from tests.widgets.replays import shipped_named
from widgets.replay.codec.normalise import load_replay

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

CAMERA = "window.model.state.view.split(',').map(Number)"


class Fingers:
    """Real touch events, as the browser takes them from a screen."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def send(self, kind, *points):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def glide(self, *paths, steps=8):
        """Move each finger from one point to another at once."""
        for at in range(steps + 1):
            part = at / steps
            points = [(a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part) for a, b in paths]
            self.send("touchMove" if at else "touchStart", *points)
        self.send("touchEnd")

    def close(self):
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        self.session.detach()


@pytest.fixture
def fingers(shared_page):
    hands = Fingers(shared_page)
    yield hands
    hands.close()


def middle(page):
    box = box_of(page, ".rv-map-canvas")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_pinch_zooms_where_the_fingers_are(viewer, fingers):
    page = viewer(sample("pens"), view="8,9,24")
    x, y = middle(page)
    fingers.glide(((x + 20, y), (x + 20, y)), ((x + 60, y), (x + 180, y)))
    page.wait_for_function(f"{CAMERA}[2] > 90")
    # What was between the first two fingers is between the last two: the cell at 40 pixels is at 100 now.
    now = page.evaluate(CAMERA)
    assert abs(now[0] + 100 / now[2] - (8 + 40 / 24)) < 0.2


def test_one_finger_pans_a_map_that_is_zoomed_and_leaves_the_page_where_it_is(viewer, fingers):
    page = viewer(sample("pens"), view="8,9,40", height=1600)
    x, y = middle(page)
    fingers.glide(((x, y), (x - 40, y - 80)))
    settle(page, f"{CAMERA}.map(Math.round)", [9, 11, 40])
    assert page.evaluate("scrollY") == 0


def test_one_finger_over_the_whole_map_scrolls_the_page(viewer, fingers):
    page = viewer(sample("pens"), height=1600)
    x, y = middle(page)
    fingers.glide(((x, y), (x, y - 150)))
    page.wait_for_function("scrollY > 50")
    assert page.evaluate("window.model.state.view") == ""


def test_a_tap_selects(viewer, fingers):
    x, y = load_replay(shipped_named("pens")).state_at(0).location[405] + 0.5
    page = viewer(sample("pens"), view=f"{x},{y},24")
    fingers.glide((middle(page), middle(page)), steps=1)
    settle(page, "window.model.state.selected", 406)


def test_a_double_click_follows_what_is_there(viewer):
    page = viewer(sample("pens"), selected=406, view="8,9,24,follow")
    page.wait_for_timeout(200)
    page.keyboard.press("f")
    x, y = middle(page)
    page.focus(".rv-root")
    page.keyboard.press("f")
    page.wait_for_function("!window.model.state.view.endsWith('follow')")
    page.mouse.dblclick(x, y)
    page.wait_for_function("window.model.state.view.endsWith('follow')")
    settle(page, "window.model.state.selected", 406)


def test_playing_begins_again_at_the_end_where_one_wants_it(viewer):
    page = viewer(sample("pens"), step=250, speed=50)
    page.get_by_role("button", name="Begin again at the end (L)").click()
    page.keyboard.press("Space")
    page.wait_for_function(f"{STEP} < 100")
    assert page.evaluate("window.model.state.playing")


def test_arrow_keys_are_those_of_what_has_the_focus(viewer):
    page = viewer(sample("pens"), step=10)
    page.get_by_role("tab", name="Agents").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Selected"
    assert page.get_by_role("tab", name="Selected").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowLeft")
    page.get_by_role("region", name="Agent table").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(STEP) == 10
    page.locator("tr[data-object]").first.click()
    page.keyboard.press("ArrowRight")
    settle(page, STEP, 11)


def test_escape_closes_what_is_open_and_gives_the_focus_back_and_is_the_pages_where_nothing_is(viewer):
    page = viewer(sample("pens"))
    page.evaluate("window.heard = 0; document.addEventListener('keydown', ({key}) => { heard += key === 'Escape'; })")
    page.get_by_role("tab", name="Rules").click()
    page.get_by_label("Find type, item, agent").fill("agent")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Selected object").focus()
    page.keyboard.press("Escape")
    assert page.get_by_role("tab", name="Rules").get_attribute("aria-selected") == "true"
    settle(page, "[window.model.state.selected, document.activeElement.getAttribute('role')]", [None, "application"])
    assert page.get_by_label("Find type, item, agent").input_value() == "agent"
    page.keyboard.press("Escape")
    assert page.get_by_label("Find type, item, agent").input_value() == ""
    for menu in ("Show", "Share"):
        page.locator(f"summary[title={menu}]").click()
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.title") == menu
        assert page.locator("details[open]").count() == 0
    assert page.evaluate("heard") == 0
    page.keyboard.press("Escape")
    page.focus(".rv-root")
    page.keyboard.press("Escape")
    page.get_by_label("Find type, item, agent").press("Escape")
    assert page.evaluate("heard") == 3


def test_the_keyboard_stays_on_a_heading_that_sorts_and_in_a_panel_whose_button_is_gone(viewer):
    page = viewer(encoded(mg_config={"seed": 1}))
    page.get_by_role("button", name="total", exact=True).focus()
    for order in ("descending", "ascending"):
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "total"
        assert page.evaluate("document.activeElement.closest('th').ariaSort") == order
    page.get_by_role("tab", name="About").click()
    page.get_by_role("button", name="Show the configuration").press("Enter")
    page.locator("pre.rv-code").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "About this replay"


def test_no_picture_for_screen_readers_holds_buttons(viewer):
    page = viewer(sample("pens"))
    held = "[role=img] :is(button, input, select, [tabindex])"
    assert page.locator(held).count() == 0
    assert page.get_by_role("img", name="Map of the replay").count() == 1


def test_a_file_dropped_on_the_viewer_is_sent_to_be_opened_and_a_refusal_is_said(viewer):
    page = viewer(sample("pens"), drops=True)
    page.evaluate("""() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["hello"], "my.json"));
      for (const kind of ["dragover", "drop"]) {
        const event = new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true});
        el.querySelector(".rv-map-canvas").dispatchEvent(event);
        if (!event.defaultPrevented) throw new Error(kind);
      }
    }""")
    settle(page, "window.model.sent", [{"type": "file", "name": "my.json", "data": "aGVsbG8="}])
    page.evaluate("window.model.tell({type: 'file', error: 'my.json cannot be opened'})")
    page.get_by_text("my.json cannot be opened").wait_for()
