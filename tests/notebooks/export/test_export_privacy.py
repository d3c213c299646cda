"""Nothing private and nothing hostile gets out with a log, whatever a notebook shows."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from experiments.notebooks.export.exporting import export_notebook
from experiments.notebooks.export.record import read_record
from tests.fakes.notebooks import write_notebook
from tests.fakes.project import Project

ROOT = Path(__file__).parents[3]
SECRET = "Zx9" + "q7Kd" * 9
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e"
SHOWING = {
    "named": "config = {'api_key': key, 'rate': 0.1}\nconfig",
    "printed": "print(key)\nprint(dict(os.environ))",
    "charted": "alt.Chart(pd.DataFrame({'x': [1, 2], 'note': [key, 'ok']})).mark_point().encode(x='x', tooltip='note')",
    "tabled": "mo.ui.table([{'key': key, 'n': 1}])",
    "worded": "mo.md(f'The key is {key}.')",
    "raised": "raise ValueError(key)",
    "logged": "import sys\nprint(key, file=sys.stderr)",
    "inputs": "mo.ui.text(value=key)",
}
SETUP = """
import os
import altair as alt
import marimo as mo
import pandas as pd
key = os.environ["WANDB_API_KEY"]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything_in(path):
    """Return the text of a log with all that is packed into it."""
    text = path.read_text(encoding="utf-8")
    packed = re.findall(r"H4sI[A-Za-z0-9+/=]{20,}", text)
    return "\n".join([text, *(gzip.decompress(base64.b64decode(part)).decode("utf-8", "replace") for part in packed)])


def test_a_key_in_the_environment_is_in_no_part_of_the_file(here, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    (here / "pyproject.toml").write_text("[tool.experiments]\n")
    done = export_notebook(write_notebook(here / "leaky_nb.py", SHOWING, setup=SETUP))
    assert [problem.partition(":")[0] for problem in done.problems] == ["raised"]
    assert '"note":["***","ok"]' in everything_in(done.path), "the chart's data is not where this test looks"
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode()[:40]):
        assert form not in everything_in(done.path)
        assert form not in str(done)
    assert SECRET not in (done.logbook.read_text() + (here / ".experiments" / "export.log").read_text())


@pytest.mark.slow
def test_a_key_typed_into_the_notebook_is_not_in_its_log(here, monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", SECRET)
    project = Project(here)
    project.run("--no-launch", "--description", "Uses ***")
    notebook = project.notebook()
    notebook.write_text(notebook.read_text().replace("***", SECRET))
    done = export_notebook(notebook, include_code=True)
    assert done.exit_code == 0, done
    assert SECRET not in everything_in(done.path)


@pytest.mark.slow
def test_no_path_of_this_machine_and_no_variable_is_in_a_log(here, monkeypatch):
    monkeypatch.setenv("A_HARMLESS_VARIABLE", "its-value-is-private")
    project = Project(here)
    project.run("--no-launch")
    text = everything_in(export_notebook(project.notebook(), include_code=True).path)
    assert str(here) not in text
    assert str(ROOT) not in text
    assert "its-value-is-private" not in text


def test_hostile_texts_in_every_field_of_the_record_stay_texts(here):
    (here / "pyproject.toml").write_text("[tool.experiments]\n")
    text = json.dumps(f"# {HOSTILE}\n\n**Hypothesis.** {HOSTILE}\n\n**Verdict.** {HOSTILE}")
    bad = f"open({str(here / 'not' / 'there')!r})"
    cells = {"texts": f"mo.md({text})", "bad": f"raise ValueError({json.dumps(HOSTILE)})", "missing": bad}
    done = export_notebook(write_notebook(here / "odd_nb.py", cells, setup="import marimo as mo"))
    assert "onerror" in read_record(done.path).title
    assert "there" in read_record(done.path).problems[1]
    assert str(here) not in everything_in(done.path)
    for page in (done.path, done.logbook):
        assert "<img src=x" not in page.read_text(encoding="utf-8")
