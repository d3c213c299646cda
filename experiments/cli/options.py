"""What every recipe can be asked beside its own config: the flags of a recipe's command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import tyro

from experiments.cli.flags import JSON_HELP, Texts, spelled_out
from experiments.types import BaseExperimentConfig, LauncherName


def _flag(text: str, metavar: str | None = None) -> Any:  # noqa: ANN401 - tyro's own argument type
    """Return a flag whose default is said in words; tyro would add "(default: None)"."""
    return tyro.conf.arg(help=text, metavar=metavar, help_behavior_hint="")


@dataclass(frozen=True)
class RunOptions:
    """What to do with the experiment, as opposed to what the experiment is; None where a flag was not given."""

    name: Annotated[
        tyro.conf.Positional[str | None], _flag("Name of the experiment and of its notebook.", metavar="[NAME]")
    ] = None
    launch: Annotated[
        bool,
        _flag(
            "Start nothing; write the notebook. One that is there keeps its config, but for the flags given now. "
            "A launch plans from the flags and the recipe's defaults, and adds its jobs to the notebook."
        ),
    ] = True
    job_ids: Annotated[
        Texts,
        _flag(
            "Load these jobs (run names or launcher ids) into the notebook; nothing is launched.", metavar="[RUN ...]"
        ),
    ] = None
    runs: Annotated[
        str | None,
        _flag(
            "Load the runs that match, such as 'experiment=arena arm=base' or 'tag=arena'; nothing is launched.",
            metavar="QUERY",
        ),
    ] = None
    seeds: Annotated[
        str | None,
        _flag(
            "Seeds of every arm: 5 is 0 to 4, 0..4 a range, 3,7 a list; until-decided goes on in batches until the "
            "rule decides.",
            metavar="SEEDS",
        ),
    ] = None
    max_seeds: Annotated[
        int | None, _flag("With until-decided: the most seeds of each arm, as the rule plans them.", metavar="N")
    ] = None
    batch_seeds: Annotated[
        int | None,
        _flag("With until-decided, where the rule looks at any time: how many seeds follow at once.", metavar="N"),
    ] = None
    same_seed: Annotated[
        int,
        _flag(
            "Run every seed N times: one counts as a seed, the others show how far runs of one seed lie apart.",
            metavar="N",
        ),
    ] = 1
    vary: Annotated[
        Texts,
        _flag("Arms from every combination of these values: learning_rate=0.001,0.003.", metavar="[FIELD=A,B ...]"),
    ] = None
    search: Annotated[
        Texts,
        _flag(
            "Search over these settings, trial by trial: learning_rate=log:1e-4..1e-1 batch=256,512; a field alone "
            "has the range of its own bounds. It goes on by itself; see experiments sweep.",
            metavar="[FIELD=LOW..HIGH ...]",
        ),
    ] = None
    trials: Annotated[int | None, _flag("Trials of a search, of each arm of the recipe.", metavar="N")] = None
    trial_seeds: Annotated[
        int | None,
        _flag("Seeds of each trial, the same for all and none of those of other runs; by default 1.", metavar="N"),
    ] = None
    sampler: Annotated[
        Literal["tpe", "random"] | None,
        _flag("What a search asks for the next trial: Optuna's TPE, the default, or chance.", metavar="{tpe,random}"),
    ] = None
    trials_at_once: Annotated[
        int | None, _flag("Trials of a search at once; by default what runs at once.", metavar="N")
    ] = None
    budget: Annotated[
        Texts,
        _flag(
            "What a search, or seeds until decided, may use: jobs=40 gpu-hours=20 usd=50 until=2030-12-01T08:00, one "
            "or more of these; by default the jobs that were asked for. See experiments budget.",
            metavar="[LIMIT ...]",
        ),
    ] = None
    prune: Annotated[
        Texts,
        _flag(
            "Stop trials of a search, all seeds of which run, whose best is worse than the median of the earlier ones "
            "at the same step: after trials=5 that have ended, and after steps=0.",
            metavar="[trials=N] [steps=N]",
        ),
    ] = None
    launcher: Annotated[
        LauncherName | None,
        _flag("Where jobs run; by default the setting, which is local.", metavar="{local,skypilot,dry-run}"),
    ] = None
    pool: Annotated[
        str | None,
        _flag("SkyPilot jobs go through the workers of this pool; see experiments pool.", metavar="NAME"),
    ] = None
    dry_run: Annotated[bool, _flag("Show what would be launched and stop; the same as --launcher dry-run.")] = False
    again: Annotated[bool, _flag("Launch the same jobs once more, as the next repeat.")] = False
    in_place: Annotated[
        bool,
        _flag("Run local jobs in the working tree as it is, not in a snapshot of it: no such run is reproducible."),
    ] = False
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
    wait: Annotated[
        bool,
        _flag(
            "Return only when SkyPilot has taken every job, or refused it; without it they are handed over in the "
            "background."
        ),
    ] = False
    open: Annotated[bool, _flag("Start marimo on the notebook and print its address.")] = False
    json: Annotated[bool, _flag(JSON_HELP)] = False
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
        _flag(
            "Take the generated version of these notebook cells, though you edited or deleted them.",
            metavar="[CELL ...]",
        ),
    ] = None
    force: Annotated[
        bool,
        _flag("Take the generated version of every cell but config, journal and jobs; your file is kept as .bak."),
    ] = False


RunOptions.__annotations__.update(
    {name: spelled_out(hint) for name, hint in get_type_hints(RunOptions, include_extras=True).items()}
)


@dataclass(frozen=True)
class Request:
    """One parsed command line.

    Attributes:
        config: The recipe's config, checked by pydantic.
        options: What to do with it.
        command: The arguments as they were typed, for provenance.
        given: Fields of the config that were typed, with dots where one lies inside of another: what a notebook says
            stays, but for these.
    """

    config: BaseExperimentConfig
    options: RunOptions
    command: tuple[str, ...] = field(default=())
    given: frozenset[str] = frozenset()


def asks_for_search(options: RunOptions) -> bool:
    """Tell whether a command line asks for a search, or names what only a search has."""
    return options.search is not None or bool(_OF_SEARCH & {name for name, v in vars(options).items() if v is not None})


_OF_SEARCH = {"trials", "trial_seeds", "sampler", "trials_at_once", "prune"}
