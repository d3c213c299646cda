"""CPU time of writing a notebook of every section: fresh, again, one job more, and merged with an edit."""

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
from experiments.notebooks.sections import BUILT_IN, select_sections
from experiments.types import BaseExperimentConfig, JobRef
root, path = Path(sys.argv[1]), Path(sys.argv[2])
refs = [JobRef(run=f"ann.arena.base.s{n}.aaaaaaaa", arm="base", seed=n) for n in range(20)]
spec = NotebookSpec("arena", BaseExperimentConfig(), select_sections(BUILT_IN), "a.py", "a.py", refs, root)
times = []
def measured(act):
    global start
    act()
    now = time.process_time()
    times.append(now - start)
    start = time.process_time()
measured(lambda: write_notebook(path, spec))
measured(lambda: write_notebook(path, spec))
measured(lambda: add_jobs(path, [JobRef(run="another")]))
path.write_text(path.read_text().replace("    config = ", "    # mine\\n    config = "))
measured(lambda: write_notebook(path, spec))
print(*times)
"""


def run() -> list[Bar]:
    """Measure in a fresh process, imports included in the first figure."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", CODE, str(ROOT), str(Path(folder) / "arena_nb.py")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    fresh, again, more, merged = map(float, done.stdout.split())
    note = "all sections, 20 jobs"
    return [
        Bar("write a notebook, imports included", fresh, 1.5, "CPU s", note=note),
        Bar("write it again without a change", again, 0.5, "CPU s", note=note),
        Bar("add a job to it", more, 0.2, "CPU s", note=note),
        Bar("merge it with an edit (imports marimo)", merged, 1.5, "CPU s", note=note),
    ]
