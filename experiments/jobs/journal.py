"""What was expected before a launch, the rule that decides, and what became of them since; notes and tags of people.

The `journal` cell of a notebook is one `Journal`: text and literals that git keeps. Its hash and time are recorded
beside a plan when it is launched, never in the plan's key: mending a typo launches nothing. Whether the rule was
changed afterwards can therefore be said. A note or a tag is given after the launch, and launches nothing either.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, ValidationError, field_validator

from experiments.jobs.covering import attested
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit
from experiments.jobs.rule import Rule as Rule  # noqa: PLC0414 - it stood here, and notebooks take it from here
from experiments.project.errors import UsageError
from experiments.project.look import counted, printable
from experiments.project.redaction import mask_text
from experiments.project.values import Frozen
from experiments.project.workspace import Workspace
from experiments.types import TERMINAL_VERDICTS, JobStatus

SHOWN_HASH = 12
KIND = "journal"
NOTE_KIND = "journal_note"


class Journal(Frozen):
    """The log of an experiment.

    Attributes:
        hypothesis: What is expected, and why; written before the launch.
        rule: What decides it.
        notes: What happened, by time in ISO 8601 (`2026-11-22 19:40`); not part of the hash.
    """

    hypothesis: str
    rule: Rule | None
    notes: dict[str, str] = Field(default_factory=dict)

    @field_validator("hypothesis")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()

    @property
    def is_written(self) -> bool:
        """Whether there is a hypothesis."""
        return bool(self.hypothesis)

    @property
    def digest(self) -> str:
        """sha256 of hypothesis and rule, whose line breaks and spacing do not count."""
        rule = self.rule.model_dump(mode="json") if self.rule else None
        content = {"hypothesis": " ".join(self.hypothesis.split()), "rule": rule}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


BLANK = Journal(hypothesis="", rule=Rule(metric="overview/reward", direction="higher", effect=0.0))
"""What a notebook holds where its recipe expects nothing: a form to fill in."""


@dataclass(frozen=True)
class Recorded:
    """A journal as it was when a plan was launched.

    Attributes:
        at: Unix seconds, before the first job of that launch was handed over.
        digest: sha256 of hypothesis and rule.
        journal: The text itself; None where this version cannot read what an earlier one wrote.
        plan_key: The plan that was launched.
    """

    at: float
    digest: str
    journal: Journal | None
    plan_key: str


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes:
        at: Unix seconds.
        text: What happened, or what somebody wrote.
        kind: `launch`, `ended`, `note`, `run note` or `journal`.
    """

    at: float
    text: str
    kind: str


def recorded_journals(workspace: Workspace, plan_keys: Sequence[str]) -> list[Recorded]:
    """Return what was recorded at the launches of some plans, oldest first.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        return recorded_in(ledger, plan_keys)


def recorded_in(ledger: LedgerReader, plan_keys: Sequence[str]) -> list[Recorded]:
    """Return the same from a ledger that is open: in the order of its records, which a clock set back is not."""
    return [
        Recorded(event.at, str(event.data.get("digest", "")), _journal(event.data.get("journal")), str(event.plan_key))
        for event in ledger.events(plan_key=plan_keys, kind=KIND)
    ]


def write_entry(experiment: str, text: str, permit: Permit | None, workspace: Workspace) -> None:
    """Keep a note with its time in the log of an experiment.

    Raises:
        UsageError: The note is empty or longer than 4,000 characters.
        LaunchRefused: Asked from a page that only shows.
    """
    note = _signed(checked_note(text), attested(permit, "keep a note", workspace))
    with open_ledger(workspace) as ledger:
        ledger.add_event(NOTE_KIND, experiment=experiment, text=note)


def kept_notes(workspace: Workspace, experiment: str) -> dict[str, str]:
    """Return the notes of an experiment's log by time, in ISO 8601 with the zone of this machine.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        found = ledger.events(kind=NOTE_KIND)
    return {
        dt.datetime.fromtimestamp(event.at).astimezone().isoformat(" ", "seconds"): str(event.data.get("text", ""))
        for event in found
        if event.data.get("experiment") == experiment
    }


def entries(workspace: Workspace, experiment: str, statuses: Mapping[str, JobStatus] | None = None) -> list[Entry]:
    """Return what is known of an experiment's course, oldest first: launches, ends, hypotheses and notes.

    Jobs that were launched together, or that ended one after the other with nothing else between, are one line.

    Args:
        statuses: What is known of each job, by run name: the ledger notes the end of a job only some time after it.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        jobs = {job.run_name: job for job in ledger.rows(experiment=experiment)}
        keys = {job.plan_key for job in jobs.values()}
        found: list[Entry] = []
        ends = {run: Entry(at, word, "ended") for run, at, word in _ends(statuses or {}) if run in jobs}
        kinds = {KIND, "planned", "launch", "annotated", "ended"}
        told = ledger.events(plan_key=keys, run_name=jobs, kind=kinds)
        by = {event.plan_key: _by(event.data.get("by")) for event in reversed(told) if event.kind == "launch"}
        for event in [*told, *ledger.events(kind=NOTE_KIND)]:
            if event.kind == NOTE_KIND and event.data.get("experiment") == experiment:
                found.append(Entry(event.at, str(event.data.get("text", "")), "note"))
            elif event.kind == KIND and event.plan_key in keys:
                found.append(Entry(event.at, f"hypothesis recorded ({str(event.data.get('digest'))[:12]})", "journal"))
            elif event.kind == "planned" and event.plan_key in keys and event.run_name is None:
                number = _jobs(event.data.get("jobs"))
                found.append(Entry(event.at, f"{number} launched{by.get(event.plan_key, '')}", "launch"))
            elif event.kind == "annotated" and event.run_name in jobs and event.data.get("note"):
                found.append(Entry(event.at, f"{event.run_name}: {event.data['note']}", "run note"))
            elif event.kind == "ended" and event.run_name in jobs:
                at = event.data.get("ended_at") or event.at
                ends.setdefault(str(event.run_name), Entry(at, str(event.data.get("word", "")), "ended"))
    return _with_endings_joined(sorted([*found, *ends.values()], key=lambda entry: entry.at))


def _journal(content: object) -> Journal | None:
    try:
        return Journal.model_validate(content)
    except ValidationError:
        return None


def _ends(statuses: Mapping[str, JobStatus]) -> Iterator[tuple[str, float, str]]:
    for run, status in statuses.items():
        if status.verdict in TERMINAL_VERDICTS and status.ended_at is not None:
            yield run, status.ended_at, status.verdict


def _with_endings_joined(entries: Sequence[Entry]) -> list[Entry]:
    found: list[Entry] = []
    for kind, group in itertools.groupby(entries, key=lambda entry: entry.kind):
        items = list(group)
        ended = Entry(items[-1].at, _endings([item.text for item in items]), "ended")
        found += [ended] if kind == "ended" else items
    return found


def _endings(words: Sequence[str]) -> str:
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    return ", ".join(f"{counted(number, 'job')} ended ({word.lower() or 'unknown'})" for word, number in counts.items())


def _by(how: object) -> str:
    """Return by which permit somebody else than a person launched, in words; empty where a person did."""
    return f" with {how.partition(':')[0]}" if isinstance(how, str) and how.startswith("permit ") else ""


def _jobs(number: object) -> str:
    return counted(number, "job") if isinstance(number, int) else "jobs"


MAX_NOTE = 4_000
_MAX_TAG = 64


def write_note(runs: Sequence[str], text: str, permit: Permit | None, workspace: Workspace) -> None:
    """Keep a note with each run, in the place of an earlier one.

    Raises:
        UsageError: The note is empty, longer than 4,000 characters or no UTF-8 text.
        LaunchRefused: Asked from a page that only shows.
    """
    note = _signed(checked_note(text), attested(permit, "keep a note", workspace))
    with open_ledger(workspace) as ledger:
        ledger.annotate(runs, note=note)


def checked_note(text: str) -> str:
    """Return a note as it is kept: without secrets, and without space around it.

    Raises:
        UsageError: It is empty, longer than 4,000 characters or no UTF-8 text.
    """
    _check_text("note", text)
    note = mask_text(text.strip())
    if not note or len(note) > MAX_NOTE:
        raise UsageError(f"a note has 1 to {MAX_NOTE:,} characters, not {len(note):,}. Write it again.")
    return note


def _signed(note: str, permit: Permit) -> str:
    """Return a note with the name of the permit by which somebody else than a person wrote it."""
    return note if permit.granted is None else f"[permit {permit.granted}] {note}"


def add_tag(runs: Sequence[str], tag: str, permit: Permit | None, workspace: Workspace) -> None:
    """Give each run a tag; a run that has it already stays as it is.

    Raises:
        UsageError: The tag is empty, longer than 64 characters, or holds a comma, a sign that cannot be shown or a
            secret.
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "tag a job", workspace)
    _check_text("tag", tag)
    tag = tag.strip()
    if not tag or len(tag) > _MAX_TAG or "," in tag or printable(tag) != tag or set(tag) & {"\n", "\t"}:
        raise UsageError(
            f"tag {tag!a} is not one word or phrase of 1 to {_MAX_TAG} characters that can be shown, without a comma."
        )
    if (shown := mask_text(tag)) != tag:
        raise UsageError(f"tag {shown!r} holds a secret, and a tag is shown wherever its job is. Take another word.")
    with open_ledger(workspace) as ledger:
        ledger.annotate(runs, add_tags=[tag])


def remove_tag(runs: Sequence[str], tag: str, permit: Permit | None, workspace: Workspace) -> list[str]:
    """Take a tag from each run that was given it after its launch, and return these.

    Raises:
        UsageError: None of them was given it. What a launch gave a run stays with it.
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "untag a job", workspace)
    # Not checked as a new one is: an earlier version may have kept what this one would refuse.
    tag = tag.strip()
    with open_ledger(workspace) as ledger:
        given = ledger.annotations(runs)
        tagged = [run for run in dict.fromkeys(runs) if run in given and tag in given[run].tags]
        if not tagged:
            known = sorted({known for annotation in given.values() for known in annotation.tags})
            told = f"Theirs: {', '.join(map(repr, known))}." if known else "They have none; those of a launch stay."
            raise UsageError(f"no job named has the tag {tag!r}. {told}")
        ledger.annotate(tagged, remove_tags=[tag])
    return tagged


def _check_text(what: str, text: str) -> None:
    """Refuse what could be kept and then be shown nowhere: a file or a page is made of UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} {text[:80]!a} holds bytes that are no UTF-8 text. Write it again.") from None
