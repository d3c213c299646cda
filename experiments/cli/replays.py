"""Commands on replays: look into a file, and play a checkpoint again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import tyro

from experiments.cli.flags import Flag, JsonFlag
from experiments.cli.terminal import check_paths, say
from experiments.jobs.finding import find_jobs
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import quantity
from experiments.project.workspace import Workspace
from experiments.runs.opening import offline_store

_REPLAYS = 3


def replay(
    action: tyro.conf.Positional[Literal["inspect", "map", "convert"]],
    file: tyro.conf.Positional[str],
    out: tyro.conf.Positional[Annotated[Path | None, tyro.conf.arg(metavar="[OUT]", help_behavior_hint="")]] = None,
    *,
    step: int = 0,
    json_: JsonFlag = False,
    large: Flag = False,
) -> int:
    """Look into a replay file, draw its map, or write it in another form.

    Args:
        action: What to do: `inspect` lists what the file holds and what is wrong with it, `map` draws it, `convert`
            writes OUT as .json, .json.z, .json.gz or .replay.
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


def evaluate(
    run: tyro.conf.Positional[str],
    *,
    episodes: int = 8,
    json_: JsonFlag = False,
) -> int:
    """Play a run's newest checkpoint on held-out maps: its score with an interval, and replays of the first maps.

    Args:
        run: Run name or launcher id.
        episodes: Held-out maps of each task.
        json_: Print a JSON document instead of text.
    """
    if episodes < 1:
        raise UsageError(f"--episodes {episodes}: at least 1 is needed for a score. Try --episodes 8.")
    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    folder = workspace.runs / job.run_name
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads only slow small matrices down
    from experiments.statistics import interval
    from experiments.trainer import checkpoint as checkpoints
    from experiments.trainer import evaluation

    places = offline_store(workspace).folders(job.run_name)
    saved = next((found for place in places if (found := checkpoints.saved(place / "checkpoints"))), [])
    if not saved:
        raise UsageError(f"run {job.run_name!r} has no checkpoint in {workspace.shown(folder / 'checkpoints')} yet.")
    newest = saved[-1]
    played = evaluation.evaluate(newest, job.config.curriculum, episodes=episodes)
    replays = []
    for number, seed in enumerate(evaluation.held_out_seeds(min(episodes, _REPLAYS))):
        replays.append(folder / "replays" / f"eval_{newest.stem}_map{number}.json.z")
        evaluation.record_replay(newest, job.config.curriculum, replays[-1], seed=seed)
    scores = [score for returns in played.returns.values() for score in returns]
    bounds = interval(scores).bounds
    record = {
        "run": job.run_name,
        "checkpoint": newest.name,
        "curriculum": played.curriculum,
        "reward": played.reward,
        "low": bounds and bounds[0],
        "high": bounds and bounds[1],
        "episodes": {task: list(returns) for task, returns in played.returns.items()},
        "replays": [workspace.shown(path) for path in replays],
    }
    if json_:
        say(json.dumps(record, indent=2))
        return 0
    band = f"95 % interval {quantity(bounds[0])} to {quantity(bounds[1])}" if bounds else "no interval"
    say(f"{job.run_name} at {newest.stem.replace('_', ' ')}: return per agent {quantity(played.reward)}")
    say(f"{len(scores)} held-out episodes; {band} (Student t over episodes of one checkpoint, not over seeds)")
    say("replays: " + ", ".join(workspace.shown(path) for path in replays))
    return 0
