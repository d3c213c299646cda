"""The command that lets a run go on from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.asked import asked_jobs
from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag, RunName
from experiments.cli.terminal import console
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.types import CodeOf, Plan, TrainingJob


class Resumed(Shown):
    """A run that goes on as a new one.

    Attributes:
        resumed: The run that goes on.
        plan: What is launched; `launched` are its jobs, none after a dry run.
    """

    resumed: str
    plan: Plan
    launched: tuple[TrainingJob, ...] = ()


def resume(
    run: RunName,
    *,
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    from_: Annotated[int | None, tyro.conf.arg(name="from", metavar="STEP", help_behavior_hint="")] = None,
    code: Annotated[CodeOf, tyro.conf.arg(metavar="{own,now}")] = "own",
    dry_run: Flag = False,
    again: Flag = False,
    yes: Flag = False,
) -> Answer[Resumed]:
    """Let a run go on from a checkpoint, as a new run of its arm and seed, with its own config, command and code.

    It works for any run that has ended, whether or not its recipe still has the arm.

    Args:
        run: Run name, the beginning of it, or launcher id.
        steps: New total of agent steps, those before the checkpoint among them; by default what the run was asked for.
        from_: Agent step of an earlier checkpoint to go on from: a fork, which never counts as a seed.
        code: own: the run's own snapshot; now: the project as it is, which is said wherever its runs are pooled.
        dry_run: Show what would be launched and stop.
        again: Launch it once more also where an earlier resume of the same has not ended.
        yes: Do not ask before a launch that costs money.
    """
    from experiments.cli.preview import confirm, print_preview
    from experiments.jobs.once_more import code_to_resume, place_of, resume_plan
    from experiments.jobs.permits import command_permit
    from experiments.jobs.preparation import check_plan, launch_plan

    workspace = Workspace.find(Path.cwd())
    job = asked_jobs(workspace, [run])[0]
    if steps is not None and steps < 1:
        raise UsageError(f"--steps {steps}: at least 1 is needed. It is the new total of agent steps.")
    workspace = place_of(workspace, job)
    plan = resume_plan(workspace, job, steps=steps, from_step=from_, again=again)
    [new] = plan.jobs
    out = console()
    where = f" from agent-step {from_:,}" if from_ is not None else ""
    out.print(f"{job.run_name} goes on{where} as {new.run_name}")
    # Alone in its plan the arm would be called the baseline, which it need not be.
    print_preview(out, plan, workspace, difference={new.arm: "goes on from its checkpoint"})
    if dry_run:
        out.print("Dry run: nothing was launched and nothing was written.")
        return Answer(Resumed(resumed=job.run_name, plan=plan))
    checked = check_plan(plan, workspace, own=code_to_resume(workspace, job) if code == "own" else None)
    for note in checked.notes:
        out.print(f"note: {note}")
    if plan.launcher == "skypilot" and not yes:
        confirm(plan)
    permit = command_permit(f"experiments resume {job.run_name}")
    launched = launch_plan(checked, permit, workspace)
    found = Resumed(resumed=job.run_name, plan=plan, launched=tuple(launched))
    return Answer(found, lambda _: out.print("Launched. See it: uv run experiments status"))
