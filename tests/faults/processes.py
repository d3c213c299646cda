"""Processes of a project, found by what stands in their command lines, folders and environments."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


def trainers(folder: Path) -> dict[str, psutil.Process]:
    """Return the trainers that run below `folder`, by run name."""
    found = {_word(words, "run="): process for process, words in _of(folder) if "experiments.trainer" in words}
    return {name: process for name, process in found.items() if name}


def supervisors(folder: Path) -> dict[str, psutil.Process]:
    """Return the supervisors of jobs below `folder`, by run name."""
    return {Path(words[-1]).name: process for process, words in _of(folder) if _runs(words, "supervisor")}


def bridges(folder: Path) -> list[psutil.Process]:
    """Return the bridges to SkyPilot that processes of `folder` have open."""
    return [process for process, words in _of(folder) if any(word.endswith("sky/bridge.py") for word in words)]


def kill(*processes: psutil.Process) -> None:
    """Kill processes as a power cut would: nothing of them runs any more."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def strays(folder: Path, *, patience_s: float = 20.0) -> list[str]:
    """Return the command lines of processes that still belong to `folder` after some seconds."""
    end = time.monotonic() + patience_s
    while (left := [" ".join(words)[:160] for _, words in _of(folder)]) and time.monotonic() < end:
        time.sleep(0.2)
    return left


def _of(folder: Path) -> Iterator[tuple[psutil.Process, list[str]]]:
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            places = (*words, process.cwd(), *process.environ().values())
            belongs = any(str(folder) in place for place in places)
            if belongs and process.pid not in mine and process.status() != psutil.STATUS_ZOMBIE:
                yield process, words


def _runs(words: list[str], module: str) -> bool:
    return any(word.endswith(f".{module}") for word in words)


def _word(words: list[str], prefix: str) -> str:
    return next((word.removeprefix(prefix) for word in words if word.startswith(prefix)), "")
