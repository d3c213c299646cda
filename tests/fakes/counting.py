"""Counts what a marimo server does for its viewers: polls of run stores and files opened under a folder."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from experiments.runs.offline.store import OfflineStore

_counts = {"polls": 0, "opened": 0}
_started = threading.Event()


def start(folder: Path, report: Path) -> None:
    """Count from now on, once in a process, and write the counts to `report` several times a second."""
    if _started.is_set():
        return
    _started.set()
    inside, plain = str(folder), OfflineStore.poll

    def poll(self, *arguments):
        _counts["polls"] += 1
        return plain(self, *arguments)

    def watch(event, arguments):
        if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(inside):
            _counts["opened"] += 1

    def write():
        while True:
            draft = report.with_suffix(".tmp")
            draft.write_text(json.dumps({**_counts, "cpu_s": time.process_time()}))
            draft.replace(report)
            time.sleep(0.2)

    OfflineStore.poll = poll
    sys.addaudithook(watch)
    threading.Thread(target=write, daemon=True).start()
