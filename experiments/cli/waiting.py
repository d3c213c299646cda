"""`experiments wait`: until something has happened, so that whoever asks need not ask again and again."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import say
from experiments.cli.verdict import NoVerdict, VerdictOn
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import UsageError
from experiments.project.look import counted, duration
from experiments.project.workspace import Workspace
from experiments.types import TERMINAL_VERDICTS, JobStatus

Until = Literal["ended", "verdict", "failure"]
_LOOK_S, _MOST_NAMED = 1.0, 100
_SPARED = 9  # how much longer than a look the pause after it is
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_OVER = 3


class Waited(Shown):
    """What was waited for, and how it stands now.

    Attributes:
        is_reached: Whether it happened; false where the time was over before.
        waited_s: Seconds that this took.
        states: How many jobs are in which state.
        failed: Run names of the first hundred of those that failed; `experiments failures` has all.
        verdict: With `--until verdict` the verdict as it stands now.
    """

    experiment: str | None
    until: Until
    is_reached: bool
    waited_s: float
    states: dict[str, int]
    failed: tuple[str, ...]
    verdict: VerdictOn | NoVerdict | None = None


def wait(
    experiment: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[EXPERIMENT]", help_behavior_hint="")]
    ] = None,
    *,
    until: Annotated[Until, tyro.conf.arg(metavar="{ended,verdict,failure}")] = "ended",
    timeout: Annotated[str | None, tyro.conf.arg(metavar="TIME", help_behavior_hint="")] = None,
) -> Answer[Waited]:
    """Wait until all jobs of an experiment have ended, its verdict is decided, or one of its jobs has failed.

    It ends with 0 once that has happened, with 1 where a job failed while all were waited for, and with 3 where the
    time was over, or all has ended and the verdict is undecided. Ctrl-C ends the waiting and nothing else.

    Args:
        experiment: Name of the experiment; without one, every job of the project.
        until: ended: nothing of it goes on, also nothing that follows by itself; verdict: it is confirmed or rejected,
            or all has ended; failure: a job failed, or all have ended.
        timeout: The longest time to wait, such as 90s, 30m or 2h; by default without end.
    """
    if until == "verdict" and experiment is None:
        raise UsageError("a verdict is that of one experiment. Name it: experiments wait EXPERIMENT --until verdict")
    began = time.monotonic()
    deadline = began + _seconds(timeout) if timeout is not None else None
    workspace = Workspace.find(Path.cwd())
    _refuse_unknown(workspace, experiment)
    statuses, is_reached, found = _watched(workspace, experiment, until, deadline)
    waited = Waited(
        experiment=experiment,
        until=until,
        is_reached=is_reached,
        waited_s=round(time.monotonic() - began, 1),
        states=dict(Counter(status.verdict for status in statuses)),
        failed=tuple(status.run_name for status in statuses if status.verdict == "failed")[:_MOST_NAMED],
        verdict=found,
    )
    return Answer(waited, _print, code=_code(waited))


def _code(waited: Waited) -> int:
    if not waited.is_reached:
        return _OVER
    if waited.until == "verdict":
        return 0 if waited.verdict is not None and waited.verdict.decision in {"confirmed", "rejected"} else _OVER
    return 1 if waited.until == "ended" and waited.failed else 0


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text, re.ASCII)
    if match is None:
        raise UsageError(f"--timeout {text[:40]!r} is no time. Write it as 90s, 30m or 2h.")
    return float(match[1]) * _UNITS[match[2]]


def _refuse_unknown(workspace: Workspace, experiment: str | None) -> None:
    from experiments.jobs.finding import of_experiments

    if experiment is not None:
        with open_ledger(workspace, read_only=True) as ledger:
            if not ledger.rows(experiment=experiment):
                of_experiments(ledger.rows(), [experiment])


def _watched(
    workspace: Workspace, experiment: str | None, until: Until, deadline: float | None
) -> tuple[Sequence[JobStatus], bool, VerdictOn | NoVerdict | None]:
    """Look until it has happened or the time is over; return the jobs, whether it has, and the verdict if asked."""
    from experiments.monitoring import following

    seen: tuple[str, ...] | None = None
    found: VerdictOn | NoVerdict | None = None
    with following(workspace.state) as statuses:
        while True:
            looked_at = time.monotonic()
            # Jobs that follow by themselves are recorded while one waits.
            of = _runs(workspace, experiment)
            now = [status for status in statuses() if status.run_name in of]
            is_over = _is_over(workspace, experiment, of, now)
            # A verdict changes only where a run ends, and scores are dear.
            if until == "verdict" and experiment is not None and (ended := _ended(now)) != seen:
                seen, found = ended, _verdict(workspace, experiment)
            if _is_reached(until, now, found, is_over=is_over):
                return now, True, found
            # Of many jobs a look takes long itself.
            pause = max(_LOOK_S, _SPARED * (time.monotonic() - looked_at))
            left = pause if deadline is None else min(pause, deadline - time.monotonic())
            if left <= 0:
                return now, False, found
            time.sleep(left)


def _is_reached(until: Until, now: Sequence[JobStatus], found: VerdictOn | NoVerdict | None, *, is_over: bool) -> bool:
    if until == "verdict":
        return is_over or (found is not None and found.decision in {"confirmed", "rejected", "none"})
    return is_over or (until == "failure" and any(status.verdict == "failed" for status in now))


def _runs(workspace: Workspace, experiment: str | None) -> set[str]:
    with open_ledger(workspace, read_only=True) as ledger:
        return {row.run_name for row in ledger.rows(experiment=experiment) if row.state != "planned"}


def _is_over(workspace: Workspace, experiment: str | None, of: set[str], now: Sequence[JobStatus]) -> bool:
    """Tell whether all jobs have ended and nothing follows by itself."""
    from experiments.jobs.batches import courses as batches
    from experiments.jobs.sweeps.search import courses as searches

    if len(now) < len(of) or any(status.verdict not in TERMINAL_VERDICTS for status in now):
        return False
    with open_ledger(workspace, read_only=True) as ledger:
        is_searching = any(course.is_open for course in searches(ledger, experiment))
        return not is_searching and not any(
            not course.ended and experiment in {None, course.batched.experiment} for course in batches(ledger)
        )


def _ended(now: Sequence[JobStatus]) -> tuple[str, ...]:
    return tuple(sorted(status.run_name for status in now if status.verdict in TERMINAL_VERDICTS))


def _verdict(workspace: Workspace, experiment: str) -> VerdictOn | NoVerdict:
    from experiments.cli.asked import asked_subject
    from experiments.cli.verdict import verdict_of

    return verdict_of(asked_subject(workspace, experiment))


def _print(found: Waited) -> None:
    states = ", ".join(f"{number} {state}" for state, number in sorted(found.states.items())) or "no job"
    said = "" if found.is_reached else f"The time was over after {duration(found.waited_s)}. "
    say(f"{said}{found.experiment or 'all experiments'}: {states}")
    if found.verdict is not None:
        say(f"{found.verdict.decision}: {found.verdict.reason}")
    if found.failed:
        why = f"experiments failures {found.experiment or ''}".rstrip()
        say(f"{counted(found.states['failed'], 'job')} failed. Why: {why}")
