"""The game's own pictures, from where they are."""

from __future__ import annotations

import io
import json
import struct

import pytest
from PIL import Image

from tests.widgets.replays import packed, small
from widgets.replay import pictures
from widgets.replay.pictures import SIDE, pictures_of
from widgets.replay.viewer import ReplayViewer

ARENA = {
    "type_names": ["agent", "mine", "c:hub", "wall", "", "moon_base"],
    "item_names": ["ore", "heart", "nothing_such"],
}


@pytest.fixture(autouse=True)
def no_folder_of_the_user(monkeypatch):
    monkeypatch.delenv("METTAGRID_ASSET_DIR", raising=False)


def parts(data):
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), Image.open(io.BytesIO(data[4 + length :])).convert("RGBA")


def coloured(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", (20, 20), colour).save(path, "PNG")


def test_types_and_items_of_a_replay_have_the_pictures_of_the_wheel():
    places, sheet = parts(pictures_of([ARENA]))
    assert {"type:mine", "type:c:hub", "item:ore", "item:heart", "wall.nwse", "agent.n", "frozen"} <= set(places)
    assert not {"type:moon_base", "item:nothing_such", "type:"} & set(places)
    for x, y in places.values():
        assert sheet.crop((x, y, x + SIDE, y + SIDE)).getextrema()[3][1] > 0, "a picture is not empty"


def test_pictures_are_few_bytes():
    assert len(pictures_of([ARENA])) < 60_000


def test_what_has_no_picture_at_all_sends_none():
    assert pictures_of([{"type_names": ["moon_base"], "item_names": ["dust"]}]) == b""
    assert pictures_of([]) == b""


def test_a_wheel_without_pictures_is_no_error(tmp_path, monkeypatch):
    assets = tmp_path / "renderer" / "assets"
    coloured(assets / "altar.png", "red")
    (assets / "atlas.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (assets / "atlas.json").write_text('{"objects/mine.png": [0, 0, 9, 9]}')
    monkeypatch.setattr(pictures, "_root", lambda: tmp_path)
    assert pictures_of([ARENA]) == b""
    assert list(parts(pictures_of([{"type_names": ["altar"], "item_names": []}]))[0]) == ["type:altar"]
    monkeypatch.setattr(pictures, "_root", lambda: None)
    assert pictures_of([ARENA]) == b""


def test_the_folder_that_the_user_names_comes_first_and_pointers_are_passed_over(tmp_path, monkeypatch):
    coloured(tmp_path / "objects" / "wall.png", (9, 200, 9, 255))
    (tmp_path / "objects" / "mine.png").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    monkeypatch.setenv("METTAGRID_ASSET_DIR", str(tmp_path))
    places, sheet = parts(ReplayViewer(packed(small(type_names=["agent", "wall", "mine"]))).sprites)
    x, y = places["type:wall"]
    assert sheet.getpixel((x + 30, y + 30))[1] > 150
    assert "type:mine" in places


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "..", ".hidden", "a/b", "a\0b", "x" * 500])
def test_names_of_a_replay_never_leave_the_folder(tmp_path, monkeypatch, name):
    coloured(tmp_path / "secret.png", "red")
    coloured(tmp_path / "assets" / "objects" / ".hidden.png", "red")
    monkeypatch.setenv("METTAGRID_ASSET_DIR", str(tmp_path / "assets"))
    assert pictures_of([{"type_names": [name], "item_names": [name]}]) == b""


def test_the_atlas_is_cut_once_and_kept_by_the_version_of_the_wheel(tmp_path, monkeypatch):
    pictures._wheel_pictures.cache_clear()
    first = pictures_of([ARENA], tmp_path)
    (kept,) = tmp_path.iterdir()
    assert "mettagrid-" in kept.name
    pictures._wheel_pictures.cache_clear()
    monkeypatch.setattr(pictures, "_cut", lambda assets: pytest.fail("it was cut again"))
    assert pictures_of([ARENA], tmp_path) == first
    pictures._wheel_pictures.cache_clear()
    monkeypatch.undo()
    kept.write_bytes(b"damaged")
    assert pictures_of([ARENA], tmp_path) == first
