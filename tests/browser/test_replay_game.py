"""The game in the replay viewer: its pictures and its rules, in a real browser."""

from __future__ import annotations

import json
import zlib
from functools import cache

import pytest

from experiments.trainer.evaluation import record_replay
from tests.browser.replay_page import sample, settle
from tests.fakes.cases import CASES
from tests.fakes.serving import CHROMIUM
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.pictures import pictures_of

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

MAP = "el.querySelector('.rv-map-canvas').toDataURL()"
# Counts what is drawn in the colour of talk, by how strongly it is drawn: purple, in which red and blue are over green.
BUBBLE = """() => {
  const canvas = el.querySelector(".rv-map-canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height / 2).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += Math.max(0, Math.min(data[i], data[i + 2]) - data[i + 1] - 4);
  return sum;
}"""
COLOURS = """() => {
  const canvas = el.querySelector(".rv-map-canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return seen.size;
}"""

COUNT = f"({COLOURS})()"
# The darkness of the whole map.
DARK = """(() => {
  const canvas = el.querySelector(".rv-map-canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return data.reduce((sum, value) => sum + 255 - value, 0);
})()"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    """Return an episode of the arena, encoded."""
    path = tmp_path_factory.mktemp("arena") / "arena.json.z"
    record_replay(None, "arena/basic", path)
    return encode(load_replay(path))


@cache
def pictures(types):
    return pictures_of([{"type_names": types, "item_names": ("ore", "heart")}])


def opened(viewer, arena, **state):
    page = viewer(arena.pack("all"), more={"sprites": pictures(tuple(arena.header["type_names"]))}, **state)
    page.wait_for_function(f"({COLOURS})() > 300")  # shaded pictures have more colours than symbols
    return page


@pytest.mark.parametrize("scale", [8, 64])
def test_the_game_is_shown_by_its_pictures_and_by_symbols_where_one_wants_them(viewer, arena, scale):
    page = opened(viewer, arena, view=f"12,12,{scale}")
    before = page.evaluate(MAP)
    page.click("summary[title=Show]")
    page.locator(".rv-check", has_text="Symbols instead of pictures").click()
    page.wait_for_function(f"(before) => {MAP} !== before && ({COLOURS})() < 300", arg=before)
    page.locator(".rv-check", has_text="Symbols instead of pictures").click()
    page.wait_for_function(f"(before) => {MAP} === before", arg=before)


def test_pictures_that_cannot_be_read_leave_the_symbols(viewer, arena):
    page = viewer(arena.pack("all"), more={"sprites": b"\x02\0\0\0{}no picture"})
    page.get_by_text("symbols are shown").wait_for()
    assert page.evaluate(COLOURS) > 3


def test_who_makes_hearts_is_answered_with_pictures_and_shown_on_the_map(viewer, arena):
    page = opened(viewer, arena)
    page.fill(".rv-search", "who makes heart?")
    rule = page.locator(".rv-rule", has_text="1 heart").first
    rule.wait_for()
    assert page.get_by_role("tab", name="Rules").get_attribute("aria-selected") == "true"
    assert rule.locator(".rv-swatch").count() == 2
    assert "blob:" in rule.locator(".rv-swatch").first.get_attribute("style")
    page.wait_for_function("el.querySelector('.rv-found').textContent === '6 found'")
    page.press(".rv-search", "Enter")
    page.get_by_role("heading", name="altar #").wait_for()
    page.get_by_role("heading", name="What it does").wait_for()
    assert "1 ore" in page.locator(".rv-rule").inner_text()


def test_who_makes_hearts_is_answered_from_what_things_of_older_versions_carry(viewer):
    page = viewer(sample("pens"))
    page.fill(".rv-search", "who makes heart?")
    page.wait_for_function("el.querySelector('.rv-found').textContent === '24 found'")
    assert page.get_by_role("tab", name="Rules").get_attribute("aria-selected") == "true"
    assert page.get_by_role("region", name="Rules of the game").get_by_role("heading").all_inner_texts() == [
        "generator blue"
    ]


def test_a_question_about_rules_leaves_the_panel_where_a_replay_has_none(viewer):
    page = viewer(sample("sequence"))
    page.fill(".rv-search", "who makes heart?")
    page.wait_for_function("el.querySelector('.rv-found').textContent === 'none found'")
    assert page.get_by_role("tab", name="Agents").get_attribute("aria-selected") == "true"
    assert page.get_by_role("region", name="Agent table").is_visible()


def test_the_buttons_of_the_map_cover_no_agent(viewer, arena):
    page = opened(viewer, arena, width=990, height=620)
    for small_map in ("hidden", "visible"):
        page.locator(".rv-minimap").wait_for(state=small_map)
        box = page.locator(".rv-map-canvas").bounding_box()
        for beside in page.locator(".rv-map-buttons, .rv-minimap:not([hidden])").all():
            assert beside.bounding_box()["x"] >= box["x"] + box["width"]
        page.get_by_role("button", name="Zoom in").click()
    small, stage = (page.locator(place).bounding_box() for place in (".rv-minimap", ".rv-stage"))
    assert small["y"] + small["height"] <= stage["y"] + stage["height"], "it is whole in a low viewer too"


def test_what_is_under_the_pointer_stays_there_when_the_small_map_comes(viewer):
    page = viewer(sample("pens"), step=100)
    page.locator(".rv-minimap").wait_for(state="hidden")
    box = page.locator(".rv-map-canvas").bounding_box()
    at = (box["width"] / 2 + 40, box["height"] / 2 + 20)
    page.focus(".rv-root")
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    places = []
    for visible in (True, True, False):
        for _ in range(4):
            page.mouse.wheel(0, -60 if visible else 150)
        page.locator(".rv-minimap").wait_for(state="visible" if visible else "hidden")
        page.wait_for_timeout(200)
        x, y, scale = page.evaluate("window.model.state.view.split(',').map(Number)")
        now = page.locator(".rv-map-canvas").bounding_box()
        places.append((x + (at[0] - now["width"] / 2) / scale, y + (at[1] - now["height"] / 2) / scale))
    assert all(abs(x - places[0][0]) < 0.2 and abs(y - places[0][1]) < 0.2 for x, y in places), places


@pytest.mark.parametrize("width", [1000, 1440])
def test_the_table_of_agents_is_not_cut_at_the_width_of_a_notebook(viewer, arena, width):
    page = opened(viewer, arena, width=width)
    table = page.get_by_role("region", name="Agent table")
    assert table.evaluate("(table) => table.scrollWidth <= table.clientWidth")
    page = viewer(sample("default"), width=width, step=100)
    teams = page.locator(".rv-team-rows")
    assert teams.evaluate("(rows) => rows.scrollWidth <= rows.clientWidth && rows.scrollHeight <= rows.clientHeight")


def test_teams_have_their_scores_and_can_be_left_out_of_the_chart(viewer):
    page = viewer(sample("default"), step=5000)
    rows = page.locator(".rv-team-rows tbody tr")
    assert rows.count() == 4
    # The panel follows the step, and the step its data.
    totals = "[...el.querySelectorAll('.rv-team-rows tbody tr')].map((row) => Number(row.cells[2].innerText))"
    page.wait_for_function(f"{totals}.some(Boolean)")
    found = page.evaluate(totals)
    assert found == sorted(found, reverse=True)
    chart = "el.querySelector('.rv-timeline-canvas').toDataURL()"
    before = page.evaluate(chart)
    rows.nth(0).get_by_role("checkbox").click()
    page.wait_for_function(f"(before) => {chart} !== before", arg=before)
    page.get_by_label("Lines of the chart").select_option(label="all agents")
    page.get_by_label("Quantity of the chart").select_option(label="heart held")
    assert page.get_by_label("Lines of the chart").input_value() == "all"
    heads = page.locator(".rv-sort").all_inner_texts()
    assert heads[:4] == ["agent", "total", "final", "heart"], "the score is in view at the width of a notebook"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("layer", ["Ground that teams hold", "Dim what nobody saw yet"])
def test_ground_and_what_was_seen_are_shown_on_demand_and_by_the_keyboard(viewer, layer, theme):
    page = viewer(sample("default"), step=2000, theme=theme)
    page.wait_for_function("el.querySelector('.rv-notice').textContent === ''")
    before = page.evaluate(COUNT)
    page.focus("summary[title=Show]")
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name=layer)
    assert not box.is_checked()
    box.focus()
    page.keyboard.press(" ")
    page.wait_for_function(f"(before) => {COUNT} > before", arg=before)
    page.keyboard.press(" ")
    page.wait_for_function(f"(before) => {COUNT} === before", arg=before)


def test_a_team_is_told_what_it_holds_and_its_ground_goes_when_it_is_left_out(viewer):
    page = viewer(sample("default"), step=6000)
    row = page.locator(".rv-team-rows tbody tr", has_text="cogs yellow")
    cell = row.locator("td").last
    cell.and_(page.get_by_text("149", exact=True)).wait_for()
    assert cell.get_attribute("title").startswith("144 junction, 1 hub")
    page.click("summary[title=Show]")
    page.get_by_role("checkbox", name="Ground that teams hold").click()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    before = page.evaluate(MAP)
    row.get_by_role("checkbox").click()
    page.wait_for_function(f"(before) => {MAP} !== before", arg=before)


def test_stats_are_charted_over_time_or_told_as_of_the_end(viewer):
    page = viewer(sample("default"), step=100)
    page.wait_for_function("el.querySelector('.rv-notice').textContent === ''")
    chart = "el.querySelector('.rv-timeline-canvas').toDataURL()"
    for by in ("all agents", "each team", "each agent"):
        page.get_by_label("Lines of the chart").select_option(label=by)
        for quantity in ("heart held", "heart gained so far", "share of actions that succeed"):
            before = page.evaluate(chart)
            page.get_by_label("Quantity of the chart").select_option(label=quantity)
            page.wait_for_function(f"(before) => {chart} !== before", arg=before)
    page.get_by_role("tab", name="About").click()
    page.get_by_text("Counted by the end, a mean of the agents").click()
    row = page.locator("dt", has_text="heart.gained")
    assert row.locator("xpath=following-sibling::dd[1]").inner_text() == "88.875"


def test_a_selected_agent_is_shown_what_it_has_seen_itself(viewer):
    page = viewer(sample("pens"), step=200)
    page.click("summary[title=Show]")
    page.locator(".rv-check", has_text="Dim what nobody saw yet").click()
    everybody = page.evaluate(DARK)
    page.evaluate("window.model.set('selected', 406)")
    page.wait_for_function(f"(before) => {DARK} > before", arg=everybody)


def test_a_replay_without_what_overlays_need_offers_none(viewer):
    page = viewer(sample("the_4_rooms"))
    page.click("summary[title=Show]")
    page.get_by_role("checkbox", name="Fog over what is unseen").wait_for()
    assert page.get_by_role("checkbox", name="Ground that teams hold").count() == 0
    assert page.get_by_role("checkbox", name="Dim what nobody saw yet").count() == 0


def case(name, **changes):
    """Return a case of `tests/cases/replays`, with changes of its agents by number, encoded."""
    top = json.loads(zlib.decompress((CASES / "replays" / f"{name}.json.z").read_bytes()))
    for agent, fields in changes.items():
        top["objects"][int(agent.removeprefix("agent"))] |= fields
    return encode(load_replay(json.dumps(top).encode())).pack("all")


def test_what_is_held_is_said_against_the_limits_that_items_share(viewer):
    page = viewer(case("33-capacity-group"), step=6, selected=1)
    page.get_by_role("tab", name="Selected").click()
    rows = "[...el.querySelectorAll('.rv-inventory-row')].map((row) => row.innerText.replace(/\\s+/g, ' '))"
    settle(page, rows, ["cargo 7 / 10", "gear 0 / 1", "carbon 3", "oxygen 4"])


def test_notes_of_a_policy_are_a_mark_and_a_tree_and_never_markup(viewer):
    plan = {"steps": ["a", {"b": 1, "long": "x" * 50}], "__secret": 2}
    notes = {"target": [1, -2], "__hidden": 1, "goal": "<img src=x onerror=alert(1)>", "plan": plan}
    page = viewer(case("31-policy-infos", agent0={"policy_infos": notes}), step=6, selected=1, view="2.5,2,64")
    page.get_by_role("tab", name="Talk").click()
    panel = page.get_by_role("region", name="Talk and policy notes")
    panel.get_by_text("<img src=x onerror=alert(1)>", exact=True).wait_for()
    assert panel.locator("img").count() == 0
    assert not {"hidden", "secret"} & set(panel.inner_text().split())
    for summary in panel.locator("details details > summary").all():
        summary.click()
    panel.locator("dd", has_text="x" * 50).last.wait_for()
    marked = page.evaluate(MAP)
    page.click("summary[title=Show]")
    page.locator(".rv-check", has_text="Talk, vibes and targets").click()
    page.wait_for_function(f"(before) => {MAP} !== before", arg=marked)


def test_what_agents_say_stands_over_them_and_fades(viewer):
    said = {"talk_text": [[0, ""], [4, "<b>hello</b>"], [6, ""]]}
    page = viewer(case("31-policy-infos", agent0=said), view="2,2,64")
    seen = {}
    for step in (4, 8, 19):
        page.evaluate(f"window.model.set('step', {step})")
        page.wait_for_selector(f".rv-timeline[aria-valuenow='{step}']")
        page.wait_for_timeout(150)
        seen[step] = page.evaluate(f"({BUBBLE})()")
    assert seen[4] > seen[8] > seen[19]


def test_a_chart_of_an_item_carries_its_picture_and_one_of_the_reward_none(viewer, arena):
    page = opened(viewer, arena)
    picture = page.locator(".rv-chart-bar .rv-swatch")
    assert picture.count() == 0
    page.get_by_label("Quantity of the chart").select_option(label="heart held")
    picture.wait_for()
    assert "url(" in picture.get_attribute("style")
    page.get_by_label("Quantity of the chart").select_option(label="reward per step")
    picture.wait_for(state="detached")
