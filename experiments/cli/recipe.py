"""The command line of a recipe: flags from its config class, then plan, preview, launch, notebook, follow."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import tyro
from pydantic import PydanticUserError, ValidationError

from experiments.cli.envelope import Answer, respond
from experiments.cli.flags import Texts, spelled_out
from experiments.cli.options import Request, RunOptions, asks_for_search
from experiments.cli.terminal import check_paths, check_word, parsed, say
from experiments.project.errors import UsageError, message, shown
from experiments.types import BaseExperimentConfig

if TYPE_CHECKING:
    from experiments.cli.launched import Launched
    from experiments.experiment import Experiment


_SHORT_FLAGS = {"curriculum": "-c", "gpus": "-g", "nodes": "-n"}


def run_recipe(
    experiment_class: type[Experiment], config_class: type[BaseExperimentConfig], *, default_name: str
) -> int:
    """Parse the command line of this process, do what it asks, and return one of the exit codes of `envelope`."""
    words = sys.argv[1:]

    def read() -> Callable[[], Answer[Launched]]:
        request = parse(config_class, words, prog=Path(sys.argv[0]).name, description=experiment_class.__doc__)
        return lambda: _asked(experiment_class, request, default_name)

    return respond("recipe", words, read)


def _asked(experiment_class: type[Experiment], request: Request, default_name: str) -> Answer[Launched]:
    try:
        if asks_for_search(request.options):
            from experiments.cli.searching import run_search

            return run_search(experiment_class, request, default_name=default_name)
        from experiments.cli.session import run_request

        return run_request(experiment_class, request, default_name=default_name)
    except KeyboardInterrupt:
        say("Interrupted; what was launched goes on. See: uv run experiments status", to_stderr=True)
        raise


def parse(
    config_class: type[BaseExperimentConfig], arguments: Sequence[str], *, prog: str, description: str | None = None
) -> Request:
    """Return what `arguments` ask for.

    Raises:
        UsageError: A flag does not exist, a value is not allowed, or no value can be checked; the message says which.
        SystemExit: After `--help`.
    """
    _refuse_taken_names(config_class)
    flags = _flags_of(config_class)
    words, behind = _divided(arguments)
    command = dataclasses.make_dataclass(
        "Command",
        [
            ("recipe", Annotated[flags, tyro.conf.arg(name="", help="")]),
            ("run", Annotated[RunOptions, tyro.conf.arg(name="", help="")], field(default_factory=RunOptions)),
        ],
    )

    typed: Any = parsed(
        words,
        lambda: tyro.cli(
            command,
            prog=prog,
            description=(description or "").strip(),
            args=list(words),
            config=(tyro.conf.FlagCreatePairsOff,),
        ),
    )
    check_paths([typed.run.output_dir])
    given = {item.name: getattr(typed.recipe, item.name) for item in dataclasses.fields(typed.recipe)}
    values = {name: value for name, value in given.items() if value is not None}
    if behind:
        values["additional_args"] = (*values.get("additional_args", ()), *behind)
    values["sections"] = [part.strip() for part in values["sections"].split(",") if part.strip()]
    try:
        config = config_class.model_validate(values)
    except ValidationError as error:
        raise UsageError(_flag_errors(error, prog)) from None
    except PydanticUserError as error:  # a model is built when it is first used
        raise UsageError(
            f"{config_class.__name__} cannot be checked: {error.message.partition('. ')[0]}. Give its field a type "
            "that pydantic knows."
        ) from None
    given_fields = _given(config_class, words) | ({"additional_args"} if behind else frozenset())
    return Request(config, typed.run, tuple(arguments), given_fields)


def _refuse_taken_names(config_class: type[BaseExperimentConfig]) -> None:
    """Refuse a setting that is called as a flag of every recipe: nobody could tell which of the two is meant."""
    if taken := sorted(set(config_class.model_fields) & {item.name for item in dataclasses.fields(RunOptions)}):
        raise UsageError(
            f"field {taken[0]!r} of {config_class.__name__} has the name of a flag that every recipe has: "
            f"--{taken[0].replace('_', '-')}. Give the field another name."
        )


def _divided(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words before the first `--`, and those behind it: the trainer's, whatever they look like."""
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    for word in words[at:]:
        check_word(word)
    return words[:at], words[at + 1 :]


def _given(config_class: type[BaseExperimentConfig], arguments: Sequence[str]) -> frozenset[str]:
    """Return which fields of a config the arguments set, also to what they are by default."""
    flags = {f"--{name}".replace("_", "-"): name for name in config_class.model_fields}
    flags |= {f"--no-{name}".replace("_", "-"): name for name in config_class.model_fields} | flags
    flags |= {short: name for name, short in _SHORT_FLAGS.items() if name in config_class.model_fields}
    found = set()
    for word in arguments:
        flag, dot, inside = word.partition("=")[0].replace("_", "-").partition(".")
        if flag in flags:
            found.add(flags[flag] + dot + inside.replace("-", "_"))
    return frozenset(found)


def _flags_of(config_class: type[BaseExperimentConfig]) -> type:
    """Return a dataclass with one field for each field of the config, as tyro wants them."""
    common = BaseExperimentConfig.model_fields
    fields: list[tuple[str, Any, Any]] = []
    for name, info in config_class.model_fields.items():
        default: Callable[[], Any] = functools.partial(info.get_default, call_default_factory=True)
        annotation: Any = info.annotation
        metavar = _metavar(annotation)
        if name == "sections":
            annotation, metavar, default = str, "A,B,...", functools.partial(",".join, info.default)
        aliases = [_SHORT_FLAGS[name]] if name in _SHORT_FLAGS else None
        hint = "" if annotation is bool or default() in ((), "", None) else None
        if not info.is_required() and default() == ():
            annotation, metavar, default = Texts, "[TEXT ...]", _nothing
        argument = tyro.conf.arg(help=info.description or "", aliases=aliases, metavar=metavar, help_behavior_hint=hint)
        if info.is_required():
            fields.append((name, Annotated[spelled_out(annotation), argument], field()))
        else:
            fields.append((name, Annotated[spelled_out(annotation), argument], field(default_factory=default)))
    # Required flags first, as dataclasses want it; then the recipe's own before those that every recipe has.
    fields.sort(key=lambda item: (not config_class.model_fields[item[0]].is_required(), item[0] in common))
    return dataclasses.make_dataclass(config_class.__name__, fields)


def _nothing() -> None:
    return None


def _metavar(annotation: Any) -> str | None:  # noqa: ANN401 - any annotation
    """Return a placeholder without tyro's `{None}|` for `X | None`; None where tyro's own is fine."""
    plain = [item for item in get_args(annotation) if item is not type(None)]
    return plain[0].__name__.upper() if len(plain) == 1 and plain[0] in {int, float, str} else None


def _flag_errors(error: ValidationError, prog: str) -> str:
    lines = []
    for item in error.errors():
        flag = "--" + ".".join(str(part) for part in item["loc"][:2] if isinstance(part, str)).replace("_", "-")
        lines.append(f"{shown(flag, item['input'])}: {message(item['msg'])}.")
    return " ".join(lines) + f" See {prog} --help."
