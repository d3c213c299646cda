from __future__ import annotations

import difflib
import subprocess
import sys
import threading

import pytest

from experiments.notebooks.data_cells import add_jobs, read_config, read_jobs
from experiments.notebooks.generation import prepare, write, write_notebook
from experiments.notebooks.layout import canonical
from experiments.project.errors import NotebookError
from experiments.types import JobRef, Metrics
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


def test_what_is_no_seed_says_so_in_its_line_and_a_seed_says_nothing_of_it(path):
    twin = JobRef(run="ann.sample.base.s2r1.cccccccc", arm="base", seed=2, replicate=1, role="replicate")
    before = path.read_text()
    add_jobs(path, [MORE, twin])
    [seed, replicate] = changes(before, path.read_text())
    assert "replicate" not in seed
    assert 'replicate=1, role="replicate"' in replicate
    assert read_jobs(path)[-2:] == [MORE, twin]


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


def test_what_trainers_name_is_said_once_however_many_jobs_have_it(path):
    first, second = Metrics(step="global_step", speed=("SPS",)), Metrics(step="frames")
    refs = [
        JobRef(run=f"ann.sample.base.s{seed}.dddddddd", seed=seed, metrics=metrics)
        for seed, metrics in {3: first, 4: first, 5: second, 6: None}.items()
    ]
    for ref in refs:
        add_jobs(path, [ref])
    assert read_jobs(path)[-4:] == refs
    text = path.read_text()
    assert text.count("Metrics(") == 2
    assert '    _metrics = Metrics(\n        step="global_step",\n        speed=("SPS",),\n    )\n' in text
    assert 'JobRef(run="ann.sample.base.s5.dddddddd", seed=5, metrics=_metrics_2),' in text
    assert add_jobs(path, refs) == ()
    written = write(prepare(path, sample_spec()), [])
    assert not written.conflicts
    assert path.read_text() == text
    assert marimo_finds_nothing(path)


def test_what_an_older_notebook_says_in_the_line_of_each_job_stays_and_is_read(path):
    metrics = Metrics(step="frames")
    line = '        JobRef(run="old", metrics=Metrics(step="frames")),\n'
    replaced(path, "    jobs = [\n", f"    jobs = [\n{line}")
    replaced(path, "import JobRef,", "import JobRef, Metrics,")
    add_jobs(path, [JobRef(run="new", metrics=metrics)])
    assert [ref.metrics for ref in read_jobs(path) if ref.run in {"old", "new"}] == [metrics, metrics]
    assert line in path.read_text()
    assert marimo_finds_nothing(path)


@pytest.mark.parametrize(
    "before", ["_metrics = made()", "_metrics: int = 3", "import os", "_metrics = Metrics(step=print())"]
)
def test_a_name_of_what_is_logged_is_a_literal_too(path, before):
    job = '        JobRef(run="a", metrics=_metrics),\n'
    replaced(path, "    jobs = [\n", f"    {before}\n    jobs = [\n{job}")
    with pytest.raises(NotebookError, match="cell 'jobs'"):
        read_jobs(path)


def marimo_finds_nothing(path):
    command = [sys.executable, "-m", "marimo", "check", "--strict", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return True


def test_what_a_trainer_names_is_kept_with_its_job_and_read_back(path):
    metrics = Metrics(step="global_step", primary="charts/episodic_return", direction="higher", speed=("SPS",), total=9)
    own = JobRef(run="ann.sample.base.s3.dddddddd", arm="base", seed=3, metrics=metrics)
    add_jobs(path, [own])
    assert read_jobs(path)[-1] == own
    text = path.read_text()
    assert "from experiments.notebooks import JobRef, Journal, Metrics" in text
    assert marimo_finds_nothing(path)


def test_jobs_launched_beside_a_new_file_bring_the_import_of_what_their_trainer_names(tmp_path):
    path = tmp_path / "new_nb.py"
    ref = JobRef(run="ann.sample.base.s3.dddddddd", metrics=Metrics(step="global_step"))
    write(prepare(path, sample_spec()), [ref])
    assert read_jobs(path) == [ref]
    text = path.read_text()
    assert "def jobs():" in text
    assert "Metrics" in text.split("@app.cell")[0]
