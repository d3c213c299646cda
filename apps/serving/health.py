"""The figures of the health page: who looks, what is polled, how old the data is, what it costs."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from experiments.jobs.watch.snapshots import age_in_words, read_status
from experiments.project.look import MISSING
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from apps.serving.connections import Gate
    from apps.serving.guard import Guard
    from apps.serving.site import Site

_began = time.time()


def figures(site: Site, guard: Guard, gate: Gate, workspace: Workspace) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the tables of the health page: a title, and a name with its figure each."""
    import psutil

    process = psutil.Process()
    counted = guard.figures
    snapshot, now = read_status(workspace.state / "live"), time.time()
    sources = [
        (
            source.name if source.name == source.kind else f"{source.name} ({source.kind})",
            f"{_age(source.as_of, now)}; asked every {source.interval_s:g} s"
            + ("" if source.active else ", at rest")
            + (f"; {source.problem}" if source.problem else ""),
        )
        for source in snapshot.sources
    ]
    return [
        (
            "Viewers",
            [
                ("pages open", f"{counted.sockets} (at most {counted.most_sockets} so far)"),
                ("sessions", f"{site.sessions}"),
                ("apps and notebooks opened since the start", f"{site.mounted}"),
                ("notebooks", f"{len(site.known_notebooks())}"),
                ("requests", f"{counted.requests:,}"),
                ("connections without a session", f"{gate.strangers}"),
                *((f"refused: {why}", f"{count:,}") for why, count in sorted(counted.refused.items())),
                *((f"ended: {why}", f"{count:,}") for why, count in sorted(gate.ended.items())),
            ],
        ),
        (
            "Polls",
            [
                ("jobs", f"{len(snapshot.jobs):,}"),
                ("snapshot written", _age(snapshot.written_at or None, now)),
                ("polled by process", str(snapshot.monitor_pid or MISSING)),
                *sources,
                *(("problem", sentence) for sentence in snapshot.problems(now)),
            ],
        ),
        (
            "Server",
            [
                ("running for", age_in_words(now - _began)),
                ("memory", f"{process.memory_info().rss / 1e6:,.0f} MB"),
                ("threads", _threads()),
                ("open files and sockets", f"{process.num_fds()}"),
                ("processor time", f"{sum(process.cpu_times()[:2]):,.1f} s"),
            ],
        ),
    ]


def _threads() -> str:
    """Return how many threads there are, and of which kinds."""
    kinds: dict[str, int] = {}
    for thread in threading.enumerate():
        kind = re.split(r"[-_(/ ]?\d|[-(/]| \/", thread.name)[0].strip() or "other"
        kinds[kind] = kinds.get(kind, 0) + 1
    return f"{threading.active_count()}: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))


def _age(moment: float | None, now: float) -> str:
    return MISSING if moment is None else f"{age_in_words(now - moment)} ago"
