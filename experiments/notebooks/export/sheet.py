"""What the parts of a page share while it is drawn: cleaning, packed data, and what the size budget may drop."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiments.notebooks.export.privacy import Cleaner

Kind = Literal["replay", "widget", "image", "chart"]
DROP_ORDER: tuple[Kind, ...] = ("replay", "widget", "image", "chart")
"""What a page that is too large loses first. Text and tables always stay."""

_MARK = "\x00"


@dataclass(frozen=True)
class Piece:
    """A part of the page that the size budget may leave out.

    Attributes:
        label: What it is, for the sentence that stands in its place.
        html: What the page shows.
        needs: Names of the packed data that its script reads.
        instead: What else is shown in its place when it is left out, such as its facts.
        age: Of replays, when in training it was recorded (agent steps): the oldest are left out first.
    """

    number: int
    kind: Kind
    label: str
    html: str
    needs: tuple[str, ...] = ()
    instead: str = ""
    age: float = 0.0


@dataclass
class Sheet:
    """The page being drawn.

    Attributes:
        cleaner: What every text passes.
        cell: Name of the cell that is being drawn.
        notes: What could not be shown, as sentences.
        blocks: Packed data by name: how it is packed (`gzip` or `plain`) and its base64 text.
        styles: Style sheets of our widgets, each once.
        cache_dir: Where large assets are kept between exports; None for nowhere.
        live: Elements and widgets by their id, once one was looked for.
        title: The log's own title: a cell's heading that says the same is not said again.
    """

    cleaner: Cleaner
    cell: str = ""
    notes: list[str] = field(default_factory=list)
    blocks: dict[str, tuple[str, str]] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    cache_dir: Path | None = None
    live: dict[str, object] | None = None
    title: str = ""

    def text(self, value: object) -> str:
        """Return a value as clean, escaped text."""
        return self.cleaner.html(value)

    def note(self, sentence: str) -> str:
        """Keep what could not be shown, and return it as it stands in the page."""
        clean = self.cleaner.text(sentence)
        self.notes.append(f"{self.cleaner.text(self.cell)}: {clean}" if self.cell else clean)
        return f'<p class="note">{self.cleaner.html(clean)}</p>'

    def heading(self, level: int, html: str, text: str) -> str:
        """Return a heading that the table of contents leads to."""
        anchor = f"part-{len(self.headings) + 1}"
        self.headings.append((level, anchor, text.strip()))
        return f'<h{level} id="{anchor}">{html}</h{level}>'

    def pack(self, data: bytes, *, is_packed: bool = False) -> str:
        """Keep bytes in the page and return their name; the same bytes are kept once.

        Args:
            is_packed: They are compressed already, so that doing it again saves nothing.
        """
        name = hashlib.sha256(data).hexdigest()[:16]
        if name not in self.blocks:
            packed = data if is_packed else gzip.compress(data, 9, mtime=0)
            self.blocks[name] = ("plain" if is_packed else "gzip", base64.b64encode(packed).decode())
        return name

    def piece(
        self, kind: Kind, label: str, html: str, *, needs: Iterable[str] = (), instead: str = "", age: float = 0
    ) -> str:
        """Keep a part that may be left out, and return the mark that stands for it until the page is put together."""
        number = len(self.pieces)
        self.pieces.append(Piece(number, kind, self.cleaner.text(label), html, tuple(needs), instead, age))
        return f"{_MARK}{number}{_MARK}"

    @contextmanager
    def drawing(self, cell: str) -> Iterator[None]:
        """Name the cell that is drawn within the block."""
        before, self.cell = self.cell, cell
        try:
            yield
        finally:
            self.cell = before

    def fill(self, html: str, chosen: Mapping[int, str]) -> str:
        """Return HTML with every mark replaced by what was chosen for it."""
        parts = html.split(_MARK)
        for at in range(1, len(parts), 2):
            # A piece may hold others: a tab with a chart.
            parts[at] = self.fill(chosen[int(parts[at])], chosen)
        return "".join(parts)


def attributes(values: Mapping[str, Any]) -> str:
    """Return attributes whose values are escaped already."""
    return "".join(f' {name}="{value}"' for name, value in values.items() if value != "")
