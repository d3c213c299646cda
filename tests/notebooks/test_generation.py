from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.errors import NotebookError, UsageError
from experiments.notebooks.generation import check_target, generate, read_config, read_jobs, write_notebook
from experiments.notebooks.layout import canonical
from experiments.notebooks.sections import BUILT_IN, Section, select_sections
from experiments.types import BaseExperimentConfig, JobRef
from tests.notebooks.specs import GOLDEN, NAMES, REFS, ROOT, sample_spec, spec_in

HOSTILE = [
    '"""',
    "'''\\",
    "a\nb\r\nc\x00",
    "{config} {__import__('os')}",
    '")\nimport os\nos.abort()  #',
    "\u202eright to left\u2028",
    "# ///",
    "<script>alert(1)</script>",
    "ü" * 150,
    "a 'quoted' \"word\" " * 20,
]


def hostile_spec():
    config = BaseExperimentConfig(description=HOSTILE[0], wandb_tags=tuple(HOSTILE))
    refs = [JobRef(run=f"run{n}{text}", arm=text, id=text, tracker=text) for n, text in enumerate(HOSTILE)]
    return dataclasses.replace(sample_spec(config, refs), recipe=HOSTILE[4], remake=HOSTILE[2])


def test_the_golden_notebook_is_what_is_generated():
    """After a wanted change: python -m tests.notebooks.specs"""
    assert generate(sample_spec(jobs=REFS)) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "spec", [sample_spec(), sample_spec(jobs=REFS), hostile_spec()], ids=["plain", "jobs", "hostile"]
)
def test_a_notebook_has_the_form_that_the_editor_saves(spec):
    text = generate(dataclasses.replace(spec))
    assert canonical(text) == text


@pytest.mark.slow
def test_marimo_and_ruff_find_nothing_to_say(tmp_path):
    for name, spec in {"plain": sample_spec(), "jobs": sample_spec(jobs=REFS), "hostile": hostile_spec()}.items():
        write_notebook(tmp_path / f"{name}_nb.py", spec)
    config = ["--config", str(ROOT / "pyproject.toml")]
    for command in (
        ["marimo", "check", "--strict"],
        ["ruff", "check", *config],
        ["ruff", "format", "--check", *config],
    ):
        files = sorted(map(str, tmp_path.glob("*_nb.py")))
        done = subprocess.run([sys.executable, "-m", *command, *files], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_notebook_runs_and_its_cells_can_be_given_other_data(tmp_path):
    write_notebook(tmp_path / "deep" / "sample_nb.py", spec_in(tmp_path, jobs=REFS))
    code = (
        "import sample_nb\noutputs, defs = sample_nb.app.run()\nassert defs['scores'] == [], defs\n"
        "outputs, defs = sample_nb.app.run(defs={'jobs': [sample_nb.JobRef(run='a', seed=9)]})\nprint(defs['scores'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "deep", capture_output=True, text=True, check=False
    )
    assert done.stdout == "[3.0]\n", done.stderr


def test_the_same_spec_gives_the_same_bytes_in_another_process():
    code = "from tests.notebooks.specs import *; print(generate(sample_spec(jobs=REFS)), end='')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == generate(sample_spec(jobs=REFS))


def test_a_notebook_holds_no_time_and_no_absolute_path():
    text = generate(sample_spec(jobs=REFS))
    assert str(ROOT) not in text
    assert not re.search(r"\d{4}-\d{2}-\d{2}|\d{2}:\d{2}", text)


@given(st.text(), st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_from_the_file(tmp_path, description, arm):
    path = tmp_path / "sample_nb.py"
    path.unlink(missing_ok=True)
    refs = [JobRef(run="a", arm=arm)]
    write_notebook(path, sample_spec(BaseExperimentConfig(description=description), refs, names=("setup", "state")))
    assert read_jobs(path) == refs
    assert BaseExperimentConfig.model_validate(read_config(path)).description == description


def test_hostile_texts_come_back_from_the_file(tmp_path):
    spec = hostile_spec()
    write_notebook(tmp_path / "sample_nb.py", spec)
    assert read_jobs(tmp_path / "sample_nb.py") == spec.jobs
    assert BaseExperimentConfig.model_validate(read_config(tmp_path / "sample_nb.py")) == spec.config


def test_data_cells_stand_between_setup_and_the_rest():
    names = re.findall(r"^def (\w+)", generate(sample_spec()), re.MULTILINE)
    assert names[:4] == ["title", "config", "jobs", "tracked"]


def test_setup_and_state_come_first_whatever_is_selected():
    own = Section("mine", "recipes/x.py", ("a",))
    assert [section.name for section in select_sections(["mine", "analysis", "state"], [own])] == [
        *("setup", "state", "mine", "analysis")
    ]


def test_an_unknown_section_lists_the_known_ones_and_the_recipes_own():
    with pytest.raises(UsageError, match=f"'anlysis' does not exist. Sections: {', '.join(BUILT_IN)}, mine"):
        select_sections(["anlysis"], [Section("mine", "x.py", ("a",))])


def test_a_cell_that_needs_another_section_says_so():
    names = tuple(name for name in NAMES if name != "state")
    with pytest.raises(
        NotebookError, match=r"cell 'score_table' needs 'runs', which no selected cell defines \(defined: "
    ):
        generate(sample_spec(names=names))


def test_a_recipe_adds_a_section_in_five_lines(tmp_path):
    (tmp_path / "my_recipe.py").write_text(
        "import marimo as mo\n\n\ndef reward_note(jobs):\n    mo.md(note(jobs))\n\n\n"
        "def note(jobs):\n    return f'{len(jobs)} jobs'\n"
    )
    spec = spec_in(tmp_path)
    own = Section(name="mine", module="my_recipe.py", cells=("reward_note",))
    text = generate(dataclasses.replace(spec, sections=[*spec.sections, own]))
    assert '    note = load_recipe("my_recipe.py", __file__).note\n' in text
    assert "@app.cell\ndef reward_note(jobs):\n    mo.md(note(jobs))\n    return\n" in text


def test_two_cells_with_one_name_are_refused(tmp_path):
    (tmp_path / "r.py").write_text("def title(config):\n    print(config)\n")
    spec = spec_in(tmp_path)
    own = Section("mine", str(tmp_path / "r.py"), ("title",))
    with pytest.raises(NotebookError, match="two cells are called 'title'"):
        generate(dataclasses.replace(spec, sections=[*spec.sections, own]))


def test_two_imports_of_one_name_are_refused(tmp_path):
    (tmp_path / "r.py").write_text("import cmath as math\n\n\ndef other(jobs):\n    print(math.pi, jobs)\n")
    spec = spec_in(tmp_path)
    own = Section("mine", str(tmp_path / "r.py"), ("other",))
    with pytest.raises(NotebookError, match="'math' is imported from 'cmath' and from 'math'"):
        generate(dataclasses.replace(spec, sections=[*spec.sections, own]))


DAMAGED = {
    "not Python": b"def (:\n",
    "not UTF-8": b"\xff\xfe\x00",
    "a null byte": b"import marimo\n\x00",
    "no notebook": b"print('hello')\n",
    "empty": b"",
    "not ours": b"import marimo\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    return\n",
    "damaged header": b"# /// experiments\n# recipe = \n# ///\nimport marimo\napp = marimo.App()\n",
    "nested too deeply": b"import marimo\napp = marimo.App()\nx = " + b"(" * 5000 + b")" * 5000,
    "code outside cells": GOLDEN.read_bytes().replace(b"@app.cell\ndef jobs", b"x = 1\n\n\n@app.cell\ndef jobs"),
    "comment outside cells": GOLDEN.read_bytes().replace(b"@app.cell\ndef jobs", b"# mine\n@app.cell\ndef jobs"),
    "truncated": GOLDEN.read_bytes()[:1500],
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_file_that_is_no_notebook_of_ours_is_left_alone(tmp_path, content):
    path = tmp_path / "sample_nb.py"
    path.write_bytes(content)
    for act in (check_target, write_notebook):
        with pytest.raises(NotebookError):
            act(path, sample_spec())
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [DAMAGED["not Python"], DAMAGED["not UTF-8"], DAMAGED["not ours"]])
def test_force_replaces_any_file_and_keeps_a_copy(tmp_path, content):
    path = tmp_path / "sample_nb.py"
    path.write_bytes(content)
    check_target(path, sample_spec(), force=True)
    result = write_notebook(path, sample_spec(), force=True)
    assert path.read_text() == generate(sample_spec())
    assert result.backup.read_bytes() == content


@pytest.mark.parametrize("name", ["random.py", "notes.txt", "folder_nb.py"])
def test_a_target_that_cannot_be_a_notebook_is_refused_before_a_launch(tmp_path, name):
    (tmp_path / "folder_nb.py").mkdir()
    with pytest.raises(NotebookError, match=r"Name (it like|a file)"):
        check_target(tmp_path / name, sample_spec())


def test_a_target_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotebookError, match=r"cannot be written: a part of its path is a file. Name another folder"):
        check_target(tmp_path / "file" / "sample_nb.py", sample_spec())
