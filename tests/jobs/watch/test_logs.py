"""Logs of jobs on clusters, read under a deadline and kept as read; failed runs grouped by what they printed last."""

from __future__ import annotations

import threading
import time

import pytest

from experiments.jobs.watch.logs import (
    FILE,
    LogReader,
    LogView,
    failures_of,
    follow,
    keep_log,
    last_error,
    merged,
    normalised,
)
from experiments.project.errors import LaunchError
from experiments.project.values import replaced
from experiments.types import JobRef
from tests.fakes.launching import workspace_at
from tests.fakes.studies import Study
from tests.fakes.waiting import wait_until

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


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def found(study, **more):
    return failures_of(study.jobs, study.statuses, study.store, **more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RuntimeError: out of memory, 2.5 GiB (GPU 0)", "RuntimeError: out of memory, 3.25 GiB (GPU 7)"),
        ("OSError: '/home/ada/x/map-1.npz' is gone", "OSError: '/scratch/bob/map-1.npz' is gone"),
        ("segmentation fault at 0x7ffdeadbeef", "segmentation fault at 0x00001"),
        ("2026-11-22 10:00:00,123 ERROR code 12", "2026-11-23T11:30:59.5 ERROR code 13"),
    ],
)
def test_numbers_addresses_times_and_paths_do_not_tell_failures_apart(one, other):
    assert normalised(one) == normalised(other)


def test_different_errors_stay_apart_and_the_run_itself_does_not_count():
    assert normalised("ValueError: a") != normalised("KeyError: a")
    assert normalised("run ada.x.s1.q: KeyError", "ada.x.s1.q") == normalised("run ada.x.s2.z: KeyError", "ada.x.s2.z")


def test_the_last_line_that_names_an_error_is_taken():
    lines = [
        "Traceback (most recent call last):",
        '  File "a.py"',
        "ValueError: bad rate",
        "UserWarning: x",
        "wandb: done",
    ]
    assert last_error(lines) == "ValueError: bad rate"
    assert last_error(["starting", "\x1b[31mKilled\x1b[0m", ""]) == "Killed"
    assert last_error(["step 1", "step 2"]) == "step 2"
    assert last_error(["step 1", "wandb: Run data is saved locally"]) == "step 1"
    assert last_error([]) == ""


def test_long_lines_take_no_time():
    start = time.perf_counter()
    for line in ("a" * 300, "/" * 300, "x/" * 150, "1." * 150, "0x" * 150):
        normalised(line)
    assert time.perf_counter() - start < 1


def test_runs_that_failed_alike_are_one_group_and_the_largest_comes_first(study):
    for seed in range(3):
        study.add("a", seed, verdict="failed", log=["go", f"RuntimeError: step {seed} is not finite"])
    study.add("b", 0, verdict="failed", log=["KeyError: 'rate'"])
    study.add("b", 1, [1.0])
    groups = found(study)
    assert [len(group.runs) for group in groups] == [3, 1]
    assert groups[0].line == "RuntimeError: step N is not finite"
    assert groups[0].retry_command.startswith("uv run experiments retry ada.study.a.s0")
    assert groups[0].words == "3 runs failed (exit code 1)"


def test_without_a_log_the_reason_or_the_exit_code_speaks(study):
    study.add("a", 0, verdict="failed", reason="node went down")
    study.add("a", 1, verdict="failed")
    assert {group.example for group in found(study)} == {"node went down", "ended with exit code 1"}


def test_what_a_run_was_at_when_a_signal_ended_it_is_not_its_cause(study):
    for arm, log in (("a", ["step 500"]), ("b", ["step 500", "terminate called: out of memory"])):
        job = study.add(arm, 0, verdict="failed", log=log, reason="the trainer was killed by signal 9 (SIGKILL)")
        study.statuses[job.run] = replaced(study.statuses[job.run], exit_code=-9)
    assert [group.example for group in found(study)] == [
        "the trainer was killed by signal 9 (SIGKILL)",
        "terminate called: out of memory",
    ]


def test_a_run_that_was_tried_again_is_left_to_its_newer_attempt(study):
    job = study.add("a", 0, verdict="failed")
    assert found(study, retried=[job.run]) == []
    assert failures_of([], {}, study.store) == []


def test_a_secret_in_an_error_line_is_masked(study):
    key = "hf_" + "aB3" * 12
    study.add("a", 0, verdict="failed", log=[f"HTTPError: 401 for token {key}"])
    [group] = found(study)
    assert key not in group.example + group.line
