"""Commands on runs: find them, compare two, upload the offline ones, and copy a cluster's to this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro

from experiments.cli.asked import asked_rows
from experiments.cli.cutting import Long, begin_of, following_of
from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Cursor, Flag, RunNames, Texts
from experiments.cli.terminal import FittedColumn, FittedTable, console, say
from experiments.jobs.finding import named_metrics, runs_of
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import LedgerError, UsageError
from experiments.project.look import quantity
from experiments.project.workspace import Workspace, cluster_root
from experiments.runs.roles import NO_ROLES, roles_of
from experiments.runs.store import RunInfo, RunQuery

if TYPE_CHECKING:
    from experiments.runs.transfer.pull import Pulled, PullProgress
    from experiments.types import Metrics

_COLUMNS = (
    FittedColumn("run"),
    FittedColumn("state"),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "reward")),
    FittedColumn("tags"),
)


class FoundRun(Shown):
    """What the tracker knows of a run without its history; times are Unix seconds.

    Attributes:
        state: The tracker's own word.
        summary: Latest value of each key.
        note: What is to be known of its rows.
        place: `entity/project` as the run's own file says.
        run_id: The id that its script gave W&B in the place of its name.
    """

    name: str
    state: str
    display_name: str
    user: str
    group: str
    tags: tuple[str, ...]
    notes: str
    created_at: float | None
    heartbeat_at: float | None
    config: dict[str, Any]
    summary: dict[str, Any]
    url: str | None
    exit_code: int | None
    note: str
    place: str
    run_id: str


class Runs(Long):
    """Runs that were found."""

    ITEMS: ClassVar[str] = "runs"
    KEY: ClassVar[str] = "name"

    runs: tuple[FoundRun, ...]


def runs(
    *,
    tag: Annotated[Texts, tyro.conf.arg(metavar="[TAG ...]", help_behavior_hint="")] = None,
    all_tags: Flag = False,
    state: Annotated[Texts, tyro.conf.arg(metavar="[STATE ...]", help_behavior_hint="")] = None,
    author: Annotated[str | None, tyro.conf.arg(metavar="USER", help_behavior_hint="")] = None,
    name: Annotated[str | None, tyro.conf.arg(metavar="REGEX", help_behavior_hint="")] = None,
    order: Annotated[str, tyro.conf.arg(metavar="KEY")] = "-created_at",
    limit: Annotated[int, tyro.conf.arg(metavar="N")] = 50,
    cursor: Cursor = None,
) -> Answer[Runs]:
    """Find runs on this machine and, where somebody is logged in, on the W&B server.

    Args:
        tag: Runs with any of these tags, given at the launch, in W&B or by `experiments tag`.
        all_tags: Runs with all of the tags given.
        state: Runs in any of these states, in W&B's words: running, finished, failed, crashed, killed, ...
        author: Runs of this user.
        name: Runs whose display name matches this regular expression.
        order: What to sort by, such as created_at or summary_metrics.overview/reward; a minus is descending.
        limit: At most so many; the answer's cursor is for the rest.
    """
    from experiments.runs.opening import default_store

    if limit < 1:
        raise UsageError(f"--limit {limit}: at least 1 is needed. Leave it out for 50.")
    query = RunQuery(
        tags_any=() if all_tags else tag or (),
        tags_all=(tag or ()) if all_tags else (),
        state=list(state) if state else None,
        author=author,
        name_pattern=name,
        order=order,
        limit=(begin := begin_of(cursor)) + limit + 1,
    )
    workspace = Workspace.find(Path.cwd())
    found = runs_of(workspace, query, default_store(workspace.root))
    following = following_of(begin + limit) if len(found) > begin + limit else None
    shown = found[begin : begin + limit]
    notes = [] if shown else ["No run matches."]
    listed = Runs(runs=tuple(FoundRun(**vars(info)) for info in shown), cursor=following)
    return Answer(listed, lambda _: _print_runs(shown, workspace) if shown else None, notes=notes)


class Synced(Shown):
    """What became of one run.

    Attributes:
        state: `synced` now; `already` before; `running` still; `online`, logged to the server by itself; `unknown`, no
            W&B file here; `busy`, another process syncs it; `failed`.
        detail: Why it failed, or what W&B said.
        note: What is to be known of the rows that were uploaded.
    """

    run: str
    state: str
    detail: str
    url: str | None
    note: str


class Uploads(Long):
    """What `sync` did."""

    ITEMS: ClassVar[str] = "runs"
    KEY: ClassVar[str] = "run"

    runs: tuple[Synced, ...]


def sync(names: RunNames = ()) -> Answer[Uploads]:
    """Upload finished offline runs to the W&B server where you are logged in; what is there already stays.

    Args:
        names: Run names, beginnings of them, or launcher ids; all runs of the project where none is given.
    """
    from experiments.runs.transfer.sync import SyncProgress, sync_runs

    workspace = Workspace.find(Path.cwd())
    chosen = [job.run_name for job in asked_rows(workspace, names)] if names else None

    def tell(progress: SyncProgress) -> None:
        if progress.result is not None:
            where = progress.result.url or progress.result.detail
            if progress.result.state == "unknown" and workspace.settings.run_root:
                where += f". A cluster's run is copied first: uv run experiments pull {progress.run}"
            say(
                f"{progress.done} of {progress.total}  {progress.run}: {progress.result.state}  {where}".rstrip(),
                flush=True,
            )
            if progress.result.note:
                say(f"  {progress.result.note}", flush=True)

    settings = workspace.settings
    results = sync_runs(
        chosen, tell, runs_dir=workspace.runs, entity=settings.wandb_entity, project=settings.wandb_project
    )
    if not results:
        say("No run to upload.")
    failed = any(result.state == "failed" for result in results)
    return Answer(Uploads(runs=tuple(Synced(**vars(result)) for result in results)), code=1 if failed else 0)


def _print_runs(found: Sequence[RunInfo], workspace: Workspace) -> None:
    named, unread = _named(workspace)
    table = FittedTable(_COLUMNS, [column.heading for column in _COLUMNS])
    for info in found:
        roles = roles_of(info.summary, named.get(info.name, NO_ROLES))
        step, reward = info.summary.get(roles.step or ""), info.summary.get(roles.reward or "")
        table.add(info.name, info.state, quantity(step), quantity(reward), ", ".join(info.tags))
    console().print(table)
    for info in found:
        if info.note:
            say(f"{info.name}: {info.note}")
        if info.name in unread:
            say(f"{info.name}: steps and reward are found by their names, for {unread[info.name]}")


def _named(workspace: Workspace) -> tuple[dict[str, Metrics], dict[str, str]]:
    """Return what `named_metrics` does; where nothing can be read, that is said."""
    try:
        return named_metrics(workspace)
    except LedgerError as error:
        say(
            f"steps and rewards are found by their names, for what trainers name cannot be read: {error}",
            to_stderr=True,
        )
        return {}, {}


class Copied(Shown):
    """What became of one run.

    Attributes:
        copied: Files that were copied.
        kept: Files that were here already.
        size: Bytes copied.
        problems: What was not copied and why.
    """

    run: str
    copied: int
    kept: int
    size: int
    problems: tuple[str, ...]


class Pulls(Long):
    """What `pull` did."""

    ITEMS: ClassVar[str] = "runs"
    KEY: ClassVar[str] = "run"

    runs: tuple[Copied, ...]


def pull(
    runs: RunNames = (),
    *,
    all_: Annotated[bool, tyro.conf.arg(name="all", help_behavior_hint="")] = False,
    from_: Annotated[Path | None, tyro.conf.arg(name="from", metavar="DIR", help_behavior_hint="")] = None,
) -> Answer[Pulls]:
    """Copy what is new of runs from the cluster's folder (run_root) to this machine; what is here already stays.

    Args:
        runs: Run names, beginnings of them, or launcher ids.
        all_: Every run of this project that has a folder there.
        from_: Where run_root is mounted on this machine, if not at the same path.
    """
    from experiments.runs.transfer.pull import pull_runs, runs_in

    workspace = Workspace.find(Path.cwd())
    root = from_ or cluster_root(workspace.settings)
    if root is None:
        raise UsageError(
            "no run_root is set, so there is nowhere to pull from. Set it: export EXPERIMENTS_RUN_ROOT=/shared/runs"
        )
    if bool(runs) == all_:
        raise UsageError("name the runs, or give --all for every run of this project. List them: experiments status")
    there = runs_in(root)
    ours = _names_by_id(workspace)
    chosen = sorted(set(there) & set(ours.values())) if all_ else [ours.get(run, run) for run in runs]
    if not chosen:
        none = f"No run of this project has a folder in {str(root)!r} yet."
        return Answer(Pulls(runs=()), lambda _: say(none))
    with _progress() as show:
        results = pull_runs(list(dict.fromkeys(chosen)), root, workspace.runs, show)
    for result in results:
        _print_pulled(result)
    found = Pulls(runs=tuple(Copied(**{**vars(result), "problems": tuple(result.problems)}) for result in results))
    return Answer(found, code=1 if any(result.problems for result in results) else 0)


def _names_by_id(workspace: Workspace) -> dict[str, str]:
    """Return the run name of every job of the ledger that was handed over, by its name and by its launcher's id."""
    with open_ledger(workspace, read_only=True) as ledger:
        jobs = [job for job in ledger.rows(launcher="skypilot") if job.state != "planned"]
    by_id = {job.launcher_id: job.run_name for job in jobs if job.launcher_id}
    return {**by_id, **{job.run_name: job.run_name for job in jobs}}


@contextmanager
def _progress() -> Iterator[Callable[[PullProgress], None]]:
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console(), transient=True
    ) as bar:
        task = bar.add_task("")

        def show(at: PullProgress) -> None:
            bar.update(task, description=f"{at.number} of {at.runs}  {at.run}", completed=at.done, total=at.total)

        yield show


def _print_pulled(result: Pulled) -> None:
    files = "1 file" if result.copied == 1 else f"{result.copied} files"
    say(f"{result.run}: {files} copied, {result.size / 1e6:.1f} MB; {result.kept} here already")
    for problem in result.problems:
        say(f"{result.run}: not copied: {problem}", to_stderr=True)
