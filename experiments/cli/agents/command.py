"""`experiments mcp`: the questions of the command line as tools for programs that speak the Model Context Protocol."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import JsonFlag
from experiments.project.errors import UsageError

_INSTALL = 'uv pip install "mcp>=2.3,<3"'


class Served(Shown):
    """What was served until the client went.

    Attributes:
        permit: Name of the permit that it acted with; null where it only read.
        calls: Number of calls of tools.
    """

    permit: str | None
    calls: int


def mcp(*, json_: JsonFlag = False) -> Answer[Served]:
    """Serve the questions of this command line to an agent: a server of the Model Context Protocol on standard input.

    A client starts it in the project's folder and ends it by closing its input. It only reads, unless it was given the
    permit that a person granted, in EXPERIMENTS_PERMIT_TOKEN or EXPERIMENTS_PERMIT_FILE: then it launches, retries,
    resumes, cancels, notes and tags within that.
    """
    if json_:
        raise UsageError("a server speaks JSON as it is, to a client that starts it. Leave --json out.")
    if importlib.util.find_spec("mcp") is None:
        raise UsageError(f"the package `mcp` is not installed, which the server needs. Install it: {_INSTALL}")
    from experiments.jobs.permits import server_leave

    leave = server_leave()
    from experiments.cli.agents.server import Sessions
    from experiments.cli.agents.wire import Wire

    sessions = Sessions(leave)

    async def serve() -> None:
        # Where the client went while it was written to, there is nobody to tell.
        with contextlib.suppress(BrokenPipeError, BaseExceptionGroup):
            await sessions.serve(Wire())
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise asyncio.CancelledError  # by Ctrl-C; a group of tasks that was about to end has swallowed it

    asyncio.run(serve())
    return Answer(Served(permit=leave.granted, calls=sessions.calls))
