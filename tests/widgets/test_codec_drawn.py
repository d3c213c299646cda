"""What the page draws and offers in every replay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from widgets.replay.codec.drawn import GLYPHS, KEYS, PALETTES, SHAPES, layers
from widgets.replay.codec.told import action

_NAMED = {"Space": " ", "Esc": "Escape", "←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown"}
_REPLAY = Path(__file__).parents[2] / "widgets" / "replay"


def test_every_family_of_actions_has_a_sign():
    names = ("noop", "move", "rotate", "get", "put", "attack", "change_vibe", "jump")
    assert {action(name).family for name in names} | {"stuck"} == set(GLYPHS)


def test_signs_and_shapes_differ_and_are_paths():
    paths = [*GLYPHS.values(), *SHAPES]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(r"M[-\d.MHVAQLZ ]+", path) for path in paths)


def test_only_layers_that_there_are_are_offered():
    assert {name for name, _ in layers({"explored"}, 9)} - {name for name, _ in layers((), 9)} == {"explored"}
    assert ("territory", "Ground that teams hold") in layers({"territory"}, 9)
    assert "heat" in dict(layers((), 4_000_000))
    assert "heat" not in dict(layers((), 4_000_001))


def test_the_keys_that_people_are_told_are_heard():
    heard = (_REPLAY / "js" / "keys.js").read_text("utf-8")
    told = [_NAMED.get(key, key) for keys, _ in KEYS for key in keys.split()]
    assert [key for key in told if f'"{key}"' not in heard] == []


def _light(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", PALETTES)
def test_text_and_marks_contrast_with_the_page(theme):
    palette = PALETTES[theme]
    assert min(_contrast(palette[name], palette["page"]) for name in ("text", "muted", "accent")) >= 4.5
    marks = [*palette["series"], *(palette[name] for name in ("good", "bad", "cold", "gain", "talk"))]
    assert min(_contrast(mark, palette["page"]) for mark in marks) >= 3
    assert len(set(palette["series"])) == 8


@pytest.mark.parametrize(("theme", "selector"), [("light", ".rv-root {"), ("dark", '.rv-root[data-theme="dark"] {')])
def test_the_page_has_the_colours_of_the_canvases(theme, selector):
    css = (_REPLAY / "static" / "viewer.css").read_text("utf-8")
    block = css.split(f"\n{selector}", 1)[1].split("}", 1)[0]
    said = dict(re.findall(r"--rv-([a-z]+): (#[0-9a-f]+);", block))
    shared = said.keys() & PALETTES[theme].keys()
    assert {name: PALETTES[theme][name] for name in shared} == {name: said[name] for name in shared}
    assert {"page", "text", "muted", "accent", "good", "bad"} <= shared
