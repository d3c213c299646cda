"""The replay viewer in a real browser: alone on a page, where a test plays Python's part."""

from __future__ import annotations

import re

import anywidget
import pytest

from tests.browser.replay_page import STATIC, STEP, box_of, sample, settle
from tests.fakes.cases import CASES
from tests.fakes.serving import CHROMIUM
from tests.widgets.replays import shipped
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.viewer import ReplayViewer

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

# Counts the colours of the map, sparsely: a map that is not drawn has one.
COLOURS = """() => {
  const canvas = el.querySelector(".rv-map-canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4 * 7) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return seen.size;
}"""

# Keeps, frame by frame, what the map looks like while a step is shown.
PICTURES = """() => {
  const [map, time] = [".rv-map-canvas", ".rv-timeline"].map((name) => el.querySelector(name));
  window.pictures = {};
  const look = () => {
    (pictures[time.getAttribute("aria-valuenow")] ??= new Set()).add(map.toDataURL());
    if (model.state.step < 3) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@pytest.mark.parametrize(
    "path", {path.name.split(".")[0]: path for path in shipped()}.values(), ids=lambda path: path.name
)
def test_every_shipped_replay_is_drawn_and_can_be_scrubbed(viewer, path):
    page = viewer(sample(path.name))
    last = int(page.get_attribute(".rv-timeline", "aria-valuemax"))
    assert page.evaluate(COLOURS) > 3
    page.focus(".rv-root")
    page.keyboard.press("End")
    settle(page, STEP, last)
    assert page.locator(".rv-notice").inner_text() == ""
    page.locator("tbody tr[aria-selected]").first.wait_for(state="attached")


def test_playing_moves_the_steps_and_tells_python_a_few_times_a_second(viewer):
    page = viewer(sample("pens"), speed=50)
    page.focus(".rv-root")
    page.keyboard.press("Space")
    page.wait_for_function(f"{STEP} > 40")
    saves = page.evaluate("model.saves")
    page.keyboard.press("Space")
    settle(page, "window.model.state.playing", expected=False)
    settle(page, f"Number(el.querySelector('.rv-timeline').ariaValueNow) === {STEP}", expected=True)
    assert saves <= 12


def test_playing_ends_at_the_last_step(viewer):
    page = viewer(sample("pens"), speed=1000, playing=True)
    settle(page, "[window.model.state.step, window.model.state.playing]", [255, False])


def test_python_drives_the_page(viewer):
    page = viewer(sample("pens"))
    page.evaluate("model.set('step', 77); model.set('selected', 406); model.set('view', '10,12.5,30')")
    page.wait_for_selector(".rv-timeline[aria-valuenow='77']")
    assert page.locator(".rv-object-title").inner_text().startswith("agent 0")
    assert page.evaluate("model.saves") == 0


def test_scrubbing_goes_where_the_pointer_is(viewer):
    page = viewer(sample("pens"))
    box = box_of(page, ".rv-timeline")
    page.mouse.move(box["x"] + 200, box["y"] + 10)
    page.wait_for_selector(".rv-timeline .rv-shown")
    assert "step" in page.locator(".rv-timeline .rv-tip").inner_text()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 50, box["y"] + 10, steps=4)
    page.mouse.up()
    settle(page, STEP, 255)


def test_what_stands_there_while_a_replay_opens_is_as_high_as_the_viewer(viewer):
    page = viewer(sample("pens"), height=700)
    words, height = page.evaluate("window.first")
    assert words == "Opening the replay"
    assert abs(height - page.evaluate("window.el.offsetHeight")) <= 2
    page = viewer(b"")
    assert page.evaluate("window.first")[0] == "No replay to show."


CUT = """() => [...el.querySelectorAll(".rv-panel, .rv-panel *")].filter((each) => {
  const { overflowY } = getComputedStyle(each);
  return overflowY !== "visible" && each.scrollHeight > each.clientHeight + 1 && each.clientHeight > 0;
}).map((each) => each.className)"""


@pytest.mark.parametrize("tab", ["Agents", "Selected", "Rules", "About"])
def test_a_printed_panel_is_whole(viewer, shared_page, tab):
    page = viewer(sample("pens"), selected=406, step=50, width=700)
    page.get_by_role("tab", name=tab).click()
    try:
        shared_page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(CUT) == []
        assert page.evaluate("el.querySelector('.rv-side').scrollHeight <= el.querySelector('.rv-side').clientHeight")
        if tab == "Agents":
            assert page.locator(".rv-panel tr[data-object]").count() == 24
    finally:
        shared_page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.get_by_role("tab", name=tab).is_hidden()


def test_the_keyboard_is_heard_only_with_the_focus(viewer):
    page = viewer(sample("pens"))
    page.keyboard.press("]")
    page.focus(".rv-root")
    for key in ["End", "[", "ArrowLeft", "Home", "]", "Shift+ArrowRight", "=", "=", "-", "ArrowDown"]:
        page.keyboard.press(key)
    settle(page, "(({step, speed, selected}) => [step, speed, selected])(window.model.state)", [11, 20, 406])
    page.keyboard.press("f")
    page.wait_for_function("window.model.state.view.endsWith(',follow')")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    settle(page, "[window.model.state.view, window.model.state.selected]", ["", None])


def test_a_click_on_the_actions_jumps_and_selects(viewer):
    page = viewer(sample("pens"))
    box = box_of(page, ".rv-trace-canvas")
    page.mouse.click(box["x"] + 90 + 15 * 20 + 5, box["y"] + 18 * 2 + 9)
    settle(page, STEP, 20)
    page.wait_for_function("el.querySelector('.rv-object-title')?.innerText.startsWith('agent 2')")
    settle(page, "el.querySelectorAll('.rv-line.rv-now').length", 1)


def test_a_click_on_the_map_selects_what_is_there_and_a_drag_moves_the_map(viewer):
    page = viewer(sample("pens"), view="6.5,7.5,40")
    box = box_of(page, ".rv-map")
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    settle(page, "window.model.state.selected", 406)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 80, middle[1], steps=4)
    page.mouse.up()
    settle(page, "window.model.state.view", "8.5,7.5,40")
    page.mouse.wheel(0, -300)
    page.wait_for_function("Number(window.model.state.view.split(',')[2]) > 50")


def test_the_table_sorts_by_any_column(viewer):
    page = viewer(sample("pens"))
    page.locator("thead").get_by_role("button", name="final").click()
    column = page.locator("tbody tr[aria-selected] td:nth-child(3)").all_inner_texts()
    assert [float(text) for text in column] == sorted((float(text) for text in column), reverse=True)
    page.locator("tbody tr[aria-selected]").first.click()
    page.wait_for_function("window.model.state.selected !== null")


def test_search_counts_and_highlights_what_it_finds(viewer):
    page = viewer(sample("pens"))
    before = page.evaluate(COLOURS)
    page.fill(".rv-search", "mine")
    page.wait_for_function("el.querySelector('.rv-found').textContent === '24 found'")
    assert page.evaluate(COLOURS) != before
    page.press(".rv-search", "Enter")
    page.wait_for_function("window.model.state.selected !== null")
    page.fill(".rv-search", "no such thing")
    page.wait_for_function("el.querySelector('.rv-found').textContent === 'none found'")
    page.press(".rv-search", "Escape")
    page.wait_for_function("el.querySelector('.rv-found').textContent === ''")


def test_names_are_suggested_in_the_box_and_each_finds_something(viewer):
    page = viewer(sample("pens"))
    names = page.evaluate("[...el.querySelector('.rv-search').list.options].map((option) => option.value)")
    assert {"agent", "mine red", "ore red"} <= set(names)
    page.fill(".rv-search", "mine red")
    page.wait_for_function("/^[1-9][0-9]* found$/.test(el.querySelector('.rv-found').textContent)")


@pytest.mark.parametrize("layer", ["What agents carry", "Vision of", "Fog over", "Where agents", "Path of", "Grid"])
def test_every_layer_can_be_switched(viewer, layer):
    page = viewer(sample("pens"), step=120, selected=406, view="8,9,24")
    page.wait_for_selector(".rv-timeline[aria-valuenow='120']")
    shot = "el.querySelector('.rv-map-canvas').toDataURL()"
    before = page.evaluate(shot)
    page.click("summary[title=Show]")
    page.locator(".rv-check", has_text=layer).click()
    page.wait_for_function(f"(before) => {shot} !== before", arg=before)


def test_a_menu_gives_the_focus_back(viewer):
    page = viewer(sample("pens"))
    page.focus("summary[title=Show]")
    for key in ["Enter", "Tab", "Tab", "Space", "Escape"]:
        page.keyboard.press(key)
    page.wait_for_function("!el.querySelector('.rv-menu[open]')")
    assert page.evaluate("document.activeElement.title") == "Show"


@pytest.mark.parametrize(("motion", "smooth"), [("reduce", False), ("no-preference", True)])
def test_agents_glide_between_steps_unless_motion_is_to_be_reduced(viewer, shared_page, motion, smooth):
    shared_page.emulate_media(reduced_motion=motion)
    page = viewer(sample("pens"), speed=1, view="30,30,12")
    page.wait_for_function("el.querySelector('.rv-notice').textContent === ''")
    page.evaluate(PICTURES)
    page.evaluate("model.set('playing', true)")
    page.wait_for_function(f"{STEP} >= 3")
    pictures = page.evaluate("Object.values(pictures).map((seen) => seen.size)")
    shared_page.emulate_media(reduced_motion="no-preference")
    assert (max(pictures) > 1) is smooth


def test_events_are_gone_to_in_order(viewer):
    page = viewer(sample("simple_env"))
    page.select_option("select[aria-label='Event to jump to']", "penalty")
    page.keyboard.press("Escape")
    page.click("[aria-label^='Next event']")
    page.wait_for_function(f"{STEP} > 0")
    first = page.evaluate(STEP)
    page.click("[aria-label^='Next event']")
    page.wait_for_function(f"{STEP} > {first}")
    page.click("[aria-label^='Previous event']")
    settle(page, STEP, first)


def test_the_viewer_is_dark_where_the_page_is(viewer, shared_page):
    page = viewer(sample("pens"), body="dark")
    assert page.get_attribute(".rv-root", "data-theme") == "dark"
    page.evaluate("document.body.className = 'light'")
    page.wait_for_selector(".rv-root[data-theme=light]")
    page.evaluate("document.body.className = ''")
    shared_page.emulate_media(color_scheme="dark")
    page.wait_for_selector(".rv-root[data-theme=dark]")
    page.evaluate("model.set('theme', 'light')")
    page.wait_for_selector(".rv-root[data-theme=light]")
    shared_page.emulate_media(color_scheme="light")


def test_it_works_in_a_shadow_root(viewer):
    page = viewer(sample("pens"), shadow=True)
    page.locator(".rv-map").click(position={"x": 5, "y": 5})
    page.keyboard.press("End")
    settle(page, STEP, 255)
    page.locator("input.rv-step-input").fill("12")
    page.keyboard.press("Enter")
    settle(page, STEP, 12)


def test_a_place_is_shared_and_restored(viewer):
    page = viewer(sample("pens"), step=30, selected=406, view="10,12,20", url="https://host/a.json.z?x=1&y=2")
    page.click("summary[title=Share]")
    box = page.locator(".rv-share-text")
    page.wait_for_function("el.querySelector('.rv-share-text').value === 'step=30&selected=406&view=10%2C12%2C20'")
    link = page.get_by_text("Open in MettaScope").get_attribute("href")
    assert link.endswith("replay=https%3A%2F%2Fhost%2Fa.json.z%3Fx%3D1%26y%3D2")
    box.fill("step=99&view=5,5,40")
    page.get_by_role("button", name="Go to the place").click()
    settle(page, "(({step, selected, view}) => [step, selected, view])(window.model.state)", [99, 406, "5,5,40"])


def test_the_map_can_be_saved_as_a_picture(viewer):
    page = viewer(sample("pens"), labels=["a / b"])
    page.click("summary[title=Share]")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the map as PNG").click()
    assert download.value.suggested_filename == "a-b-step-0.png"
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"


def test_two_replays_are_locked_to_one_step_with_their_differences(viewer):
    page = viewer(sample("simple_env"), kind="compare", labels=["left", "right"], more={"data_b": sample("pens")})
    page.focus(".rv-root")
    page.keyboard.press("End")
    settle(page, STEP, 999)
    page.wait_for_function("el.querySelector('.rv-differences')?.textContent.includes('reward so far')")
    rows = page.locator(".rv-differences tr").all_inner_texts()
    assert any(row.startswith("reward per agent") and "\u2013" not in row for row in rows)
    page.keyboard.press("Space")
    page.wait_for_function(f"{STEP} > 0 && {STEP} < 900")
    page.keyboard.press("Space")


def test_maps_of_one_size_are_looked_at_from_one_place(viewer):
    page = viewer(sample("pens"), kind="compare", labels=["left", "right"], more={"data_b": sample("pens")})
    page.locator("[aria-label='Zoom in']").last.click()
    page.wait_for_function("window.model.state.view !== ''")
    picture = "[...el.querySelectorAll('.rv-map-canvas')][1].toDataURL()"
    before = page.evaluate(picture)
    page.locator("[aria-label='Zoom in']").first.click()
    page.wait_for_function(f"(before) => {picture} !== before", arg=before)


def test_closing_leaves_nothing_behind(viewer):
    page = viewer(sample("pens"), playing=True)
    page.wait_for_function(f"{STEP} > 0")
    page.evaluate("close_viewer()")
    saves = page.evaluate("model.saves")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("[el.childNodes.length, model.listeners(), model.saves]") == [0, 0, saves]


def test_page_and_python_agree_on_the_traits():
    declared = (STATIC.parent / "js" / "sync.js").read_text().split("@typedef {object} Traits")[1].split("*/")[0]
    own = set(ReplayViewer.class_traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
    assert set(re.findall(r"@property \{[^}]*\} (\w+)", declared)) == own


def test_every_control_has_a_name_and_can_be_seen_with_the_focus(viewer):
    page = viewer(sample("pens"))
    controls = "button, input, select, summary, canvas:not(.rv-tip canvas), [tabindex='0']"
    named = "node.getAttribute('aria-label') || node.title || node.textContent.trim() || node.closest('[aria-label]')"
    nameless = f'[...el.querySelectorAll("{controls}")].filter((node) => !({named}))'
    assert page.evaluate(f"{nameless}.map((node) => node.outerHTML)") == []
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = page.evaluate(
        "getComputedStyle(document.activeElement.closest('label') ?? document.activeElement).outlineStyle"
    )
    assert outline == "solid"


def test_a_reward_that_is_not_finite_is_named_at_its_step_and_its_totals_are_unknown(viewer):
    nan, clean = (case_encoded(f"{name}.json.z") for name in ("07-nan-reward", "00-base"))
    page = viewer(nan)
    page.get_by_label("Event to jump to").select_option(label="reward not finite")
    page.get_by_role("button", name="Next event").click()
    settle(page, STEP, 5)
    # The panel follows the step by a tenth of a second.
    cells = "[5, 1, 2].map((at) => el.querySelector('tr[data-object]').cells[at].innerText)"
    settle(page, cells, ["NaN", "unknown", "unknown"])
    page.locator("tr[data-object]").first.click()
    page.get_by_text("NaN now, unknown so far, unknown at the end").wait_for()
    page.get_by_text("reward NaN, +3 ore").wait_for()
    page = viewer(clean, kind="compare", labels=["clean", "NaN"], more={"data_b": nan}, step=7)
    page.wait_for_function("el.querySelector('.rv-differences')?.textContent.includes('reward so far1.5unknown')")


def case_encoded(name):
    return encode(load_replay(CASES / "replays" / name)).pack("all")
