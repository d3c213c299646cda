"""Find jobs and runs by what people call them: a run name, a launcher's id, a tag, a state."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from experiments.errors import LaunchError, UsageError
from experiments.planning import arm_and_seed
from experiments.runs.filters import ordered
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.types import JobRef, TrainingJob
from experiments.workspace import Workspace

_LISTED = 12
_CONDITIONS = ("tag", "state", "author", "group", "name", "limit")


def find_jobs(workspace: Workspace, ids: Sequence[str]) -> list[TrainingJob]:
    """Return the jobs with these run names or launcher ids, in the order asked, each once.

    Raises:
        UsageError: An id is not in the ledger, or two jobs have it; lists those that are known.
    """
    with workspace.ledger() as ledger:
        known = [job for job in ledger.jobs() if job.state != "planned"]
    found: dict[str, TrainingJob] = {}
    for wanted in ids:
        matches = [job for job in known if wanted in (job.run_name, job.launcher_id)]
        if not matches:
            raise UsageError(f"job {wanted!r} is not in the ledger. {_listed(known)}")
        if len(matches) > 1:
            names = ", ".join(job.run_name for job in matches)
            raise UsageError(f"job id {wanted!r} belongs to {len(matches)} jobs: {names}. Give a run name instead.")
        found[matches[0].run_name] = matches[0]
    return list(found.values())


def find_refs(workspace: Workspace, ids: Sequence[str], *, launcher: str | None = None) -> list[JobRef]:
    """Return references to the jobs with these run names or launcher ids, in the order asked, each once.

    A number that the ledger does not know is looked up in SkyPilot's queue, whoever launched the job, where SkyPilot is
    used.

    Args:
        workspace: Whose ledger.
        ids: Run names or launcher ids.
        launcher: Where the jobs ran, if somebody said so.

    Raises:
        UsageError: An id is known neither here nor there, or two jobs have it.
        LaunchError: SkyPilot had to be asked, and could not be.
    """
    with workspace.ledger() as ledger:
        known = {name for job in ledger.jobs() for name in (job.run_name, job.launcher_id)}
    numbers = [wanted for wanted in ids if wanted not in known and wanted.isdigit()]
    queued = _in_skypilots_queue(workspace, numbers, launcher) if numbers else {}
    found: dict[str, JobRef] = {}
    for wanted in ids:
        ref = queued.get(wanted) or find_jobs(workspace, [wanted])[0].ref()
        found[ref.run] = ref
    return list(found.values())


def _in_skypilots_queue(workspace: Workspace, ids: Sequence[str], launcher: str | None) -> dict[str, JobRef]:
    from experiments.launchers.skypilot import SkyPilotLauncher

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
        arm, seed = arm_and_seed(name) or (name, 0)
        refs[job_id] = JobRef(run=name, arm=arm, seed=seed, launcher="skypilot", id=job_id, tracker=place)
    return refs


def find_runs(workspace: Workspace, text: str) -> list[JobRef]:
    """Return references to the runs that `text` describes, newest first, wherever they were launched.

    Args:
        text: Conditions separated by spaces, all of which hold: `tag=a`, `state=finished`, `author=ada`, `group=arena`,
            `name=REGEX`, `limit=20`. A tag or state given twice means either.

    Raises:
        UsageError: A condition is none of these, or no run matches.
        StoreError: The W&B server cannot be reached.
        LedgerError: A tag is asked for, and the ledger cannot be read.
    """
    from experiments.wandb_utils import default_store

    found = runs_of(workspace, runs_query(text), default_store(workspace.root))
    if not found:
        raise UsageError(f"no run matches --runs {text!r}. See what there is: uv run experiments runs")
    settings = workspace.settings
    place = f"{settings.wandb_entity or ''}/{settings.wandb_project}"
    refs = []
    for info in found:
        arm, seed = arm_and_seed(info.name) or (info.group or info.display_name or info.name, 0)
        refs.append(JobRef(run=info.name, arm=arm, seed=seed, tracker=place if info.url else "offline"))
    return refs


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
    with workspace.ledger(read_only=True) as ledger:
        written = ledger.annotations(job.run_name for job in ledger.jobs())
    tags = {run: note.tags for run, note in written.items() if wanted & set(note.tags)}
    if not tags:
        return found
    candidates = store.find(replace(query, tags_any=(), tags_all=(), names=list(tags), limit=None))
    joined = [replace(info, tags=tuple(dict.fromkeys([*info.tags, *tags[info.name]]))) for info in candidates]
    matching = {info.name: info for info in joined if _has_tags(info, query)}
    return ordered(query, [*matching.values(), *(info for info in found if info.name not in matching)])


def _has_tags(info: RunInfo, query: RunQuery) -> bool:
    tags = set(info.tags)
    return tags.issuperset(query.tags_all) and (not query.tags_any or not tags.isdisjoint(query.tags_any))


def runs_query(text: str) -> RunQuery:
    """Return the query that conditions separated by spaces describe; see `find_runs`.

    Raises:
        UsageError: A condition is not one of the known ones.
    """
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
    limit = given.get("limit", ["50"])[-1]
    if not limit.isdigit() or int(limit) < 1:
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


def _listed(known: Sequence[TrainingJob]) -> str:
    if not known:
        return "The ledger holds no job yet. Launch one: uv run experiments/recipes/arena_experiment.py"
    newest = [
        f"{job.launcher_id} ({job.run_name})" if job.launcher_id not in (None, job.run_name) else job.run_name
        for job in known[-_LISTED:]
    ]
    more = f" and {len(known) - _LISTED} older" if len(known) > _LISTED else ""
    return f"Known jobs: {', '.join(newest)}{more}. See: uv run experiments status"
