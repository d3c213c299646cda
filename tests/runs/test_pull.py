"""Runs copied from a cluster's folder."""

from __future__ import annotations

import os

import pytest

from experiments.project.errors import StoreError, UsageError
from experiments.project.files import try_lock
from experiments.runs.offline.store import OfflineStore
from experiments.runs.transfer import pull as pulling
from experiments.runs.transfer.pull import pull_runs, runs_in
from tests.fakes import wandb_files as fake
from tests.fakes.cases import case_copy


@pytest.fixture
def share(tmp_path):
    """A run on the share with a W&B file of two rows, a checkpoint and a log."""
    root = tmp_path / "share"
    fake.offline_run(root, "r").write(fake.run("r")).log({"a": 1}, {"a": 2})
    (root / "r" / "checkpoints").mkdir()
    (root / "r" / "checkpoints" / "step_5.npz").write_bytes(b"x" * 3_000_000)
    (root / "r" / "train.log").write_text("hello\n")
    return root


def pull(share, tmp_path, *names, **more):
    return pull_runs(names or ["r"], share, tmp_path / "runs", **more)


def test_a_run_is_copied_whole_and_once(share, tmp_path):
    [first] = pull(share, tmp_path)
    assert (first.copied, first.kept, first.problems) == (3, 0, [])
    assert OfflineStore(tmp_path / "runs").history("r")[0]["a"].tolist() == [1.0, 2.0]
    assert (tmp_path / "runs" / "r" / "train.log").stat().st_mode & 0o077 == 0
    inode = (tmp_path / "runs" / "r" / "train.log").stat().st_ino
    [second] = pull(share, tmp_path)
    assert (second.copied, second.kept, second.size) == (0, 3, 0)
    assert (tmp_path / "runs" / "r" / "train.log").stat().st_ino == inode


def test_a_file_of_two_names_is_copied_once_and_has_both_here_also_after_it_changed(share, tmp_path):
    folder = share / "r" / "replays"
    folder.mkdir()
    for content, size in ((b"old", 3), (b"newer", 5)):
        for path in folder.iterdir():
            path.unlink()
        (folder / "one").write_bytes(content)
        (folder / "two").hardlink_to(folder / "one")
        (folder / "other").write_bytes(content)
        here = tmp_path / "runs" / "r" / "replays"
        before = sum(path.stat().st_size for path in share.rglob("*.*") if path.is_file())
        [result] = pull(share, tmp_path)
        assert result.size == 2 * size + (before if content == b"old" else 0)
        assert [(here / name).read_bytes() for name in ("one", "two", "other")] == [content] * 3
        assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []
    assert not (here / "other").samefile(here / "one")


def test_only_what_is_new_is_copied_later(share, tmp_path):
    pull(share, tmp_path)
    (share / "r" / "checkpoints" / "step_5.npz").unlink()
    (share / "r" / "checkpoints" / "step_9.npz").write_bytes(b"y")
    with (share / "r" / "train.log").open("a") as file:
        file.write("more\n")
    [again] = pull(share, tmp_path)
    assert (again.copied, again.size) == (2, 12)
    assert sorted(path.name for path in (tmp_path / "runs/r/checkpoints").iterdir()) == ["step_5.npz", "step_9.npz"]


def test_a_store_that_read_the_copy_goes_on_with_the_next_one(share, tmp_path):
    pull(share, tmp_path)
    store = OfflineStore(tmp_path / "runs")
    cursor = store.poll(["r"], ["a"])["r"].cursor
    writer = fake.offline_run(share, "r")
    writer.step = 2
    writer.log({"a": 3})
    pull(share, tmp_path)
    update = store.poll(["r"], ["a"], {"r": cursor})["r"]
    assert update.rows["a"][-1] == (2, 3.0)
    assert len(store.history("r")[0]) == 3


def test_links_and_what_is_no_file_are_refused_and_the_rest_is_copied(share, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("k")
    (share / "r" / "outside").symlink_to(tmp_path / "secret")
    (share / "r" / "key").symlink_to(tmp_path / "secret" / "key")
    os.mkfifo(share / "r" / "pipe")
    [result] = pull(share, tmp_path)
    assert result.problems == ["key: a link, not followed", "outside: a link, not followed", "pipe: not a plain file"]
    assert result.copied == 3
    assert not any("key" in path.name for path in (tmp_path / "runs").rglob("*"))


def test_a_folder_that_becomes_a_link_between_looking_and_copying_is_not_followed(share, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "step_5.npz").write_bytes(b"k")
    checkpoints = share / "r" / "checkpoints"

    def swap(_):
        if not checkpoints.is_symlink():
            checkpoints.rename(share / "moved")
            checkpoints.symlink_to(tmp_path / "secret")

    [result] = pull(share, tmp_path, on_progress=swap)
    assert [problem.partition(":")[0] for problem in result.problems] == ["checkpoints/step_5.npz"]
    assert not (tmp_path / "runs" / "r" / "checkpoints" / "step_5.npz").exists()


@pytest.mark.parametrize("name", ["..", "", "a/b", "../r", "absent", "link"])
def test_a_name_that_is_no_run_there_is_refused_before_anything_is_copied(share, tmp_path, name):
    (share / "link").symlink_to(share / "r")
    with pytest.raises(UsageError, match="run"):
        pull(share, tmp_path, "r", name)
    assert not (tmp_path / "runs").exists()


def test_records_of_this_machine_and_files_being_written_are_never_taken(share, tmp_path):
    for name in ("job.json", "lock", "spec.json", ".step_9.npz.77.tmp"):
        (share / "r" / name).write_text("{}")
    pull(share, tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs" / "r").glob("[!.]*")) == [
        "checkpoints",
        "train.log",
        "wandb",
    ]


def test_an_online_run_is_left_to_its_server(share, tmp_path):
    fake.offline_run(share, "r", offline=False, stamp="20260105_120000").log({"a": 1})
    assert pull(share, tmp_path)[0].copied == 3


def test_nobody_ever_sees_a_part_of_a_file(share, tmp_path, monkeypatch):
    monkeypatch.setattr(pulling, "_CHUNK", 100_000)
    target, seen = tmp_path / "runs" / "r" / "checkpoints" / "step_5.npz", set()

    def look(*_):
        seen.add(target.stat().st_size if target.exists() else None)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (look(), fsync(descriptor)))
    pull(share, tmp_path, on_progress=look)
    assert seen == {None, 3_000_000}
    assert not list((tmp_path / "runs").rglob("*.pull"))


def test_two_pulls_of_one_run_do_not_meet_and_one_that_was_killed_leaves_nothing(share, tmp_path):
    target = tmp_path / "runs" / "r"
    (target / "checkpoints").mkdir(parents=True)
    (target / "checkpoints" / ".step_1.npz.pull").write_bytes(b"half")
    lock = try_lock(target / ".pull.lock")
    assert pull(share, tmp_path)[0].problems == ["another pull copies it at this moment"]
    os.close(lock)
    assert pull(share, tmp_path)[0].problems == []
    assert not list(target.rglob("*.pull"))


def test_too_little_room_is_said_before_a_run_is_copied(share, tmp_path, monkeypatch):
    monkeypatch.setattr(pulling, "_MARGIN", 1 << 60)
    with pytest.raises(StoreError, match=r"run 'r' needs 0\.0 GB and .* GB left\. .*experiments gc"):
        pull(share, tmp_path)


def test_a_root_that_is_not_mounted_says_how_to_go_on(tmp_path):
    with pytest.raises(StoreError, match=r"cannot be read here .*--from DIR"):
        runs_in(tmp_path / "absent")


def test_progress_ends_where_it_said_it_would(share, tmp_path):
    told = []
    pull(share, tmp_path, on_progress=told.append)
    assert (told[0].done, told[-1].done) == (0, told[-1].total)
    assert [at.done for at in told] == sorted(at.done for at in told)


def test_a_dot_wandb_folder_is_pulled_and_hidden_files_in_it_are_not(tmp_path):
    root, runs = tmp_path / "root", tmp_path / "runs"
    case_copy("data/sync-dir-suffix", root / "sfx")
    (root / "sfx" / "wandb").rename(root / "sfx" / ".wandb")
    (root / "sfx" / ".wandb" / ".hidden").write_text("half")
    (root / "sfx" / ".wandb" / "run-20260101_120000-online").mkdir()
    (root / "sfx" / ".wandb" / "run-20260101_120000-online" / "run-online.wandb").write_text("old")
    [pulled] = pull_runs(["sfx"], root, runs)
    assert (pulled.copied, pulled.problems) == (1, [])
    assert len(OfflineStore(runs).history("sfx")[0]) == 5
