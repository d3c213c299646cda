"""What a log that is too large leaves out: replays first, the oldest first, and each is named in its place."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.notebooks.export.pictures import size
from experiments.notebooks.export.sheet import DROP_ORDER, Piece, Sheet


@dataclass(frozen=True)
class Chosen:
    """What is shown of each piece by its number, the packed data that is needed for it, and what was left out."""

    html: dict[int, str]
    blocks: tuple[str, ...]
    dropped: tuple[str, ...]


def choose(sheet: Sheet, other_bytes: int, max_bytes: int) -> Chosen:
    """Choose what of a page fits.

    Args:
        other_bytes: Size of everything that is no piece.
        max_bytes: Size of the whole file.
    """
    dropped: dict[int, str] = {}
    candidates = sorted(sheet.pieces, key=lambda piece: (DROP_ORDER.index(piece.kind), piece.age, piece.number))
    for piece in candidates:
        if _total(sheet, dropped) + other_bytes <= max_bytes:
            break
        dropped[piece.number] = (
            f"{_sentence(piece.label)} is left out, so that this file stays under {size(max_bytes)}."
        )
    html = {piece.number: _left_out(sheet, piece, dropped) for piece in sheet.pieces}
    return Chosen(html, _needed(sheet, dropped), tuple(dropped.values()))


def _needed(sheet: Sheet, dropped: dict[int, str]) -> tuple[str, ...]:
    # Charts first: they are drawn while the rest of the file is still being read.
    ordered = sorted(sheet.pieces, key=lambda piece: (piece.kind != "chart", piece.number))
    return tuple(dict.fromkeys(name for piece in ordered if piece.number not in dropped for name in piece.needs))


def _total(sheet: Sheet, dropped: dict[int, str]) -> int:
    shown = sum(len(piece.html.encode()) if piece.number not in dropped else 300 for piece in sheet.pieces)
    return shown + sum(len(sheet.blocks[name][1]) + 100 for name in _needed(sheet, dropped))


def _left_out(sheet: Sheet, piece: Piece, dropped: dict[int, str]) -> str:
    if piece.number not in dropped:
        return piece.html
    facts = f"<div>{piece.instead}</div>" if piece.instead else ""
    return f'<p class="note">{sheet.text(dropped[piece.number])}</p>{facts}'


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
