"""Ended runs, decoded, many in one file."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pyarrow.parquet
import pytest

from experiments.results.scores import scored_runs
from experiments.runs import filters
from experiments.runs import packs as packs_module
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import RunQuery
from experiments.runs.wandb_file import columns
from experiments.runs.wandb_file.framing import LogTail
from experiments.types import JobRef
from tests.fakes import wandb_files as fake

NAMES = [f"ada.study.arm-{number:02d}.s0.aaaaaaaa" for number in range(10)]
OWN = {"_timestamp": 1.7e9, "_runtime": 1.0}
ROWS = [
    {**OWN, "loss": 0.5, "text": "x", "nan": float("nan"), "big": 2**60, "list": [1, {"a": None}], "d": {"x": 1}},
    {**OWN, "loss": 1, "rare": 7, "flag": True},
    {**OWN, "loss": "now a text", "d": {"x": 2.5}},
    {**OWN, "n": 3},
]


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    for number, name in enumerate(NAMES):
        written(folder, name, number)
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def files_read(monkeypatch):
    """The `.wandb` files that were read, each time."""
    read, really = [], LogTail.read
    monkeypatch.setattr(LogTail, "read", lambda self: read.append(Path(self.path).name) or really(self))
    return read


def written(folder, name, number=0, *, ended=True):
    writer = fake.offline_run(folder, name).write(fake.run(name, {"lr": number, "nested": {"x": [1, None]}}))
    writer.log(*ROWS[: 1 + number % 4], *({**OWN, "loss": n, "n": number} for n in range(30)))
    writer.write(fake.summary({"loss": number, "d": {"x": number}}))
    return writer.write(fake.exit_record(0)) if ended else writer


def whole(store, names=NAMES):
    """All that a store says of some runs, after it has packed what it can."""
    frames = [(name, *store.history(name)) for name in names]
    found = store.find(RunQuery(names=names, limit=None))
    rows = [(name, frame.to_dict("list"), origin.words, origin.nan_steps) for name, frame, origin in frames]
    return repr(rows), repr([(info.config, info.summary, info.state, info.tags, info.note) for info in found])


def packs(cache):
    return sorted(cache.glob("pack-*"))


def test_a_second_reading_opens_no_file_of_a_run_that_has_ended_and_says_the_same(runs, cache, files_read):
    plain = whole(OfflineStore(runs))
    assert whole(OfflineStore(runs, cache)) == plain
    assert len(packs(cache)) == 1
    files_read.clear()
    store = OfflineStore(runs, cache)
    before = store.find(RunQuery(names=NAMES, limit=None))
    assert whole(store) == plain
    assert [info.name for info in before] == sorted(NAMES)
    updates = store.poll(NAMES, ["loss", "absent"])
    assert files_read == []
    assert updates == OfflineStore(runs).poll(NAMES, ["loss", "absent"])


def test_what_was_packed_is_not_held_in_memory_by_who_packed_it(runs, cache, files_read):
    store = OfflineStore(runs, cache)
    plain = whole(store)
    held = [store.log(name).history(["n"]) for name in NAMES]
    table = store.log(NAMES[0])._parts[0]._table
    made = {name for name in table.columns if dict.__getitem__(table.columns, name) is not columns._UNMADE}
    assert made == {*OWN, "_step", "n"}
    assert len(held) == len(NAMES)
    assert whole(store) == plain
    assert len(files_read) == 2 * len(NAMES)  # each to its end, once


def test_a_run_that_goes_on_is_read_on(runs, cache, files_read):
    writer = written(runs, "ada.study.arm-99.s0.aaaaaaaa", 3, ended=False)
    names = [*NAMES, "ada.study.arm-99.s0.aaaaaaaa"]
    whole(OfflineStore(runs, cache), names)
    files_read.clear()
    store = OfflineStore(runs, cache)
    whole(store, names)
    assert set(files_read) == {"run-ada.study.arm-99.s0.aaaaaaaa.wandb"}
    writer.log({"loss": -1.0})
    assert store.history(names[-1], ["loss"])[0]["loss"].iloc[-1] == -1.0


@pytest.mark.parametrize("in_use", [True, False], ids=["while a page shows it", "between two readings"])
def test_a_packed_file_that_grew_is_seen(runs, cache, in_use):
    store = OfflineStore(runs, cache)
    whole(store)
    store = OfflineStore(runs, cache)
    if in_use:
        whole(store)
    file = next((runs / NAMES[3]).glob("wandb/*/*.wandb"))
    data = file.read_bytes()
    row = fake.frame([fake.history({"loss": -7.0}, 99)], len(data))
    file.write_bytes(data + row)
    assert store.history(NAMES[3], ["loss"])[0]["loss"].iloc[-1] == -7.0
    assert whole(store) == whole(OfflineStore(runs))


def test_a_packed_file_whose_bytes_were_changed_is_seen_whatever_its_times_say(runs, cache):
    whole(OfflineStore(runs, cache))
    file = next((runs / NAMES[3]).glob("wandb/*/*.wandb"))
    stat, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    with file.open("r+b") as same:
        same.write(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "damaged place" in OfflineStore(runs, cache).history(NAMES[3])[1].damage


def test_a_damaged_file_is_in_no_pack_and_each_reader_says_what_it_lost(runs, cache, files_read):
    file = next((runs / NAMES[3]).glob("wandb/*/*.wandb"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    plain = whole(OfflineStore(runs))
    for _ in range(2):
        files_read.clear()
        assert whole(OfflineStore(runs, cache)) == plain
    assert set(files_read) == {file.name}
    assert "damaged place" in plain[0]


def test_a_replaced_run_does_not_get_the_old_ones_rows(runs, cache):
    whole(OfflineStore(runs, cache))
    file = next((runs / NAMES[3]).glob("wandb/*/*.wandb"))
    other = fake.LogWriter(runs / "other").write(fake.run(NAMES[3])).log({"loss": 10.0}).write(fake.exit_record(0))
    other.path.replace(file)
    assert OfflineStore(runs, cache).history(NAMES[3])[0]["loss"].tolist() == [10.0]


def test_bits_that_a_disk_lost_cost_time_and_nothing_else(runs, cache):
    plain = whole(OfflineStore(runs, cache))
    (pack,) = packs(cache)
    good = pack.read_bytes()
    chance = random.Random(3)
    for _ in range(6):
        for old in packs(cache):
            old.unlink()
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        pack.write_bytes(bad[: chance.choice([len(bad), len(bad) // 2, 0])])
        assert whole(OfflineStore(runs, cache)) == plain
        assert whole(OfflineStore(runs, cache)) == plain


def test_a_pack_of_another_version_is_written_anew(runs, cache, files_read, monkeypatch):
    monkeypatch.setattr(packs_module, "_FORMAT", 0)
    plain = whole(OfflineStore(runs, cache))
    old = packs(cache)
    monkeypatch.undo()
    assert whole(OfflineStore(runs, cache)) == plain
    assert len(packs(cache)) == 1
    assert packs(cache) != old


def test_a_pack_that_is_deleted_while_it_is_in_use_loses_nothing(runs, cache):
    plain = whole(OfflineStore(runs, cache))
    store = OfflineStore(runs, cache)
    store.find(RunQuery(names=NAMES, limit=None))
    for pack in packs(cache):
        pack.unlink()
    assert whole(store) == plain


def test_a_few_runs_are_no_pack_and_many_packs_become_one(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(packs_module, "_MOST_PACKS", 3)
    runs = tmp_path / "runs"
    names = [f"ada.study.arm.s{seed}.aaaaaaaa" for seed in range(40)]
    store = OfflineStore(runs, cache)
    counts = []
    for number, name in enumerate(names):
        written(runs, name, number)
        store.history(name)
        store.find(RunQuery(names=[name]))
        counts.append(len(packs(cache)))
    assert counts[: packs_module._FEWEST + 1] == [0] * (packs_module._FEWEST - 1) + [1, 1]
    assert max(counts) == 3
    assert counts[-1] < 3
    assert whole(OfflineStore(runs, cache), names) == whole(OfflineStore(runs), names)


def test_runs_that_share_few_metrics_are_kept_apart(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(packs_module, "_MOST_COLUMNS", 20)
    runs = tmp_path / "runs"
    for number, name in enumerate(NAMES):
        row = {f"m{number}/{key}": key for key in range(40 if number == 9 else 8)}
        fake.offline_run(runs, name).write(fake.run(name)).log(row, row).write(fake.exit_record(0))
    plain = whole(OfflineStore(runs))
    assert whole(OfflineStore(runs, cache)) == plain
    assert len(packs(cache)) == 5  # of two runs each; the one with forty metrics is in none
    assert whole(OfflineStore(runs, cache)) == plain


def test_the_runs_of_another_experiment_stay_shut(runs, cache, monkeypatch):
    others = [name.replace("study", "other") for name in NAMES]
    for name in others:
        written(runs, name)
    whole(OfflineStore(runs, cache), [*NAMES, *others])
    opened, really = [], packs_module._Pack.__init__
    monkeypatch.setattr(packs_module._Pack, "__init__", lambda self, file: opened.append(file) or really(self, file))
    whole(OfflineStore(runs, cache))
    assert len(packs(cache)) == 2
    assert len(opened) == 1


def test_a_folder_that_cannot_be_written_is_left_alone(runs, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert whole(OfflineStore(runs, tmp_path / "cache")) == whole(OfflineStore(runs))


def test_runs_that_are_asked_for_by_name_are_compared_with_no_other_name(runs, monkeypatch):
    compared, really = [], filters._equal
    monkeypatch.setattr(filters, "_equal", lambda *pair: compared.append(pair) or really(*pair))
    found = OfflineStore(runs).find(RunQuery(names=[*NAMES, "absent"], state="finished", limit=None))
    assert [info.name for info in found] == NAMES
    assert len(compared) == len(NAMES)  # with the state


def test_a_column_that_gets_another_name_once_the_run_goes_on_keeps_its_values(tmp_path, cache):
    runs = tmp_path / "runs"
    for name in NAMES:
        fake.offline_run(runs, name).write(fake.run(name)).log({"a.b": 1.0, "c": 2.0}).write(fake.exit_record(0))
    whole(OfflineStore(runs, cache))
    store = OfflineStore(runs, cache)
    store.find(RunQuery(names=NAMES, limit=None))
    file = next((runs / NAMES[0]).glob("wandb/*/*.wandb"))
    data = file.read_bytes()
    file.write_bytes(data + fake.frame([fake.history({"a": {"b": 5.0}}, 1)], len(data)))
    assert whole(store) == whole(OfflineStore(runs))
    assert [key for key in store.history(NAMES[0])[0] if key.startswith("a")] == ["a.b", "a\\.b"]


def test_whoever_reads_all_of_one_run_reads_few_values_of_others(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(packs_module, "_MOST_CELLS", 1000)
    runs = tmp_path / "runs"
    for number, name in enumerate(NAMES):
        rows = [{f"m{key}": key for key in range(10)}] * (200 if number == 9 else 30)
        fake.offline_run(runs, name).write(fake.run(name)).log(*rows).write(fake.exit_record(0))
    plain = whole(OfflineStore(runs))
    assert whole(OfflineStore(runs, cache)) == plain
    held = [pyarrow.parquet.read_metadata(pack) for pack in packs(cache)]
    assert max(pack.num_rows * pack.num_columns for pack in held) <= 1000
    assert sum(pack.num_rows for pack in held) == 9 * 30  # the one with more values than a pack may have is in none
    assert whole(OfflineStore(runs, cache)) == plain


def test_who_scores_many_runs_leaves_them_decoded(runs, cache, files_read):
    jobs = [JobRef(run=name, arm=name.split(".")[2], seed=0) for name in NAMES]
    first = scored_runs(jobs, "n", OfflineStore(runs, cache))
    files_read.clear()
    again = scored_runs(jobs, "n", OfflineStore(runs, cache))
    assert files_read == []
    assert again.scores == first.scores
    assert [scores.runs[0].value for scores in again.scores.values()] == list(map(float, range(10)))


def test_many_packs_of_one_experiment_are_opened_once_each(runs, cache, monkeypatch):
    opened, really = [], packs_module._Pack
    monkeypatch.setattr(packs_module, "_Pack", lambda file: opened.append(file.name) or really(file))
    monkeypatch.setattr(packs_module, "_MOST_BYTES", 1)  # each run is packed as soon as it was read
    whole(OfflineStore(runs, cache))
    assert len(opened) >= len(NAMES)
    assert len(opened) == len(set(opened))
