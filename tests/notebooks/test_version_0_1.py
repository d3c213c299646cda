"""Notebooks that version 0.1 made: they open, run, are read, and can be brought into today's form once.

`version_0_1_nb.py` is one as it wrote it: `learning_rate_study.py version_0_1 --learning-rates 0.003 0.01
--total-timesteps 30000 --no-launch`, and two jobs.
"""

from __future__ import annotations

import ast
import dataclasses
import shutil
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pandas as pd
import pytest

from experiments.notebooks.data_cells import add_jobs, read_config, read_jobs, read_journal
from experiments.notebooks.generation import write_notebook
from experiments.notebooks.layout import canonical, parse, read_text
from experiments.notebooks.remaking_0_1 import SHOWN_BY
from experiments.notebooks.shared import chart_widget
from experiments.notebooks.template import SECTIONS, NotebookSpec, template
from experiments.notebooks.version_0_1 import curve_controls, follow_chart, note_metrics, standing_out
from experiments.recipes.learning_rate_study import LearningRateStudy, LearningRateStudyConfig
from experiments.types import JobRef
from tests.fakes.charted import refs, write_run
from tests.fakes.studies import Study
from tests.notebooks.specs import VERSION_0_1

RUNS = ["ann.version_0_1.rate-0_003.s10.aaaaaaaa", "ann.version_0_1.rate-0_01.s10.bbbbbbbb"]


@pytest.fixture
def path(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    return shutil.copy(VERSION_0_1, tmp_path / "version_0_1_nb.py")


@pytest.fixture
def study(tmp_path):
    made = Study(tmp_path)
    for job in refs():
        write_run(made.workspace.runs, job, 2.0)
    return made.context


def remade(path, **options):
    root = path.parent
    spec = NotebookSpec(
        "version_0_1", LearningRateStudyConfig(), tuple(SECTIONS), root=root, journal=LearningRateStudy.journal()
    )
    force = options.pop("force", False)
    return write_notebook(path, dataclasses.replace(spec, **options), force=force)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def today():
    """Return today's cells but for that of a search, of which version 0.1 had none."""
    return [cell.name for cell in template().cells if cell.name != "search"]


def names(path):
    return [cell.name for cell in parse(read_text(path), path).cells]


def test_the_names_that_those_notebooks_import_are_where_they_import_them():
    [setup] = [node for node in ast.parse(VERSION_0_1.read_text()).body if isinstance(node, ast.With)]
    taken = [
        (node.module, alias.name) for node in setup.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    assert len(taken) == 58
    assert [(module, name) for module, name in taken if not hasattr(import_module(module), name)] == []


def test_such_a_notebook_runs(path):
    done = subprocess.run([sys.executable, str(path)], cwd=path.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_its_jobs_config_and_journal_are_read_and_jobs_are_added(path):
    assert [ref.run for ref in read_jobs(path)] == RUNS
    assert read_config(path) == {"learning_rates": (0.003, 0.01), "total_timesteps": 30000}
    assert read_journal(path) == LearningRateStudy.journal()
    before = path.read_text()
    add_jobs(path, [JobRef(run="c")])
    assert path.read_text() == before.replace(
        "    ]\n    return (jobs,)", '        JobRef(run="c"),\n    ]\n    return (jobs,)'
    )


def test_it_is_brought_into_todays_form_once_with_its_data_and_a_backup(path):
    before = path.read_text()
    result = remade(path, jobs=[JobRef(run="c")])
    assert result.backup.read_text() == before
    assert "note: made by version 0.1: 12 cells of this version stand for 49 of that" in result.report()
    assert names(path) == today()
    assert [ref.run for ref in read_jobs(path)] == [*RUNS, "c"]
    assert read_config(path) == {"learning_rates": (0.003, 0.01), "total_timesteps": 30000}
    assert path.read_text().startswith("import marimo\n")
    assert len(parse(read_text(path), path).setup.splitlines()) <= 8
    assert canonical(path.read_text()) == path.read_text()
    assert remade(path).changed is False


def test_what_was_edited_or_added_stays_with_what_it_reads_and_works(path):
    mine = "@app.cell\ndef _(tracked_jobs):\n    print(len(tracked_jobs), 'mine')\n    return\n\n\n"
    edit(path, "@app.cell\ndef plan_inputs", f"{mine}@app.cell\ndef plan_inputs")
    edit(path, "def code(experiment, tracked_jobs):\n", "def code(experiment, tracked_jobs):\n    print('edited')\n")
    result = remade(path)
    assert set(result.kept) == {"code", "tracked", "opened", "launch_count"}
    assert "'mine'" in path.read_text() or '"mine"' in path.read_text()
    done = subprocess.run([sys.executable, str(path)], cwd=path.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split("\n")) >= {"2 mine", "edited"}
    assert remade(path).changed is False


def test_an_edited_cell_that_is_called_as_one_of_today_stays_and_is_a_conflict(path):
    edit(path, "    verdict_view(experiment", "    1 + 1\n    verdict_view(experiment")
    result = remade(path)
    assert [conflict.cell for conflict in result.conflicts] == ["verdict"]
    assert {"log_data", "tracked"} <= set(result.kept)
    assert "study.verdict()" not in path.read_text()


def test_an_edited_cell_stays_beside_the_one_of_today_that_shows_the_same(path):
    edit(path, "    job_table = job_monitor(", "    1 + 1\n    job_table = job_monitor(")
    result = remade(path)
    assert "monitor_table" in result.kept
    assert {"monitor", "monitor_table"} <= set(names(path))


def test_a_section_that_was_left_out_or_deleted_stays_out(path):
    for name in (*SHOWN_BY["replay"], *SHOWN_BY["export"]):
        text = path.read_text()
        start = text.index(f"@app.cell\ndef {name}(")
        path.write_text(text[:start] + text[text.index("\n\n\n", start) + 3 :])
    remade(path)
    assert not {"replay", "export"} & set(names(path))
    remade(path, asked=("replays",))
    assert "replay" in names(path)


def test_force_takes_all_generated_cells_and_keeps_data_and_own_cells(path):
    edit(path, "    job_table = job_monitor(", "    1 + 1\n    job_table = job_monitor(")
    edit(
        path,
        "@app.cell\ndef plan_inputs",
        "@app.cell\ndef _():\n    'mine'\n    return\n\n\n@app.cell\ndef plan_inputs",
    )
    remade(path, force=True)
    assert [name for name in names(path) if name != "_"] == today()
    assert "mine" in path.read_text()
    assert [ref.run for ref in read_jobs(path)] == RUNS


def test_a_renamed_file_is_said_to_be_of_another_experiment(path):
    other = path.rename(path.with_name("other_nb.py"))
    result = remade(other, name="other")
    assert "it was of experiment 'version_0_1'; now it is of 'other', as its file is called" in result.report()


def test_comments_at_its_head_stay_and_the_block_goes(path):
    path.write_text(f"# my remark\n{path.read_text()}")
    remade(path)
    assert path.read_text().startswith("# my remark\n\nimport marimo\n")


def test_every_cell_of_version_0_1_is_known_and_each_of_today_stands_for_some():
    old = {cell.name for cell in parse(VERSION_0_1.read_text(), VERSION_0_1).cells}
    assert {name for shown in SHOWN_BY.values() for name in shown} <= old
    assert set(SHOWN_BY) == set(today()) - {"config", "journal", "jobs"}


def test_brush_and_click_are_passed_on_once_and_a_zoom_passes_on_nothing(study):
    view, controls, told = chart_widget(study, can_select=True), curve_controls(study, refs()), []

    def follow():
        follow_chart(view, study, refs(), controls, lambda runs: told.append(len(runs)), told.append)

    follow()
    view.widget.set_state({"brush": {"x": [0, 2e5], "y": [-9, 99]}})
    follow()
    view.widget.set_state({"zoom": [1.0, 2.0]})
    follow()
    view.widget.set_state({"clicked": {"run": refs()[0].run, "x": 48_000.4, "nonce": "1"}})
    follow()
    follow()
    view.widget.set_state({"brush": {}})
    follow()
    view.widget.set_state({"clicked": {"run": "", "x": 0, "nonce": "2"}})
    follow()
    assert told == [9, (refs()[0].run, 48_000), 0, None]


def test_selected_rows_stand_out_before_brushed_runs_and_those_before_a_click():
    rows = SimpleNamespace(value=pd.DataFrame({"run_name": ["a"]}))
    assert standing_out(rows, ("b",), ("c", 1)) == ["a"]
    assert standing_out(None, ("b",), ("c", 1)) == ["b"]
    assert standing_out(None, (), ("c", 1)) == ["c"]
    assert standing_out(None, (), None) == []


def test_a_brush_around_nothing_is_taken_back(study):
    view = chart_widget(study, can_select=True)
    view.widget.set_state({"brush": {"x": [0, 1], "y": [1e6, 1e7]}})
    follow_chart(view, study, refs(), curve_controls(study, refs()), lambda _: None, lambda _: None)
    assert view.widget.brush == {}


def test_controls_that_are_made_again_keep_what_was_chosen(study):
    first = curve_controls(study, refs())
    first._update({"metric": ["losses/entropy"], "smoothing": 3, "log": True})
    again = curve_controls(study, refs()).value
    assert (again["metric"], again["smoothing"], again["log"]) == ("losses/entropy", 2.0, True)
    assert curve_controls(study, []).value["metric"] == "overview/reward"


def test_metrics_are_told_once(study):
    told = []
    note_metrics(study, refs(), (), told.append)
    assert "losses/entropy" in told[0]
    note_metrics(study, refs(), told[0], told.append)
    note_metrics(study, [], told[0], told.append)
    assert len(told) == 1
