"""One verdict on a job from two witnesses: the scheduler that runs it and the tracker that hears from it.

The scheduler decides whether a job has ended, because a tracker that hears nothing cannot tell a dead trainer from a
slow one (a `.wandb` file without an exit record says "running" for ever). The tracker decides how a job ended where
the scheduler lost sight of it, and alone where no scheduler knows the job. Where the two differ, the reason says so.
A word that is not in the tables of `state_words` is shown as it is, and is never taken for an end.
"""

from __future__ import annotations

import contextlib
import difflib
import math
from collections.abc import Mapping
from typing import Any

from experiments.jobs.events import cost_of, in_order
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.project.files import number_or_none
from experiments.project.standing import standing, trains
from experiments.project.state_words import SCHEDULER_WORDS, TRACKER_ENDS, TRACKER_WORDS
from experiments.project.trainers.known import reference
from experiments.runs.roles import NO_ROLES, TOTALS, likely_rewards, roles_of, steps_in_all
from experiments.runs.store import RunInfo, latest_sps
from experiments.types import (
    TERMINAL_VERDICTS,
    JobRef,
    JobStatus,
    Trainer,
    TrainingJob,
    TrainingJobConfig,
    Verdict,
)

_NOT_SUBMITTED: dict[str, tuple[Verdict, str]] = {
    "planned": ("pending", "not launched yet"),
    "submitting": ("pending", "being handed to the launcher"),
    "refused": ("failed", "the launcher refused it"),
    "cancelled": ("cancelled", "cancelled before it started"),
}
_TIMEOUT_CODE = 124  # of the program `timeout`, which holds the limit on a node
_SCHEDULER_NOTES = {
    "TIMED_OUT": "ended after its max_runtime_hours",
    "OUT_OF_MEMORY": "ended when it held more than its memory",
    "STOPPED": "stopped by its stop_when",
    "LOST": "nobody saw it end",
    "RESTARTED": "the machine was restarted",
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
    if word == "unknown":
        # The launcher cannot look (another machine's job, a damaged record): a run that was closed did end.
        closed = {"finished", "failed"} & {tracker}
        note = f"the tracker says {tracker!r}" if tracker else ""
        return (_tracker_alone(tracker)[0] if closed else word), _joined(detail, note)
    if tracker is not None and tracker not in TRACKER_WORDS:
        return word, _joined(detail, _exit_note(word, exit_code), f"the tracker says {tracker!r}")
    if word == "failed":
        return _failed(scheduler, tracker, exit_code, detail)
    return _succeeded(tracker, detail) if word == "succeeded" else _others(word, scheduler, tracker, detail)


def job_status(
    job: TrainingJob | JobRef, scheduler: SchedulerStatus | None, run: RunInfo | None, *, as_of: float
) -> JobStatus:
    """Return the status of one job from what its two witnesses say; pure."""
    ref = job.ref() if isinstance(job, TrainingJob) else job
    summary = run.summary if run else {}
    metrics = job.metrics or NO_ROLES
    roles = roles_of(summary, metrics)
    evaluated = {"evaluation": metrics.evaluation[0]} if metrics.evaluation else {}
    step, reward = number_or_none(summary.get(roles.step or "")), summary.get(roles.reward or "")
    exit_code = next((known.exit_code for known in (scheduler, run) if known and known.exit_code is not None), None)
    state, reason = _judge(job, scheduler, run, exit_code)
    if isinstance(reward, float) and not math.isfinite(reward):
        reason = "; ".join(filter(None, [reason, f"the latest reward is {reward}"]))
    if run and state in TERMINAL_VERDICTS and metrics.primary and metrics.primary not in summary:
        reason = "; ".join(filter(None, [reason, never_logged(metrics.primary, summary)]))
    ended = run.heartbeat_at if run and state in TERMINAL_VERDICTS else None
    cost = cost_of(ref.launcher, scheduler, as_of)
    return JobStatus(
        run_name=ref.run,
        experiment=job.experiment if isinstance(job, TrainingJob) else _experiment_of(ref.run),
        arm=ref.arm,
        seed=ref.seed,
        **standing(ref),
        launcher=ref.launcher,
        scheduler=scheduler.word if scheduler else None,
        tracker=run.state if run else None,
        verdict=state,
        reason=reason,
        step=None if step is None else int(step),
        total_steps=_total_steps(job, run),
        reward=number_or_none(reward),
        sps=latest_sps(summary, metrics.speed),
        keys={} if roles.is_usual else roles.keys() | evaluated,
        lower_is_better=metrics.direction == "lower",
        found=() if roles.is_usual else tuple(sorted(roles.found)),
        started_at=number_or_none(scheduler and scheduler.started_at) or number_or_none(run and run.created_at),
        ended_at=number_or_none(scheduler and scheduler.ended_at) or number_or_none(ended),
        exit_code=exit_code,
        resources=scheduler.resources if scheduler else "",
        recoveries=scheduler.recoveries if scheduler else 0,
        events=tuple(in_order(scheduler.events)) if scheduler else (),
        cost_usd=cost.usd,
        cost=cost.text,
        as_of=as_of,
    )


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
    if scheduler in {"LOST", "RESTARTED"} and tracker == "finished":
        return "succeeded", _joined(detail, "but the trainer had closed its run as finished")
    note = _exit_note("failed", exit_code)
    closed = "the run itself was closed as finished" if tracker == "finished" else ""
    return "failed", _joined(detail or note, closed)


def _others(word: Verdict, scheduler: str, tracker: str | None, detail: str) -> tuple[Verdict, str]:
    if word == "cancelled":
        return word, _joined(detail, "the run had already finished" if tracker == "finished" else "")
    if word == "pending" and tracker == "running":
        return "running", _joined(detail, f"the scheduler still says {scheduler!r}")
    if tracker in TRACKER_ENDS:
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


def _judge(
    job: TrainingJob | JobRef, scheduler: SchedulerStatus | None, run: RunInfo | None, exit_code: int | None
) -> tuple[Verdict, str]:
    if isinstance(job, TrainingJob) and job.state != "submitted":
        state, reason = _NOT_SUBMITTED[job.state]
        return state, job.error or reason
    if scheduler is None and run is None and isinstance(job, JobRef):
        return "unknown", "recorded on another machine"
    detail = scheduler.reason if scheduler else ""
    if isinstance(job, TrainingJob) and job.launcher == "skypilot" and exit_code == _TIMEOUT_CODE:
        hours = job.config.max_runtime_hours
        detail = _joined(f"ended after {hours:g} h, its max_runtime_hours" if hours is not None else "", detail)
    state, reason = verdict(
        scheduler.word if scheduler else None, run.state if run else None, exit_code=exit_code, detail=detail
    )
    # What an evaluation finds is in no tracker.
    return state, detail if state == "succeeded" and not trains(job.role) else reason


def never_logged(primary: str, summary: Mapping[str, Any]) -> str:
    """Return that a run never logged what its trainer is about, and what did; empty where it logged nothing."""
    logged = [key for key in summary if not key.startswith("_")]
    near = list(dict.fromkeys([*difflib.get_close_matches(primary, logged, n=2), *likely_rewards(logged)])) or logged
    if not logged:
        return ""
    return f"the primary metric {primary!r} was never logged; it logged {' and '.join(map(repr, near[:2]))}"


def steps_asked_for(config: TrainingJobConfig) -> float | None:
    """Return the steps that a job is to train in all; None where its arguments do not say."""
    trainer = config.trainer if isinstance(config.trainer, Trainer) else reference()
    if isinstance(trainer.metrics.total, int):
        return float(trainer.metrics.total)
    keys = (trainer.steps,) if trainer.steps is not None else TOTALS
    for key in keys:
        with contextlib.suppress(ValueError):
            if (value := number_or_none(float(config.get_arg_value(key) or ""))) is not None:
                return value
    return None


def _total_steps(job: TrainingJob | JobRef, run: RunInfo | None) -> int | None:
    total = steps_in_all(run.config, job.metrics or NO_ROLES) if run else None
    if total is None and isinstance(job, TrainingJob):
        total = steps_asked_for(job.config)
    return None if total is None else int(total)


def _experiment_of(run_name: str) -> str:
    parts = run_name.split(".")
    return parts[1] if len(parts) == 5 else ""
