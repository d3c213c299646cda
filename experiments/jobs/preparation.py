"""From what was recorded to a plan of this project, and from the plan to jobs with a record of their code.

A run that goes on from its newest checkpoint is planned from its own record: its recipe need not have its arm any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.handover import as_launched, has_ended, launcher_for, statuses
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.ledger.schema import FILE as LEDGER_FILE
from experiments.jobs.permits import Permit
from experiments.jobs.plan import RESUME_KEY, TRAINER, Placement, RecordedJob, make_plan, with_arguments
from experiments.jobs.ran import codes_of
from experiments.jobs.submission import newest_attempt, next_repeat, retry, submit
from experiments.jobs.watch.verdicts import TOTAL_KEY
from experiments.project.errors import LaunchError, UsageError
from experiments.project.provenance import Provenance, capture, changes_since, refuse_if_unreproducible
from experiments.project.workspace import Workspace, cluster_root, storage_notes, visible_root
from experiments.types import LauncherName, Plan, TrainingJob, TrainingJobConfig, replaced


def prepare_plan(
    workspace: Workspace,
    experiment: str,
    recorded: Sequence[RecordedJob],
    *,
    seeds: Sequence[int] | None = None,
    launcher: LauncherName | None = None,
    repeat: int | None = None,
    again: bool = False,
    train_command: Sequence[str] | None = None,
) -> Plan:
    """Return the plan that a launch of `recorded` would start; nothing is written but the ledger's own file.

    Args:
        launcher: Where; None for the setting.
        repeat: Which repetition of the same jobs; None for the newest that has unfinished jobs, else the next.
        again: Take the next repeat also where jobs of the newest are unfinished.
        train_command: The trainer's command line; None for the setting.

    Raises:
        UsageError: A name, label or seed is wrong, the plan is above the settings' limits, or our own trainer would
            refuse its arguments.
    """
    settings = workspace.settings
    where = launcher or settings.launcher
    with open_ledger(workspace, read_only=(workspace.state / LEDGER_FILE).exists()) as ledger:
        placement = Placement(
            user=settings.user_name(),
            ledger_id=ledger.id,
            launcher=where,
            target=launcher_for(where, workspace).target(),
            train_command=settings.train_command if train_command is None else tuple(train_command),
            wandb_mode=workspace.wandb_mode(),
        )

        def planned(number: int) -> Plan:
            return make_plan(experiment, recorded, placement, seeds=seeds, repeat=number, max_jobs=settings.max_jobs)

        refuse_what_our_trainer_would(planned(repeat or 1))
        if repeat is None:
            repeat = next_repeat(planned, ledger, workspace, again=again)
        return planned(repeat)


def refuse_what_our_trainer_would(plan: Plan) -> None:
    """Refuse keys and values that the reference trainer would refuse, before a job waits for them in a queue.

    The arguments of any other trainer are its own.

    Raises:
        UsageError: Says which, and the nearest key there is.
    """
    # An arm's seeds differ in nothing else, and of all seeds only the largest can be too large.
    jobs = {job.arm: job for job in plan.jobs} | {"": max(plan.jobs, key=lambda job: job.seed)}
    for job in jobs.values():
        if TRAINER not in job.command:
            return
        from experiments.trainer.config import parse

        words = job.command[job.command.index(TRAINER) + 1 :]
        if plan.launcher == "dry-run":  # shows also what a curriculum that is still to be written will run
            words = tuple(word for word in words if not word.startswith("trainer.curriculum="))
        try:
            parse(words)
        except UsageError as error:
            raise UsageError(f"arm {job.arm!r}: the trainer would refuse this: {error}") from None


def launch_notes(plan: Plan, code: Provenance, workspace: Workspace, ledger: LedgerReader | None = None) -> list[str]:
    """Return what one should know of the code before a launch of `plan`.

    That is what nobody else could get again, and what changed since a part of the plan was launched before.

    Args:
        ledger: The workspace's, where the caller has it open.

    Raises:
        LaunchError: SkyPilot would run code that cannot be had again, and nobody said `--skip-git-check`; nothing
            of the runs would be left once their nodes are gone; or another job has the name of a run.
    """
    skip = all(job.config.skip_git_check for job in plan.jobs)
    notes = refuse_if_unreproducible(code, plan.launcher, skip_git_check=skip) + storage_notes(plan, workspace.settings)
    if workspace.settings.max_cost is not None and plan.launcher == "skypilot":
        notes.append(f"max_cost is {workspace.settings.max_cost:g} USD, but what this plan costs is not known")
    with nullcontext(ledger) if ledger else open_ledger(workspace, read_only=True) as opened:
        before = opened.provenance(plan.key)
        taken = [job for job in opened.rows(run_names=[job.run_name for job in plan.jobs]) if job.plan_key != plan.key]
    if taken:
        raise LaunchError(
            f"run name {taken[0].run_name!r} is that of another job, of experiment {taken[0].experiment!r}. Name the "
            "experiment or the arm differently."
        )
    if before:
        changes = changes_since(Provenance.recorded(before), code, workspace.root)
        notes += [f"changed since this repeat was first launched: {change}" for change in changes]
    return notes


@dataclass(frozen=True)
class CheckedPlan:
    """A plan that may be launched as far as its code goes, and what one should know of that before.

    Attributes:
        code: Where the code comes from, as it is recorded with the jobs.
        notes: From `launch_notes`.
    """

    plan: Plan
    code: Provenance
    notes: tuple[str, ...] = ()


def check_plan(plan: Plan, workspace: Workspace, code: Provenance | None = None) -> CheckedPlan:
    """Return a plan with what `launch_notes` says of it: it is checked once for a launch, and handed on.

    Args:
        code: From `provenance.capture`; None to capture it now.

    Raises:
        LaunchError: As `launch_notes`.
    """
    code = code or capture(workspace.root)
    return CheckedPlan(plan, code, tuple(launch_notes(plan, code, workspace)))


def launch_plan(plan: Plan | CheckedPlan, permit: Permit | None, workspace: Workspace) -> list[TrainingJob]:
    """Launch what is not launched yet of `plan`, with a record of the code that it runs.

    Args:
        plan: One that is not checked yet is checked here, with the code as it lies here now.

    Raises:
        LaunchRefused: Nobody asked for a launch.
        LaunchError: Some jobs were not launched, or SkyPilot would run code that cannot be had again.
        LedgerError: It cannot be recorded, so nothing (more) was launched.
    """
    checked = plan if isinstance(plan, CheckedPlan) else check_plan(plan, workspace)
    plan, code = checked.plan, checked.code
    with open_ledger(workspace, read_only=True) as ledger:
        before = {job.run_name for job in ledger.rows(plan_key=plan.key) if job.state == "submitted"}
    try:
        return submit(plan, permit, workspace, provenance=code.model_dump(mode="json"))
    finally:
        for job in plan.jobs:
            # A run that was started earlier had the code of its own day.
            run_dir = workspace.runs / job.run_name
            if job.run_name not in before and run_dir.is_dir():
                code.write_diff(run_dir)


def retry_job(run_name: str, permit: Permit | None, workspace: Workspace) -> tuple[TrainingJob, list[str]]:
    """Launch a job that has ended once more, with a record of the code that lies here now.

    Returns:
        The newest attempt, and how its code differs from that of the job that it retries, one sentence each.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The ledger has no such job, or it has not ended.
        LaunchError: The launcher refused.
    """
    code = capture(workspace.root)
    with open_ledger(workspace, read_only=True) as ledger:
        known = ledger.jobs(run_names=[run_name])
        before = newest_attempt(ledger, known[0]).run_name if known else ""
    attempt = retry(run_name, permit, workspace, provenance=code.model_dump(mode="json"))
    if attempt.run_name == before:
        return attempt, []  # it goes on, or waited to be launched: nothing is retried
    if (run_dir := workspace.runs / attempt.run_name).is_dir():
        code.write_diff(run_dir)
    return attempt, _code_notes(before, code, workspace)


def _code_notes(before: str, code: Provenance, workspace: Workspace) -> list[str]:
    """Return how the code that lies here now differs from that of an earlier attempt, as far as anyone knows."""
    earlier = codes_of(workspace, [before])[before]
    notes = []
    if (old := earlier.provenance()) is None:
        notes.append(f"{before}: {earlier.words()}; its plan's record is compared")
        old = earlier.planned
    if old is None or not code.tree or not code.tree.sha256:
        return [*notes, "whether the code is that of the earlier attempt is not known"]
    return notes + [
        f"THE CODE IS NOT THAT OF {before}: {change}" for change in changes_since(old, code, workspace.root)
    ]


def resume_plan(
    workspace: Workspace,
    job: TrainingJob,
    *,
    steps: int | None = None,
    arguments: Sequence[str] = (),
    experiment: str | None = None,
    launcher: LauncherName | None = None,
    again: bool = False,
) -> Plan:
    """Return the plan of one new run that goes on where `job` stopped, with the job's own arm, config and command.

    Args:
        workspace: From `place_of`, and the plan is to be launched with it.
        steps: Agent steps of the whole run, those that it has among them; None for what it was asked for.
        arguments: More arguments for the trainer, each key=value.
        experiment: Name of the experiment; the job's own where None.
        launcher: Where; the job's own where None.
        again: Take the next repeat also where an earlier one is unfinished.

    Raises:
        UsageError: It cannot go on; says why.
    """
    total = [f"{TOTAL_KEY}={steps}"] if steps is not None else []
    config = extended(job.config, job.run_name, [*arguments, *total])
    check_resumable(workspace, job, config)
    where: LauncherName = launcher or ("skypilot" if job.launcher == "skypilot" else "local")
    return prepare_plan(
        workspace,
        experiment or job.experiment,
        [RecordedJob(job.arm, config, job.seed)],
        launcher=where,
        again=again,
        train_command=_template(job, config),
    )


def place_of(workspace: Workspace, job: TrainingJob) -> Workspace:
    """Return the workspace with the places in W&B that the job was launched with."""
    with open_ledger(workspace, read_only=True) as ledger:
        return as_launched(workspace, ledger.spec(job.run_name))


def extended(config: TrainingJobConfig, run_name: str, arguments: Sequence[str] = ()) -> TrainingJobConfig:
    """Return a config that goes on from a run's newest checkpoint, with `arguments` in the place of its own."""
    changed = with_arguments(config.additional_args, [*arguments, f"{RESUME_KEY}={run_name}"])
    return replaced(config, additional_args=changed)


def check_resumable(workspace: Workspace, job: TrainingJob, config: TrainingJobConfig) -> None:
    """Refuse what cannot go on.

    Args:
        config: Of the run to come.

    Raises:
        UsageError: The trainer has no key for it, the job has not ended, there is no checkpoint, or no step is left.
    """
    if TRAINER not in job.command:
        raise UsageError(
            f"run {job.run_name!r} was trained by another trainer ({' '.join(job.command[:3])} ...), and no key is "
            "known by which that goes on from a run. Launch its recipe again with the argument that your trainer has "
            "for it: --additional-args key=value"
        )
    with open_ledger(workspace, read_only=True) as ledger:
        status = statuses([job], ledger, workspace).get(job.run_name)
    if status is None or not has_ended(status):
        word = status.word if status is not None else job.state if job.state != "submitted" else "nobody can be asked"
        raise UsageError(
            f"run {job.run_name!r} has not ended ({word}), so it cannot be resumed yet. End it first: "
            f"experiments cancel {job.run_name}"
        )
    _check_steps(job, config, _newest_step(workspace, job))


def _newest_step(workspace: Workspace, job: TrainingJob) -> int | None:
    """Return the agent step of the newest checkpoint; None where only the nodes of a cluster see it.

    Raises:
        UsageError: There is none.
    """
    from experiments.trainer.checkpoint import saved

    folder = workspace.runs / job.run_name
    if job.launcher == "skypilot":
        root = cluster_root(workspace.settings)
        if root is not None and visible_root(workspace.settings) is None:
            return None
        folder = (root or workspace.runs) / job.run_name
    found = saved(folder / "checkpoints")
    if not found:
        raise UsageError(
            f"run {job.run_name!r} has no checkpoint in {workspace.shown(folder / 'checkpoints')!r}, so there is "
            f"nothing to go on from. Start it anew: experiments retry {job.run_name}"
        )
    return int(Path(found[-1]).stem.removeprefix("step_"))


def _check_steps(job: TrainingJob, config: TrainingJobConfig, at: int | None) -> None:
    from experiments.trainer.config import TrainerConfig

    words = [*_template(job, config), *config.additional_args]
    given = next((word.partition("=")[2] for word in reversed(words) if word.startswith(f"{TOTAL_KEY}=")), None)
    try:
        total = int(given) if given is not None else TrainerConfig().total_timesteps
    except ValueError:
        return  # written in another way, such as 1e6: the trainer reads it, and says so where nothing is left
    if at is not None and total <= at:
        raise UsageError(
            f"run {job.run_name!r} has a checkpoint at agent-step {at:,}, and {total:,} are asked for in all, so no "
            f"step is left. Give a higher total: experiments resume {job.run_name} --steps {2 * max(at, total)}"
        )


def _template(job: TrainingJob, config: TrainingJobConfig) -> tuple[str, ...]:
    """Return the command line that the job was started with, without its name and what `config` says in its place."""
    count = len(job.config.additional_args)
    words = job.command[: len(job.command) - count] if count else job.command
    said = {argument.partition("=")[0] for argument in config.additional_args}
    return tuple(
        word.replace(job.run_name, "{run}") for word in words if "=" not in word or word.partition("=")[0] not in said
    )
