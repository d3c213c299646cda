"""What the records of a run say about it beside its history: config, summary, tags, exit; and what it printed."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.project.files import parse_json
from experiments.runs.wandb_file import batches as vector
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.records import assign, flatten, remove


@dataclass
class RunFacts:
    """The latest word of a run's records on each subject.

    Attributes:
        config: Nested JSON values, as given to `wandb.init` and `run.config.update`; W&B's own `_wandb` left out.
        started_at: Unix seconds.
        exit_code: None until the run said how it ended.
        runtime: Seconds, as the exit record says.
        user: Login name on the machine that ran; empty up to W&B 0.22, which wrote it beside its records only.
        undecodable: Records that were not understood.
        program: Command line's script on that machine.
        branched_from: Run id whose rows up to `branched_at` come before this start's: another run's where it was
            forked, its own where it was rewound; empty where neither.
        branched_at: W&B's step.
        is_shared: Whether it was one of several writers by W&B's `mode="shared"`.
    """

    run_id: str = ""
    entity: str = ""
    project: str = ""
    display_name: str = ""
    group: str = ""
    job_type: str = ""
    notes: str = ""
    host: str = ""
    user: str = ""
    program: str = ""
    tags: tuple[str, ...] = ()
    started_at: float | None = None
    exit_code: int | None = None
    runtime: int | None = None
    config: dict[str, Any] = field(default_factory=dict)
    summary_tree: dict[str, Any] = field(default_factory=dict)
    undecodable: int = 0
    branched_from: str = ""
    branched_at: int | None = None
    is_shared: bool = False

    @property
    def summary(self) -> dict[str, Any]:
        """Latest value of each key, flattened with dots as W&B shows it."""
        return flatten({key: value for key, value in self.summary_tree.items() if key != "_wandb"})

    def take(self, record: bytes) -> None:
        """Take in one record that is not history."""
        try:
            self._apply(*records.content(record))
        except ValueError:
            self.undecodable += 1

    def take_summaries(self, batch: Sequence[bytes], items: vector.Items, keys: vector.KeyTable) -> None:
        """Take in summary records, in order, whose items have been found: of each key only the last value is read."""
        if items.slow.sum() * 4 > len(batch):
            for record in batch:
                self.take(record)
            return
        start = 0
        for at in [*np.flatnonzero(items.slow).tolist(), len(batch)]:
            stop = int(np.searchsorted(items.row, at))
            self._take_items(items, keys, start, stop)
            start = stop
            if at < len(batch):
                self.take(batch[at])

    def take_few_summaries(self, batch: Sequence[bytes]) -> None:
        """Take in summary records, in order: of each key only the last value is read, where that is all they say."""
        try:
            for item in _last_items(batch):
                assign(self.summary_tree, *records.item(item))
        except ValueError:
            for record in batch:
                self.take(record)

    def _take_items(self, items: vector.Items, keys: vector.KeyTable, start: int, stop: int) -> None:
        last = np.full(len(keys.keys), -1)
        last[items.number[start:stop]] = np.arange(start, stop)  # of equal numbers, the last place stays
        for at in np.sort(last[last >= 0]).tolist():
            try:
                assign(self.summary_tree, keys.path(int(items.number[at])), items.parsed(at))
            except ValueError:
                self.undecodable += 1

    def _apply(self, kind: int, message: bytes) -> None:
        if kind == records.SUMMARY:
            for path, value in records.items(message):
                assign(self.summary_tree, path, value)
            for path in records.removed(message):
                remove(self.summary_tree, path)
        elif kind == records.CONFIG:
            self._apply_config(message)
        elif kind == records.RUN:
            self._apply_run(message)
        elif kind == records.EXIT:
            numbers = {number: value for number, value in records.fields(message) if isinstance(value, int)}
            self.exit_code = records.signed(numbers.get(1, 0))
            self.runtime = records.signed(numbers.get(2, 0))
        elif kind == records.ENVIRONMENT:
            found = records.texts(message)
            self.user = found.get(13, [self.user])[0]
            self.program = found.get(6, [self.program])[0]
            self.host = found.get(12, [self.host])[0]

    def _apply_config(self, message: bytes) -> None:
        self.config = copy.deepcopy(self.config)  # whoever has the old one may be reading it
        for path, value in records.items(message):
            if path[0] != "_wandb":
                assign(self.config, path, value)
        for path in records.removed(message):
            remove(self.config, path)

    def _apply_run(self, message: bytes) -> None:
        tags: list[str] = []
        for number, value in records.fields(message):
            if not isinstance(value, bytes):
                continue
            if number == 4:
                self._apply_config(value)
            elif number == 10:
                tags.append(value.decode())
            elif number == 17:
                self.started_at = records.timestamp(value)
            elif number == 19:
                self.is_shared = records.is_shared_mode(value)
            elif number == 23:
                self.branched_from, self.branched_at = records.branch_point(value)
            elif number in _RUN_TEXTS:
                setattr(self, _RUN_TEXTS[number], value.decode())
        self.tags = tuple(tags)


def _last_items(batch: Sequence[bytes]) -> Iterable[bytes]:
    """Return the last item of each key that summary records set, in order.

    Raises:
        ValueError: One of them removes a key, or is damaged.
    """
    last: dict[bytes, bytes] = {}
    for record in batch:
        for number, item in records.fields(records.content(record)[1]):
            if number != 1 or not isinstance(item, bytes):
                raise ValueError(f"a summary with field {number}")
            key = records.key_bytes(item)
            last.pop(key, None)
            last[key] = item
    return last.values()


def user_in_files(directories: Iterable[Path]) -> str:
    """Return the login name in `wandb-metadata.json` of the newest of a run's directories that has one; else empty."""
    for directory in reversed(list(directories)):
        try:
            told = parse_json((directory / "files" / "wandb-metadata.json").read_bytes())
        except (OSError, ValueError):
            continue  # later versions write none, and a live run's may be half written: the author is not known yet
        user = told.get("username") if isinstance(told, dict) else None
        if isinstance(user, str) and user:
            return user
    return ""


_RUN_TEXTS = {
    1: "run_id",
    2: "entity",
    3: "project",
    6: "group",
    7: "job_type",
    8: "display_name",
    9: "notes",
    13: "host",
}


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
