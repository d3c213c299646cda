"""The symbols of types, told from their names."""

from __future__ import annotations

from widgets.replay.codec.looks import kind_of, looks_of, side_by_side

NAMES = ("agent", "wall", "altar", "mine_red", "mine_blue", "carbon_extractor", "", "", "hub", "c:hub", "x1", "x2")


def test_every_type_has_a_symbol_of_its_own_the_same_each_time():
    looks = looks_of(NAMES)
    assert looks == looks_of(NAMES)
    things = [look for look in looks[:-1] if look.kind == "thing" and look.name]
    assert len({(look.shape, look.hue) for look in things}) == len(things)
    assert len({look.letters for look in things}) == len(things)


def test_walls_and_agents_are_known_by_a_word_of_their_name():
    kinds = {"wall": "wall", "stone_wall": "wall", "swallow": "thing", "agent": "agent", "agent.prey": "agent"}
    assert {name: kind_of(name) for name in kinds} == kinds


def test_an_object_of_no_type_has_a_look_too():
    assert looks_of([])[-1].letters == "?"


def test_more_types_than_symbols_are_all_drawn():
    assert len(looks_of([f"type {number}" for number in range(99)])) == 100


def test_a_type_looks_the_same_in_both_replays_of_a_page():
    left, right = side_by_side([{"type_names": NAMES}, {"type_names": ("ore", *reversed(NAMES))}])
    shared = {look.name: look for look in left}
    assert all(shared.get(look.name, look) == look for look in right)
