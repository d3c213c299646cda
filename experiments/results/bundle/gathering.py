"""What goes into the bundle of an experiment, read from its project without changing anything there."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.jobs.controls.pooled import with_controls
from experiments.jobs.criteria import Criterion, recorded_criteria
from experiments.jobs.designs import Registration, registration_of
from experiments.jobs.journal import Journal, kept_notes, recorded_journals
from experiments.jobs.ledger import open_ledger
from experiments.jobs.reproducing import folder_of, path_begun_from
from experiments.project.environment.records import Environment, read_environment
from experiments.project.environment.restoring import hashed_requirements
from experiments.project.errors import ExperimentsError, LaunchError, StoreError, UsageError
from experiments.project.files import home_folder, parse_json, write_text
from experiments.project.provenance import OwnCode, Provenance
from experiments.project.redaction import SHORTEST_SECRET, known_secrets_in, mask_json, mask_text
from experiments.project.snapshots import Snapshot, checkout, files, is_there
from experiments.project.values import replaced
from experiments.results.bundle.archive import Content
from experiments.results.bundle.beside import controls_beside
from experiments.results.bundle.metrics import INFO, ROWS, info_values, rows_text
from experiments.results.bundle.records import (
    BUNDLE,
    CODE,
    CONTROLS,
    JOURNAL,
    LEDGER,
    PACKAGES,
    RECORD,
    REQUIREMENTS,
    RUNS,
    Began,
    BundleRecord,
    RunRecord,
    SnapshotRecord,
    bundled_name,
    without_places,
)
from experiments.results.reproduction.checkpoints import FOLDER, content_hash
from experiments.results.reproduction.explanations import can_change_a_result
from experiments.results.reproduction.sides import Side, side_of
from experiments.runs.evaluations import EVALUATIONS, REQUEST
from experiments.runs.evaluations import ROWS as ROWS_FOUND
from experiments.runs.store import RunInfo, RunQuery
from experiments.types import Plan, TrainingJob

if TYPE_CHECKING:
    import pandas as pd

    from experiments.project.workspace import Workspace
    from experiments.runs.store import Origin, RunStore

Checkpoints = Literal["last", "all", "none"]


@dataclass
class Gathered:
    """What goes into a bundle, and what REPRODUCE.md is written from.

    Attributes:
        contents: By name in the bundle.
        record: What the bundle says of itself.
        runs: The record of each run.
        infos: What the tracker knows of each.
        environments: The package sets, by hash.
        journal: Hypothesis and rule as they were recorded at the first launch; None where none was.
        registration: How far the rule was fixed before the runs; None without a rule.
        criteria: What the experiment had to reach, as it was recorded at its first launch that had any.
        notes: What could not be put in, in words.
    """

    contents: dict[str, Content] = field(default_factory=dict)
    record: BundleRecord | None = None
    runs: dict[str, RunRecord] = field(default_factory=dict)
    infos: dict[str, RunInfo] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    journal: Journal | None = None
    registration: Registration | None = None
    criteria: tuple[Criterion, ...] = ()
    notes: list[str] = field(default_factory=list)


def gather(
    workspace: Workspace,
    store: RunStore,
    experiment: str,
    *,
    checkpoints: Checkpoints = "last",
    further: Mapping[str, Path] | None = None,
    notes: Sequence[str] = (),
) -> Gathered:
    """Return what goes into the bundle of an experiment.

    Args:
        store: Where its runs are read.
        checkpoints: Which of each run's checkpoints; the hashes of all are in it anyway.
        further: Files of the user that go in as they are, such as its notebook, by name in the bundle.
        notes: What is known of these that a reader of the bundle has to know.

    Raises:
        UsageError: There is no such experiment, or a secret that is known here would go in.
    """
    found = Gathered(notes=list(notes))
    jobs, plans, code = _launched(workspace, experiment)
    places = _places(workspace)
    kept = controls_beside(workspace, plans)
    for job in jobs:
        _add_run(found, workspace, store, job, checkpoints, places)
    for beside in kept:
        for job in beside.jobs:
            _add_run(found, workspace, store, job, checkpoints, places, control=beside.control.name)
        if beside.file is not None:
            found.contents[f"{CONTROLS}/{beside.file.name}"] = Content(beside.file)
        found.notes += beside.notes
    snapshots = _add_snapshots(found, workspace)
    _add_packages(found, workspace)
    found.record = BundleRecord(
        experiment=experiment,
        plans=tuple(plans),
        code={key: _code_anywhere(record) for beside in kept for key, record in beside.code.items()} | code,
        runs=tuple(found.runs),
        snapshots=snapshots,
        checkpoints=checkpoints,
        notes=tuple(found.notes),
    )
    _add_json(found, BUNDLE, found.record.model_dump(mode="json"), places)
    recorded = recorded_journals(workspace, [plan.key for plan in plans])
    found.journal = recorded[0].journal if recorded else None
    if found.journal is not None:
        _add_json(found, JOURNAL, found.journal.model_dump(mode="json"), places)
        if found.journal.rule is not None:
            found.registration = registration_of(workspace, with_controls(jobs, workspace), found.journal)
    found.criteria = _criteria(workspace, plans)
    _add_json(found, LEDGER, _known_to_the_ledger(workspace, experiment, plans, found.runs), places)
    for name, path in (further or {}).items():
        found.contents[name] = Content(path)
    _refuse_secrets(found)
    return found


def last_change(workspace: Workspace, store: RunStore, experiment: str) -> float:
    """Return the Unix seconds at which anything was last recorded of an experiment or logged by a run of it.

    Infinity where the store cannot say it.

    Raises:
        UsageError: There is no such experiment.
    """
    jobs, plans, _ = _launched(workspace, experiment)
    keys, names = {plan.key for plan in plans}, {job.run_name for job in jobs}
    with open_ledger(workspace, read_only=True) as ledger:
        events = [event.at for event in ledger.events(plan_key=keys, run_name=names)]
    try:
        infos = store.find(RunQuery(names=sorted(names), limit=None))
    except StoreError:
        return math.inf
    return max([*events, *(info.heartbeat_at or 0.0 for info in infos)], default=0.0)


def _launched(workspace: Workspace, experiment: str) -> tuple[list[TrainingJob], list[Plan], dict[str, Provenance]]:
    with open_ledger(workspace, read_only=True) as ledger:
        of_it = ledger.jobs(experiment=experiment)
        jobs = [job for job in of_it if job.state == "submitted" and job.role != "reproduction"]
        keys = list(dict.fromkeys(job.plan_key for job in jobs))
        plans = [plan for key in keys if (plan := ledger.plan(key)) is not None]
        code = {key: _code_anywhere(record) for key in keys if (record := ledger.provenance(key))}
        known = ledger.experiments()
    if not jobs:
        listed = f"There are: {', '.join(known[:12])}." if known else "There is no job yet."
        raise UsageError(f"no run belongs to experiment {experiment!r}. {listed} See: experiments status")
    return jobs, plans, code


def _criteria(workspace: Workspace, plans: Sequence[Plan]) -> tuple[Criterion, ...]:
    with open_ledger(workspace, read_only=True) as ledger:
        recorded = recorded_criteria(ledger, [plan.key for plan in plans])
    return next((one.stated.criteria for one in recorded if one.stated is not None), ())


def _places(workspace: Workspace) -> dict[str, str]:
    """Return this machine's folders, the inner ones first, and the words that stand for them."""
    folders = {str(workspace.state): "{state}", str(workspace.root): "{project}", str(home_folder()): "{home}"}
    return {folder: folders[folder] for folder in sorted(folders, key=len, reverse=True) if folder != os.sep}


def _add_run(
    found: Gathered,
    workspace: Workspace,
    store: RunStore,
    job: TrainingJob,
    checkpoints: Checkpoints,
    places: Mapping[str, str],
    *,
    control: str = "",
) -> None:
    side = side_of(workspace, store, job)
    folder = f"{RUNS}/{job.run_name}"
    kept = side.saved
    chosen = {"all": list(kept), "last": list(kept)[-1:], "none": []}[checkpoints]
    for name in chosen:
        found.contents[f"{folder}/{FOLDER}/{name}"] = Content(kept[name])
    began = _add_beginning(found, side)
    record = RunRecord(
        job=replaced(job, launcher_id=None, error=None),
        control=control,
        own=None if side.own is None else _anywhere(side.own),
        code=side.code.started,
        why=side.code.why,
        variables={name: value for name, value in side.variables.items() if can_change_a_result(name)},
        roots=side.roots,
        began=began,
        checkpoints={name: _sha256(path) for name, path in kept.items()},
        contents={name: inside for name, path in kept.items() if (inside := content_hash(path)) is not None},
    )
    found.runs[job.run_name] = record
    _add_evaluations(found, folder_of(workspace, job.run_name), folder, places)
    _add_json(found, f"{folder}/{RECORD}", record.model_dump(mode="json"), places)
    if (read := _read(found, store, job)) is not None:
        info, rows = read
        found.infos[job.run_name] = info
        _add_json(found, f"{folder}/{INFO}", info_values(info), places)
        found.contents[f"{folder}/{ROWS}"] = Content(rows_text(*rows))


def _add_evaluations(found: Gathered, run: Path, folder: str, places: Mapping[str, str]) -> None:
    """Add what evaluations of a run asked for and found; what they played is among its checkpoints, as far as kept."""
    for path in sorted((run / EVALUATIONS).glob("*/*.json")):
        if path.name not in {REQUEST, ROWS_FOUND}:
            continue
        name = f"{folder}/{EVALUATIONS}/{path.parent.name}/{path.name}"
        try:
            _add_json(found, name, parse_json(path.read_bytes()), places)
        except (OSError, ValueError) as error:
            found.notes.append(f"an evaluation of {run.name} cannot be read ({path.parent.name}): {error}")


def _read(found: Gathered, store: RunStore, job: TrainingJob) -> tuple[RunInfo, tuple[pd.DataFrame, Origin]] | None:
    try:
        infos = store.find(RunQuery(names=[job.run_name], limit=None))
        rows = store.history(job.run_name) if infos else None
    except StoreError as error:
        found.notes.append(f"no metrics of {job.run_name}: {error}")
        return None
    if rows is None:
        found.notes.append(f"no metrics of {job.run_name}: it has none")
        return None
    if rows[1].damage:
        found.notes.append(f"metrics of {job.run_name}: {rows[1].damage}")
    if infos[0].state == "running":
        found.notes.append(f"{job.run_name} has not ended, so its rows are those up to now")
    return infos[0], rows


def _add_beginning(found: Gathered, side: Side) -> Began | None:
    if path_begun_from(side.job) is not None:
        found.notes.append(f"{side.run} went on from a checkpoint by its path, which is not in the bundle")
    if side.beginning is None:
        return None
    if side.beginning.file is None:
        found.notes.append(f"{side.run}: {side.beginning.problem}")
        return Began(run=side.beginning.run, step=side.beginning.step)
    file = side.beginning.file
    found.contents[f"{RUNS}/{side.beginning.run}/{FOLDER}/{file.name}"] = Content(file)
    return Began(run=side.beginning.run, step=side.beginning.step, file=file.name)


def _code_anywhere(record: Mapping[str, Any]) -> Provenance:
    """Return what was recorded of a plan's code, less what is only so on this machine."""
    code = Provenance.recorded(record)
    command = tuple(Path(word).name if Path(word).is_absolute() else word for word in code.command)
    return replaced(code, command=command, own=_anywhere(code.own) if code.own is not None else None)


def _anywhere(own: OwnCode) -> OwnCode:
    """Return what a job was told to run with, less what is only so on this machine."""
    return replaced(own, python=None, env={name: value for name, value in own.env.items() if can_change_a_result(name)})


def _add_snapshots(found: Gathered, workspace: Workspace) -> dict[str, SnapshotRecord]:
    wanted: dict[str, Snapshot] = {}
    for name, run in found.runs.items():
        if run.own is not None and run.own.snapshot is not None:
            wanted.setdefault(run.own.snapshot.id, run.own.snapshot)
        else:
            found.notes.append(f"{name} has no snapshot, so its code is not in the bundle")
    records = {}
    for snapshot in wanted.values():
        if not is_there(workspace.state, snapshot):
            found.notes.append(f"snapshot {snapshot.id[:12]} is gone, so its code is not in the bundle")
            continue
        modes = {}
        for path, mode, content in files(workspace.state, snapshot):
            name = bundled_name(path)
            modes[name] = mode
            found.contents[f"{CODE}/{snapshot.id}/{name}"] = Content(content)
        records[snapshot.id] = SnapshotRecord(snapshot=snapshot, modes=modes)
    return records


def _add_packages(found: Gathered, workspace: Workspace) -> None:
    hashes = {run.code.environment for run in found.runs.values() if run.code is not None and run.code.environment}
    for name in sorted(hashes):
        try:
            environment = read_environment(workspace.state, name)
        except ExperimentsError as error:
            found.notes.append(str(error))
            continue
        found.environments[name] = environment
        found.contents[f"{PACKAGES}/{name}.json"] = Content((workspace.state / PACKAGES / f"{name}.json").read_bytes())
        try:
            found.contents[f"{REQUIREMENTS}/{name}.txt"] = Content(_pinned(found, workspace, name, environment))
        except LaunchError as error:
            found.notes.append(f"no hashes of the files of package set {name}: {error}")


def _pinned(found: Gathered, workspace: Workspace, name: str, environment: Environment) -> Path:
    """Return the file with the hashes of a package set; an index is asked once, for what it says grows with time."""
    path = workspace.state / PACKAGES / f"{name}.txt"
    if not path.exists():
        write_text(path, hashed_requirements(environment, _tree_of(found, workspace, name)))
    return path


def _tree_of(found: Gathered, workspace: Workspace, environment: str) -> Path | None:
    """Return a checkout of code that ran with a package set, which says on which indexes its packages are."""
    for run in found.runs.values():
        snapshot = run.own.snapshot if run.own is not None else None
        ran_with_it = run.code is not None and run.code.environment == environment
        if snapshot is not None and ran_with_it and is_there(workspace.state, snapshot):
            return checkout(workspace.state, snapshot)
    return None


def _known_to_the_ledger(
    workspace: Workspace, experiment: str, plans: Sequence[Plan], runs: Iterable[str]
) -> dict[str, Any]:
    """Return what no file of a run says: what happened, what was registered, and what people wrote."""
    keys, names = {plan.key for plan in plans}, set(runs)
    with open_ledger(workspace, read_only=True) as ledger:
        events = [asdict(event) for event in ledger.events(plan_key=keys, run_name=names)]
        written = {name: asdict(note) for name, note in sorted(ledger.annotations(sorted(names)).items())}
    # What a launcher was told names places of this machine, and each run's record says it again.
    events = [event | {"data": _short(event["data"])} for event in events]
    return {"events": events, "written": written, "log": kept_notes(workspace, experiment)}


def _short(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in {"spec", "row", "env", "cwd", "by"}}


def _add_json(found: Gathered, name: str, value: object, places: Mapping[str, str]) -> None:
    text = json.dumps(without_places(mask_json(value), places), sort_keys=True, indent=1)
    found.contents[name] = Content(f"{text}\n".encode())


def _refuse_secrets(found: Gathered) -> None:
    """Refuse a bundle that would hold a secret that is known here, in whatever text of it.

    Raises:
        UsageError: Names the file.
    """
    for name, content in _read_again(found):
        # What is committed went into its snapshot unasked: git had it already. A bundle is given to others.
        of_code = name.startswith(f"{CODE}/")
        text = "" if of_code else content.decode("utf-8", "replace")
        if mask_text(text) != text or (of_code and known_secrets_in(content, at_least=SHORTEST_SECRET)):
            raise UsageError(f"{name!r} holds a secret, so no bundle is written. Take it out, then run this again.")


def _read_again(found: Gathered) -> Iterator[tuple[str, bytes]]:
    for name, content in found.contents.items():
        # Checkpoints are numbers; a folder of the code may have the same name.
        if f"/{FOLDER}/" in name and not name.startswith(f"{CODE}/"):
            continue
        with content.opened() as file:
            yield name, file.read()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
