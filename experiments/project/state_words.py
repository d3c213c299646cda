"""The words that schedulers and trackers have for a job's state, and what each means: the only such tables.

Who needs fewer words or another grouping derives it from these; a copy would soon know fewer words than they.
"""

from __future__ import annotations

from experiments.types import TERMINAL_VERDICTS, Verdict

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
    "TIMED_OUT": "failed",
    "OUT_OF_MEMORY": "failed",
    "LOST": "failed",
    "RESTARTED": "failed",
    "CANCELLED": "cancelled",
    "STOPPED": "cancelled",
    "UNKNOWN": "unknown",
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

SCHEDULER_ENDS = frozenset(word for word, meaning in SCHEDULER_WORDS.items() if meaning in TERMINAL_VERDICTS)
"""Words after which a scheduler does nothing more for a job."""

TRACKER_ENDS = frozenset(word for word, meaning in TRACKER_WORDS.items() if meaning in TERMINAL_VERDICTS)
"""Words after which a run gets no rows, unless it is started again."""
