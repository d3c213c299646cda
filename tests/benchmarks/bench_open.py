"""The first open of a notebook, to the first chart drawn, against a notebook of marimo's own with one cell."""

from __future__ import annotations

from tests.benchmarks import Bar
from tests.benchmarks.bench_thousand import Opened, opened
from tests.benchmarks.measuring import tell
from tests.benchmarks.thousand import study_of
from tests.fakes.serving import scratch_folder

ARMS, SEEDS, ROWS = 4, 10, 300
ROUNDS = 3
ONE_CELL = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.Html('<p class="one-cell">the one cell</p>')
    return


if __name__ == "__main__":
    app.run()
"""


def run(rounds: int = ROUNDS) -> list[Bar]:
    """Open both in turn, each with a fresh server; the least of each counts; the very first open is not among them."""
    with scratch_folder() as folder:
        notebook = study_of(folder, arms=ARMS, seeds=SEEDS, rows=ROWS)
        one = notebook.with_name("one_nb.py")
        one.write_text(ONE_CELL)
        first = opened(notebook)
        costs: list[tuple[Opened, Opened]] = []
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            costs.append((opened(one, seen=(".one-cell",)), opened(notebook)))
    wall = [min(side.wall_s for side in each) for each in zip(*costs, strict=True)]
    cpu = [min(side.cpu_s for side in each) for each in zip(*costs, strict=True)]
    what = f"{ARMS * SEEDS} runs of {ROWS} rows, `marimo run`, least of {rounds}; the very first open: {first}"
    return [
        Bar("first open to the first chart, over one cell: wall", wall[1] / wall[0], 2.0, note=f"{what}; {wall}"),
        Bar("first open to the first chart, over one cell: CPU", cpu[1] / cpu[0], 1.5, note=f"{what}; {cpu}"),
    ]
