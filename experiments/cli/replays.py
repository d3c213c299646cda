"""The command on replays: look into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli.flags import Flag, JsonFlag
from experiments.cli.terminal import check_paths, say
from experiments.project.errors import ExperimentsError, UsageError


def replay(
    action: tyro.conf.Positional[Literal["inspect", "map", "convert"]],
    file: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="FILE")]],
    out: tyro.conf.Positional[Annotated[Path | None, tyro.conf.arg(metavar="[OUT]", help_behavior_hint="")]] = None,
    *,
    step: Annotated[int, tyro.conf.arg(metavar="N")] = 0,
    json_: JsonFlag = False,
    large: Flag = False,
) -> int:
    """Look into a replay file, draw its map, or write it in another form.

    Args:
        action: What to do: `inspect` lists what the file holds and what is wrong with it, `map` draws it, `convert`
            writes OUT as .json, .json.z or .json.gz, which are read like the original, or as .replay, which only the
            viewer's page reads.
        file: Path or address of a replay.
        out: File that `convert` writes.
        step: Step that `map` draws.
        json_: Print a JSON document (inspect).
        large: Allow files far beyond the usual size, which may take gigabytes of memory.
    """
    from widgets.replay import Limits, ReplayError, load_replay
    from widgets.replay.inspect import convert, format_summary, map_text, summary

    check_paths([Path(file)])
    limits = Limits.large if large else Limits.default
    try:
        if action == "convert":
            if out is None:
                raise UsageError("convert needs a file to write. Add it: experiments replay convert FILE OUT.json.z")
            convert(file, out, limits=limits)
        elif action == "map":
            say(map_text(file, step, limits=limits), end="")  # the map's own last line ends it
        else:
            found = load_replay(file, limits=limits)
            say(json.dumps(summary(found), indent=2) if json_ else format_summary(found))
    except (ReplayError, ValueError) as error:
        raise ExperimentsError(f"replay {file!r}: {error}") from None
    return 0
