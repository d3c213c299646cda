"""The step that nobody waits for: `python -P -m experiments.cli.stepping STATE_DIR ROOT [WHEN]`.

A supervisor becomes this as its job ends, while something goes on by itself; a Monitor starts it as its child.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.cli.terminal import say
from experiments.jobs.permits import ongoing_permit
from experiments.jobs.sweeps.going_on import record_step
from experiments.project.errors import ExperimentsError
from experiments.project.settings import load_settings
from experiments.project.workspace import Workspace
from experiments.results.steps import take_step


def main(arguments: Sequence[str]) -> int:
    """Carry on what goes on by itself, and print what was done."""
    state, root = Path(arguments[0]), Path(arguments[1])
    try:
        workspace = Workspace(root=root, state=state, settings=load_settings(root))
        # What goes on was granted as it was opened; that is recorded with it.
        when = arguments[2] if len(arguments) > 2 else "as a job ended"
        stepped = take_step(workspace, ongoing_permit(f"experiments step, {when}"))
    except ExperimentsError as error:
        record_step(state, {"": [f"a step could not be taken: {error}"]}, time.time())
        say(f"error: {error}", to_stderr=True)
        return error.exit_code
    for line in stepped.done:
        say(line)
    for problem in stepped.problems:
        say(f"error: {problem}", to_stderr=True)
    return 1 if stepped.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
