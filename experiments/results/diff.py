"""What differs between two runs or two arms: settings, code, packages, machine and results, in one view."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ran import Ran, codes_of, doubts, marks_from
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.git import GitError, changed_files, commits_between
from experiments.project.look import clock_words, counted
from experiments.project.provenance import Provenance, file_names
from experiments.project.redaction import mask_text
from experiments.project.snapshots import changed_between, diff_text
from experiments.results.conditions import compared_conditions
from experiments.results.exactness import exact_words
from experiments.results.metric_diff import arms_lines, repeats_of, runs_lines, shared_metrics
from experiments.results.rows import OWN_KEYS, flat_config
from experiments.results.sides import Line, Side
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.types import JobStatus, TrainingJob

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

_SHOWN_COMMITS = 5
_SIDES = ("the first", "the second")


@dataclass(frozen=True)
class RunDiff:
    """All that differs between two sides.

    Attributes:
        code: Sentences on commits, uncommitted changes and the files that differ.
        machine: Sentences on what computed: kernels, threads, processors; of what differs only.
        patch: How the code of two snapshots differs, as `git diff` shows it, without secrets; empty where it does not,
            or where that is not kept.
        same: How many settings, packages and metrics were compared and are equal.
        notes: What could not be compared, and where the numbers come from.
    """

    a: Side
    b: Side
    config: tuple[Line, ...] = ()
    code: tuple[str, ...] = ()
    packages: tuple[Line, ...] = ()
    machine: tuple[str, ...] = ()
    patch: str = ""
    metrics: tuple[Line, ...] = ()
    same: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def diff_of(
    workspace: Workspace,
    a: Side,
    b: Side,
    store: RunStore,
    *,
    metrics: Sequence[str] = (),
    statuses: Mapping[str, JobStatus] | None = None,
) -> RunDiff:
    """Return what differs; what cannot be read is a note.

    Args:
        store: Where the runs are read.
        metrics: Metrics to compare; by default every number that both sides have logged.
        statuses: What is known of each job, by run name.
    """
    notes: list[str] = []
    names = [job.run for job in (*a.runs, *b.runs)]
    jobs, codes = _from_ledger(workspace, names, notes)
    infos: dict[str, RunInfo] = {}
    try:
        infos = {info.name: info for info in store.find(RunQuery(names=names, limit=None))}
    except ExperimentsError as error:
        notes.append(str(error))
    config, same_config = _differences(_config(a, infos, jobs), _config(b, infos, jobs))
    ran = [_codes_of(side, codes) for side in (a, b)]
    code, packages, same_packages = _of_code(workspace, *ran)
    files, patch = _between_snapshots(workspace, *ran)
    conditions = compared_conditions(workspace, *ran)
    notes += conditions.notes
    if conditions.same_packages is not None:
        packages = [Line(each.name, each.a, each.b) for each in conditions.differences if each.kind == "package"]
        same_packages = conditions.same_packages
    machine = [each.words for each in conditions.differences if each.kind not in {"package", "python"}]
    keys = list(metrics) or shared_metrics(a, b, infos, notes)
    if a.is_arm and b.is_arm:
        lines = arms_lines(a, b, keys, store, statuses or {}, marks_from(codes), notes)
    else:
        lines = runs_lines(a, b, keys, infos, repeats_of(workspace, store, (*a.runs, *b.runs), notes), notes)
    if lines and (exact := exact_words(workspace, names)):
        notes.append(exact)
    changed = [line for line in lines if line.change != "same"]
    missing = [name for name in names if name not in infos]
    if missing:
        notes.append(f"no metrics of {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}")
    return RunDiff(
        a,
        b,
        tuple(config),
        (*code, *files),
        tuple(packages),
        tuple(machine),
        patch,
        tuple(changed),
        {"settings": same_config, "packages": same_packages, "metrics": len(lines) - len(changed)},
        (*notes, f"read at {clock_words(time.time())}"),
    )


def _from_ledger(
    workspace: Workspace, names: Sequence[str], notes: list[str]
) -> tuple[dict[str, TrainingJob], dict[str, Ran]]:
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            rows = ledger.rows(run_names=names)
        notes += [row.sentence() for row in rows if isinstance(row, UnreadableJob)]
        codes = codes_of(workspace, names)
    except ExperimentsError as error:
        notes.append(str(error))
        return {}, {}
    notes += dict.fromkeys(code.problem for code in codes.values() if code.problem)
    return {row.run_name: row for row in rows if isinstance(row, TrainingJob)}, codes


def _config(side: Side, infos: Mapping[str, RunInfo], jobs: Mapping[str, TrainingJob]) -> dict[str, str]:
    """Return the settings of a side as text; several values of an arm's runs side by side."""
    values: dict[str, dict[str, None]] = {}
    for ref in side.runs:
        found: dict[str, Any] = flat_config(infos[ref.run].config) if ref.run in infos else {}
        job = jobs.get(ref.run)
        if job is not None:
            # Where it ran matters as well, and W&B's config does not say it.
            found |= {f"job.{key}": value for key, value in flat_config(_job_settings(job)).items()}
            if ref.run not in infos:
                found |= job.config.set_arguments()
        for key, value in found.items():
            if key not in OWN_KEYS:
                values.setdefault(key, {})[_text(value)] = None
    return {key: ", ".join(texts) for key, texts in values.items()}


def _job_settings(job: TrainingJob) -> dict[str, Any]:
    config = job.config.model_dump(mode="json", exclude={"additional_args", "curriculum", "skip_git_check", "trainer"})
    return {**config, "launcher": job.launcher, "target": job.target, "attempt": job.attempt, "repeat": job.repeat}


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[list[Line], int]:
    """Return what differs, and how much is the same."""
    keys = dict.fromkeys([*a, *b])
    lines = [Line(key, a.get(key, look.MISSING), b.get(key, look.MISSING)) for key in keys if a.get(key) != b.get(key)]
    return lines, len(keys) - len(lines)


def _codes_of(side: Side, codes: Mapping[str, Ran]) -> list[Ran]:
    return [codes[ref.run] for ref in side.runs if ref.run in codes]


def _of_code(workspace: Workspace, a: Sequence[Ran], b: Sequence[Ran]) -> tuple[list[str], list[Line], int]:
    """Return what differs between the code of two sides: what ran where that is known, else what was planned."""
    found = [_records_of(codes) for codes in (a, b)]
    if not all(found):
        missing = " and ".join(word for word, records in zip(_SIDES, found, strict=True) if not records)
        return [f"where the code of {missing} comes from is not recorded here"], [], 0
    sentences = []
    for word, codes, records in zip(_SIDES, (a, b), found, strict=True):
        if len(records) > 1:
            sentences.append(f"{word} has {len(records)} states of the code; the newest is compared")
        sentences += [f"{word}: {text}" for text in doubts(codes, workspace.root)]
    old, new = (records[-1] for records in found)
    sentences += _commits(workspace, old, new)
    sentences += _uncommitted(old, new)
    if old.python != new.python:
        sentences.append(f"Python {old.python} and {new.python}")
    packages, same = _differences(old.packages, new.packages)
    return sentences, packages, same


def _between_snapshots(workspace: Workspace, a: Sequence[Ran], b: Sequence[Ran]) -> tuple[list[str], str]:
    """Return which files differ between the newest snapshots of two sides, in a sentence, and how."""
    records = [_records_of(codes) for codes in (a, b)]
    trees = [side[-1].tree for side in records if side]
    names = [tree.snapshot for tree in trees if tree is not None and tree.snapshot is not None]
    if len(names) < 2 or names[0] == names[1]:
        return [], ""
    try:
        files = changed_between(workspace.state, *names)
        patch = mask_text(diff_text(workspace.state, *names))
    except ExperimentsError as error:
        return [f"how the files differ is not known: {error}"], ""
    return [f"{counted(len(files), 'file')} {'differs' if len(files) == 1 else 'differ'}: {file_names(files)}"], patch


def _records_of(codes: Sequence[Ran]) -> list[Provenance]:
    """Return the different states of the code of a side, in the order of its runs."""
    found: dict[object, Provenance] = {}
    for code in codes:
        record = code.provenance() or code.planned
        if record is not None:
            found.setdefault(code.identity or record.model_dump_json(), record)
    return list(found.values())


def _commits(workspace: Workspace, old: Provenance, new: Provenance) -> list[str]:
    if old.commit is None or new.commit is None:
        return [f"no commit is recorded: {old.reason or new.reason or 'no repository'}"]
    if old.commit == new.commit:
        return [f"the same commit, {old.commit[:10]}"]
    span = f"{old.commit[:10]}..{new.commit[:10]}"
    try:
        ahead = commits_between(workspace.root, old.commit, new.commit)
        behind = commits_between(workspace.root, new.commit, old.commit)
        files = changed_files(workspace.root, old.commit, new.commit)
    except GitError as error:
        return [f"{span}: git does not know them here ({error})"]
    parts = [f"{len(ahead)} commit{'' if len(ahead) == 1 else 's'} later"] if ahead else []
    parts += [f"{len(behind)} commit{'' if len(behind) == 1 else 's'} earlier"] if behind else []
    changed = f"{len(files)} file{'' if len(files) == 1 else 's'} changed: {', '.join(files[:3])}" if files else ""
    more = ", …" if len(files) > 3 else ""
    lines = [f"git {span}: {' and '.join(parts)}; {changed or 'no file changed'}{more}"]
    listed = [*(f"+ {text}" for text in ahead), *(f"- {text}" for text in behind)]
    lines += [f"  {text}" for text in listed[:_SHOWN_COMMITS]]
    return lines + ([f"  and {len(listed) - _SHOWN_COMMITS} more"] if len(listed) > _SHOWN_COMMITS else [])


def _uncommitted(old: Provenance, new: Provenance) -> list[str]:
    before, after = _changed(old, whole=_is_whole(old, new)), _changed(new, whole=_is_whole(old, new))
    if before == after:
        return ["the same uncommitted changes on top of it"] if before[0] else []
    words = [
        f"{word}: {counted(number, 'changed file')} not committed" if number else f"{word}: clean"
        for word, (number, _) in zip(_SIDES, (before, after), strict=True)
    ]
    return ["; ".join(words)]


def _is_whole(old: Provenance, new: Provenance) -> bool:
    return all(record.tree is not None and record.tree.sha256 is not None for record in (old, new))


def _changed(record: Provenance, *, whole: bool) -> tuple[int, object]:
    """Return how many files differ from the commit, and what tells their content.

    Args:
        whole: Both records know the untracked files too; those of 0.1.0 do not.
    """
    if whole and record.tree is not None:
        return record.tree.file_count, record.tree.files
    return record.file_count, record.diff_sha256


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
