"""`Trainer`: all that is known of one program that trains. The reference trainer is the first of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from experiments.project.errors import UsageError
from experiments.project.trainers.template import names_in
from experiments.project.trainers.words import (
    Argument,
    Style,
    Switch,
    overridden,
    read_arguments,
    same_key,
    value_text,
    written,
)
from experiments.project.values import Frozen, is_none, replaced

SEED_KEYS = frozenset({"seed", "random_seed", "rng_seed", "global_seed", "seed_everything"})
"""Keys that set the seed of a whole run in some trainer or other."""

_SEED_GROUPS = frozenset({"", "trainer", "train", "training", "system", "general", "experiment", "run", "args", "cfg"})
_OURS = frozenset({"WANDB_RUN_ID", "WANDB_DIR", "WANDB_NAME", "WANDB_TAGS", "WANDB_SWEEP_PARAM_PATH"})
_OF_A_LAUNCH = {
    "WANDB_MODE": "--wandb-mode",
    "WANDB_PROJECT": "--wandb-project",
    "WANDB_ENTITY": "--wandb-entity",
    "WANDB_RUN_GROUP": "--wandb-group",
}
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


def _is_empty(value: object) -> bool:
    return value in ((), {}, "")


class Metrics(Frozen):
    """Under which names a trainer logs what; what is not named here is looked for in what a run has logged.

    A metric that was only found is shown, and says so; it never carries a claim that was registered.

    Example:
        >>> from experiments.types import Metrics
        >>> Metrics(step="global_step", primary="charts/episodic_return", direction="higher").direction
        'higher'
    """

    step: str | None = Field(None, min_length=1, exclude_if=is_none, description="Its counter of steps.")
    primary: str | None = Field(
        None, min_length=1, exclude_if=is_none, description="What it is about, such as the mean return of an episode."
    )
    direction: Literal["higher", "lower"] | None = Field(
        None, exclude_if=is_none, description="Whether more of the primary metric is better, or less."
    )
    unit: str = Field("", exclude_if=_is_empty, description="Of the primary metric, for axes and tables.")
    speed: tuple[str, ...] = Field(
        (), exclude_if=_is_empty, description="Steps per second; the first that a run has logged counts."
    )
    total: str | int | None = Field(
        None, exclude_if=is_none, description="Steps of a whole run: a key of its W&B config, or their number."
    )
    evaluation: tuple[str, ...] = Field((), exclude_if=_is_empty, description="What it logs when it is evaluated.")
    replays: tuple[str, ...] = Field(
        (),
        exclude_if=_is_empty,
        description="Keys of pages that link to replays; no others do, and * stands for anything.",
    )
    replay_links: tuple[str, ...] = Field(
        (),
        exclude_if=_is_empty,
        description="How such a page writes a link, such as https://viewer.example/?file={url}: {url} is the replay.",
    )

    @field_validator("replay_links")
    @classmethod
    def _say_where_the_replay_is(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for form in value:
            if form.count("{url}") != 1:
                raise ValueError(
                    f"{form!r} does not say where in a link the replay's address is. Write {{url}} there, once"
                )
        return value

    @model_validator(mode="after")
    def _says_what_is_better(self) -> Self:
        if self.primary is not None and self.direction is None:
            raise ValueError(
                f"primary metric {self.primary!r} has no direction, so nobody can tell which run is better. Add "
                "direction = 'higher' (or 'lower')"
            )
        if self.primary is None and (self.direction is not None or self.unit):
            raise ValueError("direction and unit are those of a primary metric, and none is named. Add primary = 'KEY'")
        return self


class Checkpoints(Frozen):
    """Where a trainer saves its state.

    Example:
        >>> from experiments.types import Checkpoints
        >>> Checkpoints(pattern="step_{step}.pt").step_of("step_500.pt")
        500
    """

    folder: str = Field("{run_dir}/checkpoints", description="Their folder; {run_dir} and {run} may stand in it.")
    pattern: str = Field("*", min_length=1, description="Their names, such as step_{step}.pt; * stands for anything.")

    @field_validator("pattern")
    @classmethod
    def _is_within_the_folder(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError(f"checkpoints {value!r} do not lie in their folder. Say where they lie in folder = 'DIR'")
        return value

    def step_of(self, name: str) -> int | None:
        """Return the step in a name below the folder; None where the pattern has none or is another."""
        parts = re.split(r"(\{step\}|\*)", self.pattern)
        number = r"(?P<step>\d+)"
        inner = {"{step}": number, "*": ".*"}
        before, first, others = "".join(inner.get(part, re.escape(part)) for part in parts).partition(number)
        match = re.fullmatch(before + first + others.replace(number, "(?P=step)"), name)
        return int(match["step"]) if match and "step" in match.groupdict() else None

    @property
    def glob(self) -> str:
        """The pattern as `Path.glob` takes it."""
        return self.pattern.replace("{step}", "*")


class Trainer(Frozen):
    """A program that trains, and what is known of it.

    Only `command` has to be said. Where two jobs differ in nothing but what is said here of metrics, they are the same.

    Example:
        >>> from experiments.types import Trainer
        >>> trainer = Trainer(command="python train.py --seed {seed}", style="--key value", dashes=True)
        >>> trainer.arguments({"learning_rate": 0.1})
        ('--learning-rate', '0.1')
    """

    name: str = Field("own", pattern=r"^[A-Za-z0-9][\w.-]{0,39}$", description="What to call it.")
    command: tuple[str, ...] = Field(
        min_length=1,
        description="Its command line, in words: {python} {run} {seed} {run_dir} {curriculum} {args}, and fields of "
        "the recipe's config. Arguments follow it where none of {args}, {args_no_hyphens} (key=value) and {args_json} "
        "stands in it; W&B's ${args} is the same.",
    )
    style: Style = Field("key=value", description="How it takes arguments.")
    dashes: bool = Field(False, description="Whether its options are spelled --learning-rate.")
    switch: Switch | None = Field(None, exclude_if=is_none, description="How options say true and false.")
    seed: str | None = Field(
        None, exclude_if=is_none, description="Argument of its seed, where the command does not show it."
    )
    steps: str | None = Field(None, exclude_if=is_none, description="Argument of the steps of a whole run.")
    resume: str | None = Field(None, exclude_if=is_none, description="Argument that says what to go on from.")
    resume_value: str = Field(
        "{run}", description="What that is given: the earlier run's {run} name, its {run_dir} or its {checkpoint}."
    )
    resume_step: str | None = Field(
        None, exclude_if=is_none, description="Argument that says from which checkpoint, by its step."
    )
    checkpoints: Checkpoints | None = Field(None, exclude_if=is_none, description="Where it saves its state.")
    evaluate: tuple[str, ...] = Field(
        (),
        exclude_if=_is_empty,
        description="Command line, in words, that plays a {checkpoint} on so many held-out {maps} and writes {out}, a "
        "JSON list of rows, each with its `map` and numbers such as `return`; {python} {seed} {curriculum} as in "
        "command.",
    )
    uses_gpus: bool = Field(True, description="Whether it computes on GPUs.")
    metrics: Metrics = Field(default_factory=Metrics, description="Under which names it logs what.")
    note: str = Field("", exclude_if=_is_empty, description="What one should know before a launch, in a sentence.")
    env: dict[str, str] = Field({}, exclude_if=_is_empty, description="Variables that it needs; filled as the command.")
    values: dict[str, str] = Field(
        {}, exclude_if=_is_empty, description="What the placeholders of the recipe's own stand for."
    )

    @field_validator("command", "evaluate", mode="before")
    @classmethod
    def _in_words(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was given
        """Take a text as a shell would split it; nothing else of it is a shell's."""
        if not isinstance(value, str):
            return value
        try:
            return shlex.split(value)
        except ValueError as error:
            raise ValueError(f"command {value!r} is not a list of words ({error}). Close its quotes") from None

    @field_validator("evaluate")
    @classmethod
    def _is_told_all(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in ("checkpoint", "maps", "out") if value else ():
            if name not in names_in(value):
                raise ValueError(f"an evaluation has to be told its {{{name}}}. Put {{{name}}} into {list(value)}")
        return value

    @field_validator("env")
    @classmethod
    def _are_variables(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not re.fullmatch(_VARIABLE, name) or "\0" in text:
                raise ValueError(f"{name!r} is no variable of an environment. Names are made of A-Z, a-z, 0-9 and _")
            if name in _OURS or name.startswith("EXPERIMENTS_"):
                raise ValueError(f"{name!r} is set for every run, or it would be taken for another. Leave it out")
        return value

    @property
    def seed_key(self) -> str | None:
        """The key that the command line, or `seed`, says is the seed's, as keys are compared."""
        if self.seed is not None:
            return same_key(self.seed)
        shown = (each for each in self.read(self.command) if each.value is not None and "{seed}" in each.value)
        return next((each.key for each in shown if each.key), None)

    @property
    def passes_seed(self) -> bool:
        """Whether the program is told its seed."""
        return "seed" in names_in([*self.command, *self.env.values()])

    def read(self, words: Sequence[str]) -> list[Argument]:
        """Return which argument each word belongs to."""
        return read_arguments(words, self.style)

    def with_arguments(self, words: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
        """Return `words` with each key that `by` also sets taken from `by`."""
        return overridden(words, by, self.style)

    def arguments(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the words that set some keys, as this trainer takes them; one that is None is left out."""
        switch = self.switch or "no"
        return tuple(written(values, self.style, dashes=self.dashes, switch=switch))

    def argument(self, name: str, value: object) -> tuple[str, ...]:
        """Return the words that set one of the arguments that the trainer's own fields name, spelled as there."""
        key = name.lstrip("-")
        return tuple(written({key: value}, self.style, switch="value"))

    def filling(self, values: Mapping[str, Any]) -> Trainer:
        """Return the trainer with what the placeholders in its command line stand for, of those that are there."""
        wanted = names_in([*self.command, *self.env.values()])
        texts = {name: value_text(value) for name, value in values.items() if name in wanted}
        return replaced(self, values={**texts, **self.values}) if texts else self


def check_variables(trainer: Trainer) -> None:
    """Refuse variables that a launch sets by itself, so that what a trainer says of them would count for nothing.

    Raises:
        UsageError: There is one; says by which option it is set.
    """
    for name in sorted(_OF_A_LAUNCH.keys() & trainer.env.keys()):
        raise UsageError(
            f"trainer {trainer.name!r} sets {name}={trainer.env[name]!r}, which every launch sets by itself. Leave it "
            f"out, and launch with {_OF_A_LAUNCH[name]}, or set {_OF_A_LAUNCH[name][2:].replace('-', '_')} in "
            "[tool.experiments]."
        )


def sets_seed(key: str, trainer: Trainer | None) -> bool:
    """Tell whether an argument sets the seed of a run, which is part of the run's name.

    The seed of an evaluation or of one part of a program is its own.
    """
    group, _, last = key.replace("/", ".").rpartition(".")
    return (last in SEED_KEYS and group in _SEED_GROUPS) or (trainer is not None and key == trainer.seed_key)
