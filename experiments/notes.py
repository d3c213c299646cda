"""Notes and tags that people give to jobs after the launch; they are events of the ledger and change no key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.errors import UsageError
from experiments.permits import Permit, require
from experiments.redaction import mask_text
from experiments.workspace import Workspace

_MAX_NOTE = 4_000
_MAX_TAG = 64


def add_note(runs: Sequence[str], text: str, permit: Permit | None, workspace: Workspace) -> None:
    """Keep a note with each run.

    Raises:
        UsageError: The note is empty or longer than 4,000 characters.
        LaunchRefused: Asked from a page that only shows.
    """
    permit = require(permit, "keep a note")
    text = mask_text(text.strip())
    if not text or len(text) > _MAX_NOTE:
        raise UsageError(f"a note has 1 to {_MAX_NOTE:,} characters, not {len(text):,}. Write it again.")
    with workspace.ledger() as ledger:
        for run in runs:
            ledger.add_event("note", run_name=run, text=text, by=permit.how)


def add_tag(runs: Sequence[str], tag: str, permit: Permit | None, workspace: Workspace) -> None:
    """Give each run a tag; a run that has it already stays as it is.

    Raises:
        UsageError: The tag is empty, longer than 64 characters, or holds a comma or a line break.
        LaunchRefused: Asked from a page that only shows.
    """
    permit = require(permit, "tag a job")
    tag = tag.strip()
    if not tag or len(tag) > _MAX_TAG or set(tag) & {",", "\n", "\r"}:
        raise UsageError(f"tag {tag!r} is not one word or phrase of 1 to {_MAX_TAG} characters without a comma.")
    with workspace.ledger() as ledger:
        for run in runs:
            if tag not in tags_of(workspace, [run])[run]:
                ledger.add_event("tag", run_name=run, tag=tag, by=permit.how)


def tags_of(workspace: Workspace, runs: Iterable[str]) -> dict[str, list[str]]:
    """Return the tags that people gave to each run, in the order given."""
    with workspace.ledger(read_only=True) as ledger:
        return {
            run: [event.data["tag"] for event in ledger.events(run_name=run) if event.kind == "tag"] for run in runs
        }
