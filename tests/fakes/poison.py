"""Rows of a ledger that no reader takes: an argument in them is none that a process can be given."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

BAD = "l\0r"


def poison(state_dir: Path, run_name: str, *, plan: bool = True) -> None:
    """Put an argument that is none into the row of a job and of its plan, and into their command lines."""
    with sqlite3.connect(state_dir / "ledger.sqlite") as ledger:
        config, command, key = ledger.execute(
            "SELECT config, command, plan_key FROM jobs WHERE run_name = ?", [run_name]
        ).fetchone()
        bad = json.loads(config) | {"additional_args": [BAD]}
        ledger.execute(
            "UPDATE jobs SET config = ?, command = ? WHERE run_name = ?",
            [json.dumps(bad), json.dumps([*json.loads(command), BAD]), run_name],
        )
        if plan:
            [content] = ledger.execute("SELECT content FROM plans WHERE key = ?", [key]).fetchone()
            values = json.loads(content)
            for job in values["jobs"]:
                if job["run_name"] == run_name:
                    job["config"]["additional_args"] = [BAD]
                    job["command"].append(BAD)
            ledger.execute("UPDATE plans SET content = ? WHERE key = ?", [json.dumps(values), key])


def spoil(state_dir: Path, statement: str, *values: object) -> None:
    """Change a ledger's file as a fault of a disk or of another program would."""
    with sqlite3.connect(state_dir / "ledger.sqlite") as ledger:
        ledger.execute(statement, values)
