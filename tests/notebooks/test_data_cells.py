from __future__ import annotations

import difflib
import subprocess
import sys
import threading

import pytest

from experiments.notebooks.data_cells import add_jobs, read_config, read_jobs
from experiments.notebooks.generation import write_notebook
from experiments.notebooks.layout import canonical
from experiments.project.errors import NotebookError
from experiments.types import JobRef
from tests.notebooks.specs import REFS, ROOT, sample_spec, spec_in

MORE = JobRef(run="ann.sample.base.s2.cccccccc", arm="base", seed=2)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "sample_nb.py"
    write_notebook(path, sample_spec(jobs=REFS))
    return path


def changes(before, after):
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def replaced(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path.read_text()


def test_one_more_job_is_one_more_line(path):
    before = path.read_text()
    assert add_jobs(path, [*REFS, MORE, MORE]) == (MORE,)
    assert changes(before, path.read_text()) == [
        '+        JobRef(run="ann.sample.base.s2.cccccccc", arm="base", seed=2),'
    ]
    assert read_jobs(path) == [*REFS, MORE]
    assert write_notebook(path, sample_spec()).changed is False


def test_known_jobs_change_nothing(path):
    before = path.stat().st_mtime_ns
    assert add_jobs(path, REFS) == ()
    assert path.stat().st_mtime_ns == before


def test_the_first_job_brings_its_import(tmp_path):
    path = tmp_path / "sample_nb.py"
    spec = spec_in(tmp_path)
    write_notebook(path, spec)
    assert "JobRef" not in path.read_text()
    before = path.read_text()
    assert add_jobs(path, [MORE]) == (MORE,)
    assert path.read_text() == canonical(path.read_text())
    assert changes(before, path.read_text())[:2] == [
        "-    from experiments.notebooks import Journal, Rule, open_study",
        "+    from experiments.notebooks import JobRef, Journal, Rule, open_study",
    ]
    assert write_notebook(path, spec).changed is False


def test_edits_elsewhere_even_unsaved_forms_stay_as_they_are(path):
    before = replaced(path, "    # A place for your own", "    x  =   1\n    # A place for your own")
    add_jobs(path, [MORE])
    assert changes(before, path.read_text()) == [
        '+        JobRef(run="ann.sample.base.s2.cccccccc", arm="base", seed=2),'
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    jobs = [\n", "    # Two of five.\n    jobs = [  # all good\n        # the first\n"),
        ('id="4711"),', 'id="4711"),  # diverged, see notes'),
        ("        ),\n    ]", "        )\n    ]"),
        ("        ),\n    ]", "        )  # , last\n    ]"),
        ("        ),\n    ]", "        ),\n        # end\n    ]  # done"),
        ("    jobs = [\n", "    jobs: list[JobRef] = [\n"),
    ],
)
def test_an_edited_list_keeps_its_lines(path, old, new):
    before = replaced(path, old, new)
    assert add_jobs(path, [MORE]) == (MORE,)
    assert read_jobs(path) == [*REFS, MORE]
    removed = [line for line in changes(before, path.read_text()) if line.startswith("-")]
    assert removed in ([], ["-        )"], ["-        )  # , last"])


def test_a_job_removed_by_the_user_is_added_only_if_it_is_launched_again(path):
    replaced(path, '        JobRef(run="ann.sample.base.s0.aaaaaaaa", arm="base", id="4711"),\n', "")
    assert read_jobs(path) == REFS[1:]
    assert add_jobs(path, [MORE]) == (MORE,)
    assert read_jobs(path) == [REFS[1], MORE]


def test_a_list_on_one_line_is_opened(path):
    text = path.read_text()
    start, end = text.index("    jobs = ["), text.index("    return (jobs,)")
    path.write_text(f'{text[:start]}    jobs = [JobRef(run="é", arm="ü"), JobRef(run="b")]\n{text[end:]}')
    add_jobs(path, [MORE])
    assert [ref.run for ref in read_jobs(path)] == ["é", "b", MORE.run]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("load_jobs()", "not a plain list"),
        ("[JobRef(run='a') for _ in 'ab']", "not a plain list"),
        ("[ref]", "it is not a JobRef literal"),
        ("[JobRef(run=name)]", "it is not a JobRef literal"),
        ("[JobRef(run=1)]", "valid string"),
        ("[JobRef(ran='a')]", "required"),
        ("[print('ran')]", "it is not a JobRef literal"),
    ],
)
def test_a_list_that_is_no_longer_literals_is_an_error_and_never_run(path, value, said, capsys):
    text = path.read_text()
    start, end = text.index("    jobs = ["), text.index("    return (jobs,)")
    path.write_text(f"{text[:start]}    jobs = {value}\n{text[end:]}")
    for act in (lambda: read_jobs(path), lambda: add_jobs(path, [MORE])):
        with pytest.raises(NotebookError, match=said) as refused:
            act()
        assert "--theirs jobs" in str(refused.value)
    assert capsys.readouterr().out == ""


def test_a_deleted_jobs_cell_says_how_to_get_it_back(path):
    text = path.read_text()
    start, end = text.index("@app.cell\ndef jobs"), text.index("@app.cell(hide_code=True)\ndef export")
    path.write_text(text[:start] + text[end:])
    with pytest.raises(NotebookError, match=r"has no cell 'jobs'. Bring it back with --theirs jobs"):
        add_jobs(path, [MORE])


def test_a_config_that_is_more_than_literals_is_not_read(path):
    replaced(path, "config = BaseExperimentConfig(", "config = make_config(BaseExperimentConfig, ")
    with pytest.raises(NotebookError, match="cell 'config' is not one assignment of literals"):
        read_config(path)


def test_writers_in_threads_and_processes_lose_no_job(path):
    code = (
        "import sys; from pathlib import Path; from experiments.notebooks.generation import add_jobs\n"
        "from experiments.types import JobRef\n"
        "for n in range(10): add_jobs(Path(sys.argv[1]), [JobRef(run=f'{sys.argv[2]}{n}')])"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=ROOT) for name in "pq"]
    threads = [threading.Thread(target=add_jobs, args=(path, [JobRef(run=f"t{n}")])) for n in range(10)]
    for thread in threads:
        thread.start()
    for waiting in (*threads,):
        waiting.join()
    assert [other.wait() for other in others] == [0, 0]
    wanted = {f"{name}{n}" for name in "pqt" for n in range(10)} | {ref.run for ref in REFS}
    assert {ref.run for ref in read_jobs(path)} == wanted
    assert list(path.parent.iterdir()) == [path]
