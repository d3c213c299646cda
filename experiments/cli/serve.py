"""The command that serves the apps, the notebooks and the logs, read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag, JsonFlag
from experiments.project.errors import UsageError


class Serving(Shown):
    """The server that runs here: the address that logs in to it, token and all."""

    address: str


def serve(
    notebooks: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="[NOTEBOOK ...]", help_behavior_hint="")]
    ] = (),
    *,
    host: Annotated[str, tyro.conf.arg(metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, tyro.conf.arg(metavar="N")] = 2719,
    no_token: Flag = False,
    new_token: Flag = False,
    open: Flag = False,  # noqa: A002 - the name of the flag
    print_address: Flag = False,
    allow_host: Annotated[tuple[str, ...], tyro.conf.arg(metavar="[HOST ...]", help_behavior_hint="")] = (),
    trusted_proxy: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS", help_behavior_hint="")] = None,
    max_viewers: Annotated[int, tyro.conf.arg(metavar="N")] = 200,
    json_: JsonFlag = False,
) -> Answer[Serving]:
    """Serve the apps, the notebooks and the logs of this project, to look at only; Ctrl-C ends it.

    Without the token nobody sees a page or shuts others out; who has it sees all of the project and, who means harm,
    can slow the server down: give it to whom you trust. Without https it can be read on the way. Notebooks are code
    and run as your user, in a process without keys; the keys are in another, which on Linux no process of yours but
    root's can read. A notebook can still read what your user can, such as ~/.netrc or the environment of your shell.
    Browsers give the log-in cookie to every port of a host: on a name where others run web servers, they can take it.

    With --json it starts nothing, and answers the address of the server that runs here, as --print-address does.

    Args:
        notebooks: Notebooks, or folders of them, beside those in experiments/scratch.
        host: Address to listen at; other machines reach it only where it is not a loopback address.
        port: Port to listen at; 0 takes a free one.
        no_token: Let everybody on this machine look; only for a loopback address.
        new_token: Make another token, which ends every session.
        open: Open a browser.
        print_address: Print the address that logs in to the server which runs here, token and all, and end.
        allow_host: Other names under which the server may be asked for.
        trusted_proxy: Address of a proxy whose X-Forwarded-* headers count.
        max_viewers: Open pages at once.
    """
    flags = [f"--host={host}", f"--port={port}", f"--max-viewers={max_viewers}"]
    flags += ["--no-token"] * no_token + ["--new-token"] * new_token + ["--open"] * open
    flags += ["--print-address"] * print_address
    flags += ["--allow-host", *allow_host] if allow_host else []
    flags += [f"--trusted-proxy={trusted_proxy}"] if trusted_proxy else []
    if json_:
        return _serving()
    # A program of its own, because the server gives up its credentials for good.
    command = [sys.executable, "-P", "-m", "apps.serving.server", *map(str, notebooks), *flags]
    sys.stdout.flush()
    # It does not return.
    return os.execv(sys.executable, command)  # noqa: S606 - the same interpreter, an argument list


def _serving() -> Answer[Serving]:
    """Return where a server runs here.

    Raises:
        UsageError: None does.
    """
    command = [sys.executable, "-P", "-m", "apps.serving.server", "--print-address"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            done.stderr.strip().removeprefix("error: ") or "no server can be asked. Start one: experiments serve"
        )
    return Answer(Serving(address=done.stdout.strip()))
