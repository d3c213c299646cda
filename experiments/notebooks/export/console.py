"""What a cell prints, kept up to a limit."""

from __future__ import annotations

import io

MAX_CONSOLE = 200_000
"""Characters kept of what one cell prints; a line says how many more there were."""


class KeptText(io.TextIOBase):
    """A text stream that keeps the first characters written to it and counts the others."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._kept = self._lost = 0

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take a text in."""
        kept = text[: MAX_CONSOLE - self._kept]
        self._parts.append(kept)
        self._kept += len(kept)
        self._lost += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        """Return what was kept, and how much was not."""
        more = f"\n[{self._lost:,} more characters]" if self._lost else ""
        return "".join(self._parts) + more
