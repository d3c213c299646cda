"""Snapshots and checkouts of 5,000 files, against what git itself does with as many."""

from __future__ import annotations

import os
import random
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from experiments.project.settings import Settings
from experiments.project.snapshots import Snapshot, checkout, checkout_path, take
from experiments.project.snapshots.store import private_store
from tests.benchmarks import Bar
from tests.fakes.repositories import commit_all, git

FILES = 5_000
FOLDERS = 300
LINES = 100
_ROUNDS = 3


def run() -> list[Bar]:
    """Measure the processor's time of this process and of its gits: the least of rounds taken in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        _fill(folder)
        commit_all(folder)
        project = _Project(folder)
        fresh, add = _least_s(project.snapshot_afresh, project.add_to_fresh_index)
        again = _least_s(project.snapshot)[0]
        first, worktree = _least_s(project.check_out_afresh, project.add_worktree)
        later = _least_s(project.check_out)[0]
        untracked = Path(name) / "untracked"
        _fill(untracked)
        whole = _untracked_ratio(untracked)
    size = f"{FILES:,} files in {FOLDERS} folders"
    return [
        Bar(
            f"first snapshot of {size} / git add -A",
            fresh / add,
            2,
            note=f"{fresh:.2f} s; fresh index, committed files",
        ),
        Bar(f"first snapshot of {size} / git add -A", whole, 2, note="without a commit: all is checked for secrets"),
        Bar(f"later snapshot of {size} / git add -A", again / add, 2, note=f"{again:.2f} s"),
        Bar(f"first checkout of {size} / git worktree add", first / worktree, 3, note=f"{first:.2f} s"),
        Bar(f"later checkout of {size}", later, 0.05, unit="s", note="each file looked at"),
    ]


class _Project:
    """The works that are measured; each puts back what it needs before the clock is started."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._state = folder, folder / ".experiments"
        self._snapshot = self._take()

    def _take(self) -> Snapshot:
        return take(self._folder, self._state, Settings())

    def snapshot(self) -> float:
        return _seconds(self._take)

    def snapshot_afresh(self) -> float:
        shutil.rmtree(private_store(self._state).folder)
        return _seconds(self._take)

    def add_to_fresh_index(self) -> float:
        return _add_s(self._folder)

    def check_out(self) -> float:
        return _seconds(lambda: checkout(self._state, self._snapshot))

    def check_out_afresh(self) -> float:
        shutil.rmtree(checkout_path(self._state, self._snapshot).parent, ignore_errors=True)
        return self.check_out()

    def add_worktree(self) -> float:
        place = self._folder.with_name("worktree")
        spent = _seconds(lambda: git(self._folder, "worktree", "add", "--detach", str(place)))
        git(self._folder, "worktree", "remove", "--force", str(place))
        return spent


def _untracked_ratio(folder: Path) -> float:
    """Return the least ratio for files that git does not know yet, so that both have to keep all of them."""
    found = []
    for _ in range(_ROUNDS):
        spent = []
        for work in (
            lambda: _seconds(lambda: take(folder, folder / ".experiments", Settings())),
            lambda: _add_s(folder),
        ):
            git(folder, "init")
            spent.append(work())
            shutil.rmtree(folder / ".git")
            shutil.rmtree(folder / ".experiments", ignore_errors=True)
        found.append(spent[0] / spent[1])
    return min(found)


def _add_s(folder: Path) -> float:
    index = folder.with_name("index")
    index.unlink(missing_ok=True)
    os.environ["GIT_INDEX_FILE"] = str(index)
    try:
        return _seconds(lambda: git(folder, "add", "--all", "--", ":!.experiments"))
    finally:
        del os.environ["GIT_INDEX_FILE"]


def _least_s(*works: Callable[[], float]) -> list[float]:
    least = [float("inf")] * len(works)
    for _ in range(_ROUNDS):
        least = [min(known, work()) for known, work in zip(least, works, strict=True)]
    return least


def _seconds(work: Callable[[], object]) -> float:
    def spent() -> float:
        both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in both)

    began = spent()
    work()
    return spent() - began


def _fill(folder: Path) -> None:
    chosen = random.Random(0)
    for number in range(FILES):
        path = folder / f"package_{number % 30}" / f"part_{number % FOLDERS}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"x{line} = {chosen.random()}\n" for line in range(LINES)), encoding="utf-8")
    if not (folder / ".git").exists():
        git(folder, "init")
