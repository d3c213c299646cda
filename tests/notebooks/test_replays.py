from __future__ import annotations

import pytest

from experiments.errors import UsageError
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.replays import (
    get_available_replays,
    nearest_replay,
    replay_view,
    run_dropdown,
    step_dropdown,
)
from experiments.runs.offline import OfflineStore
from experiments.runs.store import ReplayFile
from experiments.types import BaseExperimentConfig, JobRef
from experiments.workspace import Workspace
from tests.fakes.wandb_files import offline_run, run

FOUND = [ReplayFile(step, None, None, "") for step in (300, 0, 100)]


@pytest.mark.parametrize(("asked", "step"), [("first", 0), ("last", 300), (100, 100), (290, 300), (50, 0), (9**9, 300)])
def test_the_nearest_replay_is_chosen_and_the_earlier_of_two_as_near(asked, step):
    assert nearest_replay(FOUND, asked).step == step


@pytest.mark.parametrize("asked", ["newest", 1.5, True, None])
def test_a_step_that_is_none_is_refused_with_what_is_allowed(asked):
    with pytest.raises(UsageError, match="'first', 'last' or a number"):
        nearest_replay(FOUND, asked)


@pytest.fixture
def context_with_replays(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = Workspace.find(tmp_path)
    offline_run(workspace.runs, "a").write(run("a"))
    folder = workspace.runs / "a" / "replays"
    folder.mkdir()
    for step in (100, 200, 300):
        (folder / f"step_{step}.json.z").write_bytes(b"damaged")
    return NotebookContext("exp", tmp_path / "exp_nb.py", workspace, BaseExperimentConfig())


def test_replays_are_listed_by_step_with_their_files(tmp_path):
    offline_run(tmp_path, "a").write(run("a"))
    folder = tmp_path / "a" / "replays"
    folder.mkdir()
    for step in (200, 100):
        (folder / f"step_{step}.json.z").write_bytes(b"x")
    found = get_available_replays("a", store=OfflineStore(tmp_path))
    assert [item["step"] for item in found] == [100, 200]
    assert found[0]["filename"].endswith("step_100.json.z")


def test_runs_are_chosen_by_arm_and_seed():
    jobs = [JobRef(run="u.e.base.s0.aaaaaaaa", arm="base"), JobRef(run="u.e.base.s0.bbbbbbbb", arm="base")]
    picker = run_dropdown(jobs)
    assert picker.value == jobs[0].run
    assert len(picker.options) == 2


def test_a_click_on_a_curve_chooses_the_nearest_replay(context_with_replays):
    assert step_dropdown(context_with_replays, "a", near=160).value == 200
    assert step_dropdown(context_with_replays, "a").value == 300


def test_a_damaged_replay_is_a_sentence_in_its_place(context_with_replays):
    shown = replay_view(context_with_replays, "a", 100)
    assert "This replay cannot be shown" in shown.text


def test_no_run_and_no_replay_are_sentences_that_say_what_to_do(context_with_replays):
    assert "Once one is launched" in replay_view(context_with_replays, None, None).text
    offline_run(context_with_replays.workspace.runs, "b").write(run("b"))
    assert "no replay yet" in replay_view(context_with_replays, "b", None).text
