"""Whether a running job is hopeless by its `stop_when`: the rules of alerts, asked of one job, and what was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.jobs.launchers.local.hopeless import stood_still
from experiments.jobs.watch.alerting import evaluations_of
from experiments.jobs.watch.alerts import Limits, below_baseline, not_a_number
from experiments.project.trainers.known import trainer_of
from experiments.runs.store import RunQuery, RunStore
from experiments.types import JobStatus, StopWhen, TrainingJob


def hopeless(
    run: str,
    jobs: Sequence[JobStatus],
    rows: Mapping[str, TrainingJob],
    store: RunStore,
    rules: StopWhen,
    now: float,
    *,
    silent_s: float = 0.0,
) -> str:
    """Return why a running job is hopeless; empty where it is not, or nobody can tell.

    Args:
        jobs: Of its experiment, in the ledger's order.
        rows: What the ledger has of them, by run name.
        now: Unix seconds.
        silent_s: How long it has made no step; 0 where somebody else looks at that.

    Raises:
        StoreError: Metrics cannot be read.
    """
    if reason := stood_still(rules.idle_minutes, silent_s) or overspent(jobs, rows, rules, now):
        return reason
    found = []
    if rules.not_finite:
        summaries = {info.name: info.summary for info in store.find(RunQuery(names=[run], limit=None))}
        found += not_a_number([job for job in jobs if job.run_name == run], summaries, now)
    if rules.below_baseline is not None and len({job.arm for job in jobs}) > 1:
        limits = Limits(evaluations=rules.below_baseline)
        found += [one for one in below_baseline(jobs, evaluations_of(store, jobs), limits, now) if one.run == run]
    return found[0].text if found else ""


def overspent(jobs: Sequence[JobStatus], rows: Mapping[str, TrainingJob], rules: StopWhen, now: float) -> str:
    """Return that an experiment has spent what its rules allow; empty while it has not.

    What is not known to have been spent is not counted: a run whose end nobody saw counts no time.
    """
    if rules.hours is None and rules.gpu_hours is None:
        return ""
    hours = {job.run_name: _hours(job, now) for job in jobs}
    spent = sum(hours.values())
    if rules.hours is not None and spent >= rules.hours:
        return f"its experiment's runs took {spent:.3g} hours together, of {rules.hours:g}"
    spent = sum(taken * _gpus(rows[run]) for run, taken in hours.items() if run in rows)
    if rules.gpu_hours is not None and spent >= rules.gpu_hours:
        return f"its experiment's runs took {spent:.3g} GPU hours together, of {rules.gpu_hours:g}"
    return ""


def _hours(job: JobStatus, now: float) -> float:
    ended = now if job.ended_at is None and job.verdict in {"running", "recovering"} else job.ended_at
    return 0.0 if job.started_at is None or ended is None else max(0.0, ended - job.started_at) / 3600


def _gpus(job: TrainingJob) -> float:
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is not None and not trainer.uses_gpus:
        return 0
    kind, _, count = (job.config.accelerator or "").partition(":")
    return (int(count) if kind and count else job.config.gpus) * job.config.nodes
