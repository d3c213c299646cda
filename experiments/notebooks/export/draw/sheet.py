"""What the parts of a page share while it is drawn: cleaning, packed data, and what a page too large leaves out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from experiments.notebooks.export.privacy import Cleaner
from experiments.project.look import size

Kind = Literal["replay", "widget", "image", "chart"]
DROP_ORDER: tuple[Kind, ...] = ("replay", "widget", "image", "chart")
"""What a page that is too large loses first. Text and tables always stay."""

MAX_BYTES = 25_000_000
"""Size of a log above which its replays are left out, oldest first."""
_MARK = "\x00"
_TAGS = re.compile(r"<[^>]*>")


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


@dataclass(frozen=True)
class Chosen:
    """What is shown of each piece by its number, the packed data that is needed for it, and what was left out."""

    html: dict[int, str]
    blocks: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass
class Sheet:
    """The page being drawn.

    Attributes:
        cleaner: What every text passes.
        draw_value: Draws any value; a part that holds others hands them to `draw`.
        draw_data: Draws data of a mime type.
        cell: Name of the cell that is being drawn.
        notes: What could not be shown, as sentences.
        blocks: Packed data by name: how it is packed (`gzip` or `plain`) and its base64 text.
        styles: Style sheets of our widgets, each once.
        cache_dir: Where vega's script is kept between exports; None for nowhere.
        find_live: Finds elements and widgets by their id; asked once.
        told: Kinds of things that some cell showed, so that the page need not repeat them.
        title: The log's own title: a cell's heading that says the same is not said again.
    """

    cleaner: Cleaner
    draw_value: Callable[[Sheet, Any], str]
    draw_data: Callable[[Sheet, str, Any], str]
    find_live: Callable[[], dict[str, object]]
    cell: str = ""
    notes: list[str] = field(default_factory=list)
    blocks: dict[str, tuple[str, str]] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    cache_dir: Path | None = None
    told: set[str] = field(default_factory=set)
    title: str = ""
    _live: dict[str, object] | None = None

    def draw(self, value: object) -> str:
        """Return any value as HTML."""
        return self.draw_value(self, value)

    def draw_mime(self, kind: str, data: object) -> str:
        """Return data of a mime type as HTML."""
        return self.draw_data(self, kind, data)

    def live_object(self, key: str) -> object | None:
        """Return the element or widget that has an id in the HTML, where it still exists."""
        if self._live is None:
            self._live = self.find_live()
        return self._live.get(key)

    def text(self, value: object) -> str:
        """Return a value as clean, escaped text."""
        return self.cleaner.html(value)

    def note(self, sentence: str) -> str:
        """Keep what could not be shown, and return it as it stands in the page."""
        clean = self.cleaner.text(sentence)
        self.notes.append(f"{self.cleaner.text(self.cell)}: {clean}" if self.cell else clean)
        return f'<p class="note">{self.cleaner.html(clean)}</p>'

    def heading(self, level: int, markup: str) -> str:
        """Return a heading that the table of contents leads to."""
        anchor = f"part-{len(self.headings) + 1}"
        self.headings.append((level, anchor, words(markup)))
        return f'<h{level} id="{anchor}">{markup}</h{level}>'

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

    def choose(self, other_bytes: int, max_bytes: int) -> Chosen:
        """Choose what of a page fits: replays go first, the oldest first, and each is named in its place.

        Args:
            other_bytes: Size of everything that is no piece.
            max_bytes: Size of the whole file.
        """
        dropped: dict[int, str] = {}
        for piece in sorted(self.pieces, key=lambda piece: (DROP_ORDER.index(piece.kind), piece.age, piece.number)):
            if self._total(dropped) + other_bytes <= max_bytes:
                break
            label = piece.label[:1].upper() + piece.label[1:]
            dropped[piece.number] = f"{label} is left out, so that this file stays under {size(max_bytes)}."
        shown = {piece.number: self._shown(piece, dropped) for piece in self.pieces}
        return Chosen(shown, self._needed(dropped), tuple(dropped.values()))

    def _needed(self, dropped: Mapping[int, str]) -> tuple[str, ...]:
        # Charts first: they are drawn while the rest of the file is still being read.
        ordered = sorted(self.pieces, key=lambda piece: (piece.kind != "chart", piece.number))
        return tuple(dict.fromkeys(name for piece in ordered if piece.number not in dropped for name in piece.needs))

    def _total(self, dropped: Mapping[int, str]) -> int:
        shown = sum(len(piece.html.encode()) if piece.number not in dropped else 300 for piece in self.pieces)
        return shown + sum(len(self.blocks[name][1]) + 100 for name in self._needed(dropped))

    def _shown(self, piece: Piece, dropped: Mapping[int, str]) -> str:
        if piece.number not in dropped:
            return piece.html
        facts = f"<div>{piece.instead}</div>" if piece.instead else ""
        return f'<p class="note">{self.text(dropped[piece.number])}</p>{facts}'

    def fill(self, html: str, chosen: Mapping[int, str]) -> str:
        """Return HTML with every mark replaced by what was chosen for it."""
        parts = html.split(_MARK)
        for at in range(1, len(parts), 2):
            # A piece may hold others: a tab with a chart.
            parts[at] = self.fill(chosen[int(parts[at])], chosen)
        return "".join(parts)


def words(markup: str) -> str:
    """Return the text of some HTML."""
    return html.unescape(_TAGS.sub("", markup)).strip()


def attributes(values: Mapping[str, Any]) -> str:
    """Return attributes whose values are escaped already."""
    return "".join(f' {name}="{value}"' for name, value in values.items() if value != "")
