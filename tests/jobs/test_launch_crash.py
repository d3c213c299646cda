"""Kill every process that launches at every line, recover, and count the jobs: `tests/fakes/crash.py` says how."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.share import share

DRIVER = Path(__file__).parents[1] / "fakes" / "crash.py"


def points(case, folder, *range_):
    command = [sys.executable, str(DRIVER), case, str(folder), *map(str, range_)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [point for point in found if point.get("where")]


def check(found):
    wrong = [point for point in found if point["started"] != point["wanted"] or not point["told truly"]]
    assert wrong == [], table(wrong)


def table(found):
    return "\n".join(f"{p['at']:5} {p['where']:50} {p['before']} -> {len(p['started'])}" for p in found)


@pytest.mark.parametrize(
    ("case", "first", "step"),
    [
        *(("cluster", 3, 131), ("background", 5, 211), ("outbox", 4, 61)),
        *(("local", 800, 420), ("both", 5, 43), ("starter", 2, 9)),
    ],
)
def test_after_a_kill_at_some_lines_each_job_is_launched_once(tmp_path, case, first, step):
    found = points(case, tmp_path, first, step)
    assert len(found) > 1
    check(found)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("case", "step", "at_least"),  # every such line is killed at, or a share of these
    [
        ("cluster", 8, 390),
        ("twice", 25, 100),
        ("background", 8, 100),
        ("outbox", 4, 100),
        ("local", 50, 80),
        ("starter", 1, 20),
        ("supervisor", 1, 100),
        ("both", 2, 90),
    ],
)
def test_after_a_kill_at_lines_from_first_to_last_each_job_is_launched_once(tmp_path, case, step, at_least):
    # Each kill of a local launch starts five supervisors with their trainers.
    sparser = share(1, 12 if case == "local" else 6)
    found = points(case, tmp_path, 1, step * sparser)
    print(table(found))
    assert len(found) >= at_least // sparser
    check(found)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_trainer_that_is_killed_as_it_starts_is_told_as_killed_and_not_started_again(tmp_path):
    found = points("trainer", tmp_path, 1, share(1, 5))
    assert len(found) > share(5, 1)
    assert {(len(point["started"]), point["word"]) for point in found} == {(0, "KILLED")}
