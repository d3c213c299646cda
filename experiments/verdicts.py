"""One verdict on a job from two witnesses: the scheduler that runs it and the tracker that hears from it.

The scheduler decides whether a job has ended, because a tracker that hears nothing cannot tell a dead trainer from a
slow one (a `.wandb` file without an exit record says "running" for ever). The tracker decides how a job ended where
the scheduler lost sight of it, and alone where no scheduler knows the job. Where the two differ, the reason says so.
A word that is not in the tables below is shown as it is, and is never taken for an end.
"""

from __future__ import annotations

from experiments.types import Verdict

# SkyPilot's managed-job and cluster-job words and those of the local launcher are one table: no word has two meanings.
SCHEDULER_WORDS: dict[str, Verdict] = {
    "PENDING": "pending",
    "SUBMITTED": "pending",
    "INIT": "pending",
    "STARTING": "pending",
    "SETTING_UP": "pending",
    "RUNNING": "running",
    "WINDING_DOWN": "running",
    "CANCELLING": "running",
    "RECOVERING": "recovering",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "FAILED_SETUP": "failed",
    "FAILED_DRIVER": "failed",
    "FAILED_PRECHECKS": "failed",
    "FAILED_NO_RESOURCE": "failed",
    "FAILED_CONTROLLER": "failed",
    "KILLED": "failed",
    "LOST": "failed",
    "CANCELLED": "cancelled",
}
"""What each word of a scheduler means on its own."""

TRACKER_WORDS: dict[str, Verdict] = {
    "pending": "pending",
    "running": "running",
    "preempting": "recovering",
    "preempted": "recovering",
    "finished": "succeeded",
    "failed": "failed",
    "crashed": "failed",
    "killed": "cancelled",
}
"""What each word of W&B means on its own."""

_SCHEDULER_NOTES = {
    "STARTING": "machines are being started",
    "SETTING_UP": "the machine is being set up",
    "WINDING_DOWN": "the machines are being given back",
    "CANCELLING": "being cancelled",
    "RECOVERING": "the machine was taken away; a new one is being found",
    "FAILED_SETUP": "the set-up failed before the trainer started",
    "FAILED_DRIVER": "the cluster's own process failed",
    "FAILED_PRECHECKS": "refused before it started",
    "FAILED_NO_RESOURCE": "no machine of this kind was to be had",
    "FAILED_CONTROLLER": "the scheduler's controller failed",
}
_ENDED = frozenset({"finished", "failed", "crashed", "killed"})


def verdict(
    scheduler: str | None, tracker: str | None, *, exit_code: int | None = None, detail: str = ""
) -> tuple[Verdict, str]:
    """Return the state of a job and why, in words; the reason is empty where both witnesses agree.

    Args:
        scheduler: The launcher's word, verbatim; None where it knows nothing of the job.
        tracker: The run store's word, verbatim; None where there is no run.
        exit_code: Of the trainer; negative for a signal.
        detail: The scheduler's own reason; it leads, because it knows most.
    """
    if scheduler is None:
        return _tracker_alone(tracker)
    if scheduler not in SCHEDULER_WORDS:
        return "unknown", _joined(detail, f"the scheduler says {scheduler!r}, a word that is not known here")
    word = SCHEDULER_WORDS[scheduler]
    detail = detail or _SCHEDULER_NOTES.get(scheduler, "")
    if tracker is not None and tracker not in TRACKER_WORDS:
        return word, _joined(detail, _exit_note(word, exit_code), f"the tracker says {tracker!r}")
    if word == "succeeded":
        return _succeeded(tracker, detail)
    if word == "failed":
        return _failed(scheduler, tracker, exit_code, detail)
    return _others(word, scheduler, tracker, detail)


def _tracker_alone(tracker: str | None) -> tuple[Verdict, str]:
    if tracker is None:
        return "unknown", "neither the scheduler nor the tracker knows this job"
    if tracker not in TRACKER_WORDS:
        return "unknown", f"the tracker says {tracker!r}, a word that is not known here"
    note = {"crashed": "the tracker lost contact", "killed": "stopped through the tracker"}.get(tracker, "")
    return TRACKER_WORDS[tracker], _joined(note, "known from the tracker only")


def _succeeded(tracker: str | None, detail: str) -> tuple[Verdict, str]:
    if tracker == "failed":
        return "failed", _joined(detail, "the scheduler saw no error, but the run was closed as failed")
    if tracker == "killed":
        return "cancelled", _joined(detail, "stopped through the tracker")
    if tracker == "crashed":
        return "succeeded", _joined(detail, "the tracker lost contact before the end: its last rows may be missing")
    if tracker is None:
        return "succeeded", _joined(detail, "no run was tracked")
    note = "" if tracker == "finished" else f"tracker not closed: it still says {tracker!r}"
    return "succeeded", _joined(detail, note)


def _failed(scheduler: str, tracker: str | None, exit_code: int | None, detail: str) -> tuple[Verdict, str]:
    if scheduler == "LOST" and tracker == "finished":
        return "succeeded", _joined(detail, "nobody saw it end, but the trainer closed its run as finished")
    note = "nobody saw it end" if scheduler == "LOST" else _exit_note("failed", exit_code)
    closed = "the run itself was closed as finished" if tracker == "finished" else ""
    return "failed", _joined(detail or note, closed)


def _others(word: Verdict, scheduler: str, tracker: str | None, detail: str) -> tuple[Verdict, str]:
    if word == "cancelled":
        return word, _joined(detail, "the run had already finished" if tracker == "finished" else "")
    if word == "pending" and tracker == "running":
        return "running", _joined(detail, f"the scheduler still says {scheduler!r}")
    if tracker in _ENDED:
        return word, _joined(detail, f"the tracker says {tracker!r}, the job has not ended")
    if word == "running" and tracker in {"preempting", "preempted"}:
        return word, _joined(detail, f"the tracker says {tracker!r}")
    return word, detail


def _exit_note(word: Verdict, exit_code: int | None) -> str:
    if word != "failed" or exit_code is None:
        return ""
    return f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
