"""The command line of a job: its trainer's template, filled with what is known of the job."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.project.errors import UsageError
from experiments.project.trainers.known import reference
from experiments.project.trainers.template import ARGS_JSON, ARGS_NO_HYPHENS, check_template, filled_words, names_in
from experiments.project.trainers.value import check_variables, sets_seed
from experiments.project.trainers.words import as_json, without_hyphens
from experiments.types import Trainer, TrainingJobConfig

# No command line can hold a NUL, so no value looks like these.
_RUN, _SEED, _RUN_DIR = "\0run\0", "\0seed\0", "\0run_dir\0"


def with_interpreter(command: Sequence[str], python: str) -> tuple[str, ...]:
    """Return a planned command with `python` in the place of `{python}`: each launcher has its own interpreter."""
    return tuple(python if part == "{python}" else part for part in command)


@dataclass(frozen=True)
class Command:
    """A command line as far as the seeds of an arm share it.

    Attributes:
        words: Its words, with `_RUN` and `_SEED` where jobs differ.
        open_words: Which of them hold one of the two.
    """

    words: tuple[str, ...]
    open_words: tuple[int, ...]

    def filled(self, run: str, seed: int, run_folder: Callable[[str], str | None]) -> tuple[str, ...]:
        """Return the command line of one job.

        Args:
            run_folder: Returns the folder of a run where its trainer sees it; None where nobody knows one.

        Raises:
            UsageError: It says the run's folder, and no folder is known there.
        """
        words = list(self.words)
        for at in self.open_words:
            word = words[at]
            if _RUN_DIR in word:
                word = word.replace(_RUN_DIR, _folder_of(run, run_folder))
            words[at] = word.replace(_RUN, run).replace(_SEED, str(seed))
        return tuple(words)


def _folder_of(run: str, run_folder: Callable[[str], str | None]) -> str:
    folder = run_folder(run)
    if folder is None:
        raise UsageError(
            "the trainer's command says {run_dir}, and nobody knows a run's folder where its nodes are. Set "
            "run_root in [tool.experiments] to a folder that every node sees."
        )
    return folder


def command_of(template: Sequence[str], config: TrainingJobConfig) -> Command:
    """Return the command line of an arm.

    Args:
        template: Of jobs that name no trainer.
        config: What runs and on what.

    Raises:
        UsageError: An argument sets the seed, or nothing fills a placeholder.
    """
    trainer = config.trainer if isinstance(config.trainer, Trainer) else None
    for argument in config.arguments:
        if sets_seed(argument.key, trainer or reference()):
            raise UsageError(
                f"additional argument {' '.join(argument.words)!r} sets the seed, which is part of the run's name. "
                "Use --seeds instead."
            )
    if trainer is not None:
        words = _words_of(trainer, config)
    else:
        words = (*_marked(tuple(template), config.curriculum), *config.additional_args)
    return Command(words, tuple(at for at, word in enumerate(words) if "\0" in word))


@functools.lru_cache  # most arms of a plan share them
def _marked(template: tuple[str, ...], curriculum: str) -> tuple[str, ...]:
    # Marked before a value comes in, so braces in a value stay what they are.
    marked = (word.replace("{run}", _RUN).replace("{seed}", _SEED) for word in template)
    return tuple(word.replace("{curriculum}", curriculum) for word in marked)


def _words_of(trainer: Trainer, config: TrainingJobConfig) -> tuple[str, ...]:
    """Return the command line of a trainer, with marks where the runs of an arm differ.

    Raises:
        UsageError: Nothing fills a placeholder.
    """
    check_template(trainer.name, trainer.command, sorted(trainer.values), variables=trainer.env)
    check_variables(trainer)
    arguments, shown = config.additional_args, names_in(trainer.command)
    switch = trainer.switch or "no"
    try:
        no_hyphens = without_hyphens(arguments, trainer.style, switch) if ARGS_NO_HYPHENS in shown else ()
        in_json = as_json(arguments, trainer.style, switch) if ARGS_JSON in shown else ""
    except ValueError as error:
        raise UsageError(f"trainer {trainer.name!r}: argument {error}.") from None
    values = {
        **trainer.values,
        "run": _RUN,
        "seed": _SEED,
        "run_dir": _RUN_DIR,
        "curriculum": config.curriculum,
        ARGS_JSON: in_json,
    }
    if not config.curriculum and "curriculum" in names_in([*trainer.command, *trainer.env.values()]):
        raise UsageError(
            f"trainer {trainer.name!r} is told its {{curriculum}}, and the job has none. Give it one: "
            "TrainingJobConfig(curriculum='NAME'), or a field `curriculum` of the recipe's config."
        )
    return filled_words(trainer.command, values, arguments, no_hyphens)
