"""The command that lets a run go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.flags import Flag, JsonFlag
from experiments.cli.terminal import console, say
from experiments.jobs.finding import find_jobs
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace


def resume(
    run: tyro.conf.Positional[str],
    *,
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    dry_run: Flag = False,
    again: Flag = False,
    yes: Flag = False,
    json_: JsonFlag = False,
) -> int:
    """Let a run go on from its newest checkpoint, as a new run of its arm and seed, with its own config and command.

    It works for any run that has ended, whether or not its recipe still has the arm. The code is what lies here now.

    Args:
        run: Run name or launcher id.
        steps: New total of agent steps, those before the checkpoint among them; by default what the run was asked for.
        dry_run: Show what would be launched and stop.
        again: Launch it once more also where an earlier resume of the same has not ended.
        yes: Do not ask before a launch that costs money.
        json_: Print a JSON document instead of text.
    """
    from experiments.cli.preview import confirm, print_preview
    from experiments.jobs.permits import command_permit
    from experiments.jobs.preparation import check_plan, launch_plan, place_of, resume_plan

    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    if steps is not None and steps < 1:
        raise UsageError(f"--steps {steps}: at least 1 is needed. It is the new total of agent steps.")
    workspace = place_of(workspace, job)
    plan = resume_plan(workspace, job, steps=steps, again=again)
    [new] = plan.jobs
    out = console(stderr=json_)
    if dry_run and json_:
        say(json.dumps(plan.model_dump(mode="json"), indent=2))
        return 0
    out.print(f"{job.run_name} goes on as {new.run_name}")
    # Alone in its plan the arm would be called the baseline, which it need not be.
    print_preview(out, plan, workspace, difference={new.arm: "goes on from its checkpoint"})
    if dry_run:
        out.print("Dry run: nothing was launched and nothing was written.")
        return 0
    checked = check_plan(plan, workspace)
    for note in checked.notes:
        out.print(f"note: {note}")
    if plan.launcher == "skypilot" and not yes:
        confirm(plan)
    permit = command_permit(f"experiments resume {job.run_name}")
    launched = launch_plan(checked, permit, workspace)
    if json_:
        document = {"resumed": job.run_name, "launched": [each.model_dump(mode="json") for each in launched]}
        say(json.dumps(document, indent=2))
    out.print("Launched. See it: uv run experiments status")
    return 0
