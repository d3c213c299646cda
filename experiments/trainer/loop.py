"""A run from start or resume to its end, with what happens at points along it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.config import Arguments
from experiments.trainer.tracking import Tracker
from experiments.trainer.training import Training


def run_folder(arguments: Arguments) -> Path:
    """Return the folder of the run: `run_dir=`, else EXPERIMENTS_RUN_DIR, else `train_dir/RUN` here."""
    chosen = arguments.run_dir or os.environ.get("EXPERIMENTS_RUN_DIR") or Path("train_dir", arguments.run)
    return Path(chosen).absolute()


def crossed(before: int, now: int, total: int, count: int) -> bool:
    """Return whether a run of `total` steps came past one of `count` evenly spread points, the last at its end."""
    return min(now, total) * count // total > before * count // total


def run(arguments: Arguments, check: Callable[[], None], say: Callable[[str], None]) -> None:
    """Train until the run has had its steps; continues from the newest checkpoint of the run's folder.

    Args:
        arguments: Settings.
        check: Called between steps; what it raises ends the run with a checkpoint.
        say: Takes lines of progress.

    Raises:
        TrainingDiverged: A loss is not finite.
        UsageError: The folder holds another run.
    """
    folder = run_folder(arguments)
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(arguments, folder, check)
    start = checkpoints.newest(folder / "checkpoints", say)
    if start is not None:
        training.resume(start)
    if training.done:
        say(
            f"{arguments.run} is finished: {training.agent_step} of {arguments.trainer.total_timesteps} agent-steps. "
            "Raise trainer.total_timesteps to go on."
        )
        return
    tracker = Tracker(arguments, folder)
    exit_code = 1
    try:
        _train(training, arguments, tracker, say, resumed=start is not None)
        exit_code = 0
    except Stopped as stopped:
        exit_code = stopped.exit_code
        raise
    finally:
        tracker.finish(exit_code)


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """The run was asked to end.

    Attributes:
        exit_code: What the process ends with, 128 + the signal's number.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number


def _train(
    training: Training, arguments: Arguments, tracker: Tracker, say: Callable[[str], None], *, resumed: bool
) -> None:
    try:
        _Loop(training, arguments, tracker, say).run(resumed=resumed)
    except Stopped:
        path = training.save()
        say(f"stopped at agent-step {training.agent_step}; {path.name} saved. The same command continues.")
        raise


class _Loop:
    def __init__(self, training: Training, arguments: Arguments, tracker: Tracker, say: Callable[[str], None]) -> None:
        self._training, self._tracker, self._say = training, tracker, say
        self._config = arguments.trainer
        self._saved_at = time.monotonic()
        self._said_at = 0.0
        self._sps = 0.0
        self._last: dict[str, float] = {}

    def run(self, *, resumed: bool) -> None:
        training, config = self._training, self._config
        if resumed:
            self._say(f"continuing at agent-step {training.agent_step}")
        else:
            self._milestone({}, evaluate=config.evaluation.count > 0, replay=config.replays.count > 0)
        training.start_episodes()
        logged, spent = training.agent_step, 0.0
        while not training.done:
            before, began = training.agent_step, time.perf_counter()
            training.advance()
            spent += time.perf_counter() - began
            now = training.agent_step
            evaluate = crossed(before, now, config.total_timesteps, config.evaluation.count)
            replay = crossed(before, now, config.total_timesteps, config.replays.count)
            if training.done or evaluate or replay or now - logged >= config.log_interval:
                self._sps = (now - logged) / spent
                self._milestone(training.metrics() | {"overview/sps": self._sps}, evaluate=evaluate, replay=replay)
                logged, spent = now, 0.0

    def _milestone(self, row: dict[str, float], *, evaluate: bool, replay: bool) -> None:
        training, config = self._training, self._config
        recorded: Path | None = None
        if evaluate:
            row |= training.evaluate()
        if replay or training.done or time.monotonic() - self._saved_at >= config.checkpoint.interval:
            path = training.save()
            self._saved_at = time.monotonic()
            if replay:
                recorded = training.record_replay(path)
        self._tracker.log(training.agent_step, row, recorded)
        self._report(row)

    def _report(self, row: dict[str, float]) -> None:
        self._last |= row
        moment = time.monotonic()
        if moment - self._said_at < 1.0 and not self._training.done:
            return
        self._said_at = moment
        step, total = self._training.agent_step, self._config.total_timesteps
        parts = [f"step {step:>9,} of {total:,} ({100 * min(step, total) // total}%)"]
        if self._sps:
            parts.append(f"{self._sps:,.0f} steps/s")
        for key in ("overview/reward", "eval/reward"):
            if key in self._last:
                parts.append(f"{key} {self._last[key]:.2f}")
        if self._sps and step < total:
            minutes, seconds = divmod(round((total - step) / self._sps), 60)
            parts.append(f"{minutes}:{seconds:02} left")
        self._say("  ".join(parts))
