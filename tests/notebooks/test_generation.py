from __future__ import annotations

from experiments.notebooks.generation import add_jobs, generate, read_config, read_jobs, write_notebook
from experiments.notebooks.layout import canonical
from tests.notebooks.specs import REFS, sample_spec


def test_a_generated_notebook_is_what_the_editor_would_save():
    text = generate(sample_spec(jobs=REFS))
    assert canonical(text) == text


def test_jobs_and_config_are_read_back(tmp_path):
    path = tmp_path / "sample_nb.py"
    write_notebook(path, sample_spec(jobs=REFS))
    assert read_jobs(path) == REFS
    assert read_config(path) == {"description": "What a generated notebook looks like"}


def test_added_jobs_change_nothing_but_the_jobs_cell(tmp_path):
    path = tmp_path / "sample_nb.py"
    write_notebook(path, sample_spec(jobs=REFS[:1]))
    before = path.read_text().splitlines()
    assert add_jobs(path, REFS) == (REFS[1],)
    assert read_jobs(path) == REFS
    after = path.read_text().splitlines()
    assert [line for line in before if line not in after] == []
    assert len(after) == len(before) + after.count("    JobRef(") + 8 or len(after) > len(before)


def test_writing_twice_changes_nothing(tmp_path):
    path = tmp_path / "sample_nb.py"
    write_notebook(path, sample_spec(jobs=REFS))
    result = write_notebook(path, sample_spec())
    assert not result.changed
    assert read_jobs(path) == REFS
