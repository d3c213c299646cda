"""The command that brings runs from a cluster's folder to this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from experiments.cli.terminal import console, say
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace, cluster_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.runs.transfer.pull import Pulled, PullProgress


def pull(
    runs: tyro.conf.Positional[tuple[str, ...]] = (),
    *,
    all_: Annotated[bool, tyro.conf.arg(name="all", help_behavior_hint="")] = False,
    from_: Annotated[Path | None, tyro.conf.arg(name="from", metavar="DIR", help_behavior_hint="")] = None,
) -> int:
    """Copy what is new of runs from the cluster's folder (run_root) to this machine; what is here already stays.

    Args:
        runs: Run names or launcher ids.
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
        say(f"No run of this project has a folder in {str(root)!r} yet.")
        return 0
    with _progress() as show:
        results = pull_runs(list(dict.fromkeys(chosen)), root, workspace.runs, show)
    for result in results:
        _print(result)
    return 1 if any(result.problems for result in results) else 0


def _names_by_id(workspace: Workspace) -> dict[str, str]:
    """Return the run name of every job of the ledger that was handed over, by its name and by its launcher's id."""
    with open_ledger(workspace, read_only=True) as ledger:
        jobs = [job for job in ledger.rows() if job.launcher == "skypilot" and job.state != "planned"]
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


def _print(result: Pulled) -> None:
    files = "1 file" if result.copied == 1 else f"{result.copied} files"
    say(f"{result.run}: {files} copied, {result.size / 1e6:.1f} MB; {result.kept} here already")
    for problem in result.problems:
        say(f"{result.run}: not copied: {problem}", to_stderr=True)
