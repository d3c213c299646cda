"""A run from its start, or from where it was stopped, to its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from experiments.project.errors import UsageError
from experiments.project.settings import project_root, state_dir
from experiments.runs.offline.places import note_attempt
from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.config import Arguments, TrainerConfig
from experiments.trainer.progress import Progress, crossed
from experiments.trainer.stopping import Stopped, StopRequest
from experiments.trainer.tracking import Tracker
from experiments.trainer.training import Training


def run_folder(arguments: Arguments) -> Path:
    """Make and return the run's folder: `run_dir=`, else EXPERIMENTS_RUN_DIR, else in the project's state folder.

    Raises:
        UsageError: The folder, or the project's state folder, cannot be used.
    """
    chosen = arguments.run_dir or os.environ.get("EXPERIMENTS_RUN_DIR")
    folder = Path(chosen).absolute() if chosen else state_dir(project_root(Path.cwd())) / "runs" / arguments.run
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"run_dir {str(folder)!r} cannot be made ({error.strerror}). Give another: run_dir=DIR"
        ) from None
    return folder


def run(arguments: Arguments, stop: StopRequest, say: Callable[[str], None]) -> None:
    """Train until the run has had its steps, from the newest checkpoint in the run's folder.

    Args:
        arguments: Settings.
        stop: Asked between steps of the simulation whether to end.
        say: Takes lines of progress.

    Raises:
        Stopped: On request; a checkpoint has been saved and the W&B run closed.
        TrainingDiverged: A loss or a parameter is not finite.
        UsageError: The folder cannot be made, or holds another run.
        StoreError: W&B refuses the run.
    """
    folder, total = run_folder(arguments), arguments.trainer.total_timesteps
    training = Training(arguments, folder, stop.check)
    last = checkpoints.newest(folder / "checkpoints", say) or _earlier(arguments, folder, say)
    if last is not None:
        training.resume(last)
    if training.done and training.logged_step == training.agent_step:
        say(
            f"run {arguments.run!r} is finished: {training.agent_step:,} agent-steps of {total:,}. "
            "A higher trainer.total_timesteps continues it."
        )
        return
    tracker = Tracker(arguments, folder)
    note_attempt(folder, training.agent_step)
    stop.can_wait = True
    start = f"continuing at agent-step {training.agent_step:,}" if last else f"{total:,} agent-steps"
    say(f"{arguments.run}: {arguments.trainer.curriculum}, seed {arguments.seed}, {start}, W&B {tracker.mode}")
    if tracker.last_step > training.logged_step:
        say(f"W&B has rows up to agent-step {tracker.last_step:,} from an earlier start; they are kept, not sent again")
    exit_code = 1
    loop = _Loop(training, arguments.trainer, tracker, Progress(total, say, start=training.agent_step))
    try:
        loop.run()
        exit_code = 0
    except Stopped as stopped:
        exit_code = stopped.exit_code
        path = loop.leave()
        say(f"stopped at agent-step {training.agent_step:,}: {path.name} is saved, the same command continues.")
        raise
    finally:
        tracker.finish(exit_code)


def _earlier(arguments: Arguments, folder: Path, say: Callable[[str], None]) -> checkpoints.Checkpoint | None:
    """Return the checkpoint of another run that this one goes on from; None where it goes on from none.

    Raises:
        UsageError: That run has no checkpoint, or none of the step that was asked for.
        DamagedCheckpoint: The one that was asked for cannot be read.
    """
    source, step = arguments.trainer.resume_from, arguments.trainer.resume_step
    if not source:
        return None
    earlier = Path(source) if os.sep in source else folder.parent / source
    if step is not None and not checkpoints.path_of(earlier / "checkpoints", step).exists():
        steps = ", ".join(f"{checkpoints.step_of(path):,}" for path in checkpoints.saved(earlier / "checkpoints"))
        raise UsageError(
            f"trainer.resume_from={source!r} has no checkpoint at agent-step {step:,}. It has: {steps or 'none'}."
        )
    if step is not None:
        return checkpoints.load(checkpoints.path_of(earlier / "checkpoints", step))
    found = checkpoints.newest(earlier / "checkpoints", say)
    if found is None:
        raise UsageError(
            f"trainer.resume_from={source!r} has no checkpoint in {str(earlier / 'checkpoints')!r}. Name a run that "
            "has one: experiments status lists the runs."
        )
    return found


class _Loop:
    """Training with rows, evaluations, replays and checkpoints on the way.

    `overview/sps` counts the time of playing and learning, without that of evaluations, replays and checkpoints.
    """

    def __init__(self, training: Training, config: TrainerConfig, tracker: Tracker, progress: Progress) -> None:
        self._training, self._config, self._tracker, self._progress = training, config, tracker, progress
        self._learning_s = 0.0
        self._counted_from = training.agent_step

    def run(self) -> None:
        """Train to the end."""
        training, config = self._training, self._config
        if any(self._due()):
            self._milestone()
            training.save()
        training.start_episodes()
        saved_at = time.monotonic()
        while not training.done:
            before, began = training.agent_step, time.perf_counter()
            training.advance()
            self._learning_s += time.perf_counter() - began
            due = any(self._due()) or training.done
            if due or training.agent_step - training.logged_step >= config.log_interval:
                self._milestone()
            due = due or any(before < point <= training.agent_step for point in training.late_points)
            if due or time.monotonic() - saved_at >= config.checkpoint.interval:
                training.save()
                saved_at = time.monotonic()

    def leave(self) -> Path:
        """Save a state from which a later start goes on, and return its file.

        What is due now and could not be finished is left to that start.
        """
        if not any(self._due()) and self._training.agent_step > self._training.logged_step:
            self._log(self._row(), None)
        return self._training.save()

    def _due(self) -> tuple[bool, bool]:
        """Return whether an evaluation and a replay are due that the last row did not have."""
        before, now, total = self._training.logged_step, self._training.agent_step, self._config.total_timesteps
        counts = (self._config.evaluation.count, self._config.replays.count)
        return crossed(before, now, total, counts[0]), crossed(before, now, total, counts[1])

    def _milestone(self) -> None:
        evaluate, replay = self._due()
        results = self._training.evaluate() if evaluate else {}
        recorded = self._training.record_replay() if replay else None
        self._log(self._row() | results, recorded)

    def _row(self) -> dict[str, float]:
        row = self._training.metrics()
        if self._learning_s:
            row["overview/sps"] = (self._training.agent_step - self._counted_from) / self._learning_s
        self._learning_s, self._counted_from = 0.0, self._training.agent_step
        return row

    def _log(self, row: dict[str, float], replay: Path | None) -> None:
        step = self._training.agent_step
        self._tracker.log(step, row, replay)
        self._training.logged_step = step
        self._progress.report(step, row)
