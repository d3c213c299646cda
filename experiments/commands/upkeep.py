"""Commands that look after the project's state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.workspace import Workspace


def doctor(*, rebuild: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False) -> int:
    """Say where the state is and whether the ledger can be used.

    Args:
        rebuild: Make the ledger again from what the runs' folders say; the old file is kept.
    """
    workspace = Workspace.find(Path.cwd())
    if rebuild:
        return _rebuild(workspace)
    with workspace.ledger() as ledger:
        jobs = ledger.jobs()
    print(f"state: {workspace.state}")
    print(f"ledger: {len(jobs)} jobs of {len({job.experiment for job in jobs})} experiments")
    print(f"W&B: {workspace.wandb_mode()}")
    return 0


def _rebuild(workspace: Workspace) -> int:
    from experiments.ledger_rebuild import rebuild

    found = rebuild(workspace.state)
    print(f"rebuilt: {found.jobs} jobs")
    if found.kept_as is not None:
        print(f"the old file is {workspace.shown(found.kept_as)}")
    if found.waiting:
        print(f"not started yet: {', '.join(found.waiting)}. Run their recipe again to start them.")
    for problem in found.problems:
        print(f"could not be read: {problem}")
    return 1 if found.problems else 0
