"""What ended a job: the machine, the training or a person, which says whether a retry may take its seed's place.

A seed that is drawn again because its training failed is a seed that was chosen by its result. One whose machine
failed says nothing of the training, so a retry takes its place. What nobody knows is not taken for the machine.
"""

from __future__ import annotations

import signal
from typing import Literal

from experiments.project.state_words import TRACKER_WORDS
from experiments.statistics import Outcome, outcome_of
from experiments.types import JobStatus

Cause = Literal["machine", "training", "person", "unknown"]

MACHINE_WORDS = {
    "LOST": "nobody saw it end",
    "FAILED_SETUP": "the machine could not be set up",
    "FAILED_DRIVER": "the cluster's own process failed",
    "FAILED_NO_RESOURCE": "no machine was to be had",
    "FAILED_CONTROLLER": "the scheduler's controller failed",
    "FAILED_PRECHECKS": "it was refused before it started",
}
"""A scheduler's words for an end that the training had no part in."""

_PERSONS_WORDS = {"CANCELLED": "cancelled", "TIMED_OUT": "ended after its max_runtime_hours"}

# A trainer does not send itself these; the other signals (a segmentation fault, an abort) are its own doing, and an
# interrupt is a person's. SIGKILL is none of them: it is also how the system ends what takes too much memory, and an
# arm that does must not draw its seeds again.
_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGHUP})


def cause_of_end(scheduler: str | None, tracker: str | None, *, exit_code: int | None = None) -> tuple[Cause, str]:
    """Return what ended a job that failed or was cancelled, and by which words that is known; pure.

    Args:
        scheduler: The launcher's word, verbatim; None where it never had the job or knows nothing of it.
        tracker: The run store's word, verbatim; None where there is no run.
        exit_code: Of the trainer; negative for the signal that killed it.
    """
    if scheduler in _PERSONS_WORDS or (scheduler in {None, "SUCCEEDED"} and tracker == "killed"):
        return "person", _PERSONS_WORDS.get(scheduler or "", "cancelled")
    # A trainer that closed its own run as failed had ended before its machine did.
    if scheduler == "FAILED" or (tracker == "failed" and scheduler in {None, "SUCCEEDED", *MACHINE_WORDS}):
        return "training", "the trainer failed" if exit_code is None else f"exit code {exit_code}"
    if scheduler in MACHINE_WORDS:
        return "machine", MACHINE_WORDS[scheduler]
    if scheduler == "KILLED":
        return _of_signal(exit_code)
    if scheduler is None and tracker is None and exit_code is None:
        return "machine", "the launcher refused it"
    return "unknown", "what ended it is not known"


def outcome_of_job(status: JobStatus | None) -> Outcome:
    """Return what became of a job's seed; a job that nobody knows has not ended as far as anybody knows."""
    if status is None:
        return "unfinished"
    outcome = outcome_of(status.verdict)
    if outcome == "failed":
        cause, _ = cause_of_end(status.scheduler, status.tracker, exit_code=status.exit_code)
        return "machine failed" if cause == "machine" else outcome
    return outcome


def outcome_by_tracker(word: str) -> Outcome:
    """Return what the tracker's word alone says of a run; a word that is not known here ends nothing."""
    return outcome_of(TRACKER_WORDS.get(word, "unknown"))


def _of_signal(exit_code: int | None) -> tuple[Cause, str]:
    if exit_code is None or exit_code >= 0:
        return "unknown", "killed, by what is not known"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return "unknown", f"killed by signal {-exit_code}"
    if name == "SIGKILL":
        return "unknown", "killed by SIGKILL, which may be for want of memory"
    if -exit_code in _FROM_OUTSIDE:
        return "machine", f"killed from outside by {name}"
    return ("person", f"interrupted by {name}") if name == "SIGINT" else ("training", f"ended by {name}")
