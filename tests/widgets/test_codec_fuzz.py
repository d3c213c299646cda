"""Damaged replays: a replay with its issues, or a `ReplayError`; never anything else, never long, never large."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.share import share
from tests.widgets.mutations import mutated
from tests.widgets.replays import packed, shipped, small, text_of
from widgets.replay.codec.encoded import unpack
from widgets.replay.codec.errors import LimitError, ReplayError
from widgets.replay.codec.normalise import load_replay
from widgets.replay.codec.wire import encode
from widgets.replay.inspect import ascii_map

SECONDS = 20.0
BYTES = 1_000_000_000
MAP_CELLS = 200_000


def memory_peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def sources(largest: int) -> list[tuple[bytes, bytes]]:
    found = [(path.read_bytes(), text_of(path)) for path in shipped() if path.stat().st_size < largest]
    return [
        *found,
        (packed(small()), json.dumps(small()).encode()),
        (packed(small()), json.dumps(small(), indent=1).encode()),
    ]


def outcome_of(damaged: bytes, name: str) -> str:
    try:
        return outcome(damaged)
    except Exception as error:
        raise RuntimeError(f"{name} raised {error!r}") from error


def outcome(damaged: bytes) -> str:
    try:
        replay = load_replay(damaged)
    except ReplayError as error:
        return type(error).__name__
    assert all(issue.count > 0 and issue.path and issue.rule for issue in replay.issues)
    unpack(encode(replay).pack("all"))
    replay.state_at(replay.last_step)
    if replay.map_size[0] * replay.map_size[1] < MAP_CELLS:
        ascii_map(replay, replay.last_step)
    return "issues" if replay.issues else "clean"


def fuzz(seed: int, count: int, largest: int) -> Counter[str]:
    """Open `count` damaged replays, large ones less often; return how many ended how."""
    found = sources(largest)
    weights = [max(len(text), 200_000) ** -0.5 for _, text in found]
    outcomes: Counter[str] = Counter()
    for at in range(count):
        rng = random.Random(seed * 1_000_003 + at)
        data, text = rng.choices(found, weights)[0]
        damaged = mutated(data, text, rng)
        started = time.process_time()
        outcomes[outcome_of(damaged, f"mutation {at} of seed {seed}")] += 1
        assert time.process_time() - started < SECONDS, f"mutation {at} of seed {seed} took too long"
    return outcomes


def test_a_damaged_replay_opens_with_issues_or_is_refused():
    outcomes = fuzz(seed=1, count=300, largest=100_000)
    assert outcomes["issues"] > 60
    assert outcomes["FormatError"] > 60


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_damaged_replays_large_ones_among_them_open_with_issues_or_are_refused():
    count = share(10_000, 300)
    outcomes = fuzz(seed=2, count=count, largest=10_000_000)
    print(dict(outcomes), f"peak {memory_peak() / 1e6:.0f} MB")
    assert outcomes["issues"] > count / 5
    assert outcomes["FormatError"] > count / 5
    assert memory_peak() < BYTES


def test_a_limit_error_names_its_limit_and_the_flag():
    with pytest.raises(LimitError, match=r"map_side.*--large") as caught:
        load_replay(packed(small(map_size=[10**9, 10**9]) | {"objects": [{"id": 1, "location": [10**6, 1]}]}))
    assert caught.value.limit == "map_side"
