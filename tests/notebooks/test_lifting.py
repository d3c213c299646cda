from __future__ import annotations

import subprocess
import sys

import pytest

from experiments.errors import NotebookError
from experiments.notebooks.lifting import lift_section
from experiments.notebooks.sections import Section
from tests.notebooks.specs import ROOT

HEAD = """from __future__ import annotations

import math
from pathlib import Path as P

import marimo as mo

LIMIT = 3

"""


@pytest.fixture
def lift(tmp_path):
    """Lift the only cell of a module with this source."""

    def lifted(source, name="cell"):
        (tmp_path / "sections.py").write_text(HEAD + source, encoding="utf-8")
        (item,) = lift_section(Section("mine", "sections.py", (name,)), tmp_path)
        return item

    return lifted


def test_the_body_is_copied_with_its_comments_and_without_its_docstring(lift):
    item = lift(
        'def cell(rows: list[int]) -> tuple[int]:\n    """Doc."""\n    # Why.\n    total = sum(rows)  # how\n\n'
        "    mo.md(str(total))\n    # last\n    return (total,)\n"
    )
    assert item.cell.body == "    # Why.\n    total = sum(rows)  # how\n\n    mo.md(str(total))\n    # last"
    assert item.cell.names.reads == {"rows", "mo"}
    assert item.cell.names.defines == {"total"}


def test_a_comment_under_the_signature_survives_without_a_docstring(lift):
    assert lift("def cell(\n    rows: list[int],\n) -> None:  # here\n    # Why.\n    print(rows)\n").cell.body == (
        "    # Why.\n    print(rows)"
    )


def test_names_of_the_module_become_imports(lift):
    item = lift("def helper(x):\n    return x\n\n\ndef cell(rows):\n    print(math.pi, P(), helper(rows), LIMIT)\n")
    assert sorted((i.module, i.name, i.alias, i.is_file) for i in item.imports) == [
        ("math", "", "", False),
        ("pathlib", "Path", "P", False),
        ("sections.py", "LIMIT", "", True),
        ("sections.py", "helper", "", True),
    ]


def test_an_import_for_type_checkers_is_the_notebooks_to_make(lift):
    source = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import altair as alt\n\n\n"
    item = lift(source + "def cell(rows):\n    alt.Chart(rows)\n")
    assert [(i.module, i.alias) for i in item.imports] == [("altair", "alt")]


def test_names_inside_comprehensions_lambdas_and_functions_are_not_defined(lift):
    item = lift(
        "def cell(rows):\n    found = [row for row in rows if (lambda x: x > LIMIT)(row)]\n"
        "    for _row in rows:\n        print(_row)\n    return found\n"
    )
    assert item.cell.names.defines == {"found"}
    assert item.cell.names.reads == {"rows", "LIMIT"}


def test_comments_to_linters_stay_in_the_module(lift):
    item = lift(
        "def cell(rows):  # noqa: ANN201 - a cell\n    found = rows  # noqa: E501 - long\n"
        "    print('# noqa')  # type: ignore[x]\n    # kept\n    return found\n"
    )
    assert item.cell.body == "    found = rows\n    print('# noqa')\n    # kept"


@pytest.mark.parametrize(
    ("written", "saved"),
    [
        ('mo.md("# A")', 'mo.md("""\n    # A\n    """)'),
        ("mo.md(f'# {rows}')", 'mo.md(f"""\n    # {rows}\n    """)'),
        ('mo.md("""# A\n\n    - b\n        - c\n    """)', 'mo.md("""\n    # A\n\n    - b\n        - c\n    """)'),
        ('mo.md(r"\\alpha")', 'mo.md(r"""\n    \\alpha\n    """)'),
    ],
)
def test_a_cell_of_markdown_has_the_editors_own_form(lift, written, saved):
    parameters = "rows" if "rows" in written else ""
    assert (
        lift(f"def cell({parameters}) -> None:\n    # Title.\n    {written}\n").cell.body
        == f"    # Title.\n    {saved}"
    )


def test_markdown_beside_other_code_is_left_alone(lift):
    assert lift("def cell(rows):\n    mo.md('a')\n    print(rows)\n").cell.body == "    mo.md('a')\n    print(rows)"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def other():\n    print()\n", "cell 'cell' of sections.py does not exist. Functions there: other."),
        ("def cell(rows, n=1):\n    print(rows, n)\n", "no defaults"),
        ("def cell(*rows):\n    print(rows)\n", "no defaults"),
        ("@property\ndef cell(rows):\n    print(rows)\n", "decorator"),
        ("def cell(rows):\n    if rows:\n        return\n    print(rows)\n", "only return at its end"),
        ("def cell(rows):\n    yield rows\n", "neither yield"),
        ('def cell():\n    """Doc."""\n', "does nothing"),
        ("def cell():\n    # only this\n    pass\n", "does nothing"),
        ("def cell():\n    def inner():\n        pass\n    return inner\n", "only defines 'inner'"),
        ("def cell(rows):\n    return rows + 1\n", "plain names"),
        ("def cell(rows):\n    print(1)\n", "parameter 'rows' that it does not read"),
        ("def cell(rows):\n    print(rows)\n    return other\n", "returns 'other', which it does not define"),
        ("def cell(rows):\n    loose = rows\n    print(loose)\n", "call it '_loose'"),
        ("def cell(rows):\n    total: int = rows\n    return total\n", "annotates 'total'"),
        ("def cell(rows):\n    print(rows, absent)\n", "uses 'absent'"),
        ("def _help():\n    pass\n\n\ndef cell():\n    print(_help())\n", "'_help'; a notebook can only import"),
        ('def cell():\n    print("""a\nb""")\n', "left of the code"),
    ],
)
def test_a_function_that_cannot_be_a_cell_is_refused_with_the_rule(lift, source, said):
    with pytest.raises(NotebookError) as refused:
        lift(source)
    assert said in str(refused.value)
    assert "'cell'" in str(refused.value)


@pytest.mark.parametrize("name", ["setup", "app", "_cell"])
def test_names_that_marimo_keeps_are_refused(lift, name):
    with pytest.raises(NotebookError, match=f"'{name}'.*marimo keeps"):
        lift(f"def {name}():\n    print()\n", name)


def test_a_section_takes_its_cells_from_the_modules_table(tmp_path):
    (tmp_path / "s.py").write_text(
        'CELLS = {"mine": ("b", "a")}\n\n\ndef a():\n    print(1)\n\n\ndef b():\n    print(2)\n'
    )
    assert [item.cell.name for item in lift_section(Section("mine", "s.py"), tmp_path)] == ["b", "a"]


@pytest.mark.parametrize("table", ["", "CELLS = {'other': ('a',)}", "CELLS = {'mine': ()}"])
def test_a_section_without_cells_says_how_to_list_them(tmp_path, table):
    (tmp_path / "s.py").write_text(f"{table}\n")
    with pytest.raises(NotebookError, match=r"section 'mine' has no cells.*CELLS = \{'mine'"):
        lift_section(Section("mine", "s.py"), tmp_path)


def test_a_table_that_is_no_literal_is_refused(tmp_path):
    (tmp_path / "s.py").write_text("CELLS = dict(mine=('a',))\n")
    with pytest.raises(NotebookError, match="must be a literal"):
        lift_section(Section("mine", "s.py"), tmp_path)


def test_a_module_that_is_not_python_is_an_error_and_no_traceback(tmp_path):
    (tmp_path / "s.py").write_text("def (:\n")
    with pytest.raises(NotebookError, match="cannot be read"):
        lift_section(Section("mine", "s.py", ("a",)), tmp_path)


def test_lifting_imports_neither_the_section_nor_what_it_imports():
    code = (
        "import sys\nfrom tests.notebooks.specs import sample_spec\n"
        "from experiments.notebooks.assembly import build\nassert len(build(sample_spec()).cells) == 8\n"
        "print(*sorted({'marimo', 'altair', 'pandas', 'numpy', 'tests.notebooks.samples'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
