"""A small project as a viewer finds it served: runs with curves, one that failed, replays, a notebook, a log."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from tests.fakes.charted import write_replays, write_run
from tests.fakes.project import Project, jobs_of

SCRIPT = 'echo hello from {run}; case {run} in *.arm-1.s1.*) echo "ValueError: no such map"; exit 3;; esac'
NOTEBOOK = "/notebooks/experiments/scratch/study_nb/"
LOG = "/log/study.html"
_OWN = ("alerts", "cache", "live", "serve")  # what serving and polling write; the rest is the user's
_PASSING = (".sqlite-wal", ".sqlite-shm", ".pyc", "serve.log")


def viewed_project(folder: Path) -> Project:
    """Launch two arms of three seeds for real, give them the curves that a trainer would have, and export a log."""
    project = Project(folder, SCRIPT)
    project.run("--seeds", "3", "--arms", "2", "--follow", code=None)
    runs = project.state / "runs"
    for job in jobs_of(project):
        failed = (job.arm, job.seed) == ("arm-1", 1)
        record = runs / job.run_name / "job.json"
        written = record.read_text()
        level, spike = (3.0, 0.0) if job.arm == "arm-1" else (2.0, 1_000.0 if job.seed == 0 else 0.0)
        write_run(runs, job.ref(), level, rows=60 if failed else 120, code=int(failed), spike=spike)
        record.write_text(written)  # the supervisor's
        if not failed:
            write_replays(runs, job.ref())
    project.command("export", str(project.notebook()))
    return project


def contents(project: Project) -> dict[str, str]:
    """Return a hash of every file that is the user's, and of all rows of the ledger."""
    own = tuple(project.state / name for name in _OWN)
    files = (path for path in sorted(project.root.rglob("*")) if path.is_file() and not path.name.endswith(_PASSING))
    found = {
        str(path.relative_to(project.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not any(path.is_relative_to(folder) for folder in own) and path.name != "ledger.sqlite"
    }
    with sqlite3.connect(f"file:{project.state / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        found["rows of the ledger"] = "\n".join(ledger.iterdump())
    ledger.close()
    return found
