"""Commands that put jobs out of sight, bring them back, and keep some from being put away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import say
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace

_Words = tyro.conf.Positional[
    Annotated[tuple[str, ...], tyro.conf.arg(metavar="[RUN|EXPERIMENT|EXPERIMENT/ARM ...]", help_behavior_hint="")]
]


class Shelved(Shown):
    """Jobs that were archived or protected, or are no longer.

    Attributes:
        runs: Those that it was asked of.
        changed: Those of them that are not what they were.
    """

    runs: tuple[str, ...]
    changed: tuple[str, ...]


def archive(runs: _Words) -> Answer[Shelved]:
    """Leave jobs that have ended out of status, fleet, tables and pickers; scores and verdicts count them as before.

    Args:
        runs: Run names or beginnings of them, launcher ids, experiments or arms.
    """
    from experiments.jobs.permits import command_permit
    from experiments.jobs.shelf import archive as put_away
    from experiments.monitoring import job_statuses

    workspace, names = _named(runs)
    statuses = job_statuses(workspace.state, names)
    changed = put_away(names, command_permit("experiments archive"), workspace, statuses=statuses)
    return _told(names, changed, "archived; see them: experiments status --archived")


def unarchive(runs: _Words) -> Answer[Shelved]:
    """Show jobs again that were archived.

    Args:
        runs: Run names or beginnings of them, launcher ids, experiments or arms.
    """
    from experiments.jobs.permits import command_permit
    from experiments.jobs.shelf import unarchive as take_back

    workspace, names = _named(runs)
    return _told(names, take_back(names, command_permit("experiments unarchive"), workspace), "no longer archived")


def protect(runs: _Words) -> Answer[Shelved]:
    """Keep jobs from being archived, and what they left from gc.

    Args:
        runs: Run names or beginnings of them, launcher ids, experiments or arms.
    """
    from experiments.jobs.permits import command_permit
    from experiments.jobs.shelf import protect as keep

    workspace, names = _named(runs)
    return _told(names, keep(names, command_permit("experiments protect"), workspace), "protected")


def unprotect(runs: _Words) -> Answer[Shelved]:
    """Take the protection of jobs back.

    Args:
        runs: Run names or beginnings of them, launcher ids, experiments or arms.
    """
    from experiments.jobs.permits import command_permit
    from experiments.jobs.shelf import unprotect as take_back

    workspace, names = _named(runs)
    return _told(names, take_back(names, command_permit("experiments unprotect"), workspace), "no longer protected")


def _named(runs: tuple[str, ...]) -> tuple[Workspace, list[str]]:
    from experiments.jobs.shelf import runs_called

    if not runs:
        raise UsageError("no job is named. Give run names, experiments or arms; experiments status lists them.")
    workspace = Workspace.find(Path.cwd())
    return workspace, runs_called(workspace, runs)


def _told(names: list[str], changed: list[str], what: str) -> Answer[Shelved]:
    found = Shelved(runs=tuple(names), changed=tuple(changed))
    return Answer(found, lambda _: say(f"{counted(len(changed), 'job')} {what}"))
