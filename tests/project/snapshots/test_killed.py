"""A process that is killed at any line of taking a snapshot or making a checkout: it is whole, or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from experiments.project.settings import Settings
from experiments.project.snapshots import checkout, is_there, objects, remove_unneeded, take, taking
from experiments.project.snapshots.store import REFS
from tests.fakes.crash import Killer, Report, in_child
from tests.fakes.repositories import all_of, git, repository, write

MOST_LINES = 300

# The package has a function of the module's name.
checkouts = import_module("experiments.project.snapshots.checkouts")


@pytest.fixture
def folder(tmp_path):
    folder = repository(tmp_path / "p")
    write(folder, new="untracked\n")
    (folder / ".experiments").mkdir()
    return folder


def kept(folder: Path) -> list[str]:
    """Return the ids of all snapshots, each of which is whole."""
    refs = git(folder, "for-each-ref", "--format=%(refname)", REFS).splitlines()
    for ref in refs:
        git(folder, "rev-list", "--objects", "--quiet", ref)
        assert git(folder, "rev-parse", f"{ref}^{{tree}}") == ref.removeprefix(REFS)
    return [ref.removeprefix(REFS) for ref in refs]


def left_over(folder: Path) -> list[Path]:
    found = [*(folder / ".git" / "objects").glob("tmp*"), *(folder / ".experiments" / "code").glob("making-*")]
    return [*found, *(folder / ".experiments" / "code").rglob("*.lock.lock"), *folder.rglob("index.new*")]


def killed_at(line: int, modules, work) -> str:
    """Do `work` in another process that is killed at that line of some modules; say where, or nothing at its end."""
    report = Report()

    def run() -> None:
        with Killer(modules, line, report.write):
            work()

    in_child(run)
    return report.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_snapshot_is_whole_or_not_there_at_whichever_line_it_ends(folder):
    state = folder / ".experiments"
    before = all_of(folder)
    for line in range(1, MOST_LINES):
        write(folder, new=f"untracked {line}\n")
        where = killed_at(line, (taking, objects), lambda: take(folder, state, Settings()))
        assert len(kept(folder)) <= 1
        taken = take(folder, state, Settings())
        assert is_there(state, taken.id), where
        assert kept(folder) == [taken.id], where
        git(folder, "update-ref", "-d", f"{REFS}{taken.id}")
        assert left_over(folder) == [], where
        after = all_of(folder)
        assert {name: after[name] for name in before if not name.endswith("new.py")} == {
            name: told for name, told in before.items() if not name.endswith("new.py")
        }
        if not where:
            return
    pytest.fail(f"more than {MOST_LINES} lines")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_checkout_is_whole_or_not_there_at_whichever_line_its_making_ends(folder):
    state = folder / ".experiments"
    for line in range(1, MOST_LINES):
        write(folder, new=f"untracked {line}\n")
        snapshot = take(folder, state, Settings())
        where = killed_at(line, (checkouts,), lambda snapshot=snapshot: checkout(state, snapshot))
        made = checkout(state, snapshot)
        assert (made / "new.py").read_text() == f"untracked {line}\n", where
        assert git(made, "status", "--porcelain") == "", where
        assert left_over(folder) == [], where
        assert [one.snapshot for one in checkouts.checkouts(state)] == [snapshot.id]
        remove_unneeded(state, [])
        if not where:
            return
    pytest.fail(f"more than {MOST_LINES} lines")


TAKE = """
import sys
from pathlib import Path
from experiments.project.settings import Settings
from experiments.project.snapshots import checkout, take
print("ready", flush=True)
sys.stdin.readline()
root = Path(sys.argv[1])
checkout(root / ".experiments", take(root, root / ".experiments", Settings()))
"""


def test_whatever_moment_it_and_its_git_are_killed_at_the_next_one_is_whole(folder):
    """Files enough that git is at work most of the time; killed later and later, until it comes to its end."""
    state = folder / ".experiments"
    for number in range(300):
        (folder / f"n{number}.txt").write_bytes(os.urandom(2_000))
    for wait_s in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6):
        write(folder, new=f"untracked {wait_s}\n")
        command = [sys.executable, "-c", TAKE, str(folder)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        process.stdout.readline()
        process.stdin.write(b"\n")
        process.stdin.flush()
        time.sleep(wait_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kept(folder)
        snapshot = take(folder, state, Settings())
        assert (checkout(state, snapshot) / "new.py").read_text() == f"untracked {wait_s}\n"
        assert left_over(folder) == []


def test_a_lock_that_a_killed_git_left_is_waited_for_and_taken_away(folder):
    state = folder / ".experiments"
    snapshot = take(folder, state, Settings())
    ref = folder / ".git" / f"{REFS}{snapshot.id}"
    ref.unlink()
    lock = ref.with_name(f"{snapshot.id}.lock")
    lock.touch()
    os.utime(lock, (time.time() - 9,) * 2)
    assert take(folder, state, Settings()).id == snapshot.id
    assert is_there(state, snapshot)
    assert not lock.exists()
