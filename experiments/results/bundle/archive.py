"""One archive with a manifest: written with the same bytes each time, and verified before anything of it is written.

The format is a tar of plain files in a gzip, both without times, owners and names of machines; the manifest comes
first. Links and devices are in none, so a link in one is refused; what is a link in a snapshot is told by its mode.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import ValidationError

from experiments.project.errors import ExperimentsError, UsageError, reasons
from experiments.project.files import parse_json
from experiments.project.values import Frozen

MANIFEST = "MANIFEST.json"
FORMAT = 1
_CHUNK = 1 << 20
_MOST_MANIFEST = 1 << 28
_LEVEL = 6


class DamagedBundle(ExperimentsError):  # noqa: N818 - says what the file is
    """An archive is not what its manifest says, or would write where it must not; nothing of it was written."""

    exit_code = 2


class FileEntry(Frozen):
    """What the manifest says of one file.

    Attributes:
        sha256: Of its bytes.
        size: In bytes.
    """

    sha256: str
    size: int


class Manifest(Frozen):
    """What is in a bundle.

    Attributes:
        format: Of this layout; another one is refused.
        experiment: Name of the experiment.
        files: By name; the manifest itself is not among them.
    """

    format: int
    experiment: str
    files: dict[str, FileEntry]

    @property
    def id(self) -> str:
        """The hash that stands for all of the bundle, whatever program compressed it."""
        return hashlib.sha256(self.text()).hexdigest()

    def text(self) -> bytes:
        """Return the manifest as it stands in the archive."""
        return (json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode()


@dataclass(frozen=True)
class Content:
    """One file that goes into a bundle: its bytes, or where they lie."""

    data: bytes | Path

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open it for reading."""
        with self.data.open("rb") if isinstance(self.data, Path) else io.BytesIO(self.data) as file:
            yield file

    def entry(self) -> FileEntry:
        """Return what the manifest says of it."""
        with self.opened() as file:
            return _entry_of(file)


def write_archive(path: Path, experiment: str, contents: Mapping[str, Content]) -> Manifest:
    """Write a bundle under a temporary name and rename it; return its manifest.

    Raises:
        UsageError: A name in it would not be taken back.
        OSError: It cannot be written, or a file that goes in cannot be read or changed meanwhile.
    """
    for name in contents:
        if problem := _bad_name(name):
            raise UsageError(f"{name!r} cannot go into a bundle: {problem}. Rename the file.")
    files = {name: content.entry() for name, content in sorted(contents.items())}
    manifest = Manifest(format=FORMAT, experiment=experiment, files=files)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
            tarfile.open(mode="w|", fileobj=packed, format=tarfile.GNU_FORMAT) as tar,
        ):
            tar.addfile(_member(MANIFEST, len(manifest.text())), io.BytesIO(manifest.text()))
            for name, entry in files.items():
                with contents[name].opened() as file:
                    tar.addfile(_member(name, entry.size), file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return manifest


def verified(path: Path) -> Manifest:
    """Return the manifest of a bundle all of whose files are what it says; nothing is written.

    Raises:
        DamagedBundle: A file has another hash, is missing or too much; a name climbs out; there is a link in it; or it
            is no bundle at all.
    """
    manifest: Manifest | None = None
    seen: set[str] = set()
    for name, file in _members(path):
        if manifest is None:
            manifest = _manifest(path, name, file)
            continue
        entry = manifest.files.get(name)
        if entry is None:
            raise DamagedBundle(f"{str(path)!r} was changed: {name!r} is not in its manifest. {_AGAIN}")
        found = _entry_of(file)
        if found != entry:
            raise DamagedBundle(
                f"{str(path)!r} was changed: {name!r} has sha256 {found.sha256}, and its manifest says {entry.sha256}. "
                f"{_AGAIN}"
            )
        seen.add(name)
    if manifest is None:
        raise DamagedBundle(f"{str(path)!r} is no bundle: it is empty. {_AGAIN}")
    if missing := sorted(set(manifest.files) - seen):
        raise DamagedBundle(f"{str(path)!r} was changed: {missing[0]!r} is missing. {_AGAIN}")
    return manifest


def read_some(path: Path, wanted: Iterable[str]) -> dict[str, bytes]:
    """Return some files of a verified bundle; nothing is written."""
    names = set(wanted)
    return {name: file.read() for name, file in _members(path) if name in names}


def unpack(path: Path, manifest: Manifest, folder: Path) -> None:
    """Unpack a verified bundle into a folder that is not there yet, whole or not at all.

    Raises:
        DamagedBundle: It changed since it was verified.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        for name, file in _members(path):
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as written:
                shutil.copyfileobj(file, written, _CHUNK)
            with target.open("rb") as written:
                if name != MANIFEST and manifest.files.get(name) != _entry_of(written):
                    raise DamagedBundle(f"{str(path)!r} changed while it was read: {name!r}. {_AGAIN}")
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def differing_files(manifest: Manifest, folder: Path) -> list[str]:
    """Return which files of an unpacked bundle are missing or not what its manifest says."""
    return [
        name
        for name, entry in manifest.files.items()
        if not (folder / name).is_file() or Content(folder / name).entry() != entry
    ]


_AGAIN = "Get it once more from where it was written."


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the files of an archive, each to be read before the next; what is none, or climbs out, is refused.

    Nothing is extracted by `tarfile`, whose filters Debian's Python 3.11 has not: each file is written by its checked
    name.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(path, "r|gz", errors="surrogateescape") as tar:
            for member in tar:
                problem = _bad_name(member.name) or ("" if member.isreg() else "it is no plain file")
                if problem or member.name in seen:
                    why = problem or "it is in it twice"
                    raise DamagedBundle(
                        f"{str(path)!r} is refused for {member.name!r}: {why}. Nothing of it was written. {_AGAIN}"
                    )
                seen.add(member.name)
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, file
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedBundle(f"{str(path)!r} is no bundle, or was cut: {error}. {_AGAIN}") from error


def _bad_name(name: str) -> str:
    """Return why a name may not be written; empty where it may."""
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or "\\" in name or "\0" in name:
        return "its name is no relative path"
    if ".." in pure.parts or str(pure) != name:
        return "its name leads elsewhere"
    return ""


def _manifest(path: Path, name: str, file: IO[bytes]) -> Manifest:
    if name != MANIFEST:
        raise DamagedBundle(f"{str(path)!r} is no bundle: it begins with {name!r}, not with {MANIFEST}. {_AGAIN}")
    try:
        text = file.read(_MOST_MANIFEST)
        manifest = Manifest.model_validate(parse_json(text))
    except ValidationError as error:
        raise DamagedBundle(f"the manifest of {str(path)!r} cannot be read: {reasons(error)}. {_AGAIN}") from error
    except ValueError as error:
        raise DamagedBundle(f"the manifest of {str(path)!r} cannot be read: {error}. {_AGAIN}") from error
    if manifest.format != FORMAT:
        raise DamagedBundle(f"{str(path)!r} has format {manifest.format}; this version reads {FORMAT}.")
    return manifest


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o644, 0
    return member


def _entry_of(file: IO[bytes]) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return FileEntry(sha256=digest.hexdigest(), size=size)
