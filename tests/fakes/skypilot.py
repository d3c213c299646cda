"""A workspace whose SkyPilot is made of files: the real bridge, in a process of its own, on the fake module."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from experiments.jobs.launchers.sky import client as bridge_client
from experiments.project.workspace import Workspace
from tests.fakes.launching import workspace_at

RUNNER = Path(__file__).parent / "fake_sky" / "run.py"
PAYLOADS = json.loads((Path(__file__).parents[1] / "jobs" / "launchers" / "sky_payloads" / "records.json").read_text())
SETTINGS = {"sky_python": (sys.executable, str(RUNNER)), "run_root": "/shared/runs", "sky_accelerator": "H100"}


class FakeSky:
    """What the fake SkyPilot has and did, and what it shall do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def jobs(self) -> list[dict]:
        return self._lines("jobs")

    def calls(self) -> Counter[str]:
        path = self.folder / "calls"
        return Counter(path.read_text().split("\n")[:-1] if path.exists() else [])

    def fault(self, **what: object) -> None:
        (self.folder / "faults.json").write_text(json.dumps(what))

    def heal(self) -> None:
        (self.folder / "faults.json").unlink(missing_ok=True)

    def change(self, job: int, /, **fields: object) -> None:
        path = self.folder / "changes.json"
        changes = json.loads(path.read_text()) if path.exists() else {}
        changes.setdefault(str(job), {}).update(fields)
        path.write_text(json.dumps(changes))

    def add(self, name: str, **envs: str) -> int:
        """Put a job into the queue that nobody launched here; return its id."""
        number = len(self.jobs()) + 1
        with (self.folder / "jobs").open("a") as file:
            file.write(json.dumps({"id": number, "name": name, "envs": envs}) + "\n")
        return number

    def _lines(self, name: str) -> list[dict]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sky_workspace(folder: Path, **settings: object) -> Workspace:
    return workspace_at(folder, **{**SETTINGS, **settings})


def close_clients() -> None:
    for client in list(bridge_client._clients.values()):
        client.close()
    bridge_client._clients.clear()
