"""Commands on jobs: how they are and what they print."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.commands.flags import Flag, JsonFlag
from experiments.costs import NO_COST, cost_of
from experiments.errors import ExperimentsError, UsageError
from experiments.job_events import history, last_interruption, read_kept
from experiments.launchers.base import Launcher, SchedulerStatus
from experiments.look import counted, duration, quantity
from experiments.lookup import find_jobs
from experiments.redaction import mask_text
from experiments.terminal import agrees, console, state_text
from experiments.types import JobStatus, TrainingJob
from experiments.workspace import Workspace

_LINES = 200
_QUICK_S = 3.0
_STATUS_S = 15.0  # how often a log that is followed asks whether its job has ended


def status(*, json_: JsonFlag = False) -> int:
    """Show every job: its state, verdict, progress and times.

    Args:
        json_: Print a JSON list instead of a table.
    """
    from experiments.monitoring import job_statuses

    workspace = Workspace.find(Path.cwd())
    _settle(workspace)
    statuses = job_statuses(workspace.state)
    if json_:
        print(json.dumps([item.model_dump(mode="json") for item in statuses], indent=2))
    elif not statuses:
        print("No job yet. Launch one: uv run experiments/recipes/arena_experiment.py")
    else:
        _print_table(statuses)
    return 0


def _settle(workspace: Workspace) -> None:
    """Resolve what a killed process left in doubt; the jobs are shown also where that cannot be."""
    from experiments.launch import start_next

    with workspace.ledger(read_only=True) as ledger:
        in_doubt = ledger.jobs(state="submitting")
    try:
        if in_doubt:
            start_next(workspace)
    except ExperimentsError as error:
        print(f"note: {error}", file=sys.stderr)


def logs(
    run: tyro.conf.Positional[str],
    *,
    follow: Annotated[bool, tyro.conf.arg(aliases=["-f"], help_behavior_hint="")] = False,
    lines: Annotated[int, tyro.conf.arg(aliases=["-n"])] = _LINES,
) -> int:
    """Show what a job printed.

    Args:
        run: Run name or launcher id.
        follow: Go on until the job has ended; Ctrl-C stops the view, not the job.
        lines: How many of the last lines to show; 0 for all.
    """
    from experiments.launch import launcher_for

    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    launcher = launcher_for(job.launcher, workspace)
    if job.launcher == "skypilot":
        return _cluster_logs(workspace, job, launcher, keep_on=follow, last=lines)
    identity = job.launcher_id or job.run_name
    printed = list(launcher.logs(job.run_name, identity))
    for line in printed[-lines:] if lines else printed:
        _print_line(line)
    if follow:
        for number, line in enumerate(launcher.logs(job.run_name, identity, follow=True)):
            if number >= len(printed):
                _print_line(line)
    elif not printed:
        print(f"{job.run_name} has printed nothing yet.", file=sys.stderr)
    return 0


def _cluster_logs(workspace: Workspace, job: TrainingJob, launcher: Launcher, *, keep_on: bool, last: int) -> int:
    """Show what a job on a cluster printed, also where its scheduler cannot be asked now."""
    from experiments.job_logs import LogReader
    from experiments.job_logs import follow as follow_log

    reader = LogReader(workspace, lambda _: launcher)
    first = reader.view(job, deadline_s=_QUICK_S)
    if first.is_late:
        print(f"waiting for {job.launcher} to show the log; Ctrl-C stops the view, not the job", file=sys.stderr)
        first = reader.view(job)
    if first.note:
        print(first.note, file=sys.stderr)
    shown = first.lines[:-1] if keep_on else first.lines  # the last line may be half written
    for line in shown[-last:] if last else shown:
        _print_line(line)
    if keep_on:
        asked, ended = -_STATUS_S, False

        def has_ended() -> bool:
            nonlocal asked, ended
            if not ended and time.monotonic() - asked >= _STATUS_S:
                ended = _has_ended(launcher, job)
                asked = time.monotonic()
            return ended

        lines = follow_log(lambda: reader.view(job), has_ended, on_note=lambda note: print(note, file=sys.stderr))
        for number, line in enumerate(lines):
            if number >= len(shown):
                _print_line(line)
    elif not first.lines:
        print(f"{job.run_name} has printed nothing yet.", file=sys.stderr)
    return 0


def _has_ended(launcher: Launcher, job: TrainingJob) -> bool:
    from experiments.errors import LaunchError
    from experiments.handover import has_ended

    try:
        status = launcher.poll({job.run_name: job.launcher_id or ""}).get(job.run_name)
    except LaunchError:
        return False
    return status is not None and has_ended(status)


def show(run: tyro.conf.Positional[str], *, json_: JsonFlag = False) -> int:
    """Show all that is recorded of a job: config, command, code, attempts and what happened to it.

    Args:
        run: Run name or launcher id.
        json_: Print a JSON document instead of text.
    """
    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    record = job_record(workspace, job)
    if json_:
        print(json.dumps(record, indent=2))
    else:
        _print_record(record)
    return 0


def cancel(runs: tyro.conf.Positional[tuple[str, ...]], *, yes: Flag = False) -> int:
    """End jobs: those that wait never start, those that run get TERM and, after a grace, KILL.

    Args:
        runs: Run names or launcher ids.
        yes: Do not ask.
    """
    from experiments.launch import cancel as end
    from experiments.launch import command_permit

    workspace = Workspace.find(Path.cwd())
    names = [job.run_name for job in find_jobs(workspace, _some(runs))]
    if not yes and sys.stdin.isatty() and not agrees(f"Cancel {counted(len(names), 'job')}?"):
        return 1
    for name, what in end(names, command_permit(f"experiments cancel {' '.join(names)}"), workspace).items():
        print(f"{name}: {what}")
    return 0


def retry(runs: tyro.conf.Positional[tuple[str, ...]]) -> int:
    """Launch jobs that have ended once more: the same arm and seed, as a new attempt.

    Args:
        runs: Run names or launcher ids.
    """
    from experiments.launch import command_permit
    from experiments.launch import retry as launch_again

    workspace = Workspace.find(Path.cwd())
    for job in find_jobs(workspace, _some(runs)):
        attempt = launch_again(job.run_name, command_permit(f"experiments retry {job.run_name}"), workspace)
        print(f"{job.run_name}: attempt {attempt.attempt} is {attempt.run_name}")
    return 0


def note(run: tyro.conf.Positional[str], text: tyro.conf.Positional[str]) -> int:
    """Keep a note with a job, in the place of an earlier one; `experiments show RUN` shows it.

    Args:
        run: Run name or launcher id.
        text: The note.
    """
    from experiments.launch import command_permit
    from experiments.notes import write_note

    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    write_note([job.run_name], text, command_permit("experiments note"), workspace)
    print(f"noted: {job.run_name}")
    return 0


def tag(tag: tyro.conf.Positional[str], runs: tyro.conf.Positional[tuple[str, ...]]) -> int:
    """Give jobs a tag.

    Args:
        tag: The tag.
        runs: Run names or launcher ids.
    """
    from experiments.launch import command_permit
    from experiments.notes import add_tag

    workspace = Workspace.find(Path.cwd())
    names = [job.run_name for job in find_jobs(workspace, _some(runs))]
    add_tag(names, tag, command_permit("experiments tag"), workspace)
    print(f"{counted(len(names), 'job')} tagged {tag!r}")
    return 0


def record(notebook: tyro.conf.Positional[Path]) -> int:
    """Write the jobs that were launched from a notebook, and the notes of its log, into its file.

    Args:
        notebook: The notebook's file.
    """
    from experiments.journal_record import kept_notes
    from experiments.notebooks.reading import read_text
    from experiments.notebooks.references import add_jobs, add_notes, open_file

    workspace = Workspace.find(notebook)
    name = open_file(read_text(notebook), notebook)[1].experiment
    with workspace.ledger(read_only=True) as ledger:
        launched = [job.ref() for job in ledger.jobs(experiment=name) if job.state != "planned"]
    added, notes = add_jobs(notebook, launched), add_notes(notebook, kept_notes(workspace, name))
    what = [counted(len(added), "job")] if added or not notes else []
    what += [counted(notes, "note")] if notes else []
    shown = workspace.shown(notebook.absolute())
    print(f"{' and '.join(what)} added to {shown}" if added or notes else "Nothing to add.")
    return 0


def job_record(workspace: Workspace, job: TrainingJob) -> dict[str, Any]:
    """Return what the ledger holds of a job, as JSON values; times are Unix seconds."""
    with workspace.ledger(read_only=True) as ledger:
        provenance = ledger.provenance(job.plan_key)
        events = [{"at": event.at, "what": event.kind, **event.data} for event in ledger.events(run_name=job.run_name)]
        written = ledger.annotations([job.run_name]).get(job.run_name)
        attempts = [
            other.run_name
            for other in ledger.jobs(plan_key=job.plan_key)
            if (other.arm, other.seed) == (job.arm, job.seed)
        ]
    return {
        "job": job.model_dump(mode="json"),
        "note": written.note if written else "",
        "tags": list(written.tags) if written else [],
        "attempts": attempts,
        "provenance": provenance,
        "events": events,
        **_scheduled(workspace, job),
    }


def _scheduled(workspace: Workspace, job: TrainingJob) -> dict[str, Any]:
    """Return what its scheduler told of a job, as far as it was kept here."""
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


def _print_record(record: dict[str, Any]) -> None:
    from experiments.provenance import Provenance

    job = record["job"]
    rows = [(name, job[name]) for name in ("run_name", "experiment", "arm", "seed", "repeat", "attempt", "state")]
    rows += [("launcher", f"{job['launcher']} {job['launcher_id'] or ''}"), ("tracker", job["tracker"])]
    rows += [(name, value) for name, value in job["config"].items()]
    rows += [("command", shlex.join(job["command"])), ("attempts", ", ".join(record["attempts"]))]
    rows += Provenance.model_validate(record["provenance"]).lines() if record["provenance"] else []
    rows += [("note", record["note"]), ("tags", ", ".join(record["tags"]))]
    rows += [("resources", record["resources"]), ("cost", record["cost"])]
    rows += [("error", job["error"])] if job["error"] else []
    rows = [(name, value) for name, value in rows if value != ""]
    for event in record["events"]:
        told = {key: value for key, value in event.items() if key not in {"at", "what"}}
        rows.append((event["what"], f"{_time(event['at'])}  {_told(told)}".rstrip()))
    rows += [("scheduler", what) for what in record["happened"]]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {', '.join(map(str, value)) if isinstance(value, list) else value}")


def _told(data: dict[str, Any]) -> str:
    """Return what an event tells, without what is empty and with times as people read them."""
    said = [(key, value) for key, value in data.items() if value not in (None, "", [], {})]
    return ", ".join(f"{key} {_time(value) if key.endswith('_at') else value}" for key, value in said)


def _time(at: float) -> str:
    return dt.datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds")


def _some(runs: tuple[str, ...]) -> tuple[str, ...]:
    if not runs:
        raise UsageError("no job is named. Give run names or launcher ids; experiments status lists them.")
    return runs


def _print_table(statuses: list[JobStatus]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("run", "state", "launcher", "scheduler", "tracker"):
        table.add_column(heading, no_wrap=True)
    for heading in ("steps", "reward", "took"):
        table.add_column(heading, justify="right", no_wrap=True)
    has_costs = any(item.cost not in {"", NO_COST.text} for item in statuses)
    if has_costs:
        table.add_column("cost", no_wrap=True)
    table.add_column("note")
    for item in statuses:
        steps = f"{quantity(item.step)} of {quantity(item.total_steps)}"
        ended = item.ended_at or item.as_of
        took = duration(ended - item.started_at) if item.started_at else duration(None)
        note = "; ".join(filter(None, [item.reason, last_interruption(item.events, item.recoveries, time.time())]))
        table.add_row(
            item.run_name,
            state_text(item.verdict),
            item.launcher,
            item.scheduler or "",
            item.tracker or "",
            steps,
            quantity(item.reward),
            took,
            *([item.cost] if has_costs else []),
            Text(note, style="dim"),
        )
    console().print(table)


def _print_line(line: str) -> None:
    # A log may hold anything; what the terminal's encoding cannot show must not end the command.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(mask_text(line).encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()
