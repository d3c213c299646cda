"""Whether a job is hopeless: `python -P -m experiments.cli.stopping STATE_DIR RUN RULES` prints it as JSON.

A supervisor asks so of a job with a `stop_when`; how long a job has stood still is the supervisor's to say, from the
steps that it is told.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.cli.terminal import say
from experiments.jobs.ledger import open_ledger
from experiments.jobs.watch.stopping import hopeless
from experiments.monitoring import poll_once, sources_of
from experiments.project.errors import ExperimentsError
from experiments.project.settings import load_settings
from experiments.project.workspace import Workspace
from experiments.runs.opening import default_store
from experiments.types import StopWhen, TrainingJob


def main(arguments: Sequence[str]) -> int:
    """Print the job's step, whether its tracker told it, and why the job is hopeless."""
    state, run, rules = Path(arguments[0]), arguments[1], StopWhen.model_validate_json(arguments[2])
    try:
        workspace = Workspace(root=state.parent, state=state, settings=load_settings(state.parent))
        with open_ledger(workspace, read_only=True) as ledger:
            own = next(iter(ledger.rows(run_names=[run])), None)
            if own is None:
                return 1
            beside = [*(row for row in ledger.rows(experiment=own.experiment) if row.run_name != run), own]
        seen = poll_once(state, sources=replace(sources_of(state), jobs=lambda: beside))
        known = {job.run_name: job for job in seen.jobs}
        if run not in known:
            return 1
        rows = {row.run_name: row for row in beside if isinstance(row, TrainingJob)}
        reason = hopeless(run, seen.jobs, rows, default_store(state.parent), rules, time.time())
    except ExperimentsError as error:
        say(str(error), to_stderr=True)
        return 1
    silent = {source.name for source in seen.sources if source.problem}
    # Of a run that no tracker has, nobody knows whether it makes steps.
    is_told = known[run].tracker is not None and run in rows and rows[run].tracker not in silent
    say(json.dumps({"step": known[run].step, "is_told": is_told, "reason": reason}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
