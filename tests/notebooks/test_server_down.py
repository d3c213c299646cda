"""A W&B server that is down breaks no cell: what is here stays, and the reason is said."""

from __future__ import annotations

import html

import pytest

from experiments.errors import StoreError
from experiments.notebooks import context
from experiments.notebooks.analysis import curves_of, metric_dropdown, summary_of
from experiments.notebooks.replays import replay_view, step_dropdown
from experiments.types import BaseExperimentConfig, JobRef
from experiments.workspace import Workspace

JOBS = [JobRef(run="from.another.machine.s0.aaaaaaaa", tracker="lab/maze")]


class DownStore:
    def find(self, query):
        raise StoreError("the W&B server cannot be reached <b>")

    def history(self, run, keys=None):
        raise StoreError("the W&B server cannot be reached")

    def replays(self, run):
        raise StoreError("the W&B server cannot be reached <b>")


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.setattr(context.NotebookContext, "store", property(lambda self: DownStore()))
    workspace = Workspace.find(tmp_path)
    return context.NotebookContext("exp", tmp_path / "exp_nb.py", workspace, BaseExperimentConfig())


def test_every_cell_shows_something_and_none_raises(experiment):
    assert metric_dropdown(experiment, JOBS).value == "overview/reward"
    assert "No values of overview/reward yet" in str(curves_of(experiment, JOBS, None).to_dict())
    assert step_dropdown(experiment, JOBS[0].run).value is None


def test_the_reason_is_said_as_text(experiment):
    for shown in (summary_of(experiment, JOBS), replay_view(experiment, JOBS[0].run, None)):
        assert "cannot be reached &lt;b&gt;" in html.unescape(shown.text)
