"""What a command says of the notebook that it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiments.notebooks.remaking import Conflict, Merge


@dataclass(frozen=True)
class WriteResult:
    """What became of a notebook file; the names are of generated cells.

    Attributes:
        changed: The file was written; False where it was up to date.
        created: There was no file before.
        replaced: Brought up to date.
        kept: Edited in the file and left alone.
        added: New, or brought back.
        removed: No longer generated.
        gone: Deleted in the file and left out.
        conflicts: Edited in the file and changed in the template: left alone, and to be looked at.
        backup: Copy of the file as it was, where edits were overwritten.
        notes: What else is to be said, in sentences.
    """

    path: Path
    changed: bool
    created: bool = False
    replaced: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    backup: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a conflict waits for a decision, else 0."""
        return 1 if self.conflicts else 0

    def report(self) -> str:
        """Return lines for a terminal: what was done, and each conflict with its difference and the way out."""
        groups = ("replaced", "added", "removed", "kept", "gone")
        words = {"kept": "kept as edited", "gone": "left deleted"}
        lines = [f"note: {note}" for note in self.notes]
        lines += [
            f"{words.get(group, group)}: {', '.join(names)}" for group in groups if (names := getattr(self, group))
        ]
        lines += [conflict.text for conflict in self.conflicts]
        return "\n".join(lines + ([f"as it was: {self.backup.name}"] if self.backup else []))

    @classmethod
    def of(cls, path: Path, merged: Merge, *, changed: bool, backup: Path | None) -> WriteResult:
        """Return the result of writing a merge."""
        return cls(
            path,
            changed=changed,
            replaced=merged.replaced,
            kept=merged.kept,
            added=merged.added,
            removed=merged.removed,
            gone=merged.gone,
            conflicts=merged.conflicts,
            backup=backup,
            notes=merged.notes,
        )
