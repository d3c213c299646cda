"""The replay viewer in a real browser, with replays that are hostile, damaged, empty or incomplete."""

from __future__ import annotations

import json

import pytest

from tests.browser.replay_page import encoded, sample, settle
from tests.fakes.serving import CHROMIUM
from tests.widgets.replays import shipped, small
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

HOSTILE = "</script><img src=x onerror=window.hacked=1>"


@pytest.mark.parametrize("data", [b"", b"RPLW", b"{}" * 40, b"\0" * 4000])
def test_data_that_is_no_replay_is_said_in_place_and_mended_later(viewer, data):
    page = viewer(data)
    text = page.locator(".rv-alone").inner_text()
    assert text == "No replay to show." if not data else text.startswith("This replay cannot be shown: ")
    page.evaluate("async (bytes) => model.set('data', new Uint8Array(bytes))", list(encoded()))
    page.wait_for_selector(".rv-map")


def test_a_replay_without_agents_or_of_one_step_can_be_handled(viewer):
    keys = ["End", "ArrowDown", "Space", "f", ".", ",", "Home", "=", "0", "Escape"]
    walls = [thing for thing in small()["objects"] if thing["type_name"] != "agent"]
    for data in [encoded(objects=walls, num_agents=0), encoded(max_steps=1)]:
        page = viewer(data)
        page.focus(".rv-root")
        for key in keys:
            page.keyboard.press(key)
        settle(page, "window.model.state.speed", 20)


def test_a_damaged_part_costs_only_its_steps(viewer):
    data = bytearray(sample("the_280"))
    data[-5000:] = b"\0" * 5000
    page = viewer(bytes(data))
    page.focus(".rv-root")
    page.keyboard.press("End")
    page.wait_for_function("el.querySelector('.rv-notice').textContent.includes('damaged')")
    page.keyboard.press("Home")
    page.wait_for_function("el.querySelector('.rv-notice').textContent === ''")


def test_hostile_text_is_text(viewer):
    replay = small(type_names=["agent", HOSTILE, "wall"], item_names=[HOSTILE, "b"], tags={HOSTILE: 0, "team:x": 1})
    for number, thing in enumerate(replay["objects"]):
        thing["talk_text"] = [[0, HOSTILE], [3, ""]] if number == 0 else ""
        thing["policy_infos"] = [[0, {HOSTILE: HOSTILE}]]
    replay["mg_config"] = {"label": HOSTILE}
    data = encode(load_replay(json.dumps(replay).encode())).pack("all")
    page = viewer(data, labels=[HOSTILE], selected=1, message=HOSTILE, more={"data_b": data})
    assert page.locator(".rv-title").inner_text() == HOSTILE
    page.get_by_role("tab", name="Talk").click()
    page.wait_for_function("(text) => el.querySelector('.rv-panel').textContent.includes(text)", arg=HOSTILE)
    page.get_by_role("tab", name="About").click()
    page.click("text=Show the configuration")
    page.wait_for_selector("pre.rv-code")
    page.fill(".rv-search", HOSTILE)
    page.evaluate("model.set('kind', 'compare'); model.set('data', model.get('data_b'))")
    page.wait_for_selector(".rv-half")
    assert page.evaluate("[window.hacked ?? null, el.querySelectorAll('img, script').length]") == [None, 0]


def test_items_called_like_a_class_of_the_page_or_a_property_of_every_object_are_items(viewer):
    page = viewer(encoded(item_names=["rv-tip", "__proto__"], action_names=["noop", "constructor"]), step=5, selected=1)
    page.get_by_role("tab", name="Selected").click()
    rows = "[...el.querySelectorAll('.rv-inventory-row')].map((row) => row.innerText.replace(/\\s+/g, ' ').trim())"
    page.wait_for_function(f"{rows}.join().includes('proto 1')")
    assert {"rv-tip 2", "proto 1"} <= set(page.evaluate(rows))
    page.get_by_label("Quantity of the chart").select_option(label="proto held")
    page.get_by_role("tab", name="Agents").click()
    assert {"rv-tip", "proto"} <= set(page.locator(".rv-sort").all_inner_texts())
    page.fill(".rv-search", "rv-tip")
    page.wait_for_function("el.querySelector('.rv-found').textContent === '2 found'")


def test_texts_that_are_not_embedded_are_said_to_be_missing(viewer):
    page = viewer(encode(load_replay(next(p for p in shipped() if p.name == "default.json.z"))).pack("steps"))
    page.get_by_role("tab", name="Talk").click()
    page.wait_for_function("el.querySelector('.rv-panel').textContent.includes('not embedded in this page')")
    assert page.evaluate("model.sent.map((message) => [message.type, message.source, message.id])") == [
        ["chunk", "a", "text/0"]
    ]
