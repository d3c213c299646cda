"""Commands on jobs: what they print, how they end, go on or are launched again, and what people note of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from experiments.cli.asked import asked_jobs, asked_rows
from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown, Stream
from experiments.cli.flags import Flag, RunName, RunNames
from experiments.cli.terminal import agrees, say
from experiments.jobs.launchers.base import Launcher
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.project.errors import UsageError
from experiments.project.look import counted, plain_text, without_middle
from experiments.project.redaction import mask_texts
from experiments.project.workspace import Workspace
from experiments.types import CodeOf, TrainingJob

_LINES = 200
_BATCH = 1 << 20  # characters
_QUICK_S = 3.0
_STATUS_S = 15.0  # how often a log that is followed asks whether its job has ended

_Tag = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="TAG")]]


class LogLines(Long):
    """Lines that a job printed, plain and without secrets, the oldest first; of a log that is followed, those since.

    Attributes:
        is_cut: Whether the middle of a line of more than 10,000 characters was left out; `--lines 0` has all in full.
    """

    ITEMS: ClassVar[str] = "lines"

    run: str
    lines: tuple[str, ...]
    is_cut: bool = False


def logs(
    run: RunName,
    *,
    follow: Annotated[bool, tyro.conf.arg(aliases=["-f"], help_behavior_hint="")] = False,
    lines: Annotated[int, tyro.conf.arg(aliases=["-n"], metavar="N")] = _LINES,
) -> Answer[LogLines] | Stream[LogLines]:
    """Show what a job printed.

    Args:
        run: Run name, the beginning of it, or launcher id.
        follow: Go on until the job has ended; Ctrl-C stops the view, not the job. With --json every few lines are an
            envelope, in a line of its own.
        lines: How many of the last lines to show, each of up to 10,000 characters; 0 for all in full.
    """
    from experiments.jobs.handover import launcher_for

    if lines < 0:
        raise UsageError(f"--lines {lines}: no lines can be fewer than none. Give a number, or 0 for all.")
    workspace = Workspace.find(Path.cwd())
    job = asked_rows(workspace, [run], reading=True)[0]
    launcher = launcher_for(job.launcher, workspace)
    if job.launcher == "skypilot":
        printed, notes = _cluster_lines(workspace, job, launcher, keep_on=follow, last=lines)
    else:
        printed = iter(launcher.logs(job.run_name, job.launcher_id or job.run_name, follow=follow, last=lines or None))
        notes = []
    batches = _batches(job.run_name, printed, is_whole=not lines, at_once=not follow)
    if follow:
        for note in notes:
            say(note, to_stderr=True)
        return Stream(batches, _print_lines)
    if lines:
        return _whole(job.run_name, batches, notes, _silence(workspace, job))
    # All of a log may be more than memory holds: a person gets it bit by bit.
    silence = _silence(workspace, job)
    return Stream(
        _with_notes(batches, notes, silence), _print_lines, lambda _: _whole(job.run_name, batches, notes, silence)
    )


def _silence(workspace: Workspace, job: TrainingJob | UnreadableJob) -> str:
    """Return what is said of a job of which there is no line."""
    if job.launcher == "local" and not (workspace.runs / job.run_name).is_dir():
        where = workspace.shown(workspace.runs / job.run_name)
        return f"What {job.run_name} printed is lost: its folder {where} is not there any more."
    return f"{job.run_name} has printed nothing so far."


def _whole(run: str, batches: Iterable[LogLines], notes: Sequence[str], silence: str) -> Answer[LogLines]:
    found = list(batches)
    lines = tuple(line for batch in found for line in batch.lines)
    if not lines:
        notes = [*notes, silence]
    is_cut = any(batch.is_cut for batch in found)
    return Answer(LogLines(run=run, lines=lines, is_cut=is_cut), _print_lines, notes=notes)


def _with_notes(batches: Iterable[LogLines], notes: Sequence[str], silence: str) -> Iterator[LogLines]:
    """Yield a log bit by bit, and say what is to be said of it: before, or that there is none."""
    for note in notes:
        say(f"note: {note}", to_stderr=True)
    is_empty = True
    for batch in batches:
        is_empty = False
        yield batch
    if is_empty:
        say(f"note: {silence}", to_stderr=True)


def _print_lines(found: LogLines) -> None:
    for line in found.lines:
        say(line)
    if found.lines:
        say(end="", flush=True)


def _batches(run: str, lines: Iterable[str], *, is_whole: bool, at_once: bool = True) -> Iterator[LogLines]:
    """Yield what a job printed, plain and without secrets.

    Args:
        is_whole: Have long lines in full, too.
        at_once: Look for secrets in many lines at once, which is far faster; what is followed is shown line by line.
    """
    batch: list[str] = []
    size = 0

    def out() -> LogLines:
        masked = mask_texts(batch)
        # A line may be as long as memory is: no copy of it outlives its use.
        batch.clear()
        shown = masked if is_whole else [*map(without_middle, masked)]
        return LogLines(run=run, lines=tuple(shown), is_cut=shown != masked)

    for line in map(plain_text, lines):
        batch.append(line)
        size += len(line) + 1
        del line
        if not at_once or size >= _BATCH:
            yield out()
            size = 0
    if batch:
        yield out()


def _cluster_lines(
    workspace: Workspace, job: TrainingJob | UnreadableJob, launcher: Launcher, *, keep_on: bool, last: int
) -> tuple[Iterator[str], list[str]]:
    """Return what a job on a cluster printed, also where its scheduler cannot be asked now, and what is to be said."""
    from experiments.jobs.watch.logs import LogReader
    from experiments.jobs.watch.logs import follow as follow_log

    reader = LogReader(workspace, lambda _: launcher)
    ref = job.ref()
    first = reader.view(ref, deadline_s=_QUICK_S)
    if first.is_late:
        say(f"waiting for {job.launcher} to show the log; Ctrl-C stops the view, not the job", to_stderr=True)
        first = reader.view(ref)
    notes = [first.note] if first.note else []
    shown = first.lines[:-1] if keep_on else first.lines  # the last line may be half written
    begin = shown[-last:] if last else shown
    if not keep_on:
        return iter(begin), notes
    asked, ended = -_STATUS_S, False

    def has_ended() -> bool:
        nonlocal asked, ended
        if not ended and time.monotonic() - asked >= _STATUS_S:
            ended = _has_ended(launcher, job)
            asked = time.monotonic()
        return ended

    def lines() -> Iterator[str]:
        yield from begin
        following = follow_log(lambda: reader.view(ref), has_ended, on_note=lambda note: say(note, to_stderr=True))
        yield from (line for number, line in enumerate(following) if number >= len(shown))

    return lines(), notes


def _has_ended(launcher: Launcher, job: TrainingJob | UnreadableJob) -> bool:
    from experiments.jobs.handover import has_ended
    from experiments.project.errors import LaunchError

    try:
        status = launcher.poll({job.run_name: job.launcher_id or ""}).get(job.run_name)
    except LaunchError:
        return False
    return status is not None and has_ended(status)


class Told(Shown):
    """What came of something that was asked of several runs, in words, by run name."""

    runs: dict[str, str]


def cancel(runs: RunNames, *, yes: Flag = False) -> Answer[Told]:
    """End jobs: those that wait never start, those that run get TERM and, after a grace, KILL.

    Args:
        runs: Run names, beginnings of them, or launcher ids.
        yes: Do not ask.
    """
    from experiments.jobs.permits import command_permit
    from experiments.jobs.submission import cancel as end

    workspace = Workspace.find(Path.cwd())
    names = [job.run_name for job in asked_rows(workspace, _some(runs))]
    if not yes and sys.stdin.isatty() and not agrees(f"Cancel {counted(len(names), 'job')}?"):
        return Answer(None, code=1, errors=["not confirmed; nothing was cancelled."])
    told = end(names, command_permit(f"experiments cancel {' '.join(names)}"), workspace)
    return Answer(Told(runs=told), tell)


def tell(found: Told) -> None:
    """Print what came of each run."""
    for name, what in found.runs.items():
        say(f"{name}: {what}")


class Attempts(Shown):
    """Jobs that were launched once more, each with the run name of its new attempt."""

    attempts: dict[str, TrainingJob]


def retry(
    runs: RunNames,
    *,
    code: Annotated[CodeOf, tyro.conf.arg(metavar="{own,now}")] = "own",
) -> Answer[Attempts]:
    """Launch jobs that have ended once more: the same arm and seed, as a new attempt, with the code that they ran.

    Args:
        runs: Run names, beginnings of them, or launcher ids.
        code: own: the job's own snapshot; now: the project as it is, which is said wherever its runs are pooled.
    """
    from experiments.jobs.once_more import retry_job
    from experiments.jobs.permits import command_permit
    from experiments.results.searching import told_already

    workspace = Workspace.find(Path.cwd())
    attempts, notes = {}, []
    for job in asked_jobs(workspace, _some(runs)):
        permit = command_permit(f"experiments retry {job.run_name}")
        attempt, said = retry_job(job.run_name, permit, workspace, code_of=code)
        again = f", once more after {attempt.retry_of}" if attempt.retry_of not in (None, job.run_name) else ""
        say(f"{job.run_name}: attempt {attempt.attempt} is {attempt.run_name}{again}")
        attempts[job.run_name] = attempt
        notes += [*said, *told_already(workspace, attempt)]
    return Answer(Attempts(attempts=attempts), warnings=notes)


class Noted(Shown):
    """A job with what people keep with it after a note or a tag was written.

    Attributes:
        runs: Those that it was asked of.
        changed: Those of them that have it, or no longer have it, because of this.
    """

    runs: tuple[str, ...]
    changed: tuple[str, ...]
    text: str


def note(run: RunName, text: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="TEXT")]]) -> Answer[Noted]:
    """Keep a note with a job, in the place of an earlier one; `experiments show RUN` shows it.

    Args:
        run: Run name, the beginning of it, or launcher id.
        text: The note.
    """
    from experiments.jobs.journal import write_note
    from experiments.jobs.permits import command_permit

    workspace = Workspace.find(Path.cwd())
    job = asked_rows(workspace, [run])[0]
    write_note([job.run_name], text, command_permit("experiments note"), workspace)
    found = Noted(runs=(job.run_name,), changed=(job.run_name,), text=text)
    return Answer(found, lambda _: say(f"noted: {job.run_name}"))


def tag(tag: _Tag, runs: RunNames) -> Answer[Noted]:
    """Give jobs a tag.

    Args:
        tag: The tag.
        runs: Run names, beginnings of them, or launcher ids.
    """
    from experiments.jobs.journal import add_tag
    from experiments.jobs.permits import command_permit

    workspace = Workspace.find(Path.cwd())
    names = [job.run_name for job in asked_rows(workspace, _some(runs))]
    add_tag(names, tag, command_permit("experiments tag"), workspace)
    found = Noted(runs=tuple(names), changed=tuple(names), text=tag)
    return Answer(found, lambda _: say(f"{counted(len(names), 'job')} tagged {tag!r}"))


def untag(tag: _Tag, runs: RunNames) -> Answer[Noted]:
    """Take a tag from jobs that `experiments tag` gave it; tags of the launch stay.

    Args:
        tag: The tag.
        runs: Run names, beginnings of them, or launcher ids.
    """
    from experiments.jobs.journal import remove_tag
    from experiments.jobs.permits import command_permit

    workspace = Workspace.find(Path.cwd())
    names = [job.run_name for job in asked_rows(workspace, _some(runs))]
    changed = remove_tag(names, tag, command_permit("experiments untag"), workspace)
    found = Noted(runs=tuple(names), changed=tuple(changed), text=tag)
    return Answer(found, lambda _: say(f"{counted(len(changed), 'job')} no longer tagged {tag!r}"))


class Recorded(Shown):
    """What was written into a notebook's file.

    Attributes:
        jobs: Run names of the jobs that were added.
        notes: How many notes were.
    """

    notebook: str
    jobs: tuple[str, ...]
    notes: int


def record(
    notebook: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="NOTEBOOK")]],
) -> Answer[Recorded]:
    """Write the jobs that were launched from a notebook, and the notes of its log, into its file.

    Args:
        notebook: The notebook's file.
    """
    from experiments.jobs.controls.pooled import control_runs, controls_of
    from experiments.jobs.journal import kept_notes
    from experiments.notebooks.data_cells import add_jobs, add_notes, experiment_of, open_file
    from experiments.notebooks.layout import read_text

    workspace = Workspace.find(notebook)
    name = experiment_of(open_file(read_text(notebook), notebook), notebook)
    with open_ledger(workspace, read_only=True) as ledger:
        rows = [job for job in ledger.rows(experiment=name) if job.state != "planned"]
        controls = controls_of(ledger, [job.plan_key for job in rows])
    launched = [*control_runs(controls), *(job.ref() for job in rows)]
    added, notes = add_jobs(notebook, launched), add_notes(notebook, kept_notes(workspace, name))
    found = Recorded(notebook=workspace.shown(notebook.absolute()), jobs=tuple(ref.run for ref in added), notes=notes)
    return Answer(found, _print_recorded)


def _print_recorded(found: Recorded) -> None:
    what = [counted(len(found.jobs), "job")] if found.jobs or not found.notes else []
    what += [counted(found.notes, "note")] if found.notes else []
    is_new = found.jobs or found.notes
    say(f"{' and '.join(what)} added to {found.notebook}" if is_new else "Nothing to add.")


def _some(runs: tuple[str, ...]) -> tuple[str, ...]:
    if not runs:
        raise UsageError("no job is named. Give run names or launcher ids; experiments status lists them.")
    return runs
