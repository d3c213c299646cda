"""`experiments pool`: SkyPilot workers that are brought up once, through which the jobs of many plans go."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import FittedColumn, FittedTable, agrees, console, persons_own, say
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.jobs.pools import Pool

_COLUMNS = tuple(FittedColumn(heading) for heading in ("pool", "worker", "state", "resources", "on", "job"))
_WORTH = ("pool", "worker", "state", "job", "resources", "on")


class ShownWorker(Shown):
    """A worker of a pool; `used_by` are SkyPilot's ids of the jobs on it."""

    id: int
    status: str
    version: int | None
    resources: str
    infra: str
    used_by: tuple[str, ...]


class ShownPool(Shown):
    """A pool as SkyPilot has it.

    Attributes:
        status: SkyPilot's word, verbatim.
        wanted: How many workers it shall have.
        sentence: How it is, in words.
    """

    name: str
    status: str
    version: int | None
    wanted: int
    workers: tuple[ShownWorker, ...]
    sentence: str


class Pools(Shown):
    """The pools there are, or after `apply` and `down` the one in question."""

    pools: tuple[ShownPool, ...]


def pool(
    action: tyro.conf.Positional[Literal["status", "apply", "down"]] = "status",
    name: tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")]] = None,
    *,
    workers: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    gpus: Annotated[int, tyro.conf.arg(metavar="N", help_behavior_hint="")] = 0,
    yes: Flag = False,
) -> Answer[Pools]:
    """Show the pools of SkyPilot workers, bring one up or up to date, or end it.

    Args:
        action: status shows the pools, apply makes one or joins the one that is there, down ends it and its workers.
        name: Which pool; by default the setting sky_pool, and status shows all.
        workers: With apply: how many workers; one that is there keeps its number without it.
        gpus: With apply: GPUs of each worker, of the kind that sky_accelerator names.
        yes: Do not ask before workers are brought up, replaced or ended.
    """
    workspace = Workspace.find(Path.cwd())
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least 1 is needed. To end a pool: experiments pool down NAME")
    if action == "status":
        return _status(workspace, name, gpus)
    chosen = name or workspace.settings.sky_pool
    if chosen is None:
        raise UsageError(f"which pool? Name it: experiments pool {action} NAME")
    if action == "apply":
        return _apply(workspace, chosen, workers, gpus, yes=yes)
    return _down(workspace, chosen, yes=yes)


def _status(workspace: Workspace, name: str | None, gpus: int) -> Answer[Pools]:
    from experiments.jobs.pools import asked_of, pools_of

    found = pools_of(workspace)
    if name is not None and name not in {each.name for each in found}:
        there = ", ".join(each.name for each in found) or "none"
        raise UsageError(f"there is no pool {name!r} (there: {there}). Make it: experiments pool apply {name}")
    shown = [each for each in found if name in {None, each.name}]
    # Only of the pool that jobs would go through do the settings say what it should be.
    ours = [each for each in shown if each.name in {name, workspace.settings.sky_pool}]
    notes = [note for each in ours for note in each.notes(asked_of(workspace, gpus))]

    def words(answer: Pools) -> None:
        if not answer.pools:
            say("No pool. Make one: experiments pool apply NAME --workers 2")
            return
        table = FittedTable(_COLUMNS, _WORTH)
        for each in answer.pools:
            for worker in each.workers:
                jobs = ", ".join(worker.used_by)
                table.add(each.name, str(worker.id), worker.status, worker.resources, worker.infra, jobs)
        console().print(table)
        for each in answer.pools:
            say(f"{each.sentence}.")

    return Answer(Pools(pools=tuple(map(_shown, shown))), words, notes=notes)


def _apply(workspace: Workspace, name: str, workers: int | None, gpus: int, *, yes: bool) -> Answer[Pools]:
    from experiments.jobs import pools

    permit = persons_own(shlex.join(["experiments", "pool", "apply", name]), "Workers cost what their machines do.")
    asked = pools.request(workspace, name, workers, gpus)
    if asked.there is not None and not asked.differing:
        return _told(workspace, name, f"Pool {name} is there as it is asked for. Jobs go through it: --pool {name}")
    what = f"{counted(asked.workers, 'worker')} for pool {name}"
    if asked.there is not None:
        what = f"pool {name} up to date ({asked.differing}): workers may be replaced"
    _confirm(f"Bring up {what}" if asked.there is None else f"Bring {what}", yes=yes)
    pools.apply(asked, workspace, permit)
    return _told(workspace, name, f"Pool {name} is coming up. How far it is: experiments pool status {name}")


def _down(workspace: Workspace, name: str, *, yes: bool) -> Answer[Pools]:
    from experiments.jobs import pools

    permit = persons_own(shlex.join(["experiments", "pool", "down", name]), "Jobs go through its workers.")
    if name not in {each.name for each in pools.pools_of(workspace)}:
        raise UsageError(f"there is no pool {name!r}. Those there are: experiments pool")
    left = len(pools.going_through(name, workspace))
    whose = f", through which {counted(left, 'job')} of this project may still go" if left else ""
    _confirm(f"End pool {name} and its workers{whose}", yes=yes)
    pools.end(name, workspace, permit)
    return _told(workspace, name, f"Pool {name} is going down.")


def _told(workspace: Workspace, name: str, sentence: str) -> Answer[Pools]:
    from experiments.jobs.pools import pools_of

    found = [_shown(each) for each in pools_of(workspace) if each.name == name]
    return Answer(Pools(pools=tuple(found)), lambda _: say(sentence))


def _confirm(what: str, *, yes: bool) -> None:
    """Ask a person before anything that costs money, or that others may use, is brought up or ended.

    Raises:
        LaunchError: There is no terminal to ask at.
        UsageError: The person did not say yes.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise LaunchError(f"{what} wants a yes: add --yes.")
    if not agrees(f"{what}?"):
        raise UsageError("not confirmed; nothing was changed.")


def _shown(found: Pool) -> ShownPool:
    workers = tuple(ShownWorker(**asdict(worker)) for worker in found.workers)
    return ShownPool(
        name=found.name,
        status=found.status,
        version=found.version,
        wanted=found.wanted,
        workers=workers,
        sentence=found.sentence,
    )
