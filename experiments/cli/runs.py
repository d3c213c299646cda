"""Commands on runs: find them, and upload the offline ones."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.cli.fitting import FittedColumn, FittedTable
from experiments.cli.flags import Flag, JsonFlag, Texts
from experiments.cli.terminal import console, say
from experiments.jobs.finding import find_rows, runs_of
from experiments.project.errors import UsageError
from experiments.project.look import quantity
from experiments.project.workspace import Workspace
from experiments.runs.store import AGENT_STEP, REWARD_KEY, RunQuery

_COLUMNS = (
    FittedColumn("run"),
    FittedColumn("state"),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "reward")),
    FittedColumn("tags"),
)


def runs(
    *,
    tag: Annotated[Texts, tyro.conf.arg(metavar="[TAG ...]", help_behavior_hint="")] = None,
    all_tags: Flag = False,
    state: Annotated[Texts, tyro.conf.arg(metavar="[STATE ...]", help_behavior_hint="")] = None,
    author: Annotated[str | None, tyro.conf.arg(metavar="USER", help_behavior_hint="")] = None,
    name: Annotated[str | None, tyro.conf.arg(metavar="REGEX", help_behavior_hint="")] = None,
    order: str = "-created_at",
    limit: int = 50,
    json_: JsonFlag = False,
) -> int:
    """Find runs on this machine and, where somebody is logged in, on the W&B server.

    Args:
        tag: Runs with any of these tags, given at the launch, in W&B or by `experiments tag`.
        all_tags: Runs with all of the tags given.
        state: Runs in any of these states, in W&B's words: running, finished, failed, crashed, killed, ...
        author: Runs of this user.
        name: Runs whose display name matches this regular expression.
        order: What to sort by, such as created_at or summary_metrics.overview/reward; a minus is descending.
        limit: At most so many.
        json_: Print a JSON list instead of a table.
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
        limit=limit,
    )
    workspace = Workspace.find(Path.cwd())
    found = runs_of(workspace, query, default_store(workspace.root))
    if json_:
        say(json.dumps([asdict(info) for info in found], indent=2, default=str))
    elif not found:
        say("No run matches.", to_stderr=True)
    else:
        _print_runs(found)
    return 0


def sync(names: tyro.conf.Positional[tuple[str, ...]] = ()) -> int:
    """Upload finished offline runs to the W&B server where you are logged in; what is there already stays.

    Args:
        names: Run names or launcher ids; all runs of the project where none is given.
    """
    from experiments.runs.transfer.sync import SyncProgress, sync_runs

    workspace = Workspace.find(Path.cwd())
    chosen = [job.run_name for job in find_rows(workspace, names)] if names else None

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
    return 1 if any(result.state == "failed" for result in results) else 0


def _print_runs(found: list[Any]) -> None:
    table = FittedTable(_COLUMNS, [column.heading for column in _COLUMNS])
    for info in found:
        step, reward = info.summary.get(AGENT_STEP), info.summary.get(REWARD_KEY)
        table.add(info.name, info.state, quantity(step), quantity(reward), ", ".join(info.tags))
    console().print(table)
    for info in found:
        if info.note:
            say(f"{info.name}: {info.note}")
