"""Decoded history on disk."""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import shutil
from concurrent.futures import ProcessPoolExecutor, wait

import pytest

from experiments.runs import cache as cache_module
from experiments.runs.cache import HistoryCache
from experiments.runs.offline.store import OfflineStore
from experiments.runs.wandb_file.log import RunLog
from tests.fakes import wandb_files as fake

ROW = {"loss": 0.5, "text": "x", "nan": float("nan"), "big": 2**60, "list": [1, {"a": None}], "d": {"x": 1}}


def make(path, rows=3000):
    writer = fake.LogWriter(path).write(fake.run("r", {"lr": float("nan")}, tags=["t"]))
    pad = {"pad": "p" * 300}
    return writer.log(*({**ROW, **pad, "n": n, **({"rare": n} if n % 500 == 0 else {})} for n in range(rows)))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make(tmp_path_factory.mktemp("source") / "run-r.wandb").path


@pytest.fixture
def writer(tmp_path, source):
    shutil.copy(source, tmp_path / "run-r.wandb")
    writer = fake.LogWriter(tmp_path / "run-r.wandb")
    writer.step = 3000
    return writer


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def read(writer, folder, keys=None):
    log = RunLog(writer.path, HistoryCache(folder) if folder else None)
    log.poll()
    return log, log.history(keys)


def same(one, other):
    return repr(one.to_dict("list")) == repr(other.to_dict("list"))


def test_a_cached_read_is_the_same_read(writer, folder):
    plain_log, plain = read(writer, None)
    read(writer, folder)
    log, frame = read(writer, folder)
    assert same(frame, plain)
    assert (log.facts.summary.keys(), log.facts.tags, log.rows) == (plain_log.facts.summary.keys(), ("t",), 3000)
    assert math.isnan(log.facts.config["lr"])
    assert same(read(writer, folder, ["rare", "d.x"])[1], plain[["_step", "_timestamp", "_runtime", "rare", "d.x"]])


def test_reading_goes_on_behind_what_is_cached(writer, folder):
    read(writer, folder)
    writer.log({"n": -1, "loss": "now a text"})
    log, frame = read(writer, folder)
    assert log.rows == 3001
    assert frame["n"].iloc[[0, -1]].tolist() == [0.0, -1.0]
    assert frame["loss"].iloc[[0, -1]].tolist() == [0.5, "now a text"]
    assert log.since(3000, ["n"]) == {"n": [(3000, -1.0)]}


def test_a_growing_run_is_saved_again_after_a_quarter_and_the_old_file_goes(writer, folder):
    log = RunLog(writer.path, HistoryCache(folder))
    log.poll()
    first = list(folder.iterdir())
    writer.log({"n": 0})
    log.poll()
    assert list(folder.iterdir()) == first
    writer.log(*({"pad": "p" * 3000} for _ in range(300)))
    log.poll()
    (second,) = folder.iterdir()
    assert second != first[0]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "gone"])
def test_a_damaged_cache_file_loses_nothing(writer, folder, damage):
    plain = read(writer, None)[1]
    read(writer, folder)
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[-200:-100] = bytes(100)
    file.write_bytes({"cut": data[: len(data) // 2], "flip": data, "empty": b"", "text": b"hello"}.get(damage, b""))
    if damage == "gone":
        file.unlink()
    assert same(read(writer, folder)[1], plain)


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_bits_that_a_disk_lost_are_no_values(writer, folder, seed):
    _, plain = read(writer, None)
    read(writer, folder)
    (file,) = folder.glob("*.parquet")
    chance, content = random.Random(seed), bytearray(file.read_bytes())
    for _ in range(30):
        content[chance.randrange(len(content) - 8)] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    log, frame = read(writer, folder)
    assert same(frame, plain)
    assert math.isnan(log.facts.config["lr"])


def test_deleting_the_cache_while_it_is_in_use_loses_nothing(writer, folder):
    plain = read(writer, None)[1]
    read(writer, folder)
    log = RunLog(writer.path, HistoryCache(folder))
    log.poll()
    shutil.rmtree(folder)
    writer.log({"n": -1})
    assert log.poll() == 1
    assert log.since(2999, ["n"])["n"] == [(2999, 2999.0), (3000, -1.0)]
    assert same(log.history(list(plain.columns)).iloc[:3000], plain)


def test_a_replaced_file_does_not_get_the_old_ones_rows(writer, folder):
    read(writer, folder)
    data = bytearray(writer.path.read_bytes())
    make(writer.path.with_name("other"), rows=2500)
    writer.path.write_bytes(writer.path.with_name("other").read_bytes() + bytes(len(data)))
    assert read(writer, folder)[0].rows == 2500


def test_small_files_are_not_cached(tmp_path, folder):
    read(fake.LogWriter(tmp_path / "run-r.wandb").log(ROW), folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_left_alone(writer, tmp_path):
    (tmp_path / "file").write_text("")
    assert read(writer, tmp_path / "file" / "cache")[0].rows == 3000


def read_five_times(path, folder):
    found = []
    for _ in range(5):
        log = RunLog(path, HistoryCache(folder))
        log.poll()
        found.append((log.rows, float(log.history(["n"])["n"].sum())))
    return found


@pytest.mark.slow
def test_processes_that_write_and_delete_at_once_read_right_values(writer, folder):
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        answers = [pool.submit(read_five_times, writer.path, folder) for _ in range(3)]
        while not all(answer.done() for answer in answers):
            shutil.rmtree(folder, ignore_errors=True)
            wait(answers, timeout=0.05)
    assert [answer.result() for answer in answers] == [[(3000, sum(range(3000)))] * 5] * 3


def test_a_stores_own_runs_are_cached_in_the_state_folder(tmp_path, source):
    (tmp_path / "live").mkdir()
    target = fake.offline_run(tmp_path / "runs", "r").path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    assert len(OfflineStore(tmp_path / "runs").history("r", ["n"])[0]) == 3000
    (file,) = (tmp_path / "cache" / "history").iterdir()
    assert json.dumps(file.name).isascii()
    assert target.stat().st_size > cache_module.MIN_BYTES
