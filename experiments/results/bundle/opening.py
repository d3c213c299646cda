"""A bundle that somebody got: verified, listed, unpacked, and its runs as originals to reproduce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import ValidationError

from experiments.jobs.ran import Ran
from experiments.jobs.reproducing import Beginning, path_begun_from
from experiments.project.environment.differences import Conditions
from experiments.project.environment.records import bring_environment
from experiments.project.errors import ExperimentsError, UsageError, reasons
from experiments.project.files import parse_json
from experiments.project.look import counted
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import restore
from experiments.project.values import Frozen
from experiments.results.bundle.archive import DamagedBundle, Manifest, differing_files, read_some, unpack, verified
from experiments.results.bundle.metrics import BundledRuns
from experiments.results.bundle.records import (
    BUNDLE,
    CODE,
    PACKAGES,
    RECORD,
    REQUIREMENTS,
    RUNS,
    BundleRecord,
    RunRecord,
    original_name,
)
from experiments.results.reproduction.checkpoints import FOLDER, checkpoint_files
from experiments.results.reproduction.sides import Side, of_same_code
from experiments.types import TrainingJob

Record = TypeVar("Record", bound=Frozen)
BUNDLES = "bundles"
"""Folder of a project's state with the bundles that were unpacked."""


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, nothing of which is written anywhere yet.

    Attributes:
        manifest: With the hash of every file.
        record: What it holds.
        runs: The record of each run, by name.
    """

    path: Path
    manifest: Manifest
    record: BundleRecord
    runs: Mapping[str, RunRecord]

    @classmethod
    def opened(cls, path: Path) -> Bundle:
        """Verify a bundle and read what it says of itself; nothing is written or run.

        Raises:
            DamagedBundle: It was changed, or is none.
        """
        manifest = verified(path)
        said = read_some(path, [BUNDLE, *(name for name in manifest.files if name.endswith(f"/{RECORD}"))])
        record = _parsed(path, BUNDLE, said, BundleRecord)
        runs = {name: _parsed(path, f"{RUNS}/{name}/{RECORD}", said, RunRecord) for name in record.runs}
        if odd := _leads_out(manifest, record, runs):
            raise DamagedBundle(f"{str(path)!r} is refused: {odd}. Nothing of it was written.")
        return cls(path, manifest, record, runs)

    def lines(self) -> list[str]:
        """Return what it holds and would run, for a person who has to decide whether to."""
        size = sum(entry.size for entry in self.manifest.files.values())
        lines = [
            f"bundle of {self.record.experiment}, sha256 {self.manifest.id}",
            f"{counted(len(self.manifest.files), 'file')}, {size / 1e6:.1f} MB, each as the manifest says",
            f"{counted(len(self.runs), 'run')}, checkpoints: {self.record.checkpoints}",
        ]
        beside = Counter(run.control for run in self.runs.values() if run.control)
        lines += [f"of them {counted(number, 'run')} of control {name}" for name, number in beside.items()]
        lines += [f"code {name[:12]}: {counted(len(one.modes), 'file')}" for name, one in self.record.snapshots.items()]
        pinned = [name for name in self.manifest.files if name.startswith(f"{REQUIREMENTS}/")]
        lines += [f"{counted(len(pinned), 'package set')} with the hash of every file"] if pinned else []
        lines += [f"runs: {' '.join(command)}" for command in sorted({_command(run.job) for run in self.runs.values()})]
        lines += [f"runs: {name} with {', '.join(env)}" for name, env in self._variables() if env]
        return lines + [f"note: {note}" for note in self.record.notes]

    def lacking(self) -> dict[str, str]:
        """Return why a run cannot be run again from the bundle as it was, by name; nothing is run."""
        found = {name: self._lack(run) for name, run in self.runs.items()}
        return {name: why for name, why in found.items() if why}

    def _lack(self, run: RunRecord) -> str:
        snapshot = run.own.snapshot if run.own is not None else None
        environment = run.code.environment if run.code is not None else None
        if snapshot is None:
            return "no snapshot of its code was taken"
        if snapshot.id not in self.record.snapshots:
            return f"its code, snapshot {snapshot.id[:12]}, is not in the bundle"
        if environment is not None and f"{PACKAGES}/{environment}.json" not in self.manifest.files:
            return f"the record of its packages, set {environment}, is not in the bundle"
        if (place := path_begun_from(run.job)) is not None:
            return f"the checkpoint that it went on from, {str(place)!r}, is not in the bundle"
        if run.began is not None and f"{RUNS}/{run.began.run}/{FOLDER}/{run.began.file}" not in self.manifest.files:
            return f"the checkpoint of {run.began.run} that it went on from is not in the bundle"
        return ""

    def chosen(self, name: str | None) -> list[str]:
        """Return the runs that a name means: a run, an arm, or all of them where it is None.

        Raises:
            UsageError: It is neither.
        """
        found = [run for run, record in self.runs.items() if name in (None, run, record.job.arm)]
        if not found:
            raise UsageError(f"{name!r} is neither a run nor an arm of this bundle. Runs: {', '.join(self.runs)}")
        return found

    def unpacked(self, state: Path) -> Path:
        """Return the folder with its files, unpacked into a project's state where it is not there yet.

        Raises:
            DamagedBundle: Somebody edited the folder that was unpacked before.
        """
        folder = state / BUNDLES / self.manifest.id[:16]
        if not folder.exists():
            unpack(self.path, self.manifest, folder)
        elif edited := differing_files(self.manifest, folder):
            raise DamagedBundle(
                f"{edited[0]!r} in {str(folder)!r} is not what the bundle holds. Remove that folder and run this again."
            )
        return folder

    def sides(self, folder: Path, names: list[str]) -> list[Side]:
        """Return some of its runs as originals.

        Args:
            folder: From `unpacked`.
            names: From `chosen`.
        """
        return [self._side(folder, self.runs[name]) for name in names]

    def bring_code(self, folder: Path, state: Path) -> None:
        """Keep its snapshots and package sets in a project's state; they are checked against their hashes.

        Raises:
            LaunchError: The files are not those of the snapshot that they are said to be.
        """
        for name, one in self.record.snapshots.items():
            restore(state, one.snapshot, self._files(folder / CODE / name, one.modes))
        for path in sorted((folder / PACKAGES).glob("*.json")) if (folder / PACKAGES).is_dir() else ():
            bring_environment(path.stem, folder, state)

    def pinned(self, folder: Path, environment: str) -> str:
        """Return the requirements of a package set with their hashes; empty where the bundle has none."""
        path = folder / REQUIREMENTS / f"{environment}.txt"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _side(self, folder: Path, run: RunRecord) -> Side:
        job, place = run.job, folder / RUNS / run.job.run_name
        record, code = run.code or CodeRecord(), self._code(run)
        problems: tuple[str, ...] = ()
        try:
            conditions = Conditions.recorded(folder, record.environment, record.machine)
        except ExperimentsError as error:
            conditions, problems = Conditions(None, record.machine), (str(error),)
        return Side(
            job=job,
            state=folder,
            store=BundledRuns(folder / RUNS),
            folder=place,
            code=code,
            conditions=conditions,
            variables=run.variables,
            own=run.own,
            roots=run.roots,
            saved=checkpoint_files(place / FOLDER, run=job.run_name),
            arm=of_same_code(
                code,
                {name: self._code(other) for name, other in self.runs.items()},
                (
                    other.job
                    for other in self.runs.values()
                    if (other.job.plan_key, other.job.arm) == (job.plan_key, job.arm)
                ),
            ),
            beginning=_beginning(folder, run),
            hashes=run.checkpoints,
            contents=run.contents,
            problems=problems,
        )

    def _code(self, run: RunRecord) -> Ran:
        return Ran(self.record.code.get(run.job.plan_key), run.code, run.why)

    def _variables(self) -> Iterator[tuple[str, list[str]]]:
        for name, run in self.runs.items():
            yield name, [f"{key}={value}" for key, value in (run.own.env if run.own is not None else {}).items()]

    @staticmethod
    def _files(folder: Path, modes: Mapping[str, str]) -> Iterator[tuple[bytes, str, bytes]]:
        for name, mode in modes.items():
            yield original_name(name), mode, (folder / name).read_bytes()


def _leads_out(manifest: Manifest, record: BundleRecord, runs: Mapping[str, RunRecord]) -> str:
    """Return what in the records of a bundle would lead out of its own files; empty where nothing does.

    The manifest's names were looked at already; these are names within files, which become paths later.
    """
    for name, run in runs.items():
        if run.job.run_name != name:
            return f"the record of run {name!r} is that of another"
        prefix = run.own.snapshot.prefix if run.own is not None and run.own.snapshot is not None else "."
        if odd := [place for place in (prefix, *run.roots) if _climbs(place)]:
            return f"run {name!r} names the folder {odd[0]!r}, which is not in its snapshot"
    for name, one in record.snapshots.items():
        if one.snapshot.id != name:
            return f"snapshot {name!r} is another than it says"
        for file in one.modes:
            path = original_name(file).decode("utf-8", "backslashreplace")
            if f"{CODE}/{name}/{file}" not in manifest.files or _climbs(path) or ".git" in PurePosixPath(path).parts:
                return f"snapshot {name[:12]} names the file {path!r}"
    return ""


def _climbs(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts


def _beginning(folder: Path, run: RunRecord) -> Beginning | None:
    if run.began is None:
        return None
    began = run.began
    file = folder / RUNS / began.run / FOLDER / began.file if began.file is not None else None
    if file is None or not file.is_file():
        return Beginning(began.run, began.step, problem=f"the checkpoint of {began.run} is not in the bundle")
    return Beginning(began.run, began.step, file)


def _command(job: TrainingJob) -> tuple[str, ...]:
    """Return a run's command with words in the place of what is each run's own."""
    return tuple(word.replace(job.run_name, "{run}") for word in job.command)


def _parsed(path: Path, name: str, said: Mapping[str, bytes], kind: type[Record]) -> Record:
    try:
        return kind.model_validate(parse_json(said[name]))
    except KeyError:
        raise DamagedBundle(f"{str(path)!r} is no bundle: {name!r} is missing.") from None
    except ValidationError as error:
        raise DamagedBundle(f"{name!r} of {str(path)!r} cannot be read: {reasons(error)}.") from error
    except ValueError as error:
        raise DamagedBundle(f"{name!r} of {str(path)!r} cannot be read: {error}.") from error
