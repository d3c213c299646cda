"""Whole records from a file that is being written, and from a damaged one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.runs.wandb_file.framing import LogTail
from experiments.runs.wandb_file.log import RunLog
from tests.fakes import wandb_files as fake


def rows_of(path):
    log = RunLog(path)
    log.poll()
    return log.since(0, ["a"])["a"], log


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    writer = fake.LogWriter(tmp_path_factory.mktemp("small") / "run-r.wandb")
    writer.write(fake.run("r", {"lr": 1}, tags=["t"])).log(*({"a": n, "text": "x" * n} for n in range(12)))
    return writer.write(fake.console("hi\n"), fake.exit_record(0)).path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 100_000), max_size=12), st.integers(0, 2**32))
def test_records_of_any_size_appended_in_any_bites_are_read_once(tmp_path_factory, sizes, seed):
    rng = random.Random(seed)
    records = [rng.randbytes(size) for size in sizes]
    whole = fake.frame(records)
    path = tmp_path_factory.mktemp("bites") / "f"
    tail, found, at = LogTail(path), [], 0
    while at < len(whole):
        step = rng.choice([1, 5, 100, 7_000, 40_000])
        with path.open("ab") as file:
            file.write(whole[at : at + step])
        at += step
        if rng.random() < 0.3:
            tail = LogTail(path, tail.offset)
        tail.changed()
        while batch := tail.read(rng.choice([10, 1000, 1 << 20])):
            found += batch
    assert found == records
    assert (str(tail.damage), tail.pending) == ("", 0)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 255), st.integers(1, 3))
def test_flipped_bits_never_make_a_wrong_row(tmp_path_factory, small, place, mask, width):
    data = bytearray(small)
    for at in range(place % len(data), min(len(data), place % len(data) + width)):
        data[at] ^= mask
    path = tmp_path_factory.mktemp("flips") / "run-r.wandb"
    path.write_bytes(data)
    rows, log = rows_of(path)
    assert set(rows) <= {(n, float(n)) for n in range(12)}
    assert rows == sorted(rows)
    assert log.damage or len(rows) == 12 or log.exit_code is None
    assert [line.text for line in log.console()] in ([], ["hi"])


def test_cut_at_every_byte_no_row_is_wrong(tmp_path):
    writer = fake.LogWriter(tmp_path / "whole").write(fake.run("r", {"lr": 1}, tags=["t"]))
    small = writer.log(*({"a": n} for n in range(4))).write(fake.exit_record(0)).path.read_bytes()
    path = tmp_path / "run-r.wandb"
    counts = []
    for cut in range(len(small) + 1):
        path.write_bytes(small[:cut])
        rows, log = rows_of(path)
        assert rows == [(n, float(n)) for n in range(len(rows))]
        assert log.damage == ""
        counts.append(len(rows))
    assert counts == sorted(counts)
    assert counts[-1] == 4


def test_damage_in_the_middle_loses_only_what_it_hit(tmp_path):
    writer = fake.LogWriter(tmp_path / "run-r.wandb").log(*({"a": n, "pad": "x" * 400} for n in range(500)))
    data = bytearray(writer.path.read_bytes())
    at = data.find(b"_runtime", len(data) // 2)
    data[at : at + 10] = b"0123456789"
    writer.path.write_bytes(data)
    rows, log = rows_of(writer.path)
    assert len(rows) >= 499
    assert log.damage == "1 damaged place skipped"


def test_a_destroyed_chunk_header_costs_the_rest_of_its_block(tmp_path):
    writer = fake.LogWriter(tmp_path / "run-r.wandb").log(*({"a": n, "pad": "x" * 400} for n in range(500)))
    data = bytearray(writer.path.read_bytes())
    data[2 * 32768 : 2 * 32768 + 7] = b"\xff" * 7
    writer.path.write_bytes(data)
    rows, log = rows_of(writer.path)
    assert 500 - 45 < len(rows) < 500
    assert rows[-1] == (499, 499.0)
    assert log.damage == "1 damaged place skipped"


def test_a_hole_of_zeros_is_passed_over(tmp_path):
    writer = fake.LogWriter(tmp_path / "run-r.wandb").log(*({"a": n, "pad": "x" * 400} for n in range(500)))
    data = bytearray(writer.path.read_bytes())
    data[40_000:120_000] = bytes(80_000)
    writer.path.write_bytes(data)
    rows, log = rows_of(writer.path)
    assert rows[-1] == (499, 499.0)
    assert "damaged place" in log.damage


def test_a_file_that_is_not_wandbs_is_said_to_be(tmp_path):
    (tmp_path / "f").write_bytes(b"something else entirely")
    rows, log = rows_of(tmp_path / "f")
    assert rows == []
    assert "not a W&B log" in log.damage


def test_a_file_rewritten_in_place_starts_over(tmp_path):
    writer = fake.LogWriter(tmp_path / "run-r.wandb").log({"a": 1})
    log = RunLog(writer.path)
    log.poll()
    other = fake.LogWriter(tmp_path / "other").log(*({"a": 10 + n} for n in range(5)))
    writer.path.write_bytes(other.path.read_bytes())
    assert log.poll() == 5
    assert log.history()["a"].tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]


def test_an_unfinished_end_of_a_finished_run_is_told(tmp_path, small):
    path = tmp_path / "run-r.wandb"
    path.write_bytes(small + b"\x01\x02\x03")
    assert rows_of(path)[1].damage == "3 bytes at the end are not a whole record"
