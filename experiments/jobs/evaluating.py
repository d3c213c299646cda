"""Checkpoints of runs, played once more by jobs: which are meant, and the plan of the job that plays one.

An evaluation is known by the content of its checkpoint, its maps, its code and its command: asked for twice, by however
many processes, it is one job, which is launched again only where it has ended without a result. What it finds lies in
the folder of the run (see `runs.evaluations`).
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.checkpoints import Saved, content_of, damage, files_in, folder_of_checkpoints, keep_copy, saved_by
from experiments.jobs.once_more import code_to_resume
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import CheckedPlan, check_plan, prepare_plan
from experiments.jobs.reproducing import folder_of
from experiments.jobs.submission import code_now
from experiments.project.errors import UsageError
from experiments.project.files import write_json
from experiments.project.look import counted
from experiments.project.provenance import OwnCode, Provenance
from experiments.project.trainers.known import reference, trainer_named, trainer_of
from experiments.project.trainers.template import check_template
from experiments.project.values import replaced
from experiments.project.workspace import Workspace, visible_root
from experiments.runs.evaluations import EVALUATIONS, KEPT, REQUEST, ROWS, EvaluationRequest, read_evaluations
from experiments.types import CodeOf, Trainer, TrainingJob

# What an evaluation is told, besides what a trainer is.
_TOLD = ("checkpoint", "maps", "out")


@dataclass(frozen=True)
class WantedEvaluation:
    """One evaluation that was asked for.

    Attributes:
        job: Whose checkpoint it is.
        saved: The checkpoint.
        trainer: How it is played.
        run_dir: Folder of the run.
        own: What the job that plays it runs with.
    """

    job: TrainingJob
    saved: Saved
    trainer: Trainer
    run_dir: Path
    request: EvaluationRequest
    own: OwnCode

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.run_dir / EVALUATIONS / self.request.id

    @property
    def is_done(self) -> bool:
        """Whether it has found something; what cannot be taken for a result is left to a person to look at.

        Raises:
            UsageError: There is such a file.
        """
        known = {one.request.id: one for one in read_evaluations(self.run_dir).held}
        found = known.get(self.request.id)
        if found is not None and found.problem:
            raise UsageError(
                f"an evaluation of run {self.job.run_name!r} wrote no result: {found.problem}. Mend what writes it, "
                "delete the file, and run the command again."
            )
        return found is not None and bool(found.rows)


def wanted_evaluations(
    workspace: Workspace,
    job: TrainingJob,
    *,
    last: int | None,
    maps: int,
    code: Provenance,
    code_of: CodeOf = "own",
) -> list[WantedEvaluation]:
    """Return the evaluations of a run's checkpoints; nothing is launched or written.

    Args:
        last: How many of the newest checkpoints; None for all.
        maps: Held-out maps that each is played on.
        code: Of the project as it lies here now.
        code_of: `own` for the code that the run ran, `now` for the project as it is.

    Raises:
        UsageError: It has no such checkpoints, one cannot be read whole, or nobody said how its trainer evaluates.
        LaunchError: There can be no snapshot of the project.
    """
    trainer = evaluating_trainer(workspace, job)
    run_dir = _run_dir(workspace, job)
    found = _chosen(workspace, job, trainer, run_dir, last)
    kept = code_to_resume(workspace, job)
    own = kept if kept is not None and code_of == "own" else code_now(workspace)
    played_by = own.snapshot.id if own.snapshot is not None else (code.tree and code.tree.sha256) or "not known"
    ran = kept.snapshot.id if kept is not None and kept.snapshot is not None else None
    is_own = own.snapshot is not None and own.snapshot.id == ran
    wanted = []
    for saved in found:
        _refuse_damaged(workspace, saved)
        sha256 = content_of(saved.path)
        identity = json.dumps([sha256, maps, played_by, trainer.evaluate])
        request = EvaluationRequest(
            id=hashlib.sha256(identity.encode()).hexdigest()[:16],
            run=job.run_name,
            checkpoint=saved.path.name,
            step=saved.step or 0,
            sha256=sha256,
            maps=maps,
            code=played_by,
            is_own_code=is_own,
            command=trainer.evaluate,
            counter=trainer.metrics.step or "",
            at=time.time(),
        )
        wanted.append(WantedEvaluation(job, saved, trainer, run_dir, request, own))
    return wanted


def evaluation_plan(workspace: Workspace, wanted: WantedEvaluation, code: Provenance) -> CheckedPlan | None:
    """Return the plan of the job that plays a checkpoint, which is kept for it; None where it has been played.

    Raises:
        UsageError: The trainer's command cannot be filled.
        LaunchError: As `check_plan`.
    """
    if wanted.is_done:
        return None
    checkpoint = keep_copy(wanted.saved.path, wanted.run_dir / EVALUATIONS / KEPT, wanted.request.sha256)
    wanted.folder.mkdir(parents=True, exist_ok=True)
    if not (wanted.folder / REQUEST).exists():
        write_json(wanted.folder / REQUEST, wanted.request.model_dump(mode="json"))
    told = {"checkpoint": str(checkpoint), "maps": str(wanted.request.maps), "out": str(wanted.folder / ROWS)}
    trainer = Trainer(
        name=wanted.trainer.name,
        command=wanted.trainer.evaluate,
        style=wanted.trainer.style,
        uses_gpus=wanted.trainer.uses_gpus,
        env=wanted.trainer.env,
        values={**wanted.trainer.values, **told},
    )
    job = wanted.job
    config = replaced(job.config, trainer=trainer, additional_args=(), nodes=1, stop_when=None, wandb_tags=())
    recorded = RecordedJob(job.arm, config, job.seed, replicate=job.replicate, role="evaluation", parent=job.run_name)
    plan = prepare_plan(
        workspace,
        job.experiment,
        [recorded],
        launcher="skypilot" if job.launcher == "skypilot" else "local",
        has_own_code=True,
    )
    # A plan is a repeat only where the job before it has ended, which may have been since the look above.
    return None if wanted.is_done else check_plan(plan, workspace, code, wanted.own)


def evaluating_trainer(workspace: Workspace, job: TrainingJob) -> Trainer:
    """Return what is known of a job's trainer, with the command by which it evaluates.

    That may have been named since: then it is what the project says now of the trainer of this name.

    Raises:
        UsageError: Nobody said how it evaluates.
    """
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is not None and not trainer.evaluate:
        try:
            named = trainer_named(trainer.name, workspace.settings.trainers)
        except UsageError:
            named = trainer
        newer = {"evaluate": named.evaluate, "checkpoints": trainer.checkpoints or named.checkpoints}
        trainer = replaced(trainer, **newer)
    if trainer is None or not trainer.evaluate:
        who = f"trainer {trainer.name!r}" if trainer is not None else f"trainer ({' '.join(job.command[:3])} ...)"
        name = trainer.name if trainer is not None else "NAME"
        raise UsageError(
            f"run {job.run_name!r} was trained by {who}, and nobody said how that evaluates a checkpoint. Say it: "
            f"evaluate = 'python evaluate.py {{checkpoint}} {{maps}} {{out}}' in [tool.experiments.trainers.{name}]"
        )
    check_template(trainer.name, trainer.evaluate, sorted({*trainer.values, *_TOLD}), variables=trainer.env)
    return trainer


def _run_dir(workspace: Workspace, job: TrainingJob) -> Path:
    if job.launcher == "skypilot" and visible_root(workspace.settings) is None:
        raise UsageError(
            f"the checkpoints of run {job.run_name!r} lie on its cluster, and a job there has to see the ones that are "
            "kept for it. Set run_root in [tool.experiments] to a folder that the nodes and this machine see."
        )
    return folder_of(workspace, job.run_name).absolute()


def _chosen(workspace: Workspace, job: TrainingJob, trainer: Trainer, run_dir: Path, last: int | None) -> list[Saved]:
    """Return the checkpoints of a run that are meant, oldest first."""
    of, folder = trainer.checkpoints, folder_of_checkpoints(trainer, run_dir, job.run_name)
    if of is None or folder is None or "{step}" not in of.pattern:
        raise UsageError(
            f"trainer {trainer.name!r} does not say of which step a checkpoint is, so nobody could tell what its "
            "evaluation is of. Name its files: checkpoints = {folder = '{run_dir}', pattern = 'step_{step}.pt'} in "
            f"[tool.experiments.trainers.{trainer.name}]"
        )
    found = saved_by(trainer, run_dir, job.run_name)
    if not found:
        raise UsageError(
            f"run {job.run_name!r} has no checkpoint in {workspace.shown(folder)!r} yet. How it is: "
            f"experiments show {job.run_name}"
        )
    if last is not None and last > len(found):
        is_ours = trainer.name == reference().name
        keep = ", or keep more in the runs to come: trainer.checkpoint.late=10" if is_ours else ""
        steps = ", ".join(f"{each.step:,}" for each in found)
        raise UsageError(
            f"run {job.run_name!r} has {counted(len(found), 'checkpoint')}, and the last {last} were asked for. It has "
            f"those of step {steps}. Ask for --checkpoints last:{len(found)}{keep}"
        )
    return found if last is None else found[-last:]


def _refuse_damaged(workspace: Workspace, saved: Saved) -> None:
    for path in files_in(saved.path):
        if why := damage(path):
            raise UsageError(
                f"checkpoint {workspace.shown(path)!r} cannot be played: its {why}. Where it is still being written, "
                "run the command again later; else delete it."
            )
