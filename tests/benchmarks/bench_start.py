"""What a command costs before it does anything."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "experiments" / "recipes" / "arena_experiment.py"
STARTS = {
    "arena_experiment.py --help": [str(RECIPE), "--help"],
    "experiments --help": ["-m", "experiments.cli", "--help"],
    "experiments status --help": ["-m", "experiments.cli", "status", "--help"],
}
_TRIES = 9


_MCP = ["-P", "-m", "experiments.cli", "mcp"]
_COMMANDS = ["-c", "from experiments.cli.__main__ import commands; commands()"]
_SDK = ["-c", "import mcp.server.stdio"]
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


def run() -> list[Bar]:
    """Return the CPU of a start over that of importing what it is made with, each the least of some taken in turn."""
    commands = [["-c", "import pydantic, tyro"], *STARTS.values(), _COMMANDS, _SDK, _MCP]
    yardstick, *spent, imported, sdk, served = [
        min(tries) for tries in zip(*(map(_cpu_s, commands) for _ in range(_TRIES)), strict=True)
    ]
    return [
        *(
            Bar(f"{name} over importing pydantic and tyro", found / yardstick, 2, note=_ms(found))
            for name, found in zip(STARTS, spent, strict=True)
        ),
        Bar("experiments mcp, initialized, over importing all commands", served / imported, 2.5, note=_ms(served)),
        # Its package imports all of itself, whichever part is asked for: nothing can be less than that.
        Bar("experiments mcp, initialized, over importing its SDK", served / sdk, 1.3, note=_ms(sdk)),
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms"


def _cpu_s(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.dumps(_INITIALIZE) + "\n" if arguments == _MCP else ""
    command = [sys.executable, *arguments]
    # It is asked once and ends with its input.
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, input=told, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
