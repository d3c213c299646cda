"""Who may launch: a launch needs a `Permit`, and only a person's own act issues one, or a token that a person granted.

This guards against a mistake in code: a cell that runs again, a helper, a thread. It is not a sandbox against the
author of a notebook. What a token covers is looked up where it is used: see `covering`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from experiments.jobs.clicks import clicked
from experiments.jobs.tokens import name_in, token_here
from experiments.project.errors import LaunchRefused
from experiments.project.settings import wants_permits

READ_ONLY = "EXPERIMENTS_READ_ONLY"
HOW_TO_LAUNCH = (
    "Launch from a command line (run the recipe), with the Launch button of the notebook in `marimo edit`, or in a "
    "script inside `with experiments.allow_launch():`."
)
HOW_TO_SERVE = (
    "Ask a person to grant one on a terminal, uv run experiments permit --jobs 10 --save ~/night.permit, and to start "
    "the server with EXPERIMENTS_PERMIT_FILE=~/night.permit."
)

_seal = object()
_latched = False
_edited = False


class Permit:
    """Leave to launch, cancel and retry; issued by the functions of this module only.

    Attributes:
        how: Which act of a person it stands for, as recorded in the ledger.
        recipe: File of the recipe that launches; None of anything else.
        token: Of the permit that a person granted to whoever acts; None where a person acts.
    """

    __slots__ = ("how", "recipe", "token")

    def __init__(self, how: str, *, recipe: Path | None = None, token: str | None = None, seal: object = None) -> None:
        if seal is not _seal:
            raise LaunchRefused(f"a Permit cannot be made by hand. {HOW_TO_LAUNCH}")
        self.how = how if token is None else f"permit {name_in(token)}: {how}"
        self.recipe = recipe
        self.token = token

    @property
    def granted(self) -> str | None:
        """Name of the permit that a person granted to whoever acts; None where a person acts."""
        return None if self.token is None else name_in(self.token)

    def __repr__(self) -> str:
        return f"Permit({self.how!r})"


class ServerLeave:
    """What a server may do for its client in any of its threads: what the permit covers that its process was given.

    Issued by `server_leave` only. Without a permit nothing: nobody types what a client asks for.
    """

    __slots__ = ("token",)

    def __init__(self, token: str | None, *, seal: object = None) -> None:
        if seal is not _seal:
            raise LaunchRefused(f"the leave of a server cannot be made by hand. {HOW_TO_LAUNCH}")
        self.token = token

    @property
    def granted(self) -> str | None:
        """Name of the permit; None where there is none."""
        return None if self.token is None else name_in(self.token)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Have what commands do in this block, in this thread, be done with this leave."""
        before = _serving.set(self)
        try:
            yield
        finally:
            _serving.reset(before)


_allowed: ContextVar[Permit | None] = ContextVar("experiments_allowed", default=None)
_serving: ContextVar[ServerLeave | None] = ContextVar("experiments_serving", default=None)


def read_only() -> bool:
    """Say whether this process may never launch: once `EXPERIMENTS_READ_ONLY` was seen set, nothing takes it back."""
    global _latched  # noqa: PLW0603 - a latch is a global on purpose
    _latched = _latched or os.environ.get(READ_ONLY, "0") not in {"", "0"}
    return _latched


read_only()


def require(permit: Permit | None, doing: str) -> Permit:
    """Return `permit` where it is one and this process may launch.

    Args:
        permit: What the caller holds.
        doing: The act in words, for the message: `launch 5 jobs`.

    Raises:
        LaunchRefused: No permit, or a read-only process.
    """
    _refuse_read_only(doing)
    if not isinstance(permit, Permit):
        raise LaunchRefused(f"refused to {doing}: {permit!r} is not a Permit. {HOW_TO_LAUNCH}")
    return permit


def command_permit(command: str, *, recipe: Path | None = None) -> Permit:
    """Issue the permit of a command that was typed, by a person or by whoever has the token of one.

    Args:
        recipe: File of the recipe whose command line it is.

    Raises:
        LaunchRefused: Called from a thread, from a marimo app or in a read-only process; or the user's own settings
            want a permit, and there is none.
    """
    return _outside_of_apps(f"run {command!r}", f"command: {command}", recipe)


def person_permit(command: str) -> Permit:
    """Issue the permit of a command that only a person gives: it says what others may use.

    Raises:
        LaunchRefused: Called from a thread, from a marimo app or in a read-only process; or this process acts with a
            granted permit itself.
    """
    _refuse_apps(command)
    if (token := token_here()) is not None:
        raise LaunchRefused(
            f"refused to {command}: this process acts with permit {name_in(token)!r}, which grants nothing. Ask a "
            "person to do it."
        )
    return Permit(f"command: {command}", seal=_seal)


def server_leave() -> ServerLeave:
    """Return what this process, a server that a program talks to, may do for it; asked for as the server starts.

    Raises:
        LaunchRefused: Called from a thread or from a marimo app; or the token that the process was given is none.
    """
    if read_only():
        return ServerLeave(None, seal=_seal)
    _refuse_apps("serve a program")
    return ServerLeave(token_here(), seal=_seal)


def ongoing_permit(how: str) -> Permit:
    """Issue the permit of a step of what goes on by itself: it has the leave and the budget that it was opened with.

    Raises:
        LaunchRefused: Called from a thread, from a marimo app or in a read-only process.
    """
    _refuse_apps(how)
    return Permit(f"command: {how}", seal=_seal)


def implicit_permit() -> Permit:
    """Issue the permit of a function that a script calls directly, or the one of the `allow_launch` block around it.

    Raises:
        LaunchRefused: Called from a thread, from a marimo app or in a read-only process.
    """
    _refuse_read_only("launch")
    if (permit := _allowed.get()) is not None:
        return permit
    return _outside_of_apps("launch", "called directly")


def notebook_permit() -> Permit:
    """Issue the permit of a button that a person presses in `marimo edit`, while the page carries out that click.

    Raises:
        LaunchRefused: Code asks for it: a cell that is run, or what a cell calls. In any other page, also one that
            embeds this notebook, while exporting, in a thread, or in a read-only process.
    """
    _refuse_uneditable()
    if not clicked():
        raise LaunchRefused(
            "refused to launch: nobody clicked; a cell ran, or code that it calls. Put the call into the `on_click` of "
            "a button, or behind the value of a `mo.ui.run_button`, and click it; code launches with a permit that a "
            "person grants: uv run experiments permit --jobs 10, then `with allow_launch(TOKEN):`."
        )
    return Permit("notebook in marimo edit", seal=_seal)


def page_permit() -> Permit | None:
    """Return the permit of a person who clicks in `marimo edit`; None in any other place, and where a cell is run."""
    try:
        return notebook_permit()
    except LaunchRefused:
        return None


def is_edited() -> bool:
    """Tell whether a person works on this page in `marimo edit`, where a click may launch."""
    try:
        _refuse_uneditable()
    except LaunchRefused:
        return False
    return True


def _refuse_uneditable() -> None:
    _refuse_read_only("launch")
    if (mode := page_mode()) != "edit":
        raise LaunchRefused(f"refused to launch: this page runs in mode {mode!r}. {HOW_TO_LAUNCH}")
    if not (asked_by_a_person() or clicked()):
        raise LaunchRefused(f"refused to launch: nobody looks at this page; it is being exported. {HOW_TO_LAUNCH}")
    _refuse_thread("launch")
    global _edited  # noqa: PLW0603 - a process is that of one page
    _edited = True


def may_go_on() -> bool:
    """Tell whether what a person launched to go on by itself may be carried on from here.

    It may from a command, a script, and the process of a page that a person edits, which asked for leave to launch (in
    its threads nobody can tell who asked); not from one that is read or exported.
    """
    if read_only():
        return False
    return _edited or (page_mode() is None and threading.current_thread() is threading.main_thread())


@contextmanager
def allow_launch(token: str | None = None) -> Iterator[Permit]:
    """Allow the code of a block to launch: for scripts and tests that a person starts, and for whoever has a permit.

    The leave does not reach threads that the block starts; hand them the permit.

    Args:
        token: Of a permit that a person granted; it launches in an open editor, too, within what it covers.

    Raises:
        LaunchRefused: In a read-only process, in a thread, or in a page that marimo serves or exports; without a token
            in one that it edits, or where the user's own settings want a permit.

    Example:
        >>> from experiments import allow_launch, launch_training
        >>> with allow_launch():
        ...     job = launch_training("probe", "arena/basic", launcher="dry-run")
        >>> job.experiment, job.arm, job.state
        ('probe', 'run', 'planned')
    """
    _refuse_read_only("launch")
    if token is not None:
        name_in(token)
    if (mode := page_mode()) not in {None, "script"} and not (token is not None and mode == "edit"):
        raise LaunchRefused(f"refused to launch: `allow_launch` is not for pages (mode {mode!r}). {HOW_TO_LAUNCH}")
    _refuse_thread("launch")
    permit = Permit("allow_launch", token=token or _needed_token("launch"), seal=_seal)
    before = _allowed.set(permit)
    try:
        yield permit
    finally:
        _allowed.reset(before)


def page_mode() -> str | None:
    """Return the mode of the page that a person opened: "edit", "run" or "script".

    None outside of marimo, and in a plain thread of a page. Everything that asks where it runs asks here, for the
    word that marimo has for the app at hand is not enough: it says "edit" of whatever another app embeds.
    """
    marimo = sys.modules.get("marimo")
    app_meta = getattr(marimo, "app_meta", None)
    mode = app_meta().mode if app_meta is not None else None
    if mode == "edit":
        return _outermost_mode()
    return None if mode == "test" else mode  # what marimo says of any code that pytest runs outside of an app


def on_a_page() -> bool:
    """Tell whether this code runs for a page of marimo (edit or run), and not in a script or a test."""
    return page_mode() in {"edit", "run"}


def asked_by_a_person() -> bool:
    """Say whether a browser asked for what runs now; marimo exports a page in mode "edit", but for nobody."""
    marimo = sys.modules.get("marimo")
    app_meta = getattr(marimo, "app_meta", None)
    return app_meta is not None and app_meta().request is not None


def _outermost_mode() -> str:
    # Private to marimo, which is pinned; it has no other sign of embedding, and a served page may own a main thread.
    context: Any = sys.modules["marimo._runtime.context"].get_context()
    while context.parent is not None:
        context = context.parent
    return str(context.session_mode.value)


def _outside_of_apps(doing: str, how: str, recipe: Path | None = None) -> Permit:
    if (serving := _serving.get()) is not None:
        return _served(serving, doing, how, recipe)
    _refuse_apps(doing)
    return Permit(how, recipe=recipe, token=_needed_token(doing), seal=_seal)


def _served(serving: ServerLeave, doing: str, how: str, recipe: Path | None) -> Permit:
    _refuse_read_only(doing)
    if serving.token is None:
        raise LaunchRefused(f"refused to {doing}: this server was given no permit. {HOW_TO_SERVE}")
    return Permit(f"mcp, {how}", recipe=recipe, token=serving.token, seal=_seal)


def _refuse_apps(doing: str) -> None:
    _refuse_read_only(doing)
    if (mode := page_mode()) is not None:
        raise LaunchRefused(f"refused to {doing}: called in a marimo notebook (mode {mode!r}). {HOW_TO_LAUNCH}")
    _refuse_thread(doing)


def _needed_token(doing: str) -> str | None:
    """Return the token that this process was given; None where it has none and a person's own act is enough.

    Raises:
        LaunchRefused: The user's own settings want a permit, and there is none; or what is there is none.
    """
    token = token_here()
    if token is None and wants_permits():
        raise LaunchRefused(
            f'refused to {doing}: your settings say launch = "permit", and this process has none. Grant one on a '
            "terminal of your own: uv run experiments permit --jobs 10"
        )
    return token


def _refuse_thread(doing: str) -> None:
    # In a served page a plain thread knows of no app, but it is never the main thread.
    if threading.current_thread() is not threading.main_thread():
        name = threading.current_thread().name
        raise LaunchRefused(f"refused to {doing}: called in the thread {name!r}. {HOW_TO_LAUNCH}")


def _refuse_read_only(doing: str) -> None:
    if read_only():
        raise LaunchRefused(f"refused to {doing}: this process is read-only ({READ_ONLY} is set). {HOW_TO_LAUNCH}")
