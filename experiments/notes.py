"""Notes and tags that people give to jobs after the launch; they change no key and launch nothing."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.errors import UsageError
from experiments.permits import Permit, require
from experiments.redaction import mask_text
from experiments.workspace import Workspace

MAX_NOTE = 4_000
_MAX_TAG = 64


def write_note(runs: Sequence[str], text: str, permit: Permit | None, workspace: Workspace) -> None:
    """Keep a note with each run, in the place of an earlier one.

    Raises:
        UsageError: The note is empty or longer than 4,000 characters.
        LaunchRefused: Asked from a page that only shows.
    """
    require(permit, "keep a note")
    note = checked_note(text)
    with workspace.ledger() as ledger:
        ledger.annotate(runs, note=note)


def checked_note(text: str) -> str:
    """Return a note as it is kept: without secrets, and without space around it.

    Raises:
        UsageError: It is empty or longer than 4,000 characters.
    """
    note = mask_text(text.strip())
    if not note or len(note) > MAX_NOTE:
        raise UsageError(f"a note has 1 to {MAX_NOTE:,} characters, not {len(note):,}. Write it again.")
    return note


def add_tag(runs: Sequence[str], tag: str, permit: Permit | None, workspace: Workspace) -> None:
    """Give each run a tag; a run that has it already stays as it is.

    Raises:
        UsageError: The tag is empty, longer than 64 characters, or holds a comma, a line break or a secret.
        LaunchRefused: Asked from a page that only shows.
    """
    require(permit, "tag a job")
    tag = tag.strip()
    if not tag or len(tag) > _MAX_TAG or set(tag) & {",", "\n", "\r"}:
        raise UsageError(f"tag {tag!r} is not one word or phrase of 1 to {_MAX_TAG} characters without a comma.")
    if (shown := mask_text(tag)) != tag:
        raise UsageError(f"tag {shown!r} holds a secret, and a tag is shown wherever its job is. Take another word.")
    with workspace.ledger() as ledger:
        ledger.annotate(runs, add_tags=[tag])
