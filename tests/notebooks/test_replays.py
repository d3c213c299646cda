from __future__ import annotations

import re
import shutil

import pytest

from experiments.jobs.watch.snapshots import Snapshot, write_live
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.replays import (
    OPEN_LARGE,
    compare_replays,
    get_available_replays,
    nearest_replay,
    on_page,
    replay_view,
    run_dropdown,
    show_replay,
    step_dropdown,
)
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import ReplayFile
from experiments.types import BaseExperimentConfig, JobRef, JobStatus
from tests.fakes.cases import CASES, case_copy
from tests.fakes.wandb_files import offline_run, run
from widgets.replay import Limits, ReplayViewer

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


def test_a_replay_that_is_only_the_nearest_says_so(tmp_path):
    offline_run(tmp_path, "a").write(run("a"))
    folder = tmp_path / "a" / "replays"
    folder.mkdir()
    for step in (100, 200):
        shutil.copy(CASES / "replays" / "00-base.json.z", folder / f"step_{step}.json.z")
    store = OfflineStore(tmp_path)
    titles = {step: show_replay("a", step, store=store).widget.labels[0] for step in ("first", "last", 200, 160)}
    assert titles["first"].endswith("at 100 agent steps")
    assert titles["last"] == titles[200] == titles["first"].replace("100", "200")
    assert titles[160] == f"{titles[200]}, the nearest to 160"


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
    assert re.search(r"uv run experiments replay inspect \S+/a/replays/step_100\.json\.z", shown.text)


def test_no_run_and_no_replay_are_sentences_that_say_what_to_do(context_with_replays):
    assert "Once one is launched" in replay_view(context_with_replays, None, None).text
    offline_run(context_with_replays.workspace.runs, "b").write(run("b"))
    assert "no replay yet" in replay_view(context_with_replays, "b", None).text
    ended = JobStatus(run_name="b", arm="b", seed=0, verdict="succeeded")
    write_live(context_with_replays.workspace.state / "live", Snapshot(jobs=(ended,)), with_metrics=False)
    assert "no replay, and it has ended" in replay_view(context_with_replays, "b", None).text


def test_the_step_of_a_link_is_not_called_agent_steps():
    stored, link = ReplayFile(1_000, "/r/step_1000.json.z", None, ""), ReplayFile(40, None, "https://e.invalid/r", "")
    assert (stored.when, link.when) == ("1,000 agent steps", "W&B step 40")


def test_the_choice_of_steps_says_what_they_count(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.experiments]\nwandb_mode = "offline"\n')
    context = NotebookContext("x", tmp_path / "x_nb.py", Workspace.find(tmp_path), BaseExperimentConfig())
    case_copy("data/sdk-0.17.9", context.workspace.runs)
    assert list(step_dropdown(context, "old2").options) == ["W&B step 40", "W&B step 20", "W&B step 0"]


def test_a_run_is_compared_with_itself_at_two_steps(tmp_path):
    offline_run(tmp_path, "a").write(run("a"))
    folder = tmp_path / "a" / "replays"
    folder.mkdir()
    for step, name in ((100, "00-base"), (200, "07-nan-reward")):
        shutil.copy(CASES / "replays" / f"{name}.json.z", folder / f"step_{step}.json.z")
    shown = compare_replays("a", "a", "first", other_step="last", store=OfflineStore(tmp_path)).widget
    assert [label.rsplit(" at ", 1)[1] for label in shown.labels] == ["100 agent steps", "200 agent steps"]
    assert shown.data != shown.data_b


def test_what_is_over_a_limit_says_its_size_and_is_opened_where_one_asks_for_it():
    asked = []

    def make(limits):
        asked.append(limits)
        if limits is not Limits.large:
            Limits(objects=1).check("objects", 1_000_000, "the replay has 1,000,000 objects")
        return ReplayViewer()

    shown = on_page(make)
    assert "1,000,000 objects" in shown.text
    assert OPEN_LARGE in shown.text
    assert asked == [Limits.default]
    assert on_page(make, Limits.large).widget.steps == 0
    assert OPEN_LARGE not in on_page(make, Limits(objects=2)).text


def test_limits_may_be_given_where_a_replay_is_asked_for(tmp_path):
    offline_run(tmp_path, "a").write(run("a"))
    folder = tmp_path / "a" / "replays"
    folder.mkdir()
    shutil.copy(CASES / "replays" / "00-base.json.z", folder / "step_100.json.z")
    shown = show_replay("a", store=OfflineStore(tmp_path), limits=Limits(objects=1))
    assert "the replay has 4 objects" in shown.text
