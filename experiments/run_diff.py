"""What differs between two runs or two arms: settings, code, packages and results, in one view."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments import look
from experiments.clock import clock_words
from experiments.errors import ExperimentsError, UsageError
from experiments.provenance import Provenance
from experiments.provenance.git import GitError, changed_files, commits_between
from experiments.run_rows import OWN_KEYS, flat_config
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.scoring import scored_runs
from experiments.statistics.comparisons import Comparison, compare
from experiments.statistics.scores import describe
from experiments.types import JobRef, JobStatus, TrainingJob, number_or_none

if TYPE_CHECKING:
    from experiments.workspace import Workspace

_SHOWN_COMMITS = 5
_NO_METRICS = ("_runtime", "_step", "_timestamp", "_wandb")


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared.

    Attributes:
        name: What was asked for: a run name, or an arm.
        is_arm: Whether it is an arm; it has several runs then, one a seed.
    """

    name: str
    runs: tuple[JobRef, ...]
    is_arm: bool

    @property
    def label(self) -> str:
        """What to call it in a heading."""
        if not self.is_arm:
            return self.name
        return f"{self.name} ({len(self.runs)} run{'' if len(self.runs) == 1 else 's'})"


@dataclass(frozen=True)
class Line:
    """One thing that differs.

    Attributes:
        key: Setting, package or metric.
        a: Of the first side, as text; an en dash where it has none.
        b: Of the second side.
        change: What the difference is, where it has a size.
    """

    key: str
    a: str
    b: str
    change: str = ""


@dataclass(frozen=True)
class RunDiff:
    """All that differs between two sides.

    Attributes:
        code: Sentences on commits and uncommitted changes.
        same: How many settings, packages and metrics were compared and are equal.
        notes: What could not be compared, and where the numbers come from.
    """

    a: Side
    b: Side
    config: tuple[Line, ...] = ()
    code: tuple[str, ...] = ()
    packages: tuple[Line, ...] = ()
    metrics: tuple[Line, ...] = ()
    same: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sides(workspace: Workspace, a: str, b: str, jobs: Sequence[JobRef] = ()) -> tuple[Side, Side]:
    """Return what two names mean: runs by name or launcher id, else arms of one experiment.

    Args:
        a: A run, an arm, or `EXPERIMENT/ARM`.
        b: The same.
        jobs: References that need not be in the ledger, such as a notebook's; an arm of theirs stands first.

    Raises:
        UsageError: A name is neither a run nor an arm, or both are the same.
    """
    with workspace.ledger(read_only=True) as ledger:
        known = [job for job in ledger.jobs() if job.state != "planned"]
    found = tuple(_side(name, known, jobs) for name in (a, b))
    if found[0].runs == found[1].runs:
        raise UsageError(f"{a!r} and {b!r} are the same. Name two runs or two arms: experiments status lists them.")
    return found[0], found[1]


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
    jobs, records = _from_ledger(workspace, names, notes)
    infos: dict[str, RunInfo] = {}
    try:
        infos = {info.name: info for info in store.find(RunQuery(names=names, limit=None))}
    except ExperimentsError as error:
        notes.append(str(error))
    config, same_config = _differences(_config(a, infos, jobs), _config(b, infos, jobs))
    code, packages, same_packages = _of_code(workspace, _records_of(a, records), _records_of(b, records))
    keys = list(metrics) or _shared_metrics(a, b, infos)
    lines = _of_metrics(a, b, keys, infos, store, statuses or {}, notes)
    changed = [line for line in lines if line.change != "same"]
    missing = [name for name in names if name not in infos]
    if missing:
        notes.append(f"no metrics of {', '.join(missing[:3])}{' and others' if len(missing) > 3 else ''}")
    return RunDiff(
        a,
        b,
        tuple(config),
        tuple(code),
        tuple(packages),
        tuple(changed),
        {"settings": same_config, "packages": same_packages, "metrics": len(lines) - len(changed)},
        (*notes, f"read at {clock_words(time.time())}"),
    )


def _side(name: str, known: Sequence[TrainingJob], jobs: Sequence[JobRef]) -> Side:
    refs = {job.run: job for job in jobs}
    runs = [job for job in known if name in (job.run_name, job.launcher_id)]
    if name in refs:
        return Side(name, (refs[name],), is_arm=False)
    if len(runs) == 1:
        return Side(runs[0].run_name, (runs[0].ref(),), is_arm=False)
    experiment, _, arm = name.rpartition("/")
    of_arm = [job for job in jobs if job.arm == name]
    if of_arm:
        return Side(name, tuple(of_arm), is_arm=True)
    matches = [job for job in known if job.arm == arm and (not experiment or job.experiment == experiment)]
    experiments = list(dict.fromkeys(job.experiment for job in matches))
    if len(experiments) > 1:
        named = ", ".join(f"{one}/{arm}" for one in experiments)
        raise UsageError(f"arm {arm!r} is in {len(experiments)} experiments. Name one of them: {named}")
    if not matches:
        arms = list(dict.fromkeys([*(job.arm for job in jobs), *(f"{job.experiment}/{job.arm}" for job in known)]))
        listed = f" Arms: {', '.join(arms[:12])}." if arms else ""
        raise UsageError(f"{name!r} is neither a run nor an arm.{listed} Runs: experiments status")
    return Side(arm, tuple(job.ref() for job in matches), is_arm=True)


def _from_ledger(
    workspace: Workspace, names: Sequence[str], notes: list[str]
) -> tuple[dict[str, TrainingJob], dict[str, Provenance]]:
    try:
        with workspace.ledger(read_only=True) as ledger:
            jobs = {job.run_name: job for job in ledger.jobs(run_names=names)}
            records = {key: ledger.provenance(key) for key in {job.plan_key for job in jobs.values()}}
    except ExperimentsError as error:
        notes.append(str(error))
        return {}, {}
    kept = {key: Provenance.model_validate(record) for key, record in records.items() if record}
    return jobs, {name: kept[job.plan_key] for name, job in jobs.items() if job.plan_key in kept}


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
                found |= dict(argument.split("=", 1) for argument in job.config.additional_args)
        for key, value in found.items():
            if key not in OWN_KEYS:
                values.setdefault(key, {})[_text(value)] = None
    return {key: ", ".join(texts) for key, texts in values.items()}


def _job_settings(job: TrainingJob) -> dict[str, Any]:
    config = job.config.model_dump(mode="json", exclude={"additional_args", "curriculum", "skip_git_check"})
    return {**config, "launcher": job.launcher, "target": job.target, "attempt": job.attempt, "repeat": job.repeat}


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[list[Line], int]:
    """Return what differs, and how much is the same."""
    keys = dict.fromkeys([*a, *b])
    lines = [Line(key, a.get(key, look.MISSING), b.get(key, look.MISSING)) for key in keys if a.get(key) != b.get(key)]
    return lines, len(keys) - len(lines)


def _records_of(side: Side, records: Mapping[str, Provenance]) -> list[Provenance]:
    """Return the different records of a side, in the order of its runs."""
    found: list[Provenance] = []
    for ref in side.runs:
        record = records.get(ref.run)
        if record is not None and record not in found:
            found.append(record)
    return found


def _of_code(
    workspace: Workspace, a: Sequence[Provenance], b: Sequence[Provenance]
) -> tuple[list[str], list[Line], int]:
    if not a or not b:
        missing = " and ".join(word for word, found in (("the first", a), ("the second", b)) if not found)
        return [f"where the code of {missing} comes from is not recorded here"], [], 0
    sentences = []
    for word, records in (("the first", a), ("the second", b)):
        if len(records) > 1:
            sentences.append(f"{word} was launched from {len(records)} states of the code; the newest is compared")
    old, new = a[-1], b[-1]
    sentences += _commits(workspace, old, new)
    sentences += _uncommitted(old, new)
    if old.python != new.python:
        sentences.append(f"Python {old.python} and {new.python}")
    packages, same = _differences(old.packages, new.packages)
    return sentences, packages, same


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
    if old.diff_sha256 == new.diff_sha256:
        return [] if old.diff_sha256 is None else ["the same uncommitted changes on top of it"]
    words = [
        f"{word}: {record.file_count} changed file{'' if record.file_count == 1 else 's'} not committed"
        if record.diff_sha256
        else f"{word}: clean"
        for word, record in (("the first", old), ("the second", new))
    ]
    return ["; ".join(words)]


def _shared_metrics(a: Side, b: Side, infos: Mapping[str, RunInfo]) -> list[str]:
    """Return the metrics that both sides have logged as numbers, by name."""

    def logged(side: Side) -> set[str]:
        summaries = [infos[ref.run].summary for ref in side.runs if ref.run in infos]
        return {key for summary in summaries for key, value in summary.items() if number_or_none(value) is not None}

    return sorted(key for key in logged(a) & logged(b) if not key.startswith(_NO_METRICS))


def _of_metrics(
    a: Side,
    b: Side,
    keys: Sequence[str],
    infos: Mapping[str, RunInfo],
    store: RunStore,
    statuses: Mapping[str, JobStatus],
    notes: list[str],
) -> list[Line]:
    if not (a.is_arm and b.is_arm):
        notes.append("metrics are latest values; one run has no interval")
        return [_of_values(key, _latest(a, key, infos), _latest(b, key, infos)) for key in keys]
    lines, told = [], None
    jobs = [
        *(ref.model_copy(update={"arm": "a"}) for ref in a.runs),
        *(ref.model_copy(update={"arm": "b"}) for ref in b.runs),
    ]
    for key in keys:
        runs = scored_runs(jobs, key, store, statuses=statuses)
        comparison = compare(runs.scores["b"], runs.scores["a"])
        if told is None or told.difference.interval.bounds is None:
            told = comparison
        lines.append(_of_comparison(key, comparison, *(describe(runs.scores[side]).value for side in "ab")))
    if told is not None:
        counts = f"{a.name}: {told.counts[1].sentence}; {b.name}: {told.counts[0].sentence}"
        paired = ", seed by seed" if told.difference.paired else ""
        notes.append(
            f"metrics are means over seeds of each run's {told.what}; the change is the second minus the first, "
            f"{told.difference.interval.words}{paired}, not corrected for the number of metrics; {counts}"
        )
    return lines


def _of_comparison(key: str, comparison: Comparison, a: float | None, b: float | None) -> Line:
    difference, bounds = comparison.difference, comparison.difference.interval.bounds
    if difference.value is None:
        change = "unknown"
    elif difference.value == 0 and bounds is None:
        change = "same"
    else:
        change = f"{_signed(difference.value)} " + (
            f"({_signed(bounds[0])} to {_signed(bounds[1])})" if bounds else "(no interval)"
        )
    return Line(key, look.quantity(a), look.quantity(b), change)


def _latest(side: Side, key: str, infos: Mapping[str, RunInfo]) -> float | None:
    values = [number_or_none(infos[ref.run].summary.get(key)) for ref in side.runs if ref.run in infos]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _of_values(key: str, a: float | None, b: float | None) -> Line:
    if a is None or b is None:
        return Line(key, look.quantity(a), look.quantity(b), "unknown")
    return Line(key, look.quantity(a), look.quantity(b), "same" if a == b else _signed(b - a))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _signed(value: float) -> str:
    return f"+{look.quantity(value)}" if value > 0 else look.quantity(value)
