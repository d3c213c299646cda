"""What a search tries next: Optuna's samplers, asked so that equal records give equal answers.

A sampler is made anew for each trial, from the recorded ones before it, with a seed of its own (one seed after each
rebuild does not continue where the last one stopped). Trial n knows the scores of the trials up to n - at_once and no
others, so that which of several at once ends first, and who was killed meanwhile, changes nothing of what is tried.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from experiments.jobs.sweeps.ranges import Choices, Range, Value
from experiments.project.errors import LaunchError

if TYPE_CHECKING:
    from experiments.jobs.sweeps.search import Search, Trial

_STARTUP = 10
"""Trials that are drawn at random before the scores guide; the default of Optuna's TPE sampler."""
_VERSION = "5"


def check_optuna() -> None:
    """Refuse to begin what could not go on.

    Raises:
        LaunchError: Optuna is not there, or is of another version.
    """
    install = 'uv pip install "optuna>=5,<6"'
    try:
        version = importlib.metadata.version("optuna")
    except importlib.metadata.PackageNotFoundError:
        raise LaunchError(f"a search asks Optuna {_VERSION} what to try, and it is not installed: {install}") from None
    if version.partition(".")[0] != _VERSION:
        raise LaunchError(f"a search asks Optuna {_VERSION} what to try, and {version} is installed: {install}")


def seed_of(search: str, trial: int) -> int:
    """Return the sampler's seed for one trial of a search."""
    return int.from_bytes(hashlib.sha256(f"{search} {trial}".encode()).digest()[:4])


def suggested(search: Search, trials: Sequence[Trial]) -> dict[str, Value]:
    """Return the values of the trial that follows `trials`.

    Raises:
        LaunchError: Optuna is not there, or is of another version.
    """
    check_optuna()
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {name: _distribution(each) for name, each in search.space.items()}
    number, study = len(trials), optuna.create_study(sampler=_sampler(search, len(trials)), direction=_goal(search))
    for trial in trials:
        if trial.number > number - search.at_once:
            state, score = TrialState.RUNNING, None
        else:
            state, score = (TrialState.FAIL, None) if trial.score is None else (TrialState.COMPLETE, trial.score)
        seen: dict[int, float] = {}
        if state == TrialState.FAIL and trial.pruned is not None:  # what it had when it was stopped says something
            state, seen = TrialState.PRUNED, {round(trial.pruned.step): trial.pruned.value}
        params = dict(trial.values)
        study.add_trial(
            create_trial(state=state, value=score, params=params, distributions=space, intermediate_values=seen)
        )
    asked = study.ask(space).params
    found: dict[str, Value] = {}
    for name, each in search.space.items():
        found[name] = each.value(asked[name]) if isinstance(each, Range) else asked[name]
    return found


def _sampler(search: Search, number: int) -> Any:  # noqa: ANN401 - Optuna is imported where it is asked
    from optuna.samplers import RandomSampler, TPESampler

    seed = seed_of(search.id, number)
    if search.sampler == "random":
        return RandomSampler(seed=seed)
    return TPESampler(seed=seed, n_startup_trials=_STARTUP, constant_liar=True)


def _goal(search: Search) -> Literal["maximize", "minimize"]:
    return "maximize" if search.rule.direction == "higher" else "minimize"


def _distribution(space: Range | Choices) -> Any:  # noqa: ANN401
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(space, Choices):
        return CategoricalDistribution(list(space.values))
    if space.whole:
        return IntDistribution(int(space.low), int(space.high), log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)
