"""The command line of a recipe: flags from its config class, then plan, preview, launch, notebook, follow."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import tyro
from pydantic import ValidationError

from experiments.errors import ExperimentsError, UsageError
from experiments.types import BaseExperimentConfig, LauncherName

if TYPE_CHECKING:
    from experiments.experiment import Experiment

# None first: tyro then knows the default's type without importing typeguard, a quarter of the time of --help.
Texts = None | tuple[str, ...]


def _flag(text: str, metavar: str | None = None) -> Any:  # noqa: ANN401 - tyro's own argument type
    """Return a flag whose default is said in words; tyro would add "(default: None)"."""
    return tyro.conf.arg(help=text, metavar=metavar, help_behavior_hint="")


_SHORT_FLAGS = {"curriculum": "-c", "gpus": "-g", "nodes": "-n"}


@dataclass(frozen=True)
class RunOptions:
    """What to do with the experiment, as opposed to what the experiment is; None where a flag was not given."""

    name: Annotated[
        tyro.conf.Positional[str | None], _flag("Name of the experiment and of its notebook.", metavar="[NAME]")
    ] = None
    launch: Annotated[bool, _flag("Start nothing; only write the notebook.")] = True
    job_ids: Annotated[
        Texts,
        _flag(
            "Load these jobs (run names or launcher ids) into the notebook; nothing is launched.", metavar="[RUN ...]"
        ),
    ] = None
    runs: Annotated[
        str | None,
        _flag("Load the runs that match, such as 'tag=arena state=finished'; nothing is launched.", metavar="QUERY"),
    ] = None
    seeds: Annotated[
        str | None, _flag("Seeds of every arm: 5 is 0 to 4, 0..4 a range, 3,7 a list.", metavar="SEEDS")
    ] = None
    vary: Annotated[
        Texts,
        _flag("Arms from every combination of these values: learning_rate=0.001,0.003.", metavar="[FIELD=A,B ...]"),
    ] = None
    launcher: Annotated[
        LauncherName | None,
        _flag("Where jobs run; by default the setting, which is local.", metavar="{local,skypilot,dry-run}"),
    ] = None
    dry_run: Annotated[bool, _flag("Show what would be launched and stop; the same as --launcher dry-run.")] = False
    again: Annotated[bool, _flag("Launch the same jobs once more, as the next repeat.")] = False
    resume: Annotated[
        str | None,
        _flag(
            "Extend this run from its newest checkpoint, as a new run; raise its steps with --additional-args.",
            metavar="RUN",
        ),
    ] = None
    yes: Annotated[bool, _flag("Do not ask before a launch that costs money.")] = False
    follow: Annotated[
        bool,
        _flag("Show the progress of every job; Ctrl-C detaches, training goes on. On a terminal this is the default."),
    ] = False
    no_follow: Annotated[bool, _flag("Return at once after the launch.")] = False
    open: Annotated[bool, _flag("Start marimo on the notebook and print its address.")] = False
    json: Annotated[bool, _flag("Print one JSON document instead of text.")] = False
    output_dir: Annotated[
        Path | None, _flag("Folder for the notebook; by default experiments/scratch of the project.", metavar="DIR")
    ] = None
    wandb_mode: Annotated[
        Literal["auto", "offline", "online"] | None,
        _flag("W&B: auto is online where you are logged in, else offline.", metavar="{auto,offline,online}"),
    ] = None
    max_jobs: Annotated[int | None, _flag("Refuse a plan of more jobs.", metavar="N")] = None
    max_cost: Annotated[float | None, _flag("Refuse a plan whose estimated cost (USD) is higher.", metavar="USD")] = (
        None
    )
    theirs: Annotated[
        Texts,
        _flag("Take the generated version of these notebook cells, though you edited them.", metavar="[CELL ...]"),
    ] = None
    force: Annotated[bool, _flag("Take the generated version of every cell; your file is kept as .bak.")] = False


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
    given = {item.name: getattr(parsed.recipe, item.name) for item in dataclasses.fields(parsed.recipe)}
    values = {name: value for name, value in given.items() if value is not None}
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
            fields.append((name, Annotated[annotation, argument], field()))
        else:
            fields.append((name, Annotated[annotation, argument], field(default_factory=default)))
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
        lines.append(f"{flag} {item['input']!r}: {item['msg']}.")
    return " ".join(lines) + f" See {prog} --help."
