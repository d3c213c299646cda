"""From what was recorded to a plan of this project: who, where, with which command, and which repeat."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.launch import launcher_for, next_repeat
from experiments.planning import Placement, RecordedJob, make_plan
from experiments.types import LauncherName, Plan
from experiments.workspace import Workspace


def prepare_plan(
    workspace: Workspace,
    experiment: str,
    recorded: Sequence[RecordedJob],
    *,
    seeds: Sequence[int] | None = None,
    launcher: LauncherName | None = None,
    repeat: int | None = None,
    again: bool = False,
) -> Plan:
    """Return the plan that a launch of `recorded` would start; nothing is written but the ledger's own file.

    Args:
        launcher: Where; None for the setting.
        repeat: Which repetition of the same jobs; None for the newest that has unfinished jobs, else the next.
        again: Take the next repeat also where jobs of the newest are unfinished.

    Raises:
        UsageError: A name, label or seed is wrong, or the plan is above the settings' limits.
    """
    settings = workspace.settings
    where = launcher or settings.launcher
    with workspace.ledger() as ledger:
        placement = Placement(
            user=settings.user_name(),
            ledger_id=ledger.id,
            launcher=where,
            target=launcher_for(where, workspace).target(),
            train_command=settings.train_command,
            wandb_mode=workspace.wandb_mode(),
        )

        def planned(number: int) -> Plan:
            return make_plan(experiment, recorded, placement, seeds=seeds, repeat=number, max_jobs=settings.max_jobs)

        if repeat is None:
            repeat = next_repeat(planned, ledger, workspace, again=again)
        return planned(repeat)
