from __future__ import annotations

import pytest

from experiments.jobs import handover
from experiments.jobs.watch.logs import keep_log
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.job_log import log_view
from experiments.project.errors import LaunchError
from experiments.project.workspace import Workspace
from experiments.types import BaseExperimentConfig, JobRef


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = Workspace.find(tmp_path)
    return NotebookContext("exp", tmp_path / "exp_nb.py", workspace, BaseExperimentConfig())


def log_of(experiment, run, text):
    folder = experiment.workspace.runs / run
    folder.mkdir()
    (folder / "train.log").write_text(text)


def test_a_log_is_text_and_never_markup(experiment):
    log_of(experiment, "a", "<script>alert(1)</script>\n")
    shown = log_view(experiment, [JobRef(run="a")], [], 200).text
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_the_selected_job_is_shown_and_without_one_the_newest(experiment):
    log_of(experiment, "a", "from a\n")
    log_of(experiment, "b", "from b\n")
    jobs = [JobRef(run="a"), JobRef(run="b")]
    assert "from b" in log_view(experiment, jobs, [], 200).text
    assert "from a" in log_view(experiment, jobs, ["a"], 200).text


def test_a_long_log_shows_its_end_and_says_so(experiment):
    log_of(experiment, "a", "".join(f"line {i}\n" for i in range(1000)))
    shown = log_view(experiment, [JobRef(run="a")], [], 200).text
    assert "line 999" in shown
    assert "line 799\n" not in shown
    assert "the last 200 lines" in shown


def test_a_huge_line_is_shown_by_its_ends(experiment):
    log_of(experiment, "a", f"begin{'y' * 5_000_000}end\nafter\n")
    shown = log_view(experiment, [JobRef(run="a")], [], 200).text
    assert "beginyyy" in shown
    assert "yyyend\nafter" in shown
    assert "[4,990,008 characters left out]" in shown
    assert len(shown) < 20_000


def test_a_secret_that_a_trainer_printed_is_masked(experiment, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "k3y" * 14)
    log_of(experiment, "a", f"key is {'k3y' * 14}\n")
    assert "k3yk3y" not in log_view(experiment, [JobRef(run="a")], [], 200).text


def test_no_job_and_no_output_are_sentences(experiment):
    assert "Once one is launched" in log_view(experiment, [], [], 200).text


def test_what_a_cluster_was_heard_to_print_is_shown_and_why_there_may_be_more(experiment, monkeypatch):
    def unreachable(_):
        raise LaunchError("the cluster <is> down")

    monkeypatch.setitem(handover.LAUNCHERS, "skypilot", unreachable)
    keep_log(experiment.workspace.runs / "a", ["(a, pid=1) heard"])
    shown = log_view(experiment, [JobRef(run="a", launcher="skypilot", id="1")], [], 200).text
    assert "heard" in shown
    assert "the cluster &lt;is&gt; down (shown is what was read before)" in shown
