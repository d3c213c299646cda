"""Failures in groups: what ended a run, without what differs between runs that ended alike."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.watch.triage import failures_of, last_error, normalised
from experiments.types import replaced
from tests.fakes.studies import Study


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
