"""Find jobs and runs by what people call them: a run name, a launcher's id, an experiment, an arm, a tag, a state.

In scripts and notebooks a run is also given as a reference to it, or as its job (`Run`).
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from experiments.jobs.called import find_rows
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.plan import Name, read_name
from experiments.project.errors import LaunchError, LedgerError, StoreError, UsageError
from experiments.project.workspace import Workspace
from experiments.runs.filters import ordered
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.types import JobRef, JobStatus, Metrics, TrainingJob

_LISTED = 12
_CONDITIONS = ("experiment", "arm", "tag", "state", "author", "group", "name", "limit")
_NEAREST = 3
_HINTED = 5
_CANDIDATES = 2_000
Placed = TypeVar("Placed", bound=TrainingJob | UnreadableJob | JobStatus)
Run = str | JobRef | TrainingJob
Runs = Run | Sequence[Run]


def find_refs(workspace: Workspace, ids: Sequence[str], *, launcher: str | None = None) -> list[JobRef]:
    """Return references to the jobs with these run names or launcher ids, in the order asked, each once.

    A number that the ledger does not know is looked up in SkyPilot's queue, whoever launched the job, where SkyPilot is
    used.

    Args:
        workspace: Whose ledger.
        ids: Run names, beginnings of them, or launcher ids.
        launcher: Where the jobs ran, if somebody said so.

    Raises:
        UsageError: An id is known neither here nor there, or two jobs have it.
        LaunchError: SkyPilot had to be asked, and could not be.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        known = {name for job in ledger.rows(named=ids) for name in (job.run_name, job.launcher_id)}
    numbers = [wanted for wanted in ids if wanted not in known and re.fullmatch("[0-9]+", wanted)]
    queued = _in_skypilots_queue(workspace, numbers, launcher) if numbers else {}
    found: dict[str, JobRef] = {}
    for wanted in ids:
        ref = queued.get(wanted) or find_rows(workspace, [wanted], reading=True)[0].ref()
        found[ref.run] = ref
    return list(found.values())


def of_experiments(jobs: Sequence[Placed], experiments: Sequence[str] = (), arms: Sequence[str] = ()) -> list[Placed]:
    """Return the jobs that belong to any of these experiments and any of these arms, in their order.

    Args:
        jobs: Those to choose from.
        experiments: Names; all where none is given.
        arms: The same.

    Raises:
        UsageError: A name is that of none of the jobs; lists those that there are.
    """
    found = list(jobs)
    for what, names in (("experiment", experiments), ("arm", arms)):
        known = list(dict.fromkeys(getattr(job, what) for job in found))
        where = f" of {', '.join(experiments)}" if what == "arm" and experiments else ""
        for name in names:
            if name not in known:
                listed = f"There are: {_some(known)}" if known else "There is no job yet"
                raise UsageError(f"no job{where} belongs to {what} {name!r}. {listed}. See: uv run experiments status")
        found = [job for job in found if not names or getattr(job, what) in names]
    return found


def _in_skypilots_queue(workspace: Workspace, ids: Sequence[str], launcher: str | None) -> dict[str, JobRef]:
    from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher

    skypilot = SkyPilotLauncher(workspace)
    if launcher != skypilot.name and not skypilot.is_in_use():
        return {}
    try:
        names = skypilot.named(ids)
    except LaunchError as error:
        raise LaunchError(f"job {ids[0]!r} is not in the ledger, and SkyPilot cannot be asked: {error}") from error
    settings = workspace.settings
    # Where its metrics are is not known there: the place of this project's own runs is tried.
    place = (
        f"{settings.wandb_entity or ''}/{settings.wandb_project}" if workspace.wandb_mode() == "online" else "offline"
    )
    refs = {}
    for job_id, name in names.items():
        named = read_name(name) or Name(name)
        refs[job_id] = JobRef(run=name, **named._asdict(), launcher="skypilot", id=job_id, tracker=place)
    return refs


def find_runs(workspace: Workspace, text: str) -> list[JobRef]:
    """Return references to the runs that `text` describes, newest first, wherever they were launched.

    Args:
        text: Conditions separated by spaces, all of which hold: `experiment=arena`, `arm=baseline`, `tag=a`,
            `state=finished`, `author=ada`, `group=arena`, `name=REGEX`, `limit=20`. An experiment, arm, tag or state
            given twice means either. Experiments and arms are those of this project's ledger.

    Raises:
        UsageError: A condition is none of these, an experiment or arm is not in the ledger, or no run matches.
        StoreError: The W&B server cannot be reached.
        LedgerError: The ledger cannot be read, or nothing of a job whose run matches.
    """
    from experiments.runs.opening import default_store

    conditions = _conditions(text)
    query = _query_of(conditions)
    experiments, arms = conditions.get("experiment", []), conditions.get("arm", [])
    if experiments or arms:
        with open_ledger(workspace, read_only=True) as ledger:
            names = [job.run_name for job in of_experiments(ledger.rows(), experiments, arms)]
        query = replace(query, names=names)
    found = runs_of(workspace, query, default_store(workspace.root))
    if not found:
        raise UsageError(f"no run matches --runs {text!r}. See what there is: uv run experiments runs")
    settings = workspace.settings
    place = f"{settings.wandb_entity or ''}/{settings.wandb_project}"
    metrics, unread = named_metrics(workspace)
    if problem := next((unread[info.name] for info in found if info.name in unread), None):
        raise LedgerError(problem)  # what its trainer names would be taken for unnamed from then on
    refs = []
    for info in found:
        named = read_name(info.name) or Name(info.group or info.display_name or info.name)
        tracker = place if info.url else "offline"
        refs.append(JobRef(run=info.name, **named._asdict(), tracker=tracker, metrics=metrics.get(info.name)))
    return refs


def named_metrics(workspace: Workspace) -> tuple[dict[str, Metrics], dict[str, str]]:
    """Return what the trainers of this project's jobs say that they log, by run; and why that cannot be read of others.

    Raises:
        LedgerError: It cannot be read of any.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.rows()
    unread = {job.run_name: job.sentence() for job in rows if isinstance(job, UnreadableJob)}
    jobs = (job for job in rows if not isinstance(job, UnreadableJob))
    return {job.run_name: job.metrics for job in jobs if job.metrics is not None}, unread


def runs_of(workspace: Workspace, query: RunQuery, store: RunStore) -> list[RunInfo]:
    """Return the runs of a query, which may have been tagged in the ledger (`experiments tag`) instead of in W&B.

    Raises:
        StoreError: The W&B server cannot be reached.
        LedgerError: The query asks for tags, and the ledger cannot be read.
    """
    found = store.find(query)
    wanted = {*query.tags_any, *query.tags_all}
    if not wanted:
        return found
    with open_ledger(workspace, read_only=True) as ledger:
        written = ledger.annotations(job.run_name for job in ledger.rows())
    tags = {run: note.tags for run, note in written.items() if wanted & set(note.tags)}
    if not tags:
        return found
    names = [run for run in tags if query.names is None or run in query.names]
    candidates = store.find(replace(query, tags_any=(), tags_all=(), names=names, limit=None))
    joined = [replace(info, tags=tuple(dict.fromkeys([*info.tags, *tags[info.name]]))) for info in candidates]
    matching = {info.name: info for info in joined if _has_tags(info, query)}
    return ordered(query, [*matching.values(), *(info for info in found if info.name not in matching)])


def _has_tags(info: RunInfo, query: RunQuery) -> bool:
    tags = set(info.tags)
    return tags.issuperset(query.tags_all) and (not query.tags_any or not tags.isdisjoint(query.tags_any))


def _conditions(text: str) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    try:
        conditions = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"--runs {text!r} is not a list of conditions: {error}. Quote it as a shell wants it."
        ) from None
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals or not value or key not in _CONDITIONS:
            raise UsageError(f"--runs condition {condition!r} is none of {', '.join(f'{k}=...' for k in _CONDITIONS)}.")
        given.setdefault(key, []).append(value)
    return given


def _query_of(given: Mapping[str, list[str]]) -> RunQuery:
    limit = given.get("limit", ["50"])[-1]
    if not re.fullmatch("[0-9]{1,9}", limit) or int(limit) < 1:
        raise UsageError(f"--runs condition 'limit={limit}' is not a number from 1 on. Try limit=50.")
    for key in ("author", "group", "name"):
        if len(values := given.get(key, [])) > 1:
            raise UsageError(f"--runs names {key} twice, {values[0]!r} and {values[1]!r}. Give it once.")
    return RunQuery(
        tags_any=given.get("tag", ()),
        state=given.get("state"),
        author=next(iter(given.get("author", [])), None),
        group=next(iter(given.get("group", [])), None),
        name_pattern=next(iter(given.get("name", [])), None),
        limit=int(limit),
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def ref_of(run: Run) -> JobRef:
    """Return a reference to a run; arm and seed are read out of a run name of ours, and empty for any other.

    Raises:
        UsageError: It is none of the things that a run can be given as.
    """
    if isinstance(run, JobRef):
        return run
    if isinstance(run, TrainingJob):
        return run.ref()
    if not isinstance(run, str):
        raise UsageError(f"{run!r} is no run. Give a run name, a JobRef or a TrainingJob; the names: experiments runs")
    named = read_name(run) or Name(run)
    return JobRef(run=run, **named._asdict())


def several(runs: Runs) -> list[Run]:
    """Return one run or several as a list.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(runs, str | JobRef | TrainingJob):
        return [runs]
    given: object = runs  # what people pass need not be what the signature says
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise UsageError(f"{runs!r} is no run and no list of runs. Give run names; those that are: experiments runs")
    return list(runs)


def refs_of(runs: Runs) -> list[JobRef]:
    """Return references to one run or several, in the order given, each once.

    Raises:
        UsageError: One of them is none of the things that a run can be given as.
    """
    return list({ref.run: ref for ref in map(ref_of, several(runs))}.values())


def known_runs(runs: Runs, store: RunStore, workspace: Workspace | None = None) -> dict[str, RunInfo]:
    """Return what the store knows of each run; a job that has not begun to log is left out.

    Args:
        workspace: Whose ledger knows of jobs too; None where the store alone does. A job or a reference that is given
            as such was launched, and need not be in either.

    Raises:
        StoreError: A name is neither a run nor a job; names each, and those nearest to it. Or a server does not answer.
        LedgerError: The ledger cannot be read.
    """
    names = [ref.run for ref in refs_of(runs)]
    found = {info.name: info for info in store.find(RunQuery(names=names, limit=None))} if names else {}
    missing = [run for run in several(runs) if isinstance(run, str) and run not in found]
    if missing:
        refuse_unknown(missing, store, workspace)
    return found


def refuse_unknown(names: Sequence[str], store: RunStore, workspace: Workspace | None, *, kind: str = "run") -> None:
    """Refuse names that no job of the ledger has either.

    Args:
        names: What the store does not know.
        kind: What could have been meant, in words.

    Raises:
        StoreError: At least one is unknown.
        LedgerError: The ledger cannot be read.
    """
    launched: list[str] = []
    if workspace is not None:
        with open_ledger(workspace, read_only=True) as ledger:
            launched = [*ledger.experiments()] if kind != "run" else []
            launched += [job.run_name for job in ledger.rows(run_names=names)]
    unknown = [name for name in dict.fromkeys(names) if name not in launched]
    if unknown:
        if workspace is not None:
            with open_ledger(workspace, read_only=True) as ledger:
                launched += [job.run_name for job in ledger.rows()]
        there = [info.name for info in store.find(RunQuery(limit=_CANDIDATES))]
        raise StoreError(_unknown_text(unknown, [*launched, *there], kind))


def here() -> Workspace:
    """Return the project of the working folder."""
    return Workspace.find(Path.cwd())


def _unknown_text(unknown: Sequence[str], known: Sequence[str], kind: str) -> str:
    listed = ", ".join(map(repr, unknown))
    what = f"{kind} {listed} is" if len(unknown) == 1 else f"{kind.replace(' or ', 's or ')}s {listed} are"
    near = list(dict.fromkeys(name for text in unknown for name in _nearest(text, known)))[:_NEAREST]
    every = list(dict.fromkeys(known))
    more = f" and {len(every) - _HINTED:,} more" if len(every) > _HINTED else ""
    if near:
        hint = f"Nearest: {', '.join(map(repr, near))}."
    else:
        hint = f"Known: {', '.join(map(repr, every[:_HINTED]))}{more}." if every else "No run is known yet."
    return f"{what} not known here. {hint} The runs that are: experiments runs"


def _nearest(text: str, known: Sequence[str]) -> list[str]:
    """Return the names that are like `text`, or that it is a part of."""
    parts = [name for name in known if text and text in name]
    return parts[-_NEAREST:] or difflib.get_close_matches(text, dict.fromkeys(known), n=_NEAREST)
