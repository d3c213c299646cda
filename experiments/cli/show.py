"""The command that shows all that is known of one job."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.evaluated import Evaluated
from experiments.cli.flags import RunName
from experiments.cli.status import steps_text, took_text, why_text
from experiments.cli.terminal import say
from experiments.project.look import quantity
from experiments.project.standing import seed_number
from experiments.types import JobStatus, TrainingJob

if TYPE_CHECKING:
    from experiments.project.provenance import CodeRecord
    from experiments.project.workspace import Workspace
    from experiments.results.evaluations import EvaluatedRun


class Ran(Shown):
    """Which code a job ran, and with what.

    Attributes:
        what: In words.
        code: What was recorded of it as it started; null before.
    """

    what: str
    code: dict[str, Any] | None
    with_: dict[str, str] = Field(alias="with")


class JobRecord(Long):
    """All that is known of a job; times are Unix seconds.

    Attributes:
        job: As it is recorded, with the command as its launcher was told it.
        attempts: Run names of all attempts at it.
        files: Where its files are.
        logged_to: Where the script logged by its own files, where that is not what it was told.
        provenance: What the plan recorded of the code.
        launched_by: Whose act it was: a command, a page, or that with a permit; empty where that is not recorded.
        budget: Name of the budget or permit that it drew on; null where a person asked for it.
        events: What happened to it, each with its time `at` and `what`.
        happened: What its scheduler told, in words.
    """

    ITEMS: ClassVar[str] = "events"

    job: TrainingJob
    status: JobStatus
    note: str
    tags: tuple[str, ...]
    attempts: tuple[str, ...]
    files: str
    logged_to: str
    provenance: dict[str, Any] | None
    launched_by: str
    budget: str | None
    ran: Ran
    events: tuple[dict[str, Any], ...]
    evaluations: tuple[Evaluated, ...]
    evaluation_problems: tuple[str, ...]
    happened: tuple[str, ...]
    scheduler_events: tuple[tuple[str, str, float], ...]
    recoveries: int
    resources: str
    cost: str


def show(run: RunName) -> Answer[JobRecord]:
    """Show all that is known of a job: how it is, config, command, code, attempts and what happened to it.

    Args:
        run: Run name, the beginning of it, or launcher id.
    """
    from experiments.cli.asked import asked_jobs
    from experiments.project.workspace import Workspace

    workspace = Workspace.find(Path.cwd())
    job = asked_jobs(workspace, [run], reading=True)[0]
    status, problems = _status(workspace, job)
    record = job_record(workspace, job)
    found = JobRecord.model_validate(record | {"status": status})
    return Answer(found, lambda _: _print_record(record, status), notes=problems)


def _status(workspace: Workspace, job: TrainingJob) -> tuple[JobStatus, list[str]]:
    """Return how a job is, by the same poll as `experiments status`, and which sources did not answer."""
    from experiments.monitoring import poll_once, sources_of

    found = poll_once(workspace.state, sources=replace(sources_of(workspace.state), jobs=lambda: [job]))
    return found.of(job.run_name) or JobStatus(run_name=job.run_name), found.problems(time.time())


def job_record(workspace: Workspace, job: TrainingJob) -> dict[str, Any]:
    """Return what is recorded of a job, as JSON values; times are Unix seconds."""
    from experiments.jobs.ledger import open_ledger
    from experiments.jobs.ran import codes_of
    from experiments.project.workspace import files_of

    with open_ledger(workspace, read_only=True) as ledger:
        provenance = ledger.provenance(job.plan_key)
        events = [{"at": event.at, "what": event.kind, **event.data} for event in ledger.events(run_name=job.run_name)]
        written = ledger.annotations([job.run_name]).get(job.run_name)
        spec = ledger.spec(job.run_name)
        attempts = [other.run_name for other in ledger.attempts(job)]
        launches = ledger.events(run_name=job.run_name, kind="launch")
        launches = launches or ledger.events(plan_key=job.plan_key, kind="launch")
        budget = ledger.budget_of(job.run_name)
    code = codes_of(workspace, [job.run_name])[job.run_name]
    evaluations, unread = _evaluations(workspace, job)
    return {
        "job": job.model_dump(mode="json") | {"command": _command(workspace, job, spec)},
        "note": written.note if written else "",
        "tags": list(written.tags) if written else [],
        "attempts": attempts,
        "files": files_of(job.launcher, workspace, job.run_name),
        "logged_to": _logged_to(workspace, job),
        "provenance": provenance,
        "launched_by": str(launches[0].data.get("by", "")) if launches else "",
        "budget": budget,
        "ran": {
            "what": code.words(workspace.root),
            "code": code.started.model_dump(mode="json") if code.started else None,
            "with": dict(_conditions(workspace, code.started)),
        },
        "events": events,
        "evaluations": [run.record() for run in evaluations],
        "evaluation_problems": unread,
        **_scheduled(workspace, job),
    }


def _evaluations(workspace: Workspace, job: TrainingJob) -> tuple[list[EvaluatedRun], list[str]]:
    """Return what evaluations of a run found, and what of them cannot be read."""
    from experiments.results.evaluations import evaluations_of

    try:
        return evaluations_of(workspace, job)
    except OSError as error:
        return [], [f"evaluations cannot be read: {error}"]


def _logged_to(workspace: Workspace, job: TrainingJob) -> str:
    """Return where the script logged by its own files, where that is not what it was told; empty where it is."""
    from experiments.jobs.ledger import open_ledger
    from experiments.runs.opening import offline_store
    from experiments.runs.store import RunQuery

    store = offline_store(workspace)
    found = store.find(RunQuery(names=[job.run_name], limit=None))
    if not found:
        return ""
    with open_ledger(workspace, read_only=True) as ledger:
        told = (ledger.spec(job.run_name) or {}).get("env", {})
    # W&B's SDK names the folder of a start by its mode, whatever was asked for.
    is_offline = store.log(job.run_name).directories[-1].name.startswith("offline-run-")
    mode = "offline" if is_offline else "online"
    entity, _, project = found[0].place.partition("/")
    # A server fills in an entity where nobody names one; a file has only what somebody named.
    asked = told.get("WANDB_ENTITY", "" if is_offline else entity)
    is_elsewhere = bool(project) and (project != told.get("WANDB_PROJECT", project) or entity not in {"", asked})
    said = [found[0].place.lstrip("/")] if is_elsewhere else []
    said += [mode] if mode != told.get("WANDB_MODE", mode) else []
    if said:
        return f"{', '.join(said)}, as the script itself said"
    # Nobody named an entity to it: whether the script did, or its key or machine, no file says.
    return found[0].place if entity and "WANDB_ENTITY" not in told else ""


def _conditions(workspace: Workspace, code: CodeRecord | None) -> list[tuple[str, str]]:
    """Return what the trainer's interpreter had installed and what its machine computed with, as (label, text)."""
    from experiments.project.environment.records import package_words

    if code is None:
        return []
    packages = package_words(workspace.state, code.environment, code.environment_reason)
    linked = [("data links", ", ".join(code.links))] if code.links else []
    return [("ran with", packages), *(code.machine.lines() if code.machine else []), *linked]


def _command(workspace: Workspace, job: TrainingJob, spec: Mapping[str, Any] | None) -> list[str]:
    """Return the command as its launcher was told it, with the interpreter of the place where it runs."""
    from experiments.jobs.commands import with_interpreter

    python = workspace.settings.sky_node_python if job.launcher == "skypilot" else sys.executable
    return list(with_interpreter(spec["command"] if spec else job.command, python))


def _scheduled(workspace: Workspace, job: TrainingJob) -> dict[str, Any]:
    """Return what its scheduler told of a job, as far as it was kept here."""
    from experiments.jobs.events import cost_of, history, read_kept
    from experiments.jobs.launchers.base import SchedulerStatus

    kept = read_kept(workspace.runs / job.run_name)
    word = kept.events[-1][0] if kept.events else ""
    status = SchedulerStatus(word, duration_s=kept.duration_s or 0.0, price_per_hour=kept.price_per_hour)
    return {
        "happened": history(kept.events, time.time()),
        "scheduler_events": [list(event) for event in kept.events],
        "recoveries": kept.recoveries,
        "resources": kept.resources,
        "cost": cost_of(job.launcher, status, time.time()).text,
    }


def _print_record(record: dict[str, Any], status: JobStatus) -> None:
    job = record["job"]
    names = ("run_name", "experiment", "arm", "seed", "role", "replicate", "parent", "repeat", "attempt", "retry_of")
    rows = [(name, job[name]) for name in names if job.get(name) is not None]  # a seed says nothing of its role
    rows = [(name, seed_number(value) if name == "seed" else value) for name, value in rows]
    rows += _status_rows(status, job["state"])
    rows += [("launcher", f"{job['launcher']} {job['launcher_id'] or ''}"), ("tracker", job["tracker"])]
    rows += [("logged to", record["logged_to"])]
    rows += [("files", record["files"])]
    rows += [(name, _told_of(value) if name == "trainer" else value) for name, value in job["config"].items()]
    rows += [("command", shlex.join(job["command"])), ("attempts", ", ".join(record["attempts"]))]
    rows += _code_rows(record)
    rows += [("evaluations", "; ".join([one["said"], *one["notes"]])) for one in record["evaluations"]]
    rows += [("evaluations", problem) for problem in record["evaluation_problems"]]
    rows += [("launched by", record["launched_by"]), ("budget", record["budget"])]
    rows += [("note", record["note"]), ("tags", ", ".join(record["tags"]))]
    rows += [("resources", status.resources or record["resources"]), ("cost", status.cost)]
    rows += [("error", job["error"])] if job["error"] else []
    rows = [(name, value) for name, value in rows if value not in ("", None, [])]
    for event in record["events"]:
        told = {
            key: value
            for key, value in event.items()
            if key not in {"at", "what", "row", "provenance", "files", "packages", "machine"}
        }
        rows.append((event["what"], f"{_time(event['at'])}  {_told(told)}".rstrip()))
    rows += [("scheduler", what) for what in record["happened"]]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        say(f"{name:<{width}}  {', '.join(map(str, value)) if isinstance(value, list) else value}")


def _told_of(trainer: dict[str, Any]) -> str:
    """Return a trainer in few words; what it logs under which names is said with how the job is."""
    options = ", with dashes" if trainer.get("dashes") else ""
    return f"{trainer['name']}: {shlex.join(trainer['command'])} ({trainer['style']}{options})"


def _status_rows(status: JobStatus, state: str) -> list[tuple[str, Any]]:
    """Return how a job is, in the words of `experiments status`."""
    from experiments.runs.roles import roles_sentence

    return [
        ("state", status.verdict),
        ("because", why_text(status)),
        ("handed over", "" if state == "submitted" else state),
        ("scheduler says", status.scheduler),
        ("tracker says", status.tracker),
        ("steps", steps_text(status)),
        ("reward", quantity(status.reward)),
        ("metrics", roles_sentence(status.keys, status.found)),
        ("took", took_text(status)),
    ]


def _code_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where the code comes from; what the plan recorded is called so where another code ran."""
    from experiments.project.provenance import Provenance

    planned = Provenance.recorded(record["provenance"]).lines() if record["provenance"] else []
    return [("code that ran", record["ran"]["what"]), *record["ran"]["with"].items(), *planned]


def _told(data: dict[str, Any]) -> str:
    """Return what an event tells, without what is empty and with times as people read them."""
    said = [(key, value) for key, value in data.items() if value not in (None, "", [], {})]
    return ", ".join(f"{key} {_time(value) if key.endswith('_at') else value}" for key, value in said)


def _time(at: float) -> str:
    return dt.datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds")
