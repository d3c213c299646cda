"""Charts as pictures, drawn by vl-convert in a process of its own: what brings that down costs a sentence, not a page.

vl-convert holds a JavaScript engine and a font renderer; where one of them panics, the process ends at once, whatever
Python would have caught. The child lives as long as its parent and draws one chart after the other.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import resource
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any, Literal

import msgspec

from experiments.project.errors import ExperimentsError
from experiments.project.look import printable

WITHIN_S = 60.0
_MOST_BYTES = 3 * 1024**3

Format = Literal["svg", "png"]


class FigureError(ExperimentsError):
    """A chart cannot be drawn; the message says why."""


class Drawer:
    """Draws charts in a child process, which is started when it is needed and again after it came down.

    Args:
        within_s: Seconds that one picture may take.
        most_bytes: Memory that the child may use for data.
    """

    def __init__(self, *, within_s: float = WITHIN_S, most_bytes: int = _MOST_BYTES) -> None:
        self._within_s, self._most_bytes = within_s, most_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def draw(self, spec: Mapping[str, Any], kind: Format, *, scale: float = 1.0) -> bytes:
        """Return a Vega-Lite specification as SVG (UTF-8) or PNG; nothing that it names is fetched.

        Raises:
            FigureError: It is no chart, or drawing it failed, took too long or too much memory.
        """
        order = msgspec.json.encode({"spec": _printable(spec), "kind": kind, "scale": scale}) + b"\n"
        with self._lock:
            try:
                answer = self._asked(order)
            except (OSError, ValueError) as error:
                self.close()
                took_long = isinstance(error, TimeoutError)
                why = f"it took over {self._within_s:g} s" if took_long else "the program that draws it came down"
                raise FigureError(f"The figure could not be drawn: {why}.") from error
        if "problem" in answer:
            raise FigureError(f"The figure could not be drawn: {answer['problem']}")
        return base64.b64decode(answer["picture"])

    def _asked(self, order: bytes) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(order)
        process.stdin.flush()
        found: dict[str, Any] = json.loads(_line(process.stdout, self._within_s))
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "experiments.notebooks.charts.figures", str(self._most_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def close(self) -> None:
        """End the child; the next chart starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


_drawer = Drawer()
atexit.register(_drawer.close)


def draw(spec: Mapping[str, Any], kind: Format, *, scale: float = 1.0) -> bytes:
    """Return a chart as a picture, as `Drawer.draw` does, with the one child of this process."""
    return _drawer.draw(spec, kind, scale=scale)


def _printable(value: Any) -> Any:
    """Return JSON without characters that SVG cannot hold: a metric's name is whatever a trainer wrote."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {_printable(key): _printable(entry) for key, entry in value.items()}
    return [_printable(entry) for entry in value] if isinstance(value, list | tuple) else value


def _line(pipe: IO[bytes], within_s: float) -> bytes:
    """Return the next line of a pipe that answers with one line at a time."""
    line, until = b"", time.monotonic() + within_s
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        more = os.read(pipe.fileno(), 1_048_576)
        if not more:
            raise OSError("the pipe has ended")
        line += more
    return line


def _serve(most_bytes: int) -> None:
    """Draw what comes in, one JSON line a chart, until the input ends."""
    import vl_convert

    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        order = json.loads(line)
        try:
            if order["kind"] == "svg":
                picture = vl_convert.vegalite_to_svg(order["spec"], allowed_base_urls=[]).encode()
            else:
                picture = vl_convert.vegalite_to_png(order["spec"], scale=order["scale"], allowed_base_urls=[])
            answer = {"picture": base64.b64encode(picture).decode()}
        except ValueError as error:
            answer = {"problem": str(error).splitlines()[0]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
