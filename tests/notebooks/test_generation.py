from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.notebooks.data_cells import read_config, read_jobs
from experiments.notebooks.generation import generate, prepare, write, write_notebook
from experiments.notebooks.layout import canonical, parse
from experiments.notebooks.template import FILE, SECTIONS, select_sections
from experiments.project.errors import NotebookError, UsageError
from experiments.types import BaseExperimentConfig, JobRef
from tests.notebooks.specs import GOLDEN, REFS, ROOT, own_section, sample_spec, spec_in

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
    return sample_spec(config, refs)


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
        "import sample_nb\noutputs, defs = sample_nb.app.run()\nassert len(defs['study'].jobs) == 2, defs\n"
        "outputs, defs = sample_nb.app.run(defs={'jobs': [sample_nb.JobRef(run='a', seed=9)]})\n"
        "print(len(defs['study'].jobs))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "deep", capture_output=True, text=True, check=False
    )
    assert done.stdout == "1\n", done.stderr


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
    write_notebook(path, sample_spec(BaseExperimentConfig(description=description), refs, sections=()))
    assert read_jobs(path) == refs
    assert BaseExperimentConfig.model_validate(read_config(path)).description == description


def test_hostile_texts_come_back_from_the_file(tmp_path):
    spec = hostile_spec()
    write_notebook(tmp_path / "sample_nb.py", spec)
    assert read_jobs(tmp_path / "sample_nb.py") == spec.jobs
    assert BaseExperimentConfig.model_validate(read_config(tmp_path / "sample_nb.py")) == spec.config


def test_a_new_notebook_is_the_template_with_its_data():
    text, template = generate(sample_spec()), parse(FILE.read_text(), FILE)
    data = {"config", "journal", "jobs"}
    made = parse(text, GOLDEN)
    assert [cell.name for cell in made.cells] == [cell.name for cell in template.cells]
    assert [cell for cell in made.cells if cell.name not in data] == [c for c in template.cells if c.name not in data]


def test_a_notebook_is_short_and_its_setup_shorter_whatever_is_in_it():
    text = generate(sample_spec(jobs=REFS))
    assert len(text.splitlines()) <= 180
    assert len(parse(text, GOLDEN).setup.splitlines()) <= 8
    assert text.startswith("import marimo\n")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_notebook_of_one_section_imports_only_what_its_cells_use_and_fits_together(section):
    made = parse(generate(sample_spec(sections=[section])), GOLDEN)
    assert {cell.name for cell in made.cells} == {"study", "config", "journal", "jobs", *SECTIONS[section]}
    read = frozenset().union(*(cell.names.reads for cell in made.cells))
    assert set(made.setup_names) == read - {name for cell in made.cells for name in cell.names.defines}


def test_the_sections_of_a_notebook_are_those_of_its_cells_and_no_setting():
    config = BaseExperimentConfig(description="d", sections=("log",))
    assert "sections" not in generate(sample_spec(config, sections=["log"]))


def test_an_unknown_section_lists_the_known_ones_and_the_recipes_own(tmp_path):
    own = own_section(tmp_path, OWN, "weather")
    with pytest.raises(UsageError, match=f"'anlysis' does not exist. Sections: {', '.join(SECTIONS)}, weather"):
        select_sections(["anlysis"], [own])


def test_the_sections_of_version_0_1_are_still_known_by_their_names():
    names = ["setup", "state", "launch", "monitor", "analysis", "replays", "log", "export", "scratch"]
    assert sorted(select_sections(names)) == sorted({*SECTIONS} - {"search"})


OWN = "import marimo as mo\n\n\ndef weather(study):\n    return mo.md(f'{len(study.jobs)} jobs under a clear sky')\n"


def test_a_recipes_own_section_is_a_function_of_the_study(tmp_path):
    own = own_section(tmp_path, OWN, "weather")
    text = generate(sample_spec(sections=["log", "weather"], own=[own], root=tmp_path))
    assert '    weather = load_recipe("my_recipe.py", __file__).weather\n' in text
    assert "@app.cell(hide_code=True)\ndef show_weather(study):\n    weather(study)\n    return\n" in text
    assert canonical(text) == text


@pytest.mark.slow
def test_a_recipes_own_section_runs(tmp_path):
    own = own_section(tmp_path, OWN, "weather")
    write_notebook(tmp_path / "x_nb.py", sample_spec(sections=["weather"], own=[own], root=tmp_path))
    code = (
        "import x_nb\noutputs, _ = x_nb.app.run()\n"
        "print('clear sky' in str([getattr(output, 'text', '') for output in outputs]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("own", [("weather",), (sample_spec, sample_spec), 3, "weather"])
def test_own_sections_that_are_no_functions_are_refused_with_what_to_write(own):
    with pytest.raises(UsageError, match=r"extra_sections names .* extra_sections = \(my_section,\)"):
        select_sections(["log"], own)


@pytest.mark.parametrize("place", ["experiments", "experiments.notebooks.sections"])
def test_a_recipe_that_still_names_the_class_section_is_told_what_to_write(place):
    done = subprocess.run(
        [sys.executable, "-c", f"from {place} import Section"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Section named a group of cells")
    assert "extra_sections = (my_section,)" in last


def test_what_is_prepared_before_a_launch_is_what_is_written_with_its_jobs(tmp_path):
    path = tmp_path / "sample_nb.py"
    prepared = prepare(path, sample_spec(), launching=True)
    assert not path.exists()
    assert write(prepared, REFS).created
    assert path.read_text() == generate(sample_spec(jobs=REFS))


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
    "truncated": GOLDEN.read_bytes().split(b"chosen())")[0],
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_file_that_is_no_notebook_of_ours_is_left_alone(tmp_path, content):
    path = tmp_path / "sample_nb.py"
    path.write_bytes(content)
    for act in (prepare, write_notebook):
        with pytest.raises(NotebookError):
            act(path, sample_spec())
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [DAMAGED["not Python"], DAMAGED["not UTF-8"], DAMAGED["not ours"]])
def test_force_replaces_any_file_and_keeps_a_copy(tmp_path, content):
    path = tmp_path / "sample_nb.py"
    path.write_bytes(content)
    prepare(path, sample_spec(), force=True)
    result = write_notebook(path, sample_spec(), force=True)
    assert path.read_text() == generate(sample_spec())
    assert result.backup.read_bytes() == content


@pytest.mark.parametrize("name", ["random.py", "notes.txt", "folder_nb.py"])
def test_a_target_that_cannot_be_a_notebook_is_refused_before_a_launch(tmp_path, name):
    (tmp_path / "folder_nb.py").mkdir()
    with pytest.raises(NotebookError, match=r"Name (it like|a file)"):
        prepare(tmp_path / name, sample_spec())


def test_a_target_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotebookError, match=r"cannot be written: a part of its path is a file. Name another folder"):
        prepare(tmp_path / "file" / "sample_nb.py", sample_spec())
