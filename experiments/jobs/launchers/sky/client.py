"""The one child of this process that talks to SkyPilot.

It is started on first use, started again when it dies, and never waited for beyond a deadline of ours. A child that
let a deadline pass gets no new work; it is ended once its other calls are answered or given up, so that one hanging
call costs no other its answer. Ending this process ends its child, which then sends nothing any more.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.project.errors import LaunchError
from experiments.project.files import home_folder, parse_json
from experiments.project.redaction import mask_text
from experiments.project.settings import Settings

SCRIPT = Path(__file__).with_name("bridge.py")
REQUIREMENT = "skypilot==0.14.*"
START_DEADLINE_S = 240.0
"""The first start on a machine downloads SkyPilot."""

# A repository's environment must not reach SkyPilot's, and no key of W&B's is needed there.
_NOT_FOR_THE_CHILD = ("PYTHON", "VIRTUAL_ENV", "WANDB_", "EXPERIMENTS_", "CONDA_", "UV_RUN")


class SkyError(LaunchError):
    """SkyPilot could not be asked, or could not do it.

    Attributes:
        kind: One of the bridge's kinds, or `died` (in mid-call), `slow` (no answer by the deadline), `not installed`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Answer:
    """What a verb returned.

    Attributes:
        sky_s: Seconds of it that were spent inside SkyPilot.
    """

    result: Any
    sky_s: float


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    pending: dict[int, queue.SimpleQueue[dict[str, Any]]] = field(default_factory=dict)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    hello: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)
    readers: list[threading.Thread] = field(default_factory=list)
    is_silent: threading.Event = field(default_factory=threading.Event)
    is_retired: bool = False
    owner: int = field(default_factory=os.getpid)

    def is_alive(self) -> bool:
        return self.process.poll() is None


class BridgeClient:
    """Calls of the bridge's verbs; safe to share between threads.

    Args:
        command: Program and arguments of the bridge.
        start_deadline_s: Seconds that a start may take.
    """

    def __init__(self, command: Sequence[str], *, start_deadline_s: float = START_DEADLINE_S) -> None:
        self.command = tuple(command)
        self._start_deadline_s = start_deadline_s
        self._starting = threading.Lock()
        self._guard = threading.Lock()
        self._numbers = itertools.count(1)
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child; None while there is none."""
        return self._child.process.pid if self._child is not None and self._child.is_alive() else None

    def call(
        self,
        verb: str,
        *,
        deadline_s: float,
        on_note: Callable[[dict[str, Any]], None] | None = None,
        is_fatal: bool = False,
        **arguments: Any,  # noqa: ANN401 - any JSON
    ) -> Answer:
        """Ask for `verb` and wait for its answer.

        Args:
            verb: One of `bridge.VERBS`.
            deadline_s: Seconds to wait, once the child runs.
            on_note: Called in this thread with what is said before the answer.
            is_fatal: End the child at the deadline, so that nothing of the call can still happen later.
            arguments: JSON values.

        Raises:
            SkyError: It failed, took longer, or the child died; see its kind.
        """
        child = self._ready()
        number, answers = next(self._numbers), queue.SimpleQueue[dict[str, Any]]()
        with self._guard:
            child.pending[number] = answers
        try:
            self._send(child, {"id": number, "verb": verb, **arguments})
            return self._await(verb, answers, deadline_s, on_note)
        except SkyError as error:
            if error.kind == "slow":
                child.is_retired = True
                if is_fatal:
                    _end(child)
            raise
        finally:
            with self._guard:
                child.pending.pop(number, None)
                over = child.is_retired and not child.pending
            if over:
                _end(child)

    def close(self) -> None:
        """End the child; a later call starts another."""
        child, self._child = self._child, None
        if child is not None:
            _end(child)

    def _await(
        self,
        verb: str,
        answers: queue.SimpleQueue[dict[str, Any]],
        deadline_s: float,
        on_note: Callable[[dict[str, Any]], None] | None,
    ) -> Answer:
        end = time.monotonic() + deadline_s
        while True:
            try:
                answer = answers.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise SkyError("slow", f"SkyPilot gave no answer to {verb!r} within {deadline_s:g} s.") from None
            if "note" in answer:
                if on_note is not None:
                    on_note(answer["note"])
            elif "error" in answer:
                raise self._error(answer["error"])
            else:
                return Answer(answer["result"], float(answer.get("sky_s", 0.0)))

    def _ready(self) -> _Child:
        with self._starting:
            if self._child is None or not self._child.is_alive() or self._child.is_retired:
                if self._child is not None and not self._child.is_alive():
                    _end(self._child)
                self._child = self._start()
            return self._child

    def _start(self) -> _Child:
        try:
            process = subprocess.Popen(
                self.command,
                cwd=home_folder() if home_folder().is_dir() else "/",
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us: a submission in progress is brought to its end
            )
        except OSError as error:
            raise SkyError(
                "not installed", f"SkyPilot's program {self.command[0]!r} cannot be started: {error.strerror}."
            ) from error
        child = _Child(process)
        for target in (self._listen, self._overhear):
            child.readers.append(threading.Thread(target=target, args=(child,), name="sky bridge", daemon=True))
            child.readers[-1].start()
        _open_clients.add(self)
        try:
            hello = child.hello.get(timeout=self._start_deadline_s)
        except queue.Empty:
            _end(child)
            raise SkyError("slow", f"SkyPilot did not start within {self._start_deadline_s:g} s.") from None
        if "error" in hello:
            _end(child)
            raise self._error(hello["error"])
        return child

    def _listen(self, child: _Child) -> None:
        assert child.process.stdout is not None
        with child.process.stdout as answers:
            for line in answers:
                try:
                    message = parse_json(line)
                except ValueError:
                    child.said.append(line.decode("utf-8", "replace"))
                    continue
                if "hello" in message:
                    child.hello.put(message)
                elif (waiting := child.pending.get(message.get("id", 0))) is not None:
                    waiting.put(message)
        child.process.wait()
        child.is_silent.wait(1.0)
        with self._guard:
            waiting_all = list(child.pending.values())
        message = f"SkyPilot's bridge ended with exit code {child.process.returncode}"
        died = {"error": {"kind": "died", "message": message + _last_words(child)}}
        for waiting in waiting_all:
            waiting.put(died)
        child.hello.put(died)

    @staticmethod
    def _overhear(child: _Child) -> None:
        assert child.process.stderr is not None
        with child.process.stderr as errors:
            for line in errors:
                child.said.append(line.decode("utf-8", "replace"))
        child.is_silent.set()

    def _send(self, child: _Child, message: Mapping[str, Any]) -> None:
        assert child.process.stdin is not None
        line = json.dumps(message).encode() + b"\n"
        try:
            with self._guard:
                child.process.stdin.write(line)
                child.process.stdin.flush()
        except (OSError, ValueError):
            raise SkyError("died", f"SkyPilot's bridge ended before it was asked{_last_words(child)}") from None

    def _error(self, error: Mapping[str, str]) -> SkyError:
        return SkyError(error["kind"], mask_text(_advice(error["kind"], error["message"], self.command)))


_open_clients: set[BridgeClient] = set()
_clients: dict[tuple[int, tuple[str, ...]], BridgeClient] = {}


def client_for(settings: Settings) -> BridgeClient:
    """Return this process's client of the bridge.

    Raises:
        SkyError: Nothing here can start SkyPilot; says the command that mends it.
    """
    command = bridge_command(settings)
    # A forked process must not share its parent's pipes.
    return _clients.setdefault((os.getpid(), command), BridgeClient(command))


def bridge_command(settings: Settings) -> tuple[str, ...]:
    """Return how the bridge is started: by the user's own interpreter, else by uv in an environment of its own.

    Raises:
        SkyError: There is neither.
    """
    if settings.sky_python:
        if shutil.which(settings.sky_python[0]) is None:
            raise SkyError(
                "not installed",
                f"sky_python {settings.sky_python[0]!r} is no program. Name an interpreter that has SkyPilot: "
                "export EXPERIMENTS_SKY_PYTHON=/path/to/python (or unset it, and uv installs SkyPilot by itself).",
            )
        return (*settings.sky_python, str(SCRIPT))
    uv = shutil.which("uv")
    if uv is None:
        raise SkyError(
            "not installed", "SkyPilot is not installed, and neither is uv, which would install it: pip install uv"
        )
    return (uv, "run", "--no-project", "--quiet", "--script", str(SCRIPT))


def sky_command(command: Sequence[str]) -> str:
    """Return how a person types `sky` for the SkyPilot that a bridge of this command uses."""
    program = Path(command[0])
    if program.name == "uv":
        return f"uvx --from '{REQUIREMENT}' sky"
    beside = program.parent / "sky"
    return shlex.quote(str(beside)) if beside.exists() else "sky"


def _advice(kind: str, message: str, command: Sequence[str]) -> str:
    """Return an error of the bridge with the command that mends it."""
    said = " ".join(message.split())
    sky, python = sky_command(command), shlex.join(command[:-1])
    advice = {
        "missing-sky": f"SkyPilot is not installed for {python!r} ({said}). Install it: {python} -m pip install "
        f"'{REQUIREMENT}'",
        "down": f"SkyPilot's API server does not answer ({said}). Start it: {sky} api start (for a shared one: {sky} "
        "api login -e URL)",
        "login": f"SkyPilot's API server wants a login ({said}). Log in: {sky} api login",
        "version": f"SkyPilot's API server is of another version ({said}). Compare: {sky} api info",
        "no pools": f"SkyPilot, here or at its API server, has no pools ({said}). Launch without one (no --pool, no "
        "sky_pool), and each job brings up machines of its own",
        "no such pool": f"SkyPilot has no such pool ({said}). Make it: experiments pool apply NAME (those there are: "
        "experiments pool)",
    }
    return advice.get(kind, said)


def _last_words(child: _Child) -> str:
    said = [line.strip() for line in child.said if line.strip()]
    return f": {mask_text(said[-1])[:300]}" if said else "."


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_THE_CHILD)}
    # An accidental question must not spend a minute and gigabytes on a server of its own.
    return {**kept, "SKYPILOT_DISABLE_LOCAL_API_SERVER": "1", "PYTHONUNBUFFERED": "1"}


def _end(child: _Child) -> None:
    """End a child and what it started; uv keeps the interpreter as a child of its own."""
    if child.owner != os.getpid():
        return  # a fork of the process that it belongs to
    with contextlib.suppress(OSError, ValueError):
        if child.process.stdin is not None:
            child.process.stdin.close()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(timeout=5.0)
    # Each closes its pipe at the end of what was said.
    for reader in child.readers:
        reader.join(1.0)


def _close_all() -> None:
    for client in list(_open_clients):
        client.close()


atexit.register(_close_all)
