"""Logs of jobs on clusters: read under a deadline, kept as read."""

from __future__ import annotations

import threading

import pytest

from experiments.jobs.watch.logs import FILE, LogReader, LogView, follow, keep_log, merged
from experiments.project.errors import LaunchError
from experiments.types import JobRef
from tests.fakes.launching import wait_until, workspace_at

AGAIN = "--- started again (seen now) ---"
REF = JobRef(run="r", launcher="skypilot", id="7")


class Talking:
    """A launcher that prints `lines`, fails with `error`, or waits for `gate`."""

    def __init__(self, *lines):
        self.lines, self.error, self.gate, self.asked = list(lines), None, None, 0

    def logs(self, run_name, job_id, *, follow=False):
        assert (run_name, job_id, follow) == ("r", "7", False)
        self.asked += 1
        if self.gate is not None:
            self.gate.wait(20)
        if self.error is not None:
            raise self.error
        yield from self.lines


@pytest.mark.parametrize(
    ("kept", "read", "result"),
    [
        ([], ["a"], ["a"]),
        (["a", "b"], ["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "c"], ["a"], ["a", "b", "c"]),
        (["a", "lo"], ["a", "loss 1", "b"], ["a", "loss 1", "b"]),
        (["a", "b"], ["A"], ["a", "b", AGAIN, "A"]),
        (["a", "b", AGAIN, "A"], ["A", "B"], ["a", "b", AGAIN, "A", "B"]),
        (["a", AGAIN, "A"], ["x"], ["a", AGAIN, "A", AGAIN, "x"]),
    ],
)
def test_more_of_an_attempt_replaces_it_and_another_follows_behind_a_line(kept, read, result):
    assert merged(kept, read, seen="now") == result


def test_what_was_read_stays_when_the_scheduler_forgets_it(tmp_path):
    printed = ["one", "(x, pid=2) its own words"]
    assert keep_log(tmp_path / "r", ["\x1b[1mone\x1b[0m", printed[1]], now=0.0) == printed
    keep_log(tmp_path / "r", ["continuing"], now=0.0)
    lines = keep_log(tmp_path / "r", [])
    assert (lines[:2], lines[3:]) == (printed, ["continuing"])
    assert lines[2].startswith("--- started again (seen ")
    assert (tmp_path / "r" / FILE).read_text().splitlines() == lines


def test_what_is_kept_holds_no_secret_and_is_for_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "planted-token-value")
    for printed in (["key planted-token-value"], ["key planted-token-value", "two"]):
        lines = keep_log(tmp_path / "r", printed, now=0.0)
    assert lines == ["key ***", "two"]
    assert (tmp_path / "r" / FILE).stat().st_mode & 0o077 == 0


def test_a_launcher_that_answers_is_shown_and_kept(tmp_path):
    workspace, launcher = workspace_at(tmp_path), Talking("hello")
    assert LogReader(workspace, lambda _: launcher).view(REF) == LogView(["hello"])
    assert (workspace.runs / "r" / FILE).read_text() == "hello\n"


def test_a_launcher_that_hangs_keeps_nobody_and_is_asked_once(tmp_path):
    launcher = Talking("new")
    launcher.gate = threading.Event()
    workspace = workspace_at(tmp_path)
    keep_log(workspace.runs / "r", ["ne"])
    reader = LogReader(workspace, lambda _: launcher)
    for _ in range(3):
        view = reader.view(REF, deadline_s=0.05)
        note = "skypilot has not answered for 0.05 s; shown is what was read before"
        assert view == LogView(["ne"], note, is_late=True)
    assert launcher.asked == 1
    launcher.gate.set()
    wait_until(lambda: reader.view(REF, deadline_s=5) == LogView(["new"]))


def test_a_launcher_that_fails_says_why_without_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "planted-token-value")
    launcher = Talking()
    launcher.error = LaunchError("the server refuses planted-token-value")
    view = LogReader(workspace_at(tmp_path), lambda _: launcher).view(REF)
    assert view == LogView([], "the server refuses *** (nothing was read before)")


def test_the_trainers_own_file_is_shown_where_it_is_seen_from_here(tmp_path):
    (tmp_path / "share" / "r").mkdir(parents=True)
    (tmp_path / "share" / "r" / "train.log").write_text("live\n")
    launcher = Talking("from the scheduler")
    workspace = workspace_at(tmp_path, run_root=str(tmp_path / "share"))
    assert LogReader(workspace, lambda _: launcher).view(REF) == LogView(["live"])
    assert launcher.asked == 0


def test_following_shows_each_line_once_and_half_a_line_never():
    views = [
        LogView([], "it waits"),
        LogView([], "it waits"),
        LogView(["a", "b"]),
        LogView(["a", "bcd", "e"]),
        LogView(["a", "bcd", "e", AGAIN, "A"]),
    ]
    said, at = [], iter(range(len(views)))
    lines = follow(
        lambda: views[next(at)],
        lambda: views and at.__length_hint__() == 1,
        sleep=lambda _: None,
        on_note=said.append,
    )
    assert list(lines) == ["a", "bcd", "e", AGAIN, "A"]
    assert said == ["it waits"]
