"""Who may launch: a launch needs a `Permit`, and only a person's own act issues one.

This guards against a mistake in code: a cell that runs again, a helper, a thread. It is not a sandbox against the
author of a notebook.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from experiments.project.errors import LaunchRefused

READ_ONLY = "EXPERIMENTS_READ_ONLY"
HOW_TO_LAUNCH = (
    "Launch from a command line (run the recipe), with the Launch button of the notebook in `marimo edit`, or in a "
    "script inside `with experiments.allow_launch():`."
)

_seal = object()
_latched = False
_edited = False


class Permit:
    """Leave to launch, cancel and retry; issued by the functions of this module only.

    Attributes:
        how: Which act of a person it stands for, as recorded in the ledger.
    """

    __slots__ = ("how",)

    def __init__(self, how: str, *, seal: object = None) -> None:
        if seal is not _seal:
            raise LaunchRefused(f"a Permit cannot be made by hand. {HOW_TO_LAUNCH}")
        self.how = how

    def __repr__(self) -> str:
        return f"Permit({self.how!r})"


_allowed: ContextVar[Permit | None] = ContextVar("experiments_allowed", default=None)


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


def command_permit(command: str) -> Permit:
    """Issue the permit of a command that a person typed.

    Raises:
        LaunchRefused: Called from a thread, from a marimo app or in a read-only process.
    """
    return _outside_of_apps(f"run {command!r}", f"command: {command}")


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
    """Issue the permit of a button that a person pressed in `marimo edit`.

    Raises:
        LaunchRefused: In any other page, also one that embeds this notebook, while exporting, in a thread, or in a
            read-only process.
    """
    _refuse_read_only("launch")
    if (mode := page_mode()) != "edit":
        raise LaunchRefused(f"refused to launch: this page runs in mode {mode!r}. {HOW_TO_LAUNCH}")
    if not asked_by_a_person():
        raise LaunchRefused(f"refused to launch: nobody looks at this page; it is being exported. {HOW_TO_LAUNCH}")
    _refuse_thread("launch")
    global _edited  # noqa: PLW0603 - a process is that of one page
    _edited = True
    return Permit("notebook in marimo edit", seal=_seal)


def page_permit() -> Permit | None:
    """Return the permit of a person who works in `marimo edit`; None in any other place."""
    try:
        return notebook_permit()
    except LaunchRefused:
        return None


def may_go_on() -> bool:
    """Tell whether what a person launched to go on by itself may be carried on from here.

    It may from a command, a script, and the process of a page that a person edits, which asked for leave to launch (in
    its threads nobody can tell who asked); not from one that is read or exported.
    """
    if read_only():
        return False
    return _edited or (page_mode() is None and threading.current_thread() is threading.main_thread())


@contextmanager
def allow_launch() -> Iterator[Permit]:
    """Allow the code of a block to launch: for scripts and tests that a person starts.

    The leave does not reach threads that the block starts; hand them the permit.

    Raises:
        LaunchRefused: In a read-only process, in a thread, or in a page that marimo edits, serves or exports.
    """
    _refuse_read_only("launch")
    if (mode := page_mode()) not in {None, "script"}:
        raise LaunchRefused(f"refused to launch: `allow_launch` is not for pages (mode {mode!r}). {HOW_TO_LAUNCH}")
    _refuse_thread("launch")
    permit = Permit("allow_launch", seal=_seal)
    token = _allowed.set(permit)
    try:
        yield permit
    finally:
        _allowed.reset(token)


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


def _outside_of_apps(doing: str, how: str) -> Permit:
    _refuse_read_only(doing)
    if (mode := page_mode()) is not None:
        raise LaunchRefused(f"refused to {doing}: called in a marimo notebook (mode {mode!r}). {HOW_TO_LAUNCH}")
    _refuse_thread(doing)
    return Permit(how, seal=_seal)


def _refuse_thread(doing: str) -> None:
    # In a served page a plain thread knows of no app, but it is never the main thread.
    if threading.current_thread() is not threading.main_thread():
        name = threading.current_thread().name
        raise LaunchRefused(f"refused to {doing}: called in the thread {name!r}. {HOW_TO_LAUNCH}")


def _refuse_read_only(doing: str) -> None:
    if read_only():
        raise LaunchRefused(f"refused to {doing}: this process is read-only ({READ_ONLY} is set). {HOW_TO_LAUNCH}")
