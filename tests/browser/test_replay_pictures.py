"""The game's pictures in the replay viewer, in a real browser: of what is frozen, and of a folder that one names."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.browser.replay_page import settle
from tests.fakes.serving import CHROMIUM
from tests.widgets.replays import small, with_object
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.pictures import pictures_of

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

# The mean colour of the cell in the middle of the map.
MIDDLE = """(side) => {
  const canvas = el.querySelector(".rv-map-canvas");
  const [x, y] = [canvas.width / 2 - side / 2, canvas.height / 2 - side / 2];
  const data = canvas.getContext("2d").getImageData(x, y, side, side).data;
  return [0, 1, 2].map((channel) => {
    let sum = 0;
    for (let at = channel; at < data.length; at += 4) sum += data[at];
    return Math.round(sum / (data.length / 4));
  });
}"""


def opened(viewer, top, **state):
    encoded = encode(load_replay(json.dumps(top).encode()))
    sprites = pictures_of([encoded.header])
    page = viewer(encoded.pack("all"), more={"sprites": sprites} if sprites else {}, **state)
    page.wait_for_function("el.querySelector('.rv-notice').textContent === ''")
    page.wait_for_timeout(300)
    return page


def go(page, step):
    page.evaluate(f"window.model.set('step', {step})")
    page.wait_for_selector(f".rv-timeline[aria-valuenow='{step}']")
    page.wait_for_timeout(200)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_frozen_agent_is_in_ice_for_as_long_as_it_is_frozen(viewer, theme):
    top = with_object(0, location=[4, 1], is_frozen=[[0, False], [3, True], [6, False]], tag_ids=[0], inventory=[])
    page = opened(viewer, top, view="4.5,1.5,64", theme=theme)
    seen = {}
    for step in (1, 4, 7):
        go(page, step)
        seen[step] = page.evaluate(MIDDLE, 60)
    free, frozen, again = seen.values()
    assert again == free
    assert sum(abs(a - b) for a, b in zip(free, frozen, strict=True)) > 30
    page.click("summary[title=Show]")
    page.locator(".rv-check", has_text="Symbols instead of pictures").click()
    go(page, 4)
    marked = page.evaluate(MIDDLE, 60)
    go(page, 7)
    settle(page, f"({MIDDLE})(60).join() !== '{','.join(map(str, marked))}'", expected=True)


def test_pictures_of_a_folder_that_one_names_are_shown_and_pointers_are_not(viewer, tmp_path, monkeypatch):
    (tmp_path / "objects").mkdir()
    Image.new("RGBA", (200, 200), (9, 200, 9, 255)).save(tmp_path / "objects" / "wall.png")
    (tmp_path / "objects" / "mine.png").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    )
    top = small(type_names=["agent", "mine", "moon"])
    top["objects"][2] |= {"type_name": "mine", "location": [3, 3]}
    plain = opened(viewer, top, view="3.5,3.5,64").evaluate(MIDDLE, 60)
    monkeypatch.setenv("METTAGRID_ASSET_DIR", str(tmp_path))
    assert opened(viewer, top, view="3.5,3.5,64").evaluate(MIDDLE, 60) == plain, "a pointer leaves the wheel's picture"
    Image.new("RGBA", (200, 200), (9, 200, 9, 255)).save(tmp_path / "objects" / "mine.png")
    assert opened(viewer, top, view="3.5,3.5,64").evaluate(MIDDLE, 60) in ([9, 200, 8], [9, 200, 9])
