from __future__ import annotations

import itertools

import pytest

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.watch.verdicts import job_status, verdict
from experiments.project.files import number_or_none
from experiments.project.state_words import SCHEDULER_WORDS, TRACKER_WORDS
from experiments.types import TERMINAL_VERDICTS, TrainingJobConfig
from tests.fakes.job_sources import job

PENDING = ["PENDING", "SUBMITTED", "INIT", "STARTING", "SETTING_UP"]
RUNNING = ["RUNNING", "WINDING_DOWN", "CANCELLING"]
UNSEEN = ["LOST", "RESTARTED"]
FAILED = [word for word, meaning in SCHEDULER_WORDS.items() if meaning == "failed" and word not in UNSEEN]
TRACKERS = ["-", "pending", "running", "preempting", "preempted", "finished", "failed", "crashed", "killed", "odd"]

# One line a group of scheduler words, one column a tracker word in the order of TRACKERS; "-" is "knows nothing".
P, R, V, S, F, C, U = "pending", "running", "recovering", "succeeded", "failed", "cancelled", "unknown"
TABLE = {
    ("-",): [U, P, R, V, V, S, F, F, C, U],
    tuple(PENDING): [P, P, R, P, P, P, P, P, P, P],
    tuple(RUNNING): [R, R, R, R, R, R, R, R, R, R],
    ("RECOVERING",): [V, V, V, V, V, V, V, V, V, V],
    ("SUCCEEDED",): [S, S, S, S, S, S, F, S, C, S],
    tuple(FAILED): [F, F, F, F, F, F, F, F, F, F],
    tuple(UNSEEN): [F, F, F, F, F, S, F, F, F, F],
    ("CANCELLED", "STOPPED"): [C, C, C, C, C, C, C, C, C, C],
    ("UNKNOWN",): [U, U, U, U, U, S, F, U, U, U],
    ("ODD_WORD",): [U, U, U, U, U, U, U, U, U, U],
}
PAIRS = [
    (None if scheduler == "-" else scheduler, None if tracker == "-" else tracker, expected)
    for group, row in TABLE.items()
    for scheduler in group
    for tracker, expected in zip(TRACKERS, row, strict=True)
]


@pytest.mark.parametrize(("scheduler", "tracker", "expected"), PAIRS)
def test_every_pair_of_words_has_its_verdict(scheduler, tracker, expected):
    assert verdict(scheduler, tracker)[0] == expected


def test_the_table_holds_every_known_word():
    assert set(SCHEDULER_WORDS) <= {word for group in TABLE for word in group}
    assert set(TRACKER_WORDS) <= set(TRACKERS)


@pytest.mark.parametrize("word", ["FAILED_BY_COSMIC_RAY", "succeeded", "Cancelled", ""])
def test_a_word_nobody_knows_is_shown_verbatim_and_is_no_end(word):
    found, reason = verdict(word, "finished")
    assert found not in TERMINAL_VERDICTS
    assert repr(word) in reason


def test_a_tracker_word_nobody_knows_is_shown_verbatim():
    assert verdict("RUNNING", "hibernating") == ("running", "the tracker says 'hibernating'")
    assert verdict(None, "hibernating")[0] == "unknown"


def test_agreement_needs_no_words():
    for scheduler, tracker in [("RUNNING", "running"), ("SUCCEEDED", "finished"), ("PENDING", None)]:
        assert verdict(scheduler, tracker)[1] == ""


@pytest.mark.parametrize(
    ("scheduler", "tracker", "exit_code", "words"),
    [
        ("SUCCEEDED", "running", 0, "tracker not closed: it still says 'running'"),
        ("SUCCEEDED", "failed", 0, "closed as failed"),
        ("FAILED", "running", -9, "killed by signal 9"),
        ("FAILED", "failed", 3, "exit code 3"),
        ("FAILED", "finished", 1, "closed as finished"),
        ("LOST", "running", None, "nobody saw it end"),
        ("LOST", "finished", None, "but the trainer had closed its run as finished"),
        ("STARTING", "running", None, "the scheduler still says 'STARTING'"),
        ("RUNNING", "crashed", None, "the tracker says 'crashed', the job has not ended"),
        ("CANCELLED", "finished", None, "already finished"),
        (None, "crashed", None, "known from the tracker only"),
    ],
)
def test_the_reason_names_what_disagrees(scheduler, tracker, exit_code, words):
    assert words in verdict(scheduler, tracker, exit_code=exit_code)[1]


def test_on_a_cluster_too_the_end_by_the_time_limit_is_said_as_such():
    told = SchedulerStatus("FAILED", "Job exited with exit code 124", exit_code=124)
    config = TrainingJobConfig(curriculum="arena", max_runtime_hours=1.5)
    limited = job_status(job("a", launcher="skypilot", config=config), told, None, as_of=0.0)
    assert limited.reason == "ended after 1.5 h, its max_runtime_hours; Job exited with exit code 124"
    assert job_status(job("a", launcher="skypilot"), told, None, as_of=0.0).reason == told.reason


def test_the_schedulers_own_reason_leads():
    assert verdict("FAILED", "running", exit_code=-9, detail="supervisor was killed")[1] == "supervisor was killed"


def test_no_pair_of_known_words_makes_a_live_scheduler_terminal():
    live = [word for word, meaning in SCHEDULER_WORDS.items() if meaning not in {*TERMINAL_VERDICTS, "unknown"}]
    for scheduler, tracker in itertools.product(live, [None, *TRACKER_WORDS, "odd"]):
        assert verdict(scheduler, tracker)[0] not in TERMINAL_VERDICTS


@pytest.mark.parametrize("told", [True, "3", None, float("nan"), float("-inf"), 10**400])
def test_what_is_no_finite_number_counts_as_none(told):
    assert number_or_none(told) is None
