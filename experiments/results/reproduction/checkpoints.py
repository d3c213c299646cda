"""The checkpoints of two runs, file by file: their bytes, and what archives hold where only the container differs."""

from __future__ import annotations

import filecmp
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from experiments.jobs.checkpoints import damage
from experiments.results.reproduction.values import FileComparison

FOLDER = "checkpoints"


def compare_checkpoints(
    original: Mapping[str, Path],
    reproduction: Mapping[str, Path],
    hashes: Mapping[str, str] | None = None,
    contents: Mapping[str, str] | None = None,
) -> tuple[FileComparison, ...]:
    """Return how the checkpoints of two runs compare, those of both or either, by name.

    A file that cannot be read, or whose archive is damaged, is `damaged`, and never the same.

    Args:
        original: From `checkpoint_files`.
        reproduction: Likewise.
        hashes: The sha256 of files that the original had and that did not come with it.
        contents: The `content_hash` of those of them that are archives.
    """
    ours, theirs, known, inside = original, reproduction, hashes or {}, contents or {}
    found = []
    for name in sorted({*ours, *theirs, *known}, key=_in_order):
        if name not in ours and name in known and name in theirs:
            found.append(_by_hash(name, known[name], inside.get(name), theirs[name]))
        elif name not in ours and name not in known:
            found.append(FileComparison(name, "not in the original"))
        elif name not in theirs:
            found.append(FileComparison(name, "not in the reproduction"))
        else:
            found.append(_compared(name, ours[name], theirs[name]))
    return tuple(found)


def checkpoint_files(folder: Path, glob: str = "*", run: str = "") -> dict[str, Path]:
    """Return the files that a run saved its state in by name, in the order of steps, but for half written ones.

    Args:
        folder: Where it saves.
        glob: The names of its checkpoints there, each a file or a folder of files.
        run: Its name; where a file's name has it, `{run}` stands for it, so that two runs have the same names.
    """
    found = {
        path.relative_to(folder).as_posix().replace(run, "{run}") if run else path.relative_to(folder).as_posix(): path
        for top in folder.glob(glob)
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {name: found[name] for name in sorted(found, key=_in_order)}


def content_hash(path: Path) -> str | None:
    """Return the sha256 of the names and contents in an archive; None of any other file, and of a damaged one.

    The bytes of the container depend on the patch version of the Python that wrote it, what is in it does not.
    """
    if damage(path) or not zipfile.is_zipfile(path):
        return None
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            content = archive.read(name)
            digest.update(f"{len(name.encode())} {len(content)} {name}".encode() + content)
    return digest.hexdigest()


def _by_hash(name: str, expected: str, content: str | None, path: Path) -> FileComparison:
    if why := damage(path):
        return FileComparison(name, "damaged", f"the reproduction's {why}")
    with path.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == expected
    if same:
        return FileComparison(name, "same bytes")
    if content is not None and content_hash(path) == content:
        return FileComparison(name, "same content")
    return FileComparison(name, "differs", "its hash")


def _in_order(name: str) -> tuple[int, str]:
    """Return what puts `step_768` before `step_1536`."""
    return len(name), name


def _compared(name: str, original: Path, reproduction: Path) -> FileComparison:
    for side, path in (("the original's", original), ("the reproduction's", reproduction)):
        if why := damage(path):
            return FileComparison(name, "damaged", f"{side} {why}")
    if filecmp.cmp(original, reproduction, shallow=False):
        return FileComparison(name, "same bytes")
    if not (zipfile.is_zipfile(original) and zipfile.is_zipfile(reproduction)):
        return FileComparison(name, "differs", "its bytes")
    with zipfile.ZipFile(original) as ours, zipfile.ZipFile(reproduction) as theirs:
        names = dict.fromkeys([*ours.namelist(), *theirs.namelist()])
        differing = [part for part in names if not _same_member(ours, theirs, part)]
    if not differing:
        return FileComparison(name, "same content")
    return FileComparison(name, "differs", f"{len(differing)} of {len(names)} parts: {', '.join(differing[:3])}")


def _same_member(ours: zipfile.ZipFile, theirs: zipfile.ZipFile, name: str) -> bool:
    if name not in ours.namelist() or name not in theirs.namelist():
        return False
    one, other = ours.getinfo(name), theirs.getinfo(name)
    # Every member was read whole before, so its checksum is that of its bytes; equal ones are read all the same.
    return (one.CRC, one.file_size) == (other.CRC, other.file_size) and ours.read(one) == theirs.read(other)
