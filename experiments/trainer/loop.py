"""A run from its start, or from where it was stopped, to its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from experiments.errors import UsageError
from experiments.settings import project_root, state_dir
from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.config import Arguments
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
    last = checkpoints.newest(folder / "checkpoints", say)
    if last is not None:
        training.resume(last)
    if training.done:
        say(
            f"run {arguments.run!r} is finished: {training.agent_step:,} agent-steps of {total:,}. "
            "A higher trainer.total_timesteps continues it."
        )
        return
    tracker = Tracker(arguments, folder)
    stop.can_wait = True
    start = f"continuing at agent-step {training.agent_step:,}" if last else f"{total:,} agent-steps"
    say(f"{arguments.run}: {arguments.trainer.curriculum}, seed {arguments.seed}, {start}, W&B {tracker.mode}")
    exit_code = 1
    try:
        _train(training, arguments, tracker, Progress(total, say, start=training.agent_step), fresh=last is None)
        exit_code = 0
    except Stopped as stopped:
        exit_code = stopped.exit_code
        path = training.save()
        if tracker.last_step is None or training.agent_step > tracker.last_step:
            tracker.log(training.agent_step, training.metrics())
        say(f"stopped at agent-step {training.agent_step:,}: {path.name} is saved, the same command continues.")
        raise
    finally:
        tracker.finish(exit_code)


def _train(training: Training, arguments: Arguments, tracker: Tracker, progress: Progress, *, fresh: bool) -> None:
    """Train to the end, with rows, evaluations, replays and checkpoints on the way.

    `overview/sps` counts the time of playing and learning, without that of evaluations, replays and checkpoints.
    """
    config = arguments.trainer
    saved_at = time.monotonic()

    def milestone(row: dict[str, float], *, evaluate: bool, replay: bool) -> None:
        """Log one row, with an evaluation and a replay of a saved checkpoint where they are due."""
        if evaluate:
            row |= training.evaluate()
        recorded = training.record_replay(training.save()) if replay else None
        tracker.log(training.agent_step, row, recorded)
        progress.report(training.agent_step, row)

    if fresh:
        milestone({}, evaluate=config.evaluation.count > 0, replay=config.replays.count > 0)
    training.start_episodes()
    logged, spent = training.agent_step, 0.0
    while not training.done:
        before, began = training.agent_step, time.perf_counter()
        training.advance()
        spent += time.perf_counter() - began
        now = training.agent_step
        evaluate = crossed(before, now, config.total_timesteps, config.evaluation.count)
        replay = crossed(before, now, config.total_timesteps, config.replays.count)
        if evaluate or replay or training.done or now - logged >= config.log_interval:
            row = {"overview/sps": (now - logged) / spent, **training.metrics()}
            milestone(row, evaluate=evaluate, replay=replay)
            logged, spent = now, 0.0
        if replay or training.done or time.monotonic() - saved_at >= config.checkpoint.interval:
            if not replay:
                training.save()
            saved_at = time.monotonic()
