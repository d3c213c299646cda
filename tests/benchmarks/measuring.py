"""What several benchmarks measure with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator


def cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one run."""
    began = time.process_time()
    work()
    return time.process_time() - began


def least_cpu_s(*works: Callable[[], object], rounds: int) -> list[float]:
    """Return the fewest CPU seconds of each of several works, run in turn so that all see the same machine."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        least = [min(known, cpu_s(work)) for known, work in zip(least, works, strict=True)]
    return least


def widget_states(message: object) -> Iterator[dict]:
    """Yield every widget state in a message of a marimo server, wherever it stands."""
    if isinstance(message, dict):
        if isinstance(message.get("state"), dict):
            yield message["state"]
        for inner in message.values():
            yield from widget_states(inner)
    elif isinstance(message, list):
        for inner in message:
            yield from widget_states(inner)


def tell(text: str) -> None:
    """Say how far a long measure is; the figures alone go to the output."""
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
