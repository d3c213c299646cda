"""A notebook of every section: its size, and the CPU time of writing it fresh, again, with a job more, and merged."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]
CODE = """
import sys, time
from pathlib import Path
start = time.process_time()
from experiments.notebooks.generation import NotebookSpec, add_jobs, write_notebook
from experiments.notebooks.template import SECTIONS
from experiments.types import BaseExperimentConfig, JobRef
root, path = Path(sys.argv[1]), Path(sys.argv[2])
refs = [JobRef(run=f"ann.arena.base.s{n}.aaaaaaaa", arm="base", seed=n) for n in range(20)]
spec = NotebookSpec("arena", BaseExperimentConfig(), tuple(SECTIONS), jobs=refs, root=root)
times = []
def measured(act):
    global start
    act()
    now = time.process_time()
    times.append(now - start)
    start = time.process_time()
measured(lambda: write_notebook(path, spec))
Path(sys.argv[3]).write_text(path.read_text())
measured(lambda: write_notebook(path, spec))
measured(lambda: add_jobs(path, [JobRef(run="another")]))
path.write_text(path.read_text().replace("    config = ", "    # mine\\n    config = "))
measured(lambda: write_notebook(path, spec))
print(*times)
"""


def run() -> list[Bar]:
    """Measure in a fresh process, imports included in the first figure."""
    sizes, fresh, again, more, merged = _measured()
    note = "all sections, 20 jobs"
    return [
        *sizes,
        Bar("write a notebook, imports included", fresh, 1.5, "CPU s", note=note),
        Bar("write it again without a change", again, 0.5, "CPU s", note=note),
        Bar("add a job to it", more, 0.2, "CPU s", note=note),
        Bar("merge it with an edit (imports marimo)", merged, 1.5, "CPU s", note=note),
    ]


def gates() -> list[Bar]:
    """Return the sizes."""
    return _measured()[0]


def _measured() -> tuple[list[Bar], float, float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.py"
        command = [sys.executable, "-c", CODE, str(ROOT), str(Path(folder) / "arena_nb.py"), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        sizes = _size(made.read_text())
    fresh, again, more, merged = map(float, done.stdout.split())
    return sizes, fresh, again, more, merged


def _size(notebook: str) -> list[Bar]:
    lines = notebook.splitlines()
    first = lines.index(next(line for line in lines if line.startswith("with app.setup")))
    setup = next(number for number, line in enumerate(lines[first + 1 :]) if line and not line.startswith(" "))
    cells = sum(line.startswith("@app.cell") for line in lines)
    return [
        Bar("cells of a generated notebook", cells, 16, "cells", gate=True),
        Bar("lines of a generated notebook", len(lines), 180, "lines", gate=True),
        Bar("lines of its setup block", len([x for x in lines[first + 1 :][:setup] if x]), 8, "lines", gate=True),
    ]
