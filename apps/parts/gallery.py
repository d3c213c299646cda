"""The replays of a project as pictures: found in the stores, drawn once, kept in the cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.parts.links import known_jobs
from experiments.notebooks.replays import on_page
from experiments.notebooks.styles import sentence
from experiments.project.errors import ExperimentsError
from experiments.project.files import parse_json, write_bytes
from experiments.project.standing import seed_number
from experiments.project.workspace import Workspace
from experiments.results.context import launched_in
from experiments.runs.opening import default_store
from experiments.runs.store import ReplayFile, RunStore
from widgets.gallery import ReplayGallery

MOST = 600
"""Newest replays that the gallery shows."""

_FORMAT = 2  # raise it when the picture changes
_drawing = threading.Semaphore(1)  # reading a replay takes a processor and much memory


@dataclass(frozen=True)
class Shown:
    """One replay of the gallery.

    Attributes:
        id: `run@step`, as addresses have it.
        label: Arm and seed, as a person calls the run.
    """

    id: str
    experiment: str
    run: str
    arm: str
    seed: int
    label: str
    file: ReplayFile

    @property
    def title(self) -> str:
        """What the viewer is headed with."""
        return f"{self.label} at {self.file.when}"

    @property
    def source(self) -> Path | str:
        """Where the replay is read."""
        return Path(self.file.path) if self.file.path is not None else str(self.file.url)

    def item(self) -> dict[str, Any]:
        """Return it as the gallery's widget has it."""
        return {
            "id": self.id,
            "experiment": self.experiment,
            "run": self.run,
            "arm": self.arm,
            "seed": seed_number(self.seed),
            "step": self.file.step,
            "when": self.file.when,
        }


def found_replays(workspace: Workspace, *, store: RunStore | None = None) -> tuple[list[Shown], list[str]]:
    """Return the replays of the newest runs, newest run first and by step, and what could not be read."""
    place = store or default_store(workspace.root)
    found: list[Shown] = []
    launched = launched_in(workspace)
    problems: list[str] = [launched.problem] if launched.problem else []
    own, seen = known_jobs(workspace, launched)
    for experiment, job in [*seen, *reversed(own)]:
        run = job.run
        try:
            replays = place.replays(run, job.metrics)
        except ExperimentsError as error:
            problems.append(f"{run}: {error}")
            continue
        found += [
            Shown(f"{run}@{file.step}", experiment, run, job.arm, job.seed, job.label, file)
            for file in _by_step(replays)
        ]
        if len(found) >= MOST:
            break
    return found[:MOST], problems[:5]


def gallery(shown: Sequence[Shown], workspace: Workspace, asked: str = "") -> ReplayGallery:
    """Return the gallery; its pictures appear as they are drawn, those of the cache at once.

    Args:
        asked: Ids from an address, of which two at most that are known are chosen.
    """
    known = {item.id for item in shown}
    chosen = [name for name in asked.split(",") if name in known][:2]
    cache = workspace.state / "cache" / "thumbnails"
    ready = {item.id: picture for item in shown if (picture := _kept(cache, item)) is not None}
    widget = ReplayGallery(items=[item.item() for item in shown], pictures=ready, chosen=chosen)
    missing = [item for item in shown if item.id not in ready]
    if missing:
        arguments = (weakref.ref(widget), missing, cache, threading.current_thread())
        threading.Thread(target=_draw, args=arguments, name="thumbnails", daemon=True).start()
    return widget


def picture_of(item: Shown, cache: Path) -> dict[str, Any]:
    """Return the picture and the reward of a replay, from the cache or drawn now; never raises."""
    if (kept := _kept(cache, item)) is not None:
        return kept
    from widgets.replay import ReplayError, load_replay
    from widgets.replay.thumbnail import thumbnail, total_reward

    try:
        replay = load_replay(item.source)
        reward = total_reward(replay)
        known = reward is not None and math.isfinite(reward)
        picture: dict[str, Any] = {"svg": thumbnail(replay), "reward": reward if known else None}
        if reward is not None and not known:
            picture["not_finite"] = True
    except (ReplayError, OSError) as error:
        return {"problem": f"cannot be shown: {str(error)[:120]}"}
    _keep(cache / _name(item), picture)
    return picture


def chosen_view(shown: Sequence[Shown], chosen: Sequence[str], workspace: Workspace) -> Any:  # noqa: ANN401
    """Return the viewer of one chosen replay, or of two side by side; a sentence where none is chosen."""
    from widgets.replay import Limits, ReplayCompare, ReplayViewer

    known = {item.id: item for item in shown}
    picked = [known[name] for name in chosen if name in known]
    cache = workspace.state / "cache" / "replays"
    if not shown:
        return sentence(
            "Launch a recipe: the reference trainer records replays from its start, and those of others are found."
        )
    if not picked:
        return sentence("Choose a replay above to watch it; with a second one beside it, both play in step.")

    def make(limits: Limits) -> ReplayViewer | ReplayCompare:
        if len(picked) == 1:
            return ReplayViewer(picked[0].source, label=picked[0].title, cache_dir=cache, limits=limits)
        left, right = picked
        labels = (left.title, right.title)
        return ReplayCompare(left.source, right.source, labels=labels, cache_dir=cache, limits=limits)

    return on_page(make, sources=[item.source for item in picked[:2]])


def _by_step(found: Sequence[ReplayFile]) -> list[ReplayFile]:
    """Return one replay a step: that of the first map where several were recorded."""
    first: dict[int, ReplayFile] = {}
    for file in found:
        first.setdefault(file.step, file)
    return [first[step] for step in sorted(first, reverse=True)]


def _draw(
    gallery: weakref.ref[ReplayGallery], missing: Sequence[Shown], cache: Path, session: threading.Thread
) -> None:
    for item in missing:
        if not session.is_alive() or gallery() is None:
            return
        with _drawing:
            picture = picture_of(item, cache)
        if (widget := gallery()) is not None:
            with contextlib.suppress(Exception):  # the page went away
                widget.add({item.id: picture})
        del widget
    if (widget := gallery()) is not None:
        with contextlib.suppress(Exception):
            widget.finish()


def _name(item: Shown) -> str:
    """Return the file of a replay's picture: another content has another name."""
    stamp = ""
    if item.file.path is not None:
        with contextlib.suppress(OSError):
            stat = Path(item.file.path).stat()
            stamp = f"{stat.st_size} {stat.st_mtime_ns}"
    return hashlib.sha256(f"{_FORMAT}\0{item.source}\0{stamp}".encode()).hexdigest()[:32] + ".json"


def _kept(cache: Path, item: Shown) -> dict[str, Any] | None:
    try:
        found = parse_json((cache / _name(item)).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("svg"), str) else None


def _keep(path: Path, picture: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(picture).encode(), mode=0o666, lasting=False)
