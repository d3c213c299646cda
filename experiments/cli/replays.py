"""The command on replays: look into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from pydantic import Field

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import check_paths, say
from experiments.project.errors import ExperimentsError, UsageError


class InspectedReplay(Shown):
    """What a replay holds.

    Attributes:
        digest: Hash of the file.
        map_size: Width and height.
        types: How many objects there are of each type.
        rewards: Minimum, mean and maximum of the agents' totals; null without agents or rewards.
        not_finite: The first reward of each agent that is no finite number.
        fields: How often each field changes.
        issues: What is wrong with the file; empty for a clean one.
        issues_more: How many more there are.
    """

    version: int
    label: str
    digest: str
    map_size: tuple[int, int]
    steps: int
    objects: int
    agents: int
    moving_objects: int
    types: dict[str, int]
    actions: tuple[str, ...]
    items: tuple[str, ...]
    rewards: dict[str, float | None] | None
    not_finite: tuple[dict[str, Any], ...]
    fields_: dict[str, int] = Field(alias="fields")
    issues: tuple[dict[str, Any], ...]
    issues_more: int


class ReplayMap(Shown):
    """A replay's map at a step, as lines of text."""

    step: int
    map: tuple[str, ...]


class Converted(Shown):
    """The file that was written."""

    file: str


def replay(
    action: tyro.conf.Positional[Literal["inspect", "map", "convert"]],
    file: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="FILE")]],
    out: tyro.conf.Positional[Annotated[Path | None, tyro.conf.arg(metavar="[OUT]", help_behavior_hint="")]] = None,
    *,
    step: Annotated[int, tyro.conf.arg(metavar="N")] = 0,
    large: Flag = False,
) -> Answer[InspectedReplay] | Answer[ReplayMap] | Answer[Converted]:
    """Look into a replay file, draw its map, or write it in another form.

    Args:
        action: What to do: `inspect` lists what the file holds and what is wrong with it, `map` draws it, `convert`
            writes OUT as .json, .json.z or .json.gz, which are read like the original, or as .replay, which only the
            viewer's page reads.
        file: Path or address of a replay.
        out: File that `convert` writes.
        step: Step that `map` draws.
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
            return Answer(Converted(file=str(out)))
        if action == "map":
            text = map_text(file, step, limits=limits)
            # The map's own last line ends it.
            return Answer(ReplayMap(step=step, map=tuple(text.splitlines())), lambda _: say(text, end=""))
        found = load_replay(file, limits=limits)
        inspected = InspectedReplay.model_validate(summary(found))
        return Answer(inspected, lambda _: say(format_summary(found)))
    except (ReplayError, ValueError) as error:
        raise ExperimentsError(f"replay {file!r}: {error}") from None
