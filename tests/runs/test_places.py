"""Where W&B keeps the files of a run, and what a trainer notes of its starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from experiments.runs.offline.places import ATTEMPTS, note_attempt, read_attempts, run_id_of, wandb_files, wandb_folders
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from tests.fakes.wandb_files import offline_run, run


def test_all_starts_are_found_by_time_in_both_of_wandbs_folders_and_named_by_their_files(tmp_path):
    names = [
        "wandb/run-20260102_120000-r",
        ".wandb/offline-run-20260101_120000-r-1",
        "wandb/offline-run-20260103_1-r-sfx",
    ]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run-r.wandb").touch()
    (tmp_path / "wandb" / "latest-run").symlink_to(tmp_path / names[0])
    (tmp_path / "wandb" / "offline-run-20260104_120000-empty").mkdir()
    found = wandb_files(wandb_folders(tmp_path))
    assert [str(path.parent.relative_to(tmp_path)) for path in found] == [names[1], names[0], names[2]]
    assert {run_id_of(path) for path in found} == {"r"}


def test_every_start_is_noted_with_the_step_it_went_on_from(tmp_path):
    note_attempt(tmp_path, 0)
    note_attempt(tmp_path, 6144)
    first, second = read_attempts(tmp_path)
    assert (first.step, second.step, first.host) == (0, 6144, second.host)
    assert 0 < first.at <= second.at


def test_a_torn_line_costs_only_itself(tmp_path):
    note_attempt(tmp_path, 0)
    with (tmp_path / ATTEMPTS).open("a") as file:
        file.write('{"at": 17')
    note_attempt(tmp_path, 9)
    assert [attempt.step for attempt in read_attempts(tmp_path)] == [0, 9]


@pytest.mark.parametrize(
    "line", ["[]", "null", '{"at": "x", "step": 1}', '{"at": NaN, "step": 1}', '{"step": 1}', "\x00"]
)
def test_a_line_that_is_not_understood_is_left_out(tmp_path, line):
    (tmp_path / ATTEMPTS).write_text(f'{line}\n{{"at": 5, "step": 3}}\n')
    assert [attempt.step for attempt in read_attempts(tmp_path)] == [3]


def test_a_folder_that_cannot_be_written_ends_no_training(tmp_path):
    note_attempt(tmp_path / "missing", 0)
    assert read_attempts(tmp_path / "missing") == []


@pytest.mark.parametrize("refused", ["wandb", "offline-run-20260101_120000-r"])
def test_a_folder_that_cannot_be_listed_is_not_one_without_a_file_and_is_read_once_it_can(
    tmp_path, monkeypatch, refused
):
    log = offline_run(tmp_path, "r")
    log.write(run("r"))
    log.log({"overview/reward": 1.0})
    store = OfflineStore(tmp_path)
    listed = os.listdir

    def refusing(path="."):
        if Path(path).name == refused:
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", refusing)
        [info] = store.find(RunQuery(names=["r"]))
        assert "its folder cannot be listed" in info.note
        frame, origin = store.history("r", ["overview/reward"])
        assert (len(frame), origin.complete, origin.damage) == (0, False, "its folder cannot be listed")
        assert "its folder cannot be listed" in store.poll(["r"], ["overview/reward"])["r"].damage
    frame, origin = store.history("r", ["overview/reward"])
    assert (frame["overview/reward"].tolist(), origin.complete, origin.damage) == ([1.0], True, "")


def test_a_file_that_cannot_be_read_is_not_one_without_rows(tmp_path, monkeypatch):
    log = offline_run(tmp_path, "r")
    log.write(run("r"))
    log.log({"overview/reward": 1.0})

    def refusing(*_, **__):
        raise PermissionError(13, "Permission denied")

    store = OfflineStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("builtins.open", refusing)
        origin = store.history("r")[1]
        assert (origin.complete, origin.damage) == (False, "it cannot be read: Permission denied")
    frame, origin = store.history("r", ["overview/reward"])
    assert (frame["overview/reward"].tolist(), origin.damage) == ([1.0], "")
