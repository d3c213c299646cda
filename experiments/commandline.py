"""The command line of a recipe: flags from its config class, then plan, preview, launch, notebook, follow."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import tyro
from pydantic import ValidationError

from experiments.errors import ExperimentsError, UsageError
from experiments.types import BaseExperimentConfig, LauncherName

if TYPE_CHECKING:
    from experiments.experiment import Experiment

# What these do by default is said in words; tyro would add "(default: None)".
_PLAIN = tyro.conf.arg(help_behavior_hint="")
_plain = functools.partial(tyro.conf.arg, help_behavior_hint="")
_SHORT_FLAGS = {"curriculum": "-c", "gpus": "-g", "nodes": "-n"}


@dataclass(frozen=True)
class RunOptions:
    """What to do with the experiment, as opposed to what the experiment is.

    The field docstrings are the help of the flags.
    """

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")] = None
    """Name of the experiment and of its notebook."""
    launch: Annotated[bool, _PLAIN] = True
    """Start nothing; only write the notebook."""
    job_ids: Annotated[tuple[str, ...], _PLAIN] = ()
    """Load these jobs (run names or launcher ids) into the notebook; nothing is launched."""
    seeds: Annotated[str | None, _plain(metavar="SEEDS")] = None
    """Seeds of every arm: 5 is 0 to 4, 0..4 a range, 3,7 a list."""
    vary: Annotated[tuple[str, ...], _plain(metavar="[FIELD=A,B ...]")] = ()
    """Arms from every combination of these values: learning_rate=0.001,0.003."""
    launcher: Annotated[LauncherName | None, _plain(metavar="{local,skypilot,dry-run}")] = None
    """Where jobs run; by default the setting, which is local."""
    dry_run: Annotated[bool, _PLAIN] = False
    """Show what would be launched and stop; the same as --launcher dry-run."""
    again: Annotated[bool, _PLAIN] = False
    """Launch the same jobs once more, as the next repeat."""
    resume: Annotated[str | None, _plain(metavar="RUN")] = None
    """Extend this run from its newest checkpoint, as a new run; raise its steps with --additional-args."""
    yes: Annotated[bool, _PLAIN] = False
    """Do not ask before a launch that costs money."""
    follow: Annotated[bool, _PLAIN] = False
    """Show the progress of every job; Ctrl-C detaches, training goes on. On a terminal this is the default."""
    no_follow: Annotated[bool, _PLAIN] = False
    """Return at once after the launch."""
    open: Annotated[bool, _PLAIN] = False
    """Start marimo on the notebook and print its address."""
    json: Annotated[bool, _PLAIN] = False
    """Print one JSON document instead of text."""
    output_dir: Annotated[Path | None, _plain(metavar="DIR")] = None
    """Folder for the notebook; by default experiments/scratch of the project."""
    wandb_mode: Annotated[Literal["auto", "offline", "online"] | None, _plain(metavar="{auto,offline,online}")] = None
    """W&B: auto is online where you are logged in, else offline."""
    max_jobs: Annotated[int | None, _plain(metavar="N")] = None
    """Refuse a plan of more jobs."""
    theirs: Annotated[tuple[str, ...], _PLAIN] = ()
    """Take the generated version of these notebook cells, though you edited them."""
    force: Annotated[bool, _PLAIN] = False
    """Take the generated version of every cell; your file is kept as .bak."""


@dataclass(frozen=True)
class Request:
    """One parsed command line.

    Attributes:
        config: The recipe's config, checked by pydantic.
        options: What to do with it.
        command: The arguments as they were typed, for provenance and the notebook's header.
    """

    config: BaseExperimentConfig
    options: RunOptions
    command: tuple[str, ...] = field(default=())


def run_recipe(
    experiment_class: type[Experiment], config_class: type[BaseExperimentConfig], *, default_name: str
) -> int:
    """Parse the command line of this process, do what it asks, and return the exit code: 0, 1 failed, 2 usage."""
    from experiments.terminal import report_error

    try:
        request = parse(config_class, sys.argv[1:], prog=Path(sys.argv[0]).name, description=experiment_class.__doc__)
        from experiments.session import run_request

        return run_request(experiment_class, request, default_name=default_name)
    except ExperimentsError as error:
        return report_error(error)
    except KeyboardInterrupt:
        print("Interrupted; what was launched goes on. See: uv run experiments status", file=sys.stderr)  # noqa: T201 - a command line talks
        return 130


def parse(
    config_class: type[BaseExperimentConfig], arguments: Sequence[str], *, prog: str, description: str | None = None
) -> Request:
    """Return what `arguments` ask for.

    Raises:
        UsageError: A value is not allowed; the message names the flag.
        SystemExit: With 0 after `--help`, with 2 where a flag does not exist (tyro prints why).
    """
    flags = _flags_of(config_class)
    command = dataclasses.make_dataclass(
        "Command",
        [
            ("recipe", Annotated[flags, tyro.conf.arg(name="")]),
            ("run", Annotated[RunOptions, tyro.conf.arg(name="")], field(default_factory=RunOptions)),
        ],
    )
    parsed: Any = tyro.cli(
        command,
        prog=prog,
        description=(description or "").strip(),
        args=list(arguments),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    values = {item.name: getattr(parsed.recipe, item.name) for item in dataclasses.fields(parsed.recipe)}
    values["sections"] = [part.strip() for part in values["sections"].split(",") if part.strip()]
    try:
        config = config_class.model_validate(values)
    except ValidationError as error:
        raise UsageError(_flag_errors(error, prog)) from None
    return Request(config=config, options=parsed.run, command=tuple(arguments))


def _flags_of(config_class: type[BaseExperimentConfig]) -> type:
    """Return a dataclass with one field for each field of the config, as tyro wants them."""
    common = BaseExperimentConfig.model_fields
    fields: list[tuple[str, Any, Any]] = []
    for name, info in config_class.model_fields.items():
        default = functools.partial(info.get_default, call_default_factory=True)
        annotation: Any = info.annotation
        metavar = _metavar(annotation)
        if name == "sections":
            annotation, metavar, default = str, "A,B,...", functools.partial(",".join, info.default)
        aliases = [_SHORT_FLAGS[name]] if name in _SHORT_FLAGS else None
        hint = "" if annotation is bool or default() in ((), "", None) else None
        argument = tyro.conf.arg(help=info.description or "", aliases=aliases, metavar=metavar, help_behavior_hint=hint)
        if info.is_required():
            fields.append((name, Annotated[annotation, argument], field()))
        else:
            fields.append((name, Annotated[annotation, argument], field(default_factory=default)))
    # Required flags first, as dataclasses want it; then the recipe's own before those that every recipe has.
    fields.sort(key=lambda item: (not config_class.model_fields[item[0]].is_required(), item[0] in common))
    return dataclasses.make_dataclass(config_class.__name__, fields)


def _metavar(annotation: Any) -> str | None:  # noqa: ANN401 - any annotation
    """Return a placeholder without tyro's `{None}|` for `X | None`; None where tyro's own is fine."""
    plain = [item for item in get_args(annotation) if item is not type(None)]
    return plain[0].__name__.upper() if len(plain) == 1 and plain[0] in {int, float, str} else None


def _flag_errors(error: ValidationError, prog: str) -> str:
    lines = []
    for item in error.errors():
        flag = "--" + ".".join(str(part) for part in item["loc"][:2] if isinstance(part, str)).replace("_", "-")
        lines.append(f"{flag} {item['input']!r}: {item['msg']}.")
    return " ".join(lines) + f" See {prog} --help."
