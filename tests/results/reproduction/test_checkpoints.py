"""Checkpoints are the same only where all of both can be read and holds the same."""

from __future__ import annotations

import hashlib
import zipfile

import numpy as np
import pytest

from experiments.results.reproduction.checkpoints import checkpoint_files, content_hash
from experiments.results.reproduction.checkpoints import compare_checkpoints as of_files


def compare_checkpoints(original, reproduction, *more):
    return of_files(checkpoint_files(original), checkpoint_files(reproduction), *more)


@pytest.fixture
def folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "step_10.npz", policy=np.arange(5.0), state=np.zeros(3))
    return tmp_path / "a", tmp_path / "b"


def only(folders):
    [found] = compare_checkpoints(*folders)
    return found


def test_equal_bytes_are_said_to_be_so(folders):
    assert only(folders).state == "same bytes"
    assert only(folders).is_same


def test_archives_that_differ_only_as_containers_have_the_same_content(folders):
    np.savez_compressed(folders[1] / "step_10.npz", policy=np.arange(5.0), state=np.zeros(3))
    assert only(folders).state == "same content"


def test_the_part_of_an_archive_that_differs_is_named(folders):
    np.savez(folders[1] / "step_10.npz", policy=np.arange(5.0) + 1e-15, state=np.zeros(3), more=np.ones(1))
    found = only(folders)
    assert (found.state, found.detail) == ("differs", "2 of 3 parts: policy.npy, more.npy")


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_that_is_cut_is_damaged_also_where_both_are_cut_alike(folders, side):
    path = folders[side] / "step_10.npz"
    path.write_bytes(path.read_bytes()[:100])
    assert only(folders).state == "damaged"
    other = folders[1 - side] / "step_10.npz"
    other.write_bytes(path.read_bytes())
    assert only(folders).state == "damaged"
    assert not only(folders).is_same


def test_a_byte_that_a_disk_lost_is_damage_and_no_difference(folders):
    path = folders[0] / "step_10.npz"
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("policy.npy").header_offset + 200
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert (only(folders).state, only(folders).detail) == (
        "damaged",
        "the original's file is damaged at policy.npy",
    )


def test_an_empty_file_is_damaged_and_one_that_is_gone_is_named(folders):
    (folders[0] / "model.bin").write_bytes(b"")
    (folders[1] / "model.bin").write_bytes(b"x")
    (folders[0] / "step_10.npz").unlink()
    states = {found.name: found.state for found in compare_checkpoints(*folders)}
    assert states == {"model.bin": "damaged", "step_10.npz": "not in the original"}


def test_files_of_any_trainer_are_compared_by_their_bytes_in_the_order_of_steps(folders):
    for folder in folders:
        (folder / "step_10.npz").unlink()
        for name in ("epoch_10/a.bin", "epoch_2/a.bin", "epoch_2/.half"):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(f"{name if folder == folders[0] else 'x'}".encode())
    assert [(found.name, found.state) for found in compare_checkpoints(*folders)] == [
        ("epoch_2/a.bin", "differs"),
        ("epoch_10/a.bin", "differs"),
    ]


def test_no_folder_has_no_checkpoints(tmp_path):
    assert compare_checkpoints(tmp_path / "x", tmp_path / "y") == ()


def test_of_an_archive_that_did_not_come_along_the_content_is_compared_by_its_hash(folders):
    """Patch versions of Python write other containers of the same arrays."""
    original, again = folders
    hashes = {"step_10.npz": hashlib.sha256((original / "step_10.npz").read_bytes()).hexdigest()}
    contents = {"step_10.npz": content_hash(original / "step_10.npz")}
    (original / "step_10.npz").unlink()
    assert compare_checkpoints(original, again, hashes, contents)[0].state == "same bytes"
    np.savez_compressed(again / "step_10.npz", policy=np.arange(5.0), state=np.zeros(3))
    assert compare_checkpoints(original, again, hashes, contents)[0].state == "same content"
    assert compare_checkpoints(original, again, hashes)[0].state == "differs"
    np.savez(again / "step_10.npz", policy=np.arange(5.0) + 1e-15, state=np.zeros(3))
    assert compare_checkpoints(original, again, hashes, contents)[0].state == "differs"


def test_what_is_no_archive_has_no_content_of_its_own(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"weights")
    assert content_hash(tmp_path / "weights.bin") is None


def test_checkpoints_are_known_by_what_their_trainer_calls_them_without_the_names_of_their_runs(tmp_path):
    for run in ("one.s0", "two.s0"):
        folder = tmp_path / run
        (folder / f"{run}_v1").mkdir(parents=True)
        (folder / f"{run}_v1" / "weights.bin").write_bytes(b"w")
        (folder / "train.log").write_text(run)
    files = [checkpoint_files(tmp_path / run, "*_v*", run) for run in ("one.s0", "two.s0")]
    assert [(found.name, found.state) for found in of_files(*files)] == [("{run}_v1/weights.bin", "same bytes")]
