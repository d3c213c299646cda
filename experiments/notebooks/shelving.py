"""What a page of the editor does with the runs that are selected in their table: archive, protect, and take it back."""

from __future__ import annotations

from collections.abc import Callable

from experiments.jobs.permits import Permit, notebook_permit
from experiments.jobs.shelf import archive, protect, unarchive, unprotect
from experiments.monitoring import job_statuses
from experiments.project.look import counted
from experiments.project.workspace import Workspace


def _archive(runs: list[str], permit: Permit, workspace: Workspace) -> list[str]:
    return archive(runs, permit, workspace, statuses=job_statuses(workspace.state, runs))


SHELVING: dict[str, tuple[Callable[[list[str], Permit, Workspace], list[str]], str, str]] = {
    "archive": (_archive, "unarchive", "archived; scores and verdicts count them as before"),
    "unarchive": (unarchive, "archive", "no longer archived"),
    "protect": (protect, "unprotect", "protected from archive and gc"),
    "unprotect": (unprotect, "protect", "no longer protected"),
}
"""By the action that a table asks for: what does it, what takes it back, and what is said of it."""


def shelve(workspace: Workspace, action: str, runs: list[str]) -> tuple[str, dict[str, object]]:
    """Carry out what a person asked for by a click; return what came of it, and what a table needs to take it back.

    Raises:
        ExperimentsError: It is refused, and nothing was changed.
    """
    act, back, said = SHELVING[action]
    changed = act(runs, notebook_permit(), workspace)
    return f"{counted(len(changed), 'run')} {said}.", {"action": back, "runs": changed} if changed else {}
