from __future__ import annotations

import pytest

from experiments.notebooks.cells import Cell, check_cells, find_problems, names_in
from experiments.project.errors import NotebookError


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


def test_a_missing_name_is_said_with_the_cell_and_what_there_is():
    with pytest.raises(NotebookError) as refused:
        check_cells(cells(a="x = 1", b="print(x, y)"))
    assert str(refused.value) == "cell 'b' needs 'y', which no selected cell defines (defined: x)."


def test_a_missing_name_comes_with_the_way_to_get_it():
    (problem,) = find_problems(cells(b="print(y)"), (), {"y": "Section 'z' defines it: add it to --sections"})
    assert problem.message.endswith("Section 'z' defines it: add it to --sections.")


def test_a_name_defined_twice_is_said_with_both_cells():
    with pytest.raises(NotebookError, match=r"'x' is defined by cell 'a' and by cell 'b'; one name, one cell"):
        check_cells(cells(a="x = 1", b="x = 2"))


def test_a_name_of_the_setup_block_may_not_be_defined_again():
    with pytest.raises(NotebookError, match=r"'mo' is defined by the setup block and by cell 'a'"):
        check_cells(cells(a="mo = 1"), ["mo"])


def test_a_cycle_is_said_as_the_way_round():
    with pytest.raises(
        NotebookError, match=r"cells wait for each other: 'a' -> 'b' -> 'c' -> 'a'|'a' -> 'c' -> 'b' -> 'a'"
    ):
        check_cells(cells(a="x = z", b="y = x", c="z = y"))


def test_private_names_may_be_used_by_any_number_of_cells():
    check_cells(cells(a="_x = 1", b="_x = 2", c="print([_x for _x in '']) "))
