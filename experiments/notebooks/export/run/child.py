"""The process that runs a notebook and renders its log: `python -P -m experiments.notebooks.export.run.child REQUEST`.

It may launch nothing (`EXPERIMENTS_READ_ONLY`), so what a notebook does by itself is refused. It writes the page to the
file that it is told of, and one JSON line on its descriptor for each thing that its parent should know.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.jobs.permits import READ_ONLY
from experiments.jobs.watch.snapshots import reason_of
from experiments.notebooks.export.draw.objects import keeping
from experiments.notebooks.export.facts import hashes_of, labels_of
from experiments.notebooks.export.head import Head, gather, set_against
from experiments.notebooks.export.page import RenderedPage, render_page
from experiments.notebooks.export.placing import write_draft
from experiments.notebooks.export.record import LogRecord, read_record, with_record
from experiments.notebooks.export.run.loading import BrokenCell, load_cells
from experiments.notebooks.export.run.process import Request
from experiments.notebooks.export.run.running import CellDidNotEnd, CellEndedProcess, CellRecord, run_notebook
from experiments.notebooks.header import read_header
from experiments.notebooks.template import FILE
from experiments.project.errors import ExperimentsError, LaunchRefused
from experiments.project.values import replaced
from experiments.project.workspace import Workspace

_ROOM_FOR_RECORD = 200_000


def main() -> None:
    """Do what the request on the command line says and end the process, whatever threads the notebook left."""
    request = Request(**json.loads(sys.argv[1]))
    sys.argv = [request.notebook]
    os.set_inheritable(request.messages, False)
    try:
        answer = _export(request)
    except ExperimentsError as error:
        answer = {"error": str(error)}
    _tell(request, answer)
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that a cell started must not keep the log waiting.
    os._exit(0)


def _export(request: Request) -> dict[str, Any]:
    if os.environ.get(READ_ONLY) != "1":
        return {"error": f"{READ_ONLY} is not set: the notebook could launch. Start it with: experiments export"}
    notebook = Path(request.notebook)
    # Behind everything else, so that a file beside the notebook shadows nothing.
    sys.path.append(str(notebook.parent))
    _tell(request, {"running": True})
    with keeping():
        run = run_notebook(
            notebook,
            deadline_s=request.deadline_s,
            failed=_failed(request),
            progress=lambda index, of, name: _tell(request, {"cell": index, "of": of, "name": name}),
        )
    _tell(request, {"rendering": True})
    names = [cell.name for cell in run.cells if isinstance(cell.error, CellDidNotEnd)]
    hung = f"cell {', '.join(map(repr, names))} did not end within {request.deadline_s:g} s" if names else ""
    head = gather(
        run.cells,
        run.values,
        notebook=notebook,
        experiment=request.experiment,
        created=datetime.fromisoformat(request.created),
        who=request.who,
        deadline=hung,
    )
    before = _log_before(request)
    record, rendered = _drawn(request, head, _lasting(run.cells, head, notebook), before)
    page = with_record(rendered.html, record)
    write_draft(Path(request.draft), page)
    return {
        "same": before is not None and record.says_the_same(before),
        "hung": hung,
        "changes": None if record.changes is None else list(record.changes),
        **_problems(run.cells),
        "dropped": list(rendered.dropped),
        "notes": list(rendered.notes),
    }


# Cells that offer to do something or to try something out, here and in notebooks of 0.1.
_OFFERS = (
    *("scratch", "plan_form", "planned", "launch_controls", "launched", "outcome", "log_inputs", "log_note"),
    *("retry_offer", "export_command", "export_controls", "exported"),
)


def _lasting(cells: Sequence[CellRecord], head: Head, notebook: Path) -> list[CellRecord]:
    """Return the cells that say something in a file: without those that only offer, and are as they were delivered."""
    header = read_header(notebook.read_text(encoding="utf-8"))
    made = header.cells if header else hashes_of([CellRecord(cell.name, cell.code) for cell in load_cells(FILE)])
    code = head.record.code
    delivered = {name for name in _OFFERS if name in code and code[name] == made.get(name)}
    return [cell for cell in cells if cell.error is not None or cell.name not in delivered]


def _log_before(request: Request) -> LogRecord | None:
    before = read_record(Path(request.previous)) if request.previous else None
    return before if before is not None and before.experiment == request.experiment else None


def _drawn(
    request: Request, head: Head, cells: Sequence[CellRecord], before: LogRecord | None
) -> tuple[LogRecord, RenderedPage]:
    """Return the page and its record, which holds a hash of what the page shows."""

    def showing(shown: str) -> Head:
        return replace(head, record=replaced(head.record, shown=shown))

    if before is None:
        rendered = _render(request, head, cells)
        return showing(rendered.shown).record, rendered
    # The head says what changed, so the page is drawn as if the cells showed the same; mostly they do, or it is known
    # already that something else changed.
    guess = showing(before.shown)
    said = set_against(guess, before, request.previous_name)
    rendered = _render(request, said, cells)
    if rendered.shown != before.shown and guess.record.says_the_same(before):
        said = set_against(showing(rendered.shown), before, request.previous_name)
        rendered = _render(request, said, cells)
    return replaced(said.record, shown=rendered.shown), rendered


def _render(request: Request, head: Head, cells: Sequence[CellRecord]) -> RenderedPage:
    notebook = Path(request.notebook)
    workspace = Workspace.find(notebook)
    return render_page(
        head,
        cells,
        include_code=request.include_code,
        source=notebook.read_text(encoding="utf-8"),
        max_bytes=request.max_bytes - _ROOM_FOR_RECORD,
        notebook_name=notebook.name,
        root=workspace.root,
        cache_dir=workspace.state / "cache" / "vega",
    )


def _failed(request: Request) -> dict[int, BaseException]:
    return {
        int(index): (CellDidNotEnd if int(index) in request.hung else CellEndedProcess)(words)
        for index, words in request.failed.items()
    }


def _problems(cells: Sequence[CellRecord]) -> dict[str, list[str]]:
    """Return the cells that failed, and those of them that tried to launch, which was refused."""
    errors = zip(labels_of(cells), (cell.error for cell in cells), strict=True)
    failed = [(label, error) for label, error in errors if error is not None]
    return {
        "problems": [f"{label}: {_in_words(error)}" for label, error in failed],
        "launches": [label for label, error in failed if isinstance(error, LaunchRefused)],
    }


def _in_words(error: BaseException) -> str:
    said = reason_of(error)
    own = isinstance(error, (BrokenCell, CellDidNotEnd, CellEndedProcess))
    return said if own or said == type(error).__name__ else f"{type(error).__name__}: {said}"


def _tell(request: Request, message: Mapping[str, Any]) -> None:
    with open(request.messages, "wb", closefd=False) as pipe:
        pipe.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
