"""A W&B server that is down breaks no cell: what is here stays, and the reason is said."""

from __future__ import annotations

import html

import pytest

from experiments.notebooks import context
from experiments.notebooks.controls import CurveControls
from experiments.notebooks.curves import draw_curves
from experiments.notebooks.replays import replay_view, step_dropdown
from experiments.notebooks.shared import chart_widget
from experiments.notebooks.tables.runs import run_table
from experiments.project.errors import StoreError
from experiments.project.workspace import Workspace
from experiments.types import BaseExperimentConfig, JobRef

JOBS = [JobRef(run="from.another.machine.s0.aaaaaaaa", tracker="lab/maze")]


class DownStore:
    def find(self, query):
        raise StoreError("the W&B server cannot be reached <b>")

    def history(self, run, keys=None):
        raise StoreError("the W&B server cannot be reached")

    def replays(self, run, metrics=None):
        raise StoreError("the W&B server cannot be reached <b>")


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.setattr(context.NotebookContext, "store", property(lambda self: DownStore()))
    workspace = Workspace.find(tmp_path)
    return context.NotebookContext("exp", tmp_path / "exp_nb.py", workspace, BaseExperimentConfig())


def test_every_cell_shows_something_and_none_raises(experiment):
    controls = CurveControls(experiment, lambda: None)
    controls.offer(JOBS)
    assert controls.value["metric"] == "overview/reward"
    chart = draw_curves(chart_widget(experiment), experiment, JOBS, controls)
    assert "The values of return per agent could not be read" in chart.description
    assert "the W&B server cannot be reached" in chart.description
    assert step_dropdown(experiment, JOBS[0].run).value is None


def test_the_reason_is_said_as_text(experiment):
    table = run_table(experiment, JOBS)
    for shown in (table, replay_view(experiment, JOBS[0].run, None)):
        as_markup = html.unescape(shown.text)
        assert "<b>" not in as_markup
        assert "cannot be reached <b>" in html.unescape(as_markup)
