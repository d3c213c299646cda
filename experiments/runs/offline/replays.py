"""The replays of one run of this machine: in its folder, stored with W&B, and behind links that it logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments.runs.offline.joined import JoinedLog
from experiments.runs.offline.places import listed
from experiments.runs.replay_files import Link, links_in, replays_at, stored_step
from experiments.runs.store import ReplayFile


def replays_of(
    folders: Iterable[Path], log: JoinedLog | None, keys: Sequence[str], forms: Sequence[str]
) -> list[ReplayFile]:
    """Return the replays of a run, by step; of two files for one step, that of the first folder.

    Args:
        folders: The run's folders, that which is written to first.
        log: What W&B wrote of it, as polled; None where it wrote nothing.
        keys: Keys under which its trainer logs pages with links.
        forms: How such a link is written.
    """
    found: dict[int, ReplayFile] = {}
    links: dict[int, list[Link]] = {}
    places = [folder / "replays" for folder in folders]
    if log is not None:
        places += [folder / "files" / "replays" for folder in log.directories]
        for media in log.media("html-file"):
            on_page = links_in(media.path, media.key, keys, forms)
            known = links.setdefault(media.step, [])
            known += [link for link in on_page if link.url not in {other.url for other in known}]
    logged = [replay for step, of_step in links.items() for replay in replays_at(step, of_step)]
    found |= {replay.step: replay for replay in reversed(logged)}
    for path in (path for place in reversed(places) for path in listed(place)):
        step = stored_step(path.name)
        if step is not None:
            url = found[step].url if step in found else None
            found[step] = ReplayFile(step, str(path), url, f"step {step:,}")
    more = [replay for replay in logged if replay.part]
    return sorted([*found.values(), *more], key=lambda replay: (replay.step, replay.part))
