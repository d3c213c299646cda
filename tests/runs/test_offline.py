"""Runs of this machine."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from experiments.project.errors import StoreError
from experiments.project.trainers.value import Metrics
from experiments.runs.offline.joined import JoinedLog
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery, columns_of
from experiments.wandb_utils import find_training_jobs
from tests.fakes import wandb_files as fake
from tests.fakes.cases import CASES, case_copy


def test_a_poll_returns_only_what_is_new(tmp_path):
    store = OfflineStore(tmp_path)
    writer = fake.offline_run(tmp_path, "a.b.c.s0.xyz").write(fake.run("a.b.c.s0.xyz", {"lr": 1}))
    writer.log({"loss": 2.0}, {"loss": 1.0, "rare": 5})
    first = store.poll(["a.b.c.s0.xyz", "absent"], ["loss", "rare"])
    assert list(first) == ["a.b.c.s0.xyz"]
    update = first["a.b.c.s0.xyz"]
    assert update.rows == {"loss": [(0, 2.0), (1, 1.0)], "rare": [(1, 5.0)]}
    assert (update.info.user, update.info.config, update.info.state) == ("a", {"lr": 1}, "running")
    writer.log({"loss": 0.5})
    second = store.poll(["a.b.c.s0.xyz"], ["loss"], {"a.b.c.s0.xyz": update.cursor})["a.b.c.s0.xyz"]
    assert second.rows == {"loss": [(2, 0.5)]}
    assert second.version != update.version


def test_twice_the_runs_are_found_by_name_with_twice_the_work(tmp_path):
    names = [f"r{number}" for number in range(120)]
    for name in names:
        fake.offline_run(tmp_path, name).write(fake.run(name, {"lr": 1}))

    def calls(wanted):
        made, store = [0], OfflineStore(tmp_path)

        def count(_frame, event, _argument):
            made[0] += event == "call"

        sys.setprofile(count)
        try:
            found = store.find(RunQuery(names=wanted, limit=None))
        finally:
            sys.setprofile(None)
        assert sorted(info.name for info in found) == sorted(wanted)
        return made[0]

    calls(names)  # what is imported and kept at the first use is no part of it
    assert calls(names) < 2.2 * calls(names[:60])


def test_a_cursor_of_another_process_is_understood(tmp_path):
    fake.offline_run(tmp_path, "r").log({"a": 1}, {"a": 2})
    cursor = OfflineStore(tmp_path).poll(["r"], [])["r"].cursor
    update = OfflineStore(tmp_path).poll(["r"], ["a"], {"r": cursor})["r"]
    assert update.rows == {"a": []}
    assert not update.reset


def test_a_replaced_run_is_reset(tmp_path):
    store = OfflineStore(tmp_path)
    writer = fake.offline_run(tmp_path, "r").log({"a": 1})
    cursor = store.poll(["r"], ["a"])["r"].cursor
    other = fake.LogWriter(tmp_path / "other").log({"a": 10}, {"a": 20})
    other.path.replace(writer.path)
    update = store.poll(["r"], ["a"], {"r": cursor})["r"]
    assert update.reset
    assert update.rows == {"a": [(0, 10.0), (1, 20.0)]}


def test_a_resumed_run_is_one_run_with_ascending_steps(tmp_path):
    fake.offline_run(tmp_path, "r", stamp="20260101_120000").write(fake.run("r", {"lr": 1})).log({"a": 1}, {"a": 2})
    later = fake.offline_run(tmp_path, "r", stamp="20260102_120000", began=1.8e9)
    later.write(fake.run("r", started_at=1.8e9)).log({"a": 3})
    store = OfflineStore(tmp_path)
    frame, origin = store.history("r")
    assert frame["_step"].tolist() == [0, 1, 2]
    assert frame["a"].tolist() == [1.0, 2.0, 3.0]
    assert origin.damage == "start 2 of 2 counts its steps anew: shown 2 later"
    assert store.poll(["r"], ["a"])["r"].rows == {"a": [(0, 1.0), (1, 2.0), (2, 3.0)]}


def test_a_second_start_while_polling_adds_rows(tmp_path):
    store = OfflineStore(tmp_path)
    fake.offline_run(tmp_path, "r", stamp="20260101_120000").log({"a": 1})
    cursor = store.poll(["r"], ["a"])["r"].cursor
    fake.offline_run(tmp_path, "r", stamp="20260102_120000").log({"a": 2})
    update = store.poll(["r"], ["a"], {"r": cursor})["r"]
    assert (update.rows, update.reset) == ({"a": [(1, 2.0)]}, False)


@pytest.mark.parametrize(
    ("code", "job", "age", "state"),
    [
        (0, None, 0, "finished"),
        (3, None, 0, "failed"),
        (None, None, 0, "running"),
        (None, None, 3600, "crashed"),
        (None, {"pid": 1}, 3600, "running"),
        (None, {"pid": 1, "ended_at": 5.0}, 0, "crashed"),
    ],
)
def test_the_state_is_the_exit_records_else_the_jobs(tmp_path, code, job, age, state):
    writer = fake.offline_run(tmp_path, "r").write(fake.run("r"))
    if code is not None:
        writer.write(fake.exit_record(code))
    if job is not None:
        (tmp_path / "r" / "job.json").write_text(json.dumps(job))
    os.utime(writer.path, (time.time() - age, time.time() - age))
    assert OfflineStore(tmp_path).poll(["r"], [])["r"].info.state == state


def test_find_filters_and_orders(tmp_path):
    for number, tag in enumerate(["x", "y", "x"]):
        name = f"r{number}"
        fake.offline_run(tmp_path, name).write(fake.run(name, {"lr": number}, tags=[tag], started_at=1e9 + number))
    store = OfflineStore(tmp_path)
    assert [info.name for info in store.find(RunQuery())] == ["r2", "r1", "r0"]
    assert [info.name for info in store.find(RunQuery(tags_any=["x"], order="created_at"))] == ["r0", "r2"]
    assert [info.name for info in store.find(RunQuery(config={"lr": {"$gt": 0}}, limit=1))] == ["r2"]
    assert store.find(RunQuery(names=["r1"]))[0].tags == ("y",)


def test_logs_come_from_the_runs_own_file_first(tmp_path):
    fake.offline_run(tmp_path, "r").write(fake.console("from W&B\n"))
    store = OfflineStore(tmp_path)
    assert store.logs("r") == ["from W&B"]
    (tmp_path / "r" / "train.log").write_text("one\nbar 1\rbar 2\nthree\n")
    assert store.logs("r") == ["one", "bar 2", "three"]
    assert store.logs("r", last=2) == ["bar 2", "three"]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({}, ["https://docs", "https://v/?file=https%3A%2F%2Fh%2Fa.zip&x=1"]),  # of any page the first link
        ({"replays": ("eval/*",)}, ["https://v/?file=https%3A%2F%2Fh%2Fa.zip&x=1", "https://more"]),
        ({"replays": ("eval/*",), "replay_links": ("https://v/?file={url}",)}, ["https://h/a.zip"]),
        ({"replays": ("eval/[x]", "paper")}, ["https://docs"]),
        ({"replays": ("none",)}, []),
    ],
)
def test_pages_of_replays_are_those_that_the_trainer_names(tmp_path, named, found):
    writer = fake.offline_run(tmp_path, "r")
    pages = {
        "paper": '<a href="https://docs">paper</a>',
        "eval/episode": '<a href="https://v/?file=https%3A%2F%2Fh%2Fa.zip&amp;x=1">a</a><a href="https://more">b</a>',
    }
    for number, (key, text) in enumerate(pages.items()):
        page = writer.path.parent / "files" / "media" / "html" / f"{number}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
        writer.log({key: {"_type": "html-file", "path": f"media/html/{number}.html", "size": 5}})
    urls = [replay.url for replay in OfflineStore(tmp_path).replays("r", Metrics(**named))]
    assert urls == found


def test_replays_are_files_and_logged_links(tmp_path):
    writer = fake.offline_run(tmp_path, "r")
    media = {"_type": "html-file", "path": "media/html/link.html", "size": 5}
    writer.log({"a": 1}, {"replays/link": media})
    page = writer.path.parent / "files" / "media" / "html" / "link.html"
    page.parent.mkdir(parents=True)
    page.write_text('<a href="https://host/x.json.z">replay</a><a href="javascript:alert(1)">no</a>')
    (tmp_path / "r" / "replays").mkdir()
    (tmp_path / "r" / "replays" / "step_500.json.z").write_bytes(b"")
    (tmp_path / "r" / "replays" / "step_90.json.z").write_bytes(b"")
    (tmp_path / "r" / "replays" / "other.txt").write_bytes(b"")
    copies = writer.path.parent / "files" / "replays"
    copies.mkdir()
    (copies / "step_90.json.z").write_bytes(b"")
    (copies / "step_700.json.z").write_bytes(b"")
    found = [(replay.step, replay.path is not None, replay.url) for replay in OfflineStore(tmp_path).replays("r")]
    assert OfflineStore(tmp_path).replays("r")[1].path == str(tmp_path / "r" / "replays" / "step_90.json.z")
    assert found == [(1, False, "https://host/x.json.z"), (90, True, None), (500, True, None), (700, True, None)]


def test_an_unknown_run_is_named(tmp_path):
    with pytest.raises(StoreError, match="'nobody' has no W&B file"):
        OfflineStore(tmp_path).history("nobody")
    assert OfflineStore(tmp_path / "missing").find(RunQuery()) == []


def test_a_job_that_left_wandb_nothing_has_no_rows_and_one_whose_files_were_deleted_is_not_known(tmp_path):
    for name in ("silent", "deleted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "job.json").write_text("{}")
    (tmp_path / "deleted" / "wandb").mkdir()
    frame, origin = OfflineStore(tmp_path).history("silent", ["loss"])
    assert (len(frame), origin.rows, origin.complete, origin.absent) == (0, 0, True, ("loss",))
    assert origin.words == "no W&B file is in its folder"
    with pytest.raises(StoreError, match="'deleted' has no W&B file"):
        OfflineStore(tmp_path).history("deleted", ["loss"])


def test_a_directory_deleted_while_reading_keeps_the_last_data(tmp_path):
    store = OfflineStore(tmp_path)
    fake.offline_run(tmp_path, "r").write(fake.run("r", tags=["t"])).log({"a": 1})
    cursor = store.poll(["r"], ["a"])["r"].cursor
    shutil.rmtree(tmp_path / "r")
    update = store.poll(["r"], ["a"], {"r": cursor})["r"]
    assert (update.rows, update.info.tags) == ({"a": []}, ("t",))
    assert store.history("r")[0]["a"].tolist() == [1.0]


@pytest.mark.slow
def test_ten_thousand_runs_are_found_and_found_again_quickly(tmp_path):
    for number in range(10_000):
        name = f"r{number}"
        fake.offline_run(tmp_path, name).write(fake.run(name, {"lr": number}, started_at=1e9 + number))
    store = OfflineStore(tmp_path)
    assert [info.name for info in store.find(RunQuery(config={"lr": {"$gte": 9_998}}))] == ["r9999", "r9998"]
    started = time.process_time()
    assert len(store.find(RunQuery(limit=None))) == 10_000
    assert time.process_time() - started < 2.0


def test_an_unwritten_folder_is_no_run(tmp_path):
    (tmp_path / "r" / "wandb" / "offline-run-20260101_120000-r").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    store = OfflineStore(tmp_path)
    assert store.names() == []
    fake.offline_run(tmp_path, "r").log({"a": 1})
    assert store.names() == ["r"]


def test_an_online_runs_directory_is_read_too(tmp_path):
    fake.offline_run(tmp_path, "r", offline=False).log({"a": 1})
    assert OfflineStore(tmp_path).poll(["r"], ["a"])["r"].rows == {"a": [(0, 1.0)]}


@pytest.mark.parametrize("place", ["", "wandb"])
def test_a_wandb_folder_of_several_runs_is_read_too(tmp_path, place):
    for name, stamp in [("a", "20260101_120000"), ("b", "20260101_120001"), ("a", "20260102_120000")]:
        directory = tmp_path / place / f"offline-run-{stamp}-{name}"
        fake.LogWriter(directory / f"run-{name}.wandb").write(fake.run(name)).log({"x": 1})
    (tmp_path / place / "latest-run").symlink_to(directory)
    store = OfflineStore(tmp_path)
    assert store.names() == ["a", "b"]
    assert [len(store.history(name)[0]) for name in ("a", "b")] == [2, 1]
    assert not store.has("c")


def test_a_name_that_is_a_path_is_no_run(tmp_path):
    fake.offline_run(tmp_path, "r").log({"x": 1})
    store = OfflineStore(tmp_path / "r")
    assert [store.has(name) for name in ("../r", "..", ".", "", "x\0")] == [False] * 5


def test_lost_rows_make_a_frame_incomplete(tmp_path):
    writer = fake.offline_run(tmp_path, "r").log(*({"a": n} for n in range(30)))
    data = bytearray(writer.path.read_bytes())
    data[data.find(b"_runtime", 2000)] ^= 1
    writer.path.write_bytes(data)
    origin = OfflineStore(tmp_path).history("r")[1]
    assert (origin.complete, origin.total, origin.damage) == (False, None, "1 damaged place skipped")


def test_threads_may_share_a_store(tmp_path):
    writer = fake.offline_run(tmp_path, "r").write(fake.run("r"))
    store = OfflineStore(tmp_path)
    stop, problems = threading.Event(), []

    def read():
        cursor = 0
        try:
            while not stop.is_set():
                update = store.poll(["r"], ["a"], {"r": cursor})["r"]
                cursor = update.cursor
                assert [step for step, _ in update.rows["a"]] == sorted(step for step, _ in update.rows["a"])
                store.history("r", ["a"])
                store.find(RunQuery())
        except Exception as error:  # noqa: BLE001 - told below
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        writer.log(*({"a": number} for _ in range(5)))
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(store.history("r", ["a"])[0]) == 300


def test_a_value_logged_as_nan_is_told_from_a_row_without_the_metric(tmp_path):
    log = fake.offline_run(tmp_path, "r")
    log.log({"loss": 1.0, "other": 1}, {"loss": math.nan}, {"other": 2})
    frame, origin = OfflineStore(tmp_path).history("r", ["loss", "other"])
    assert frame["loss"].isna().tolist() == [False, True, True]
    assert origin.nan_steps == {"loss": (1,)}


def test_rows_are_read_once_for_all_who_ask_for_the_same(tmp_path, monkeypatch):
    read, plain = [], JoinedLog.history
    monkeypatch.setattr(JoinedLog, "history", lambda log, keys: read.append(keys) or plain(log, keys))
    writer, store = fake.offline_run(tmp_path, "r").log({"loss": 1.0}, {"loss": math.nan}), OfflineStore(tmp_path)
    first, second = store.history("r", ["loss"]), store.history("r", ["loss"])
    assert read == [["loss"]]
    assert second[0].equals(first[0])
    assert second[1].nan_steps == {"loss": (1,)}
    writer.log({"loss": 3.0})
    assert store.history("r", ["loss"])[0]["loss"].iloc[-1] == 3.0
    assert list(store.history("r", ["other"])[0].columns) == ["_step", "_timestamp", "_runtime"]
    assert len(read) == 3


def test_what_one_writes_to_its_rows_the_next_does_not_see(tmp_path):
    fake.offline_run(tmp_path, "r").log({"loss": 1.0}, {"loss": 2.0})
    store = OfflineStore(tmp_path)
    for _ in range(2):
        frame, _ = store.history("r", ["loss"])
        assert frame["loss"].tolist() == [1.0, 2.0]
        frame.loc[0, "loss"], frame["more"] = 9.0, 1


def test_starts_with_different_metrics_are_joined(tmp_path):
    fake.offline_run(tmp_path, "r", stamp="20260101_120000").log({"a": 1, "same": 1}, {"a": 2, "same": 1})
    fake.offline_run(tmp_path, "r", stamp="20260102_120000").write(fake.run("r"))
    third = fake.offline_run(tmp_path, "r", stamp="20260103_120000")
    third.step = 7
    third.write(fake.stats({"cpu": 5.0}, 1.7e9)).log({"text": "x", "same": 1})
    store = OfflineStore(tmp_path)
    frame, origin = store.history("r")
    assert (frame["_step"].tolist(), origin.damage) == ([0, 1, 7], "")
    assert frame["a"].tolist()[:2] == [1.0, 2.0]
    assert frame["text"].tolist()[2] == "x"
    assert frame["same"].dtype == "float64"
    assert store.log("r").system_metrics()["cpu"].tolist() == [5.0]


def test_a_run_on_a_cluster_is_read_live_where_its_folder_is_seen_from_here(tmp_path):
    share = tmp_path / "share"
    store = OfflineStore(tmp_path / "runs", run_root=share)
    fake.offline_run(tmp_path / "runs", "local").log({"a": 0})
    fake.offline_run(tmp_path / "runs", "r").log({"a": 1})
    assert (store.names(), len(store.history("r")[0])) == (["local", "r"], 1)
    writer = fake.offline_run(share, "r").log({"a": 1}, {"a": 2})
    (share / "r" / "train.log").write_text("on the node\n")
    (share / "r" / "replays").mkdir()
    (share / "r" / "replays" / "step_90.json.z").write_bytes(b"")
    first = store.poll(["r"], ["a"])["r"]
    assert first.rows == {"a": [(0, 1.0), (1, 2.0)]}
    assert (store.logs("r"), [replay.step for replay in store.replays("r")]) == (["on the node"], [90])
    writer.log({"a": 3})
    assert store.poll(["r"], ["a"], {"r": first.cursor})["r"].rows == {"a": [(2, 3.0)]}
    shutil.rmtree(share)
    assert len(store.history("r")[0]) == 3


def test_a_poller_that_held_the_pulled_copy_is_told_to_drop_it(tmp_path):
    store = OfflineStore(tmp_path / "runs", run_root=tmp_path / "share")
    fake.offline_run(tmp_path / "runs", "r").log({"a": 1})
    cursor = store.poll(["r"], ["a"])["r"].cursor
    fake.offline_run(tmp_path / "share", "r").log({"a": 1}, {"a": 2})
    update = store.poll(["r"], ["a"], {"r": cursor})["r"]
    assert (update.reset, update.rows) == (True, {"a": [(0, 1.0), (1, 2.0)]})


@pytest.mark.parametrize(
    ("told", "author"), [('{"username": "ada", "host": "h"}', "ada"), ('{"username": "a', ""), ("[]", ""), (None, "")]
)
def test_the_author_up_to_sdk_0_22_stands_beside_the_records(tmp_path, told, author):
    writer = fake.offline_run(tmp_path, "r").write(fake.run("r")).log({"a": 1})
    if told is not None:
        (writer.path.parent / "files").mkdir()
        (writer.path.parent / "files" / "wandb-metadata.json").write_text(told)
    [info] = OfflineStore(tmp_path).find(RunQuery(names=["r"]))
    assert info.user == author
    assert find_training_jobs(author="ada", runs_dir=tmp_path) == (["r"] if author else [])


def test_two_run_ids_in_the_folder_of_a_job_are_never_one_curve(tmp_path):
    case_copy("data/two-ids-one-folder", tmp_path / "job")
    store = OfflineStore(tmp_path)
    frame, origin = store.history("job")
    assert frame["loss"].tolist() == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert origin.damage == (
        "its folder has runs of 2 ids, none of them its own: shown is the newest, 'rb', and not 'ra'"
    )
    assert store.poll(["job"], ["loss"])["job"].damage == origin.damage
    assert store.names() == ["job", "ra"]
    assert store.history("ra")[0]["loss"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert store.history("rb")[0]["loss"].tolist() == frame["loss"].tolist()


@pytest.mark.parametrize("run", ["ra", "rb"])
def test_a_run_in_the_folder_of_another_is_found_by_its_own_id(tmp_path, run):
    case_copy("data/two-ids-one-folder", tmp_path / "job")
    fake.offline_run(tmp_path, "else").log({"loss": 1})
    assert [info.name for info in OfflineStore(tmp_path).find(RunQuery(names=[run]))] == [run]
    assert OfflineStore(tmp_path).has(run)
    assert OfflineStore(tmp_path).history(run)[1].damage == ""


def test_two_run_ids_in_a_wandb_folder_are_two_runs():
    store = OfflineStore(CASES / "data" / "two-ids-one-folder")
    found = {name: store.history(name)[0]["loss"].tolist() for name in store.names()}
    assert found == {"ra": [0.0, 1.0, 2.0, 3.0, 4.0], "rb": [100.0, 101.0, 102.0, 103.0, 104.0]}


def test_the_run_of_a_jobs_own_id_is_the_jobs_and_the_others_are_named(tmp_path):
    fake.offline_run(tmp_path, "job").write(fake.run("job")).log({"loss": 1})
    fake.offline_run(tmp_path, "job", run_id="eval", stamp="20260102_120000").write(fake.run("eval")).log({"loss": 2})
    store = OfflineStore(tmp_path)
    frame, origin = store.history("job")
    assert (frame["loss"].tolist(), origin.damage) == ([1.0], "")
    assert origin.note == "its folder also has 'eval', of another run id"
    assert store.names() == ["eval", "job"]


def test_a_trainer_that_gives_wandb_an_id_of_its_own_is_read_under_the_jobs_name(tmp_path):
    fake.offline_run(tmp_path, "job", run_id="mine").write(fake.run("mine")).log({"loss": 1})
    store = OfflineStore(tmp_path)
    frame, origin = store.history("job")
    assert (frame["loss"].tolist(), origin.damage) == ([1.0], "")
    assert origin.note == store.poll(["job"], [])["job"].info.note == "its trainer gave W&B the run id 'mine'"
    assert (store.names(), store.has("mine")) == (["job"], True)


def test_the_name_of_a_directory_is_not_the_run_id():
    store = OfflineStore(CASES / "data" / "sync-dir-suffix")
    assert store.names() == ["sfx"]
    assert store.history("sfx")[0]["loss"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_dot_wandb_folder_is_read_like_any_other(tmp_path):
    case_copy("data/sync-dir-suffix", tmp_path / "alone" / "sfx")
    (tmp_path / "alone" / "sfx" / "wandb").rename(tmp_path / "alone" / "sfx" / ".wandb")
    for folder in (tmp_path / "alone", tmp_path / "alone" / "sfx", tmp_path / "alone" / "sfx" / ".wandb"):
        store = OfflineStore(folder)
        assert (store.names(), len(store.history("sfx")[0])) == (["sfx"], 5)


def test_a_start_in_each_of_wandbs_folders_is_one_run(tmp_path):
    fake.offline_run(tmp_path, "r", stamp="20260101_120000").write(fake.run("r")).log({"a": 1})
    later = fake.LogWriter(tmp_path / "r" / ".wandb" / "offline-run-20260102_120000-r" / "run-r.wandb", 1.8e9)
    later.write(fake.run("r", started_at=1.8e9)).log({"a": 2})
    assert OfflineStore(tmp_path).history("r")[0]["a"].tolist() == [1.0, 2.0]


def test_a_fork_names_the_run_and_the_step_that_it_was_forked_from():
    store = OfflineStore(CASES / "data" / "forked")
    frame, origin = store.history("forked")
    assert frame["_step"].tolist() == [11, 12, 13, 14, 15]
    note = "forked from run 'parent' at step 10: the rows before are those of that run"
    assert (origin.damage, origin.note, origin.words) == ("", note, note)
    assert store.poll(["forked"], [])["forked"].info.note == note


REWIND = """
import sys, wandb
quiet = wandb.Settings(x_disable_stats=True, console="off")
for first, more in [(0, {"id": "r"}), (100, {"resume_from": "r?_step=10"})]:
    run = wandb.init(mode="offline", project="p", dir=sys.argv[1], settings=quiet, **more)
    for step in range(15 if first == 0 else 3):
        run.log({"loss": first + step})
    run.finish()
"""


def test_a_rewound_run_of_the_real_sdk_goes_on_from_the_step_that_it_names(tmp_path):
    (tmp_path / "r").mkdir()
    subprocess.run([sys.executable, "-c", REWIND, str(tmp_path / "r")], check=True, capture_output=True, cwd=tmp_path)
    frame, origin = OfflineStore(tmp_path).history("r")
    assert frame["_step"].tolist() == list(range(14))
    assert frame["loss"].tolist() == [*range(11), 100, 101, 102]
    assert (origin.damage, origin.note) == ("", "rewound to step 10")


@pytest.mark.parametrize(("job", "damage"), [({"pid": 1}, ""), ({"pid": 1, "ended_at": 5.0}, "its last record is cut")])
def test_a_torn_tail_without_an_exit_record_is_said_once_the_run_has_ended(tmp_path, job, damage):
    writer = fake.offline_run(tmp_path, "r").write(fake.run("r")).log({"a": 1}, {"a": 2})
    writer.path.write_bytes(writer.path.read_bytes()[:-5])
    (tmp_path / "r" / "job.json").write_text(json.dumps(job))
    store = OfflineStore(tmp_path)
    frame, origin = store.history("r")
    assert (len(frame), origin.damage, store.poll(["r"], [])["r"].damage) == (1, damage, damage)


def test_a_torn_tail_of_a_start_that_another_followed_is_said_with_its_directory(tmp_path):
    first = fake.offline_run(tmp_path, "r").write(fake.run("r")).log({"a": 1}, {"a": 2})
    first.path.write_bytes(first.path.read_bytes()[:-5])
    later = fake.offline_run(tmp_path, "r", stamp="20260102_120000", began=1.8e9).write(fake.run("r", started_at=1.8e9))
    later.step = 1
    later.log({"a": 3})
    assert OfflineStore(tmp_path).history("r")[1].damage == "offline-run-20260101_120000-r: its last record is cut"


@pytest.mark.parametrize("case", sorted(path.name for path in (CASES / "data").iterdir() if path.is_dir()))
def test_the_columns_of_a_run_are_those_of_its_frame(case):
    store = OfflineStore(CASES / "data" / case)
    for name in store.names():
        frame, origin = store.history(name)
        keys = [*map(str, frame), "never logged"]
        frame, origin = store.history(name, keys)
        for _ in range(2):  # the second time they are held
            columns, same = columns_of(store, name, keys)
            assert repr(pd.DataFrame(dict(columns)).to_dict("list")) == repr(frame.to_dict("list"))
            assert list(columns) == list(frame)
            assert dataclasses.replace(same, as_of=0.0) == dataclasses.replace(origin, as_of=0.0)
            assert not any(values.flags.writeable for values in columns.values())


def test_columns_of_a_run_that_goes_on_are_the_new_ones(tmp_path):
    writer = fake.offline_run(tmp_path, "r").log({"a": 1}, {"b": math.nan})
    store = OfflineStore(tmp_path)
    columns, origin = columns_of(store, "r", ["a", "b"])
    assert (columns["_step"].tolist(), origin.nan_steps) == ([0, 1], {"b": (1,)})
    writer.log({"a": 3})
    assert columns_of(store, "r", ["a", "b"])[0]["_step"].tolist() == [0, 1, 2]
    with pytest.raises(StoreError, match="no W&B file"):
        columns_of(store, "absent", ["a"])
