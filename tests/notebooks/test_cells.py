from __future__ import annotations

import pytest

from experiments.notebooks.cells import Cell, find_problems, names_in


def cells(**bodies):
    return [Cell(name, f"    {body}") for name, body in bodies.items()]


@pytest.mark.parametrize(
    ("body", "reads", "defines"),
    [
        ("x = y", {"y"}, {"x"}),
        ("_x = y", {"y"}, set()),
        ("x = [i for i in y if i > z]", {"y", "z"}, {"x"}),
        ("for x in y: print(x)", {"y"}, {"x"}),
        ("import a.b as c, d.e", set(), {"c", "d"}),
        ("with y as x: pass", {"y"}, {"x"}),
        ("x = lambda a: a + y", {"y"}, {"x"}),
        ("class x(y):\n        z = w", {"y", "w"}, {"x"}),
        ("try:\n        x = y\n    except Exception as e:\n        print(e)", {"y"}, {"x"}),
        ("def x(a):\n        return a + y + z", {"y", "z"}, {"x"}),
        ("def x():\n        global y\n        y = 1", set(), {"x", "y"}),
        ("x = (n := y)", {"y"}, {"x", "n"}),
        ("x = await y", {"y"}, {"x"}),
        ("print(__file__, len)", set(), set()),
        ("x = '\\d'", set(), {"x"}),
        ("", set(), set()),
    ],
)
def test_names_follow_pythons_own_scopes(body, reads, defines):
    names = names_in(f"    {body}" if body else "")
    assert (names.reads, names.defines) == (reads, defines)


def said(made, setup_names=()):
    return [problem.message for problem in find_problems(made, setup_names)]


def test_a_missing_name_is_said_with_the_cell_and_what_there_is():
    told = said(cells(a="x = 1", b="print(x, y)"))
    assert told == ["cell 'b' needs 'y', which no selected cell defines (defined: x)."]


def test_a_missing_name_comes_with_the_way_to_get_it():
    (problem,) = find_problems(cells(b="print(y)"), (), {"y": "Section 'z' defines it: add it to --sections"})
    assert problem.message.endswith("Section 'z' defines it: add it to --sections.")


def test_a_name_defined_twice_is_said_with_both_cells():
    told = said(cells(a="x = 1", b="x = 2"))
    assert told == ["'x' is defined by cell 'a' and by cell 'b'; one name, one cell: rename one."]


def test_a_name_of_the_setup_block_may_not_be_defined_again():
    (told,) = said(cells(a="mo = 1"), ["mo"])
    assert "'mo' is defined by the setup block and by cell 'a'" in told


def test_a_cycle_is_said_as_the_way_round():
    (told,) = said(cells(a="x = z", b="y = x", c="z = y"))
    ways = ("'a' -> 'b' -> 'c' -> 'a'", "'a' -> 'c' -> 'b' -> 'a'")
    assert any(f"cells wait for each other: {way}" in told for way in ways)


def test_private_names_may_be_used_by_any_number_of_cells():
    assert said(cells(a="_x = 1", b="_x = 2", c="print([_x for _x in '']) ")) == []
