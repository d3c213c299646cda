"""What ended a job, by every word of a scheduler and a tracker: only a failure of the machine may be tried again."""

from __future__ import annotations

import pytest

from experiments.project.state_words import SCHEDULER_WORDS, TRACKER_WORDS
from experiments.results.scores import MACHINE_WORDS, cause_of_end, outcome_by_tracker, outcome_of_job
from experiments.types import JobStatus


@pytest.mark.parametrize(
    ("scheduler", "tracker", "exit_code", "cause", "said"),
    [
        ("LOST", None, None, "unknown", "nobody saw it end"),
        ("RESTARTED", "running", None, "machine", "the machine was restarted"),
        ("LOST", "crashed", None, "unknown", "nobody saw it end"),
        ("LOST", "failed", None, "training", "the trainer failed"),
        ("FAILED_SETUP", None, None, "machine", "the machine could not be set up"),
        ("FAILED_DRIVER", "running", None, "machine", "the cluster's own process failed"),
        ("FAILED_DRIVER", "failed", 1, "training", "exit code 1"),
        ("FAILED_NO_RESOURCE", None, None, "machine", "no machine was to be had"),
        ("FAILED_CONTROLLER", "running", None, "machine", "the scheduler's controller failed"),
        ("FAILED_PRECHECKS", None, None, "machine", "it was refused before it started"),
        ("KILLED", "running", -9, "unknown", "killed by SIGKILL, which may be for want of memory"),
        ("KILLED", "running", -15, "unknown", "killed from outside by SIGTERM, by whom is not known"),
        ("KILLED", "running", -2, "person", "interrupted by SIGINT"),
        ("KILLED", "running", -11, "training", "ended by SIGSEGV"),
        ("KILLED", "running", -6, "training", "ended by SIGABRT"),
        ("KILLED", "running", -99, "unknown", "killed by signal 99"),
        ("KILLED", None, None, "unknown", "killed, by what is not known"),
        ("FAILED", "failed", 1, "training", "exit code 1"),
        ("FAILED", None, None, "training", "the trainer failed"),
        ("SUCCEEDED", "failed", 0, "training", "exit code 0"),
        ("SUCCEEDED", "killed", 0, "person", "cancelled"),
        ("CANCELLED", None, None, "person", "cancelled"),
        (None, "killed", None, "person", "cancelled"),
        (None, "failed", 1, "training", "exit code 1"),
        (None, "crashed", None, "unknown", "what ended it is not known"),
        (None, None, None, "machine", "the launcher refused it"),
        (None, None, 1, "unknown", "what ended it is not known"),
        ("TIMED_OUT", "failed", -15, "person", "ended after its max_runtime_hours"),
        ("OUT_OF_MEMORY", "failed", -15, "training", "it held more than its memory"),
        ("STOPPED", "failed", -15, "person", "stopped by its stop_when"),
        ("A_NEW_WORD", None, None, "unknown", "what ended it is not known"),
    ],
)
def test_what_ended_a_job(scheduler, tracker, exit_code, cause, said):
    assert cause_of_end(scheduler, tracker, exit_code=exit_code) == (cause, said)


def test_every_word_of_a_scheduler_that_means_failed_has_a_cause():
    failed = {word for word, verdict in SCHEDULER_WORDS.items() if verdict == "failed"}
    assert failed == {*MACHINE_WORDS, "FAILED", "LOST", "KILLED", "TIMED_OUT", "OUT_OF_MEMORY"}


@pytest.mark.parametrize(
    ("verdict", "scheduler", "outcome"),
    [
        ("succeeded", "SUCCEEDED", "finished"),
        ("failed", "FAILED", "failed"),
        ("failed", "LOST", "failed"),
        ("failed", "RESTARTED", "machine failed"),
        ("failed", "TIMED_OUT", "failed"),
        ("cancelled", "CANCELLED", "cancelled"),
        ("running", "RUNNING", "unfinished"),
        ("pending", "PENDING", "unfinished"),
        ("recovering", "RECOVERING", "unfinished"),
        ("unknown", "UNKNOWN", "unfinished"),
    ],
)
def test_a_jobs_status_says_what_became_of_its_seed(verdict, scheduler, outcome):
    assert outcome_of_job(JobStatus(run_name="r", verdict=verdict, scheduler=scheduler)) == outcome


def test_a_job_that_nobody_knows_has_not_ended():
    assert outcome_of_job(None) == "unfinished"


def test_the_trackers_words_are_those_of_the_one_table():
    found = {word: outcome_by_tracker(word) for word in [*TRACKER_WORDS, "a new word"]}
    assert found == {
        "pending": "unfinished",
        "running": "unfinished",
        "preempting": "unfinished",
        "preempted": "unfinished",
        "finished": "finished",
        "failed": "failed",
        "crashed": "failed",
        "killed": "cancelled",
        "a new word": "unfinished",
    }
