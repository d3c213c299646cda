"""What differs between two runs or two arms: settings, code, packages and results, in one view."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import UnreadableJob
from experiments.jobs.ran import Ran, codes_of, doubts
from experiments.project import look
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.git import GitError, changed_files, commits_between
from experiments.project.look import clock_words, counted
from experiments.project.provenance import Provenance
from experiments.results.rows import OWN_KEYS, flat_config
from experiments.results.scores import scored_runs
from experiments.runs.store import RunInfo, RunQuery, RunStore
from experiments.runs.wandb_file.table import is_media_part
from experiments.statistics import Comparison, compare, describe
from experiments.types import JobRef, JobStatus, TrainingJob, number_or_none, replaced

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

_SHOWN_COMMITS = 5
_SIDES = ("the first", "the second")
_NO_METRICS = ("_runtime", "_step", "_timestamp", "_wandb")


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared.

    Attributes:
        name: What was asked for: a run name, or an arm.
        is_arm: Whether it is an arm or an experiment; it may have several runs then.
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
    """Return what two names mean: runs by name or launcher id, else arms of one experiment, else experiments.

    Args:
        a: A run, an arm or `EXPERIMENT/ARM`, an experiment or `EXPERIMENT/`.
        b: The same.
        jobs: References that need not be in the ledger, such as a notebook's; an arm of theirs stands first.

    Raises:
        UsageError: A name is neither a run nor an arm nor an experiment, is several, or both are the same.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        known = [job for job in ledger.rows() if job.state != "planned"]
    found = tuple(_side(name, known, jobs) for name in (a, b))
    if found[0].runs == found[1].runs:
        raise UsageError(
            f"{a!r} and {b!r} are the same. Name two runs, arms or experiments: experiments status lists them."
        )
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
    jobs, codes = _from_ledger(workspace, names, notes)
    infos: dict[str, RunInfo] = {}
    try:
        infos = {info.name: info for info in store.find(RunQuery(names=names, limit=None))}
    except ExperimentsError as error:
        notes.append(str(error))
    config, same_config = _differences(_config(a, infos, jobs), _config(b, infos, jobs))
    code, packages, same_packages = _of_code(workspace, _codes_of(a, codes), _codes_of(b, codes))
    keys = list(metrics) or _shared_metrics(a, b, infos, notes)
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


def _side(name: str, known: Sequence[TrainingJob | UnreadableJob], jobs: Sequence[JobRef]) -> Side:
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
    whole = [job for job in known if job.experiment == (name.removesuffix("/"))]
    matches = [job for job in known if job.arm == arm and (not experiment or job.experiment == experiment)]
    if whole and matches:
        one = matches[0]
        raise UsageError(f"{name!r} is an experiment and an arm. Write {name}/ or {one.experiment}/{one.arm}.")
    if whole:
        return Side(name, tuple(job.ref() for job in whole), is_arm=True)
    experiments = list(dict.fromkeys(job.experiment for job in matches))
    if len(experiments) > 1:
        named = ", ".join(f"{one}/{arm}" for one in experiments)
        raise UsageError(f"arm {arm!r} is in {len(experiments)} experiments. Name one of them: {named}")
    if not matches:
        arms = list(dict.fromkeys([*(job.arm for job in jobs), *(f"{job.experiment}/{job.arm}" for job in known)]))
        listed = f" Arms: {', '.join(arms[:12])}." if arms else ""
        raise UsageError(f"{name!r} is neither a run nor an arm nor an experiment.{listed} Runs: experiments status")
    return Side(name, tuple(job.ref() for job in matches), is_arm=True)


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


def _shared_metrics(a: Side, b: Side, infos: Mapping[str, RunInfo], notes: list[str]) -> list[str]:
    """Return the metrics that both sides have logged, one of them as numbers, by name; note what one side lacks."""
    ours, theirs = ([infos[ref.run].summary for ref in side.runs if ref.run in infos] for side in (a, b))
    rows = [item for summary in (*ours, *theirs) for item in summary.items() if not is_media_part(item[0], summary)]
    numbers = {key for key, value in rows if number_or_none(value) is not None and not key.startswith(_NO_METRICS)}
    shared = {key for key in numbers if all(any(key in one for one in side) for side in (ours, theirs))}
    if ours and theirs and (alone := sorted(numbers - shared)):
        notes.append(f"logged by one side only: {', '.join(alone[:3])}{' and others' if len(alone) > 3 else ''}")
    return sorted(shared)


def _of_metrics(
    a: Side,
    b: Side,
    keys: Sequence[str],
    infos: Mapping[str, RunInfo],
    store: RunStore,
    statuses: Mapping[str, JobStatus],
    notes: list[str],
) -> list[Line]:
    for side in (a, b):
        if len(arms := dict.fromkeys(ref.arm for ref in side.runs)) > 1:
            notes.append(
                f"no metrics are compared: {side.name} has {len(arms)} arms, whose runs are not each other's seeds. "
                f"Name two arms, such as {side.name.removesuffix('/')}/{next(iter(arms))}"
            )
            return []
    if not (a.is_arm and b.is_arm):
        notes.append("metrics are latest values; one run has no interval")
        return [_of_values(key, _latest(a, key, infos), _latest(b, key, infos)) for key in keys]
    lines, told, seeds, lost = [], None, {}, []
    jobs = [
        *(replaced(ref, arm="a") for ref in a.runs),
        *(replaced(ref, arm="b") for ref in b.runs),
    ]
    for key in keys:
        runs = scored_runs(jobs, key, store, statuses=statuses)
        comparison = compare(runs.scores["b"], runs.scores["a"])
        if told is None or told.difference.interval.bounds is None:
            told = comparison
            named = ((a.name, runs.scores["a"]), (b.name, runs.scores["b"]))
            lost = [f"{name}, seed {run.seed}: {run.reason}" for name, side in named for run in side.runs if run.reason]
        seeds[key] = f"{a.name}: {comparison.counts[1].sentence}; {b.name}: {comparison.counts[0].sentence}"
        lines.append(_of_comparison(key, comparison, *(describe(runs.scores[side]).value for side in "ab")))
    if told is not None:
        if not told.claim.is_final:
            notes.append(f"nothing is claimed of the metrics: {told.claim.words}")
        counts = f"{a.name}: {told.counts[1].sentence}; {b.name}: {told.counts[0].sentence}"
        notes += lost[:3]
        notes += [f"{key}: {said}" for key, said in seeds.items() if said != counts][:3]
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
