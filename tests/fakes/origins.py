"""Ways in which code comes to run, each of which tries every way to get leave to launch and notes what it got."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from experiments.jobs.permits import allow_launch, command_permit, implicit_permit, notebook_permit
from experiments.project.errors import LaunchRefused

RESULTS = "ORIGINS_RESULTS"


def _allowed() -> None:
    with allow_launch():
        implicit_permit()


MEANS: dict[str, Callable[[], object]] = {
    "direct": implicit_permit,
    "command": lambda: command_permit("test"),
    "page": notebook_permit,
    "allow_launch": _allowed,
}


def attempt(origin: str) -> None:
    """Try every means and append one line with those that were granted."""
    granted = []
    for name, ask in MEANS.items():
        try:
            ask()
        except LaunchRefused:
            continue
        granted.append(name)
    with Path(os.environ[RESULTS]).open("a") as file:
        file.write(json.dumps({"origin": origin, "granted": granted}) + "\n")


def attempt_in(thread_class: type[threading.Thread], origin: str) -> None:
    thread = thread_class(target=attempt, args=(origin,))
    thread.start()
    thread.join()


def results(path: Path) -> dict[str, set[str]]:
    """Return what each origin was granted in any of its attempts."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = json.loads(line)
        found.setdefault(entry["origin"], set()).update(entry["granted"])
    return found


if __name__ == "__main__":
    attempt("main")
    attempt_in(threading.Thread, "Thread")
    sys.exit(0)
