"""Lines that a run printed, from the fragments that W&B records of its console."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.runs.wandb_file import records


@dataclass(frozen=True)
class ConsoleLine:
    """One line that the run printed.

    Attributes:
        time: Unix seconds at which it began.
        stream: `stdout` or `stderr`.
        text: Without its newline; what a carriage return overwrote is gone.
    """

    time: float
    stream: str
    text: str


def join_console(output: Iterable[tuple[int, bytes]]) -> list[ConsoleLine]:
    """Join the fragments that W&B records of each stream into lines, as a terminal would show them."""
    lines: list[ConsoleLine] = []
    open_lines: dict[str, tuple[float, str]] = {}
    time = 0.0
    for _, message in output:
        try:
            time, stream, text = _fragment(message)
        except ValueError:  # a damaged record: what was printed is lost, but not that something was
            stream, text = "stderr", "\ufffd\n"
        began, held = open_lines.pop(stream, (time, ""))
        *whole, rest = (held + text).split("\n")
        for line in whole:
            lines.append(ConsoleLine(began, stream, _overwritten(line)))
            began = time
        if rest:
            open_lines[stream] = (began, rest)
    lines += [ConsoleLine(began, stream, _overwritten(rest)) for stream, (began, rest) in open_lines.items()]
    return lines


def _fragment(message: bytes) -> tuple[float, str, str]:
    time, stream, text = 0.0, "stderr", ""
    for number, value in records.fields(message):
        if number == 1 and value == 1:
            stream = "stdout"
        elif number == 2 and isinstance(value, bytes):
            time = records.timestamp(value)
        elif number == 3 and isinstance(value, bytes):
            text = value.decode(errors="replace")
    return time, stream, text


def _overwritten(line: str) -> str:
    """Return what a terminal shows of a line with carriage returns."""
    if "\r" not in line:
        return line
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown
