"""What a program reads of an experiment or a run by its address: plan, journal, notebook and log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

from experiments.cli.cutting import Long, begin_of, following_of
from experiments.cli.envelope import Answer, Shown
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.rule import Rule
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.types import TrainingJob, TrainingJobConfig

SCHEME = "experiments"
SKILL = f"{SCHEME}://skill"
_KINDS = {
    "plan": "What was planned of an experiment: launches, arms with their configs, and jobs.",
    "journal": "Hypothesis and rule of an experiment as they were recorded, and what happened since, with notes.",
    "notebook": "The notebook of an experiment, its file line by line.",
    "log": "What a run printed, its last 2,000 lines.",
}
_RECENT = 100
_LINES = 2_000
_PAGE = 100
_LARGEST = 8 << 20


class LaunchOf(Shown):
    """One launch of an experiment.

    Attributes:
        plan: Key of the plan that was launched.
        recipe: Its file.
        command: The words that were typed.
        commit: Git's commit, where the project had one.
    """

    plan: str
    recipe: str | None
    command: tuple[str, ...]
    commit: str | None


class PlannedJob(Shown):
    """One job of a plan; `state` is how far it was handed over."""

    run: str
    arm: str
    seed: int
    role: str
    attempt: int
    plan: str
    state: str


class PlanOf(Long):
    """What was planned of an experiment.

    Attributes:
        arms: The config of each arm, as it was launched last.
    """

    ITEMS: ClassVar[str] = "jobs"
    KEY: ClassVar[str] = "run"

    experiment: str
    launches: tuple[LaunchOf, ...]
    arms: dict[str, TrainingJobConfig]
    jobs: tuple[PlannedJob, ...]


class EntryOf(Shown):
    """One line of a log, at Unix seconds: a launch, an end, a note or a hypothesis that was recorded."""

    at: float
    kind: str
    text: str


class JournalOf(Long):
    """What was expected of an experiment, recorded before a launch, and what happened since.

    Attributes:
        recorded_at: Unix seconds; null where nothing was.
    """

    ITEMS: ClassVar[str] = "entries"

    experiment: str
    hypothesis: str
    rule: Rule | None
    recorded_at: float | None
    entries: tuple[EntryOf, ...]


class NotebookOf(Long):
    """The file of a notebook."""

    ITEMS: ClassVar[str] = "lines"

    experiment: str
    file: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Address:
    """A resource as it is listed."""

    uri: str
    name: str
    description: str


def templates() -> list[Address]:
    """Return the addresses of all resources, with what has to be filled in."""
    return [
        Address(f"{uri_of(kind)}{{{'run' if kind == 'log' else 'experiment'}}}{{?cursor}}", kind, said)
        for kind, said in _KINDS.items()
    ]


def uri_of(kind: str, name: str = "") -> str:
    """Return the address of a resource."""
    return f"{SCHEME}://{kind}/{quote(name, safe='')}"


def listed(cursor: str | None) -> tuple[list[Address], str | None]:
    """Return the addresses behind a cursor and the cursor of the rest: those of all experiments, then the newest logs.

    Raises:
        UsageError: It is no cursor.
    """
    workspace = Workspace.find(Path.cwd())
    begin = begin_of(cursor)
    found = [Address(SKILL, "skill", "How to work with Experiments, for agents."), *_addresses(workspace)]
    end = begin + _PAGE
    return found[begin:end], following_of(end) if end < len(found) else None


def _addresses(workspace: Workspace) -> Iterator[Address]:
    with open_ledger(workspace, read_only=True) as ledger:
        experiments = ledger.experiments()
        newest, _ = ledger.recent(_RECENT)
    for name in experiments:
        kinds = [kind for kind in _KINDS if kind != "log"]
        if not _notebook(workspace, name).is_file():
            kinds.remove("notebook")
        yield from (Address(uri_of(kind, name), f"{kind} of {name}", _KINDS[kind]) for kind in kinds)
    yield from (
        Address(uri_of("log", job.run_name), f"log of {job.run_name}", _KINDS["log"]) for job in reversed(newest)
    )


def kind_of(uri: str) -> str:
    """Return what a resource is, the word before its name; `resource` where it is none of ours."""
    kind = urlsplit(uri).netloc if uri.isprintable() and uri.startswith(f"{SCHEME}://") else ""
    return kind if kind in _KINDS else "resource"


def read(uri: str) -> tuple[Answer[Any], str | None]:
    """Return what a resource holds and the cursor that its address names.

    Raises:
        UsageError: There is no such resource, experiment or run.
        ExperimentsError: It cannot be read.
    """
    kind, parts = kind_of(uri), urlsplit(uri)
    name = unquote(parts.path.removeprefix("/"))
    if kind == "resource" or not name:
        known = ", ".join(f"{uri_of(each)}NAME" for each in _KINDS)
        raise UsageError(f"there is no resource {uri[:200]!r}. There are: {known}")
    cursor = next(iter(parse_qs(parts.query).get("cursor", [])), None)
    workspace = Workspace.find(Path.cwd())
    if kind == "log":
        from experiments.cli.jobs import logs

        found = logs(name, lines=_LINES)
        assert isinstance(found, Answer)
        return found, cursor
    with open_ledger(workspace, read_only=True) as ledger:
        if not (rows := ledger.rows(experiment=name)):
            from experiments.jobs.finding import of_experiments

            of_experiments(ledger.rows(), [name])
        if kind == "plan":
            return Answer(_plan(ledger, name, rows)), cursor
    return Answer(_journal(workspace, name, rows) if kind == "journal" else _lines(workspace, name)), cursor


def _plan(ledger: LedgerReader, name: str, rows: list[TrainingJob | UnreadableJob]) -> PlanOf:
    launches = []
    for key in dict.fromkeys(row.plan_key for row in rows if row.plan_key):
        recorded = ledger.provenance(key)
        words = recorded.get("command")
        launches.append(
            LaunchOf(
                plan=key,
                recipe=_text(recorded.get("recipe")),
                command=tuple(map(str, words)) if isinstance(words, list) else (),
                commit=_text(recorded.get("commit")),
            )
        )
    jobs = [row for row in rows if isinstance(row, TrainingJob)]
    return PlanOf(
        experiment=name,
        launches=tuple(launches),
        arms={job.arm: job.config for job in jobs},
        jobs=tuple(
            PlannedJob(
                run=job.run_name,
                arm=job.arm,
                seed=job.seed,
                role=job.role,
                attempt=job.attempt,
                plan=job.plan_key,
                state=job.state,
            )
            for job in jobs
        ),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _journal(workspace: Workspace, name: str, rows: list[TrainingJob | UnreadableJob]) -> JournalOf:
    from experiments.jobs.journal import entries, recorded_journals

    keys = list(dict.fromkeys(row.plan_key for row in rows if row.plan_key))
    last = next((one for one in reversed(recorded_journals(workspace, keys)) if one.journal is not None), None)
    journal = last.journal if last is not None else None
    return JournalOf(
        experiment=name,
        hypothesis=journal.hypothesis if journal is not None else "",
        rule=journal.rule if journal is not None else None,
        recorded_at=last.at if last is not None else None,
        entries=tuple(EntryOf(at=one.at, kind=one.kind, text=one.text) for one in entries(workspace, name)),
    )


def _notebook(workspace: Workspace, name: str) -> Path:
    return workspace.root / "experiments" / "scratch" / f"{name}_nb.py"


def _lines(workspace: Workspace, name: str) -> NotebookOf:
    from experiments.project.names import check_name
    from experiments.project.redaction import mask_texts

    path = _notebook(workspace, check_name("experiment", name))
    shown = workspace.shown(path)
    if not path.is_file():
        raise UsageError(f"experiment {name!r} has no notebook at {shown}. Its recipe makes one, with --no-launch.")
    if path.stat().st_size > _LARGEST:
        raise UsageError(f"notebook {shown} is too large to be read here. Look at it in a shell.")
    text = path.read_bytes().decode("utf-8", "replace")
    return NotebookOf(experiment=name, file=shown, lines=tuple(mask_texts(text.splitlines())))
