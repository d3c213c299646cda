"""Encoding once: the cache by content, and the process that encodes large replays."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.widgets.replays import packed, shipped_named, small
from widgets.replay.codec import cache
from widgets.replay.codec.cache import cached_encode
from widgets.replay.codec.errors import FormatError, LimitError
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode


def test_the_same_content_is_encoded_once_whatever_its_name(tmp_path, monkeypatch):
    first = cached_encode(packed(small()), tmp_path / "cache")
    path = tmp_path / "other.json.z"
    path.write_bytes(packed(small()))
    monkeypatch.setattr(cache, "_encoded", None)
    again = cached_encode(path, tmp_path / "cache")
    assert [chunk.data for chunk in again.chunks] == [chunk.data for chunk in first.chunks]
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_other_limits_are_another_encoding(tmp_path):
    cached_encode(packed(small()), tmp_path)
    cached_encode(packed(small()), tmp_path, limits=Limits.large)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"RPLW junk", b"x" * 4000])
def test_a_damaged_cache_is_written_again(tmp_path, damage):
    cached_encode(packed(small()), tmp_path)
    (entry,) = tmp_path.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage)
    cached_encode(packed(small()), tmp_path)
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert cached_encode(packed(small()), tmp_path / "file" / "cache").header["label"] == "tiny"
    assert cached_encode(packed(small()), None).header["label"] == "tiny"


def test_writers_at_the_same_time_leave_one_whole_entry(tmp_path):
    threads = [threading.Thread(target=cached_encode, args=(packed(small()), tmp_path)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (entry,) = tmp_path.iterdir()
    assert entry.read_bytes() == encode(load_replay(packed(small()))).pack("all")


def test_a_large_replay_is_encoded_by_another_process(monkeypatch):
    monkeypatch.setattr(cache, "SUBPROCESS_BYTES", 1000)
    monkeypatch.setattr(cache, "replay_from_bytes", None)
    path = shipped_named("sequence")
    assert cached_encode(path, None).pack("all") == encode(load_replay(path)).pack("all")


def test_errors_of_the_other_process_are_those_of_this_one(monkeypatch):
    monkeypatch.setattr(cache, "SUBPROCESS_BYTES", 10)
    with pytest.raises(LimitError) as caught:
        cached_encode(packed(small()), None, limits=replace(Limits.default, points=3))
    assert caught.value.limit == "points"
    with pytest.raises(FormatError, match="has no 'objects'"):
        cached_encode(b'{"a": [1, 2, 3, 4]}' + b" " * 20, None)


def test_only_large_replays_go_to_another_process(monkeypatch):
    data = shipped_named("sequence").read_bytes()
    assert not cache._is_large(data)
    monkeypatch.setattr(cache, "SUBPROCESS_BYTES", 100_000)
    assert cache._is_large(data)
    assert not cache._is_large(data[:50])
